// What differs between two configurations.

import { expect, it } from 'vitest'
import { differences } from '../../src/config/differences.ts'
import { pathText } from '../../src/config/reading/path.ts'
import { load } from './files.ts'

const paths = (a: unknown, b: unknown) => differences(a, b).map(pathText)

it('finds changed, added and missing values, by path', () => {
  const a = { log: { level: 'info' }, sensors: [{ match: 'a' }, { match: 'b' }], predefined: { '1': 'x' } }
  const b = { log: { level: 'warn' }, sensors: [{ match: 'a', deny: true }], predefined: { '2': 'x' } }
  expect(paths(a, b)).toEqual(['log.level', 'sensors[0].deny', 'sensors[1]', 'predefined.1', 'predefined.2'])
})

it('finds nothing between two loads of the same content', () => {
  const content = { broker: { sessionExpiry: 'never' }, sensors: [{ match: 'a', from: ['10.0.0.0/8'] }] }
  const [first, second] = [load(content).config, load(content).config]
  expect(differences({ ...first, store: null }, { ...second, store: null })).toEqual([])
})

it('names an object that became something else as a whole', () => {
  expect(paths({ a: { b: 1 } }, { a: [1] })).toEqual(['a'])
  expect(paths({ a: { b: 1 } }, {})).toEqual(['a'])
  expect(paths([], [[]])).toEqual(['[0]'])
})
