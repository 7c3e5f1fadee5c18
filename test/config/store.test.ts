// The sections about what waits and what is kept: `store`, `queues`, `sensors[].spool`, `broker.absence`.

import { dirname, join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { redacted } from '../../src/config/redact.ts'
import { directoryWith, load, problemsWith } from './files.ts'

describe('the store', () => {
  it('is durable by default, in a folder beside the configuration file', () => {
    const directory = directoryWith({ 'c.json': {} })
    const { store } = loadConfig({ file: join(directory, 'c.json'), env: {} }).config
    expect(store).toEqual({ type: 'lmdb', path: join(directory, 'mqttsn-state'), heardEvery: 'auto' })
  })

  it('is in the working directory where there is no file', () => {
    expect(loadConfig({ env: {} }).config.store.path).toBe(resolve('mqttsn-state'))
  })

  it('has a path that starts from the file, wherever it is given', () => {
    const pathOf = (content: object, env = {}) => {
      const file = join(directoryWith({ 'c.json': content }), 'c.json')
      const { path } = loadConfig({ file, env }).config.store
      return path.startsWith(dirname(file)) ? path.slice(dirname(file).length) : path
    }
    expect(pathOf({ store: { path: '../state' } })).toMatch(/^\/(?!.*mqttsn-config).*state$/)
    expect(pathOf({ store: { path: '/var/lib/mqttsn' } })).toBe('/var/lib/mqttsn')
    expect(pathOf({}, { MQTTSN_STORE__PATH: 'x' })).toBe('/x')
    expect(pathOf({ store: { path: `\${env:WHERE}/x` } }, { WHERE: '/srv' })).toBe('/srv/x')
  })

  it('hides a path that came from a reference, as everything that did', () => {
    const { config } = load({ store: { path: `\${env:WHERE}` } }, { env: { WHERE: '/srv/x' } })
    expect(JSON.stringify(redacted(config))).not.toContain('/srv/x')
  })

  it('is of a known type, in a folder with a name', () => {
    expect(problemsWith({ store: { type: 'sqlite', path: '' } })).toMatchObject([
      { path: 'store.type', expected: 'one of "lmdb", "memory", "postgres"' },
      { path: 'store.path', expected: 'the name of a folder' },
    ])
    expect(problemsWith({ store: { folder: 'x' } })).toMatchObject([{ path: 'store.folder' }])
    expect(problemsWith({ store: { pat: 'x' } })[0]?.suggestion).toBe('path')
  })
})

describe('what waits for sensors', () => {
  it('has no rules by default; a rule leaves to the limits what it does not say', () => {
    expect(load({}).config.queues).toEqual([])
    expect(load({ queues: [{}] }).config.queues).toEqual([
      { match: '*', topics: ['#'], age: 0, overflow: 'drop-oldest', qos0: true },
    ])
  })

  it('is bounded in units as people write them', () => {
    const [rule] = load({ queues: [{ octets: '4KiB', age: '12h', messages: 1 }] }).config.queues
    expect(rule).toMatchObject({ octets: 4096, age: 43_200_000, messages: 1 })
  })

  it('has rules whose mistakes are found, each with its path', () => {
    const queues = [
      { topics: [] },
      { topics: ['a/#/b'] },
      { overflow: 'latest' },
      { age: '1ms' },
      { topic: ['a'] },
    ]
    expect(problemsWith({ queues }).map(({ path, suggestion }) => [path, suggestion])).toEqual([
      ['queues[0].topics', undefined],
      ['queues[1].topics[0]', undefined],
      ['queues[2].overflow', undefined],
      ['queues[3].age', undefined],
      ['queues[4].topic', 'topics'],
    ])
  })
})

describe('what waits for the broker', () => {
  it('is promised by the broker unless a rule says otherwise, and bounded', () => {
    const [rule] = load({}).config.sensors
    expect(rule).toMatchObject({
      ack: 'broker',
      spool: { messages: 1000, octets: 262_144, age: 0, qos0: false },
    })
    expect(rule?.messagesPerWake).toBeUndefined()
  })

  it('can be set by environment variables, to the last key', () => {
    const env = { MQTTSN_SENSORS__0__ACK: 'store', MQTTSN_SENSORS__0__SPOOL__AGE: '2d' }
    const [rule] = load({}, { env }).config.sensors
    expect(rule).toMatchObject({ ack: 'store', spool: { messages: 1000, age: 172_800_000 } })
  })

  it('lets the broker wait for an absent gateway, or not at all', () => {
    expect(load({}).config.broker.absence).toBe(60_000)
    expect(load({ broker: { absence: 0 } }).config.broker.absence).toBe(0)
    expect(problemsWith({ broker: { absence: '10ms' } })[0]?.expected).toContain('or 0 (not at all)')
  })
})

describe('a store on PostgreSQL', () => {
  const url = 'postgres://gw:s%2Fcret@db1,db2:5433/mqttsn?sslmode=verify-full'
  const stored = (store: object, more = {}) => load({ store: { type: 'postgres', ...store } }, more)

  it('has an url, whose user and password are kept apart', () => {
    expect(stored({ url }).config.store).toMatchObject({
      url: 'postgres://db1,db2:5433/mqttsn?sslmode=verify-full',
      username: 'gw',
      password: 's/cret',
    })
    const apart = stored({ url: 'postgres://other:one@db1/mqttsn', username: 'gw', password: 'x' })
    expect(apart.config.store).toMatchObject({ username: 'gw', password: 'x' })
    expect(JSON.stringify(apart.config.store)).not.toContain('other')
  })

  it('takes a password from a file as it is, whatever is in it, and never shows it', () => {
    const secret = '1/2?3#4@5%6'
    const { config } = stored({ url: `postgres://gw:\${env:PW}@db1/mqttsn` }, { env: { PW: secret } })
    expect(config.store).toMatchObject({ username: 'gw', password: secret })
    const shown = JSON.stringify(redacted(config))
    for (const part of [secret, '1/2', '4@5', 'gw']) expect(shown).not.toContain(part)
  })

  it('never shows the password of an url that is written in the file', () => {
    const shown = JSON.stringify(redacted(stored({ url }).config))
    expect(shown).toContain('"password":"***"')
    expect(shown).toContain('db1,db2:5433')
    expect(shown).not.toContain('cret')
  })

  it.each([
    ['no url', { type: 'postgres' }, 'store.url', 'the url of a database'],
    [
      'an url of something else',
      { type: 'postgres', url: 'mysql://secret@h/d' },
      'store.url',
      'postgres://user',
    ],
    ['no database', { type: 'postgres', url: 'postgres://h' }, 'store.url', 'the name of a database'],
    [
      'a port that is none',
      { type: 'postgres', url: 'postgres://gw:secret@h:99999/d' },
      'store.url',
      'hosts as host',
    ],
    [
      'an unknown parameter',
      { type: 'postgres', url: 'postgres://gw:a/secret@h/d?x=1' },
      'store.url',
      'no parameters but',
    ],
    [
      'an unknown sslmode',
      { type: 'postgres', url: 'postgres://gw:secret@h/d?sslmode=x' },
      'store.url',
      'sslmode of',
    ],
    [
      'half of a certificate',
      { type: 'postgres', url: 'postgres://gw:secret@h/d?sslcert=x' },
      'store.url',
      'sslcert and sslkey',
    ],
    [
      'an url without the type',
      { url: 'postgres://secret@h/d' },
      'store.url',
      'none, unless store.type is "postgres"',
    ],
    ['a password without the type', { password: 'secret' }, 'store.password', 'none, unless store.type'],
    [
      'replicated without the type',
      { type: 'lmdb', replicated: true },
      'store.replicated',
      'none, unless store.type',
    ],
  ])('says what is wrong, without a value: %s', (_, store, path, expected) => {
    const problems = problemsWith({ store })
    expect(problems).toMatchObject([{ path }])
    expect(problems[0]?.expected).toContain(expected)
    expect(JSON.stringify(problems)).not.toContain('secret')
  })

  it.each([
    ['postgres://gw:x@db.example/mqttsn', 'the password and messages cross the network unencrypted'],
    ['postgres://gw@db.example/mqttsn?sslmode=require', 'lets anyone pose as the database server'],
    ['postgres://gw:x@db.example/mqttsn?sslmode=verify-full', undefined],
    ['postgres://gw:x@127.0.0.1,[::1]:5433/mqttsn', undefined],
    ['postgres://gw@%2Fvar%2Frun%2Fpostgresql/mqttsn', undefined],
    ['postgres:///mqttsn?host=/var/run/postgresql', undefined],
  ])('warns of what others on the network can do: %s', (written, warning) => {
    const found = stored({ url: written }).warnings.filter((one) => one.startsWith('store.url'))
    expect(found).toEqual(warning === undefined ? [] : [expect.stringContaining(warning)])
  })

  it.each([
    [{ store: { type: 'postgresql', url: 'postgres://h/d' } }, 'write "postgres"'],
    [{ store: { type: 'postgres', dsn: 'postgres://h/d' } }, '"url": "postgres://'],
  ])('has hints for the words of other programs: %j', (content, hint) => {
    expect(JSON.stringify(problemsWith(content)).replaceAll('\\"', '"')).toContain(hint)
  })
})
