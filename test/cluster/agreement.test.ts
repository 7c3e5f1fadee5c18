// In what the configurations of nodes differ, by what they say of themselves.

import { expect, it } from 'vitest'
import { agreementOf, differencesOf } from '../../src/cluster/agreement.ts'
import { testConfig } from '../support/gateway.ts'

const saidBy = (overrides: Record<string, unknown> = {}): string =>
  agreementOf(testConfig('embedded', overrides))

const shared = { store: { type: 'postgres', url: 'postgres://127.0.0.1/mqttsn' } }
const listeners = [{ url: 'udp://127.0.0.1:0', name: 'field' }]

it('nodes that differ in nothing that matters agree', () => {
  const own = saidBy({ listeners })
  expect(differencesOf(own, { config: own })).toEqual([])
  const other = saidBy({ listeners: [{ url: 'udp://127.0.0.2:9', name: 'field' }], log: { level: 'debug' } })
  expect(differencesOf(own, { config: other })).toEqual([])
})

it.each([
  ['listeners[].name', { listeners: [{ url: 'udp://127.0.0.1:0', name: 'hall' }] }],
  ['gateway.id', { gateway: { id: 9 } }],
  ['timers', { timers: { tRetry: '7s' } }],
  ['predefined', { predefined: [{ match: '*', topics: { 1: 'home/button' } }] }],
  ['sensors', { sensors: [{ match: 'a*', deny: true }] }],
  ['qosMinusOne', { qosMinusOne: { enabled: false } }],
  ['cluster.lease', { ...shared, cluster: { lease: '10s' } }],
  ['cluster.hold', { ...shared, cluster: { hold: '1s' } }],
])('the key that differs is named: %s', (key, overrides) => {
  const own = saidBy({ listeners })
  const other = saidBy({ listeners, ...overrides })
  expect(differencesOf(own, { config: other })).toEqual([key])
})

it('whoever says nothing, or nothing that can be read, differs in nothing', () => {
  const own = saidBy()
  for (const config of [undefined, '', '{', 'null', '[]', '7', '{"rest":7}'])
    expect(differencesOf(own, { config })).toEqual([])
})
