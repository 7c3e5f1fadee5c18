// Reading YAML: the same configuration with less punctuation, with places, within bounds.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { ConfigError, loadConfig } from '../../src/config/load.ts'
import { SyntaxProblem } from '../../src/config/reading/written.ts'
import { readYaml } from '../../src/config/reading/yaml.ts'
import { directoryWith } from './files.ts'

const problemOf = (text: string): [line: number, found: string, expected: string] => {
  try {
    readYaml(text)
  } catch (error) {
    if (error instanceof SyntaxProblem) return [error.place.line, error.found, error.expected]
    throw error
  }
  throw new Error('the text was accepted')
}

/** Loads a file of this name and content. */
function load(name: string, content: string, env: Record<string, string> = {}) {
  const directory = directoryWith({ [name]: content })
  return loadConfig({ file: join(directory, name), env })
}

function problemsIn(name: string, content: string) {
  try {
    load(name, content)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  throw new Error('the configuration was accepted')
}

describe('readYaml', () => {
  it('reads whatever JSON can say', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.boolean(), (value, flow) => {
        fc.pre(typeof value === 'object' && value !== null && !JSON.stringify(value).match(/__proto__|"<<"/))
        // JSON knows no -0
        const plain: unknown = JSON.parse(JSON.stringify(value))
        const text = flow ? JSON.stringify(plain) : stringify(plain, { aliasDuplicateObjects: false })
        expect(readYaml(text).value).toEqual(plain)
      }),
      { numRuns: 300 },
    )
  })

  it('takes keys as they are written, and only true and false for what they are', () => {
    const text = '1: one\n01: also\nyes: no\noff: True\nat: 2026-01-01\nversion: 3.1.1\ntime: 12:30\n'
    expect(readYaml(text).value).toEqual({
      1: 'one',
      '01': 'also',
      yes: 'no',
      off: true,
      at: '2026-01-01',
      version: '3.1.1',
      time: '12:30',
    })
  })

  it('knows where keys and list elements stand, and which keys occur twice', () => {
    const { placeOf, repeated } = readYaml('# first\na:\n  - 1\n  - b: 2\n    b: 3\n')
    expect(placeOf('a')).toEqual({ line: 2, column: 1 })
    expect(placeOf('a[1]')).toEqual({ line: 4, column: 5 })
    expect(placeOf('a[1].b')).toEqual({ line: 5, column: 5 })
    expect(repeated).toEqual([['a', 1, 'b']])
  })

  it('takes a file of comments for an empty configuration, and skips a byte order mark', () => {
    expect(readYaml('# nothing\n').value).toEqual({})
    expect(readYaml('\uFEFFa: 1').value).toEqual({ a: 1 })
  })

  it.each([
    ['a tab', 'a:\n\tb: 1', 2, 'no tabs'],
    ['a pattern without quotes', 'match: *', 1, 'in quotes'],
    ['a pattern that looks like an alias', 'match: *-meter', 1, 'in quotes'],
    ['a reserved character', 'a: 1\nb: @x', 2, 'in quotes'],
    ['two documents', 'a: 1\n---\nb: 2', 2, 'one document only'],
    ['a tag of a language', 'a: !!js/function x', 1, 'no tag'],
    ['a tag of its own', 'a: !secret x', 1, 'no tag'],
    ['binary data', 'a: !!binary aGk=', 1, 'no tag'],
    ['a quote that is not closed', 'a: 1\nb: "x\nc: 2', 3, 'a closing quote'],
    ['a bracket that is not closed', 'a: [1, 2', 1, 'closing bracket'],
    ['a colon in a value', 'a: b: c', 1, 'in quotes'],
    ['a wrong indentation', '  a: 1\n b: 2', 2, 'indentation'],
    ['a key without colon', 'a\nb: 1', 1, '":" behind the key'],
    ['a key that is a map', '? {a: 1}\n: 2', 1, 'a key that is a text'],
    ['a merge', '<<: {a: 1}', 1, 'does not merge'],
    ['an older YAML', '%YAML 1.1\n---\na: yes', 1, 'YAML 1.2'],
    ['a directive', '%FOO\n---\na: 1', 1, 'no directive'],
    ['the prototype', '__proto__: {}', 1, 'another key'],
  ])('says line and remedy for %s', (_, text, line, expected) => {
    const problem = problemOf(text)
    expect([problem[0], problem[2]]).toEqual([line, expect.stringContaining(expected)])
    expect(problem[1]).toMatch(/^(".{1,2}"|the end of the file)$/u)
  })

  it('resolves anchors, but no bomb of them, no circle and no depth', () => {
    expect(readYaml('a: &x [1, 2]\nb: *x').value).toEqual({ a: [1, 2], b: [1, 2] })
    const bomb = ['a0: &a0 [1,1,1,1,1,1,1,1,1,1]']
    for (let i = 1; i < 30; i++) bomb.push(`a${i}: &a${i} [${new Array(10).fill(`*a${i - 1}`).join(',')}]`)
    const started = performance.now()
    expect(problemOf(bomb.join('\n'))[2]).toContain('at most 100000 values')
    expect(problemOf('a: &x [*x]')[2]).toContain('at most 32 levels')
    for (const deep of ['['.repeat(100_000), '{a: '.repeat(50_000), '- '.repeat(100_000)])
      expect(problemOf(deep)[2]).toMatch(/at most 32 levels|closing bracket|YAML/)
    expect(performance.now() - started).toBeLessThan(10_000)
  })
})

describe('the name of a file', () => {
  const yaml = 'broker: embedded # for a trial\n'
  const json = '{ "broker": "embedded", /* for a trial */ }'

  it.each(['c.yaml', 'c.yml', 'C.YML'])('makes it YAML: %s', (name) => {
    expect(load(name, yaml).config.broker.url).toBe('embedded')
  })

  it.each(['c.json', 'c.jsonc', 'c.conf', 'c', 'yaml'])('makes it JSON with comments: %s', (name) => {
    expect(load(name, json).config.broker.url).toBe('embedded')
    const [problem] = problemsIn(name, yaml)
    expect(problem).toMatchObject({ path: '', found: '"b"', source: 'line 1, column 1' })
    expect(problem?.expected).toContain('.yaml or .yml')
  })

  it('says which syntax a file that is missing would have', () => {
    expect(() => loadConfig({ file: '/nonexistent/c.yml', env: {} })).toThrow(
      /expected a YAML file.*mqttsn init/,
    )
    const directory = directoryWith({ 'c.yaml': '' })
    const wrong = () => loadConfig({ file: join(directory, 'c.json'), env: {} })
    expect(wrong).toThrow(`there is ${join(directory, 'c.yaml')}`)
  })
})

describe('a configuration in YAML', () => {
  const text = `\
listeners:
  - url: udp://127.0.0.1:0
    roaming: everywhere   # line 3
broker:
  url: mqtts://me:hunter2@h
  pasword: hunter2
sensors:
  - match: "*"
    password: \${env:UNSET}
predefined:
  1: home/button
  0: never
timers: { tRetry: 50ms, tRetry: soon }
`

  it('has all its problems told at once, as in JSON, with their lines and no secret', () => {
    const problems = problemsIn('c.yaml', text)
    expect(problems.map(({ path, source }) => [path, source]).sort()).toEqual(
      [
        ['broker.pasword', 'line 6'],
        ['listeners[0].roaming', 'line 3'],
        ['predefined.0', 'line 12'],
        ['sensors[0].password', 'line 9'],
        ['timers.tRetry', 'line 13'],
      ].sort(),
    )
    expect(JSON.stringify(problems)).not.toContain('hunter2')
    for (const broken of ['password: "hunter2', 'a: hunter2: x', 'a: "x" hunter2', '- a\nhunter2: 1'])
      expect(JSON.stringify(problemsIn('c.yml', broken))).not.toContain('unter2')
  })

  it('means what the same in JSON means: references, units, short forms', () => {
    const content = {
      broker: { url: 'mqtts://h', username: 'u', password: `\${env:SECRET}`, tls: { ca: `\${file:ca.pem}` } },
      predefined: { 1: 'home/button' },
      timers: { tRetry: '50ms' },
      sensors: [{ match: 'meter-*', clientId: `sn-\${clientId}` }],
    }
    const directory = directoryWith({
      'ca.pem': '-----BEGIN CERTIFICATE-----',
      'c.json': content,
      'c.yaml': stringify(content),
    })
    writeFileSync(join(directory, 'mixed.jsonc'), `// all of it\n${JSON.stringify(content)}`)
    const env = { SECRET: 'hunter2', MQTTSN_LIMITS__SENSORS: '7' }
    const [json, yaml, jsonc] = ['c.json', 'c.yaml', 'mixed.jsonc'].map((name) =>
      loadConfig({ file: join(directory, name), env }),
    )
    expect(yaml).toEqual(json)
    expect(jsonc).toEqual(json)
    expect(yaml?.config.broker.password).toBe('hunter2')
  })
})
