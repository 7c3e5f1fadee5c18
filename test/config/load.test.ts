// What a configuration means once it is loaded: defaults, units, short forms, precedence.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these variables are filled in by the gateway

import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { redacted } from '../../src/config/redact.ts'
import { errorOf, fileWith, load, problemsWith } from './files.ts'

describe('defaults', () => {
  it('makes a complete configuration of an empty file, and of no file at all', () => {
    const { config, warnings } = load({})
    expect(warnings).toEqual([])
    const { store, ...rest } = loadConfig({ env: {} }).config
    expect(config).toMatchObject(rest)
    expect([store.type, config.store.type]).toEqual(['lmdb', 'lmdb'])
    expect(config.listeners).toMatchObject([
      { name: 'udp://127.0.0.1:1884', url: 'udp://127.0.0.1:1884', maxMessageSize: 1472, roaming: 'port' },
    ])
    expect(config.listeners[0]?.receiveBuffer).toBe(4 * 1024 * 1024)
    expect(config.broker).toMatchObject({ url: 'mqtt://127.0.0.1:1883', version: 'auto', grace: 60_000 })
    expect(config.broker.clientId).toBe('mqttsn-gateway-1-${installation}')
    expect(config.timers).toEqual({
      tRetry: 10_000,
      nRetry: 3,
      tWait: 300_000,
      answer: 8000,
      awake: 30_000,
      inactivity: 0,
      keepSessions: 604_800_000,
    })
    expect(config.limits).toMatchObject({ clientIdLength: 64, queuedMessages: 100, queuedOctets: 65_536 })
    expect(config.sensors).toMatchObject([
      {
        match: '*',
        clientId: `\${clientId}`,
        deny: false,
        asleepConnect: 'strict',
        reRegister: 'ifUnconfirmed',
      },
    ])
    expect(config.predefined).toEqual([])
  })

  it('ignores comments, which any object may hold, and what looks like references in them', () => {
    const commented = {
      $comment: ['one', '${env:NOWHERE}'],
      listeners: [{ $comment: 'two', url: 'udp://127.0.0.1:1900' }],
      predefined: { $comment: 'three', '1': 'a' },
    }
    const { config } = load(commented)
    expect(config.listeners[0]).not.toHaveProperty('$comment')
    expect(config.predefined).toEqual([{ match: '*', topics: { '1': 'a' } }])
    expect(problemsWith({ $coment: 'x' })).toMatchObject([{ path: '$coment' }])
  })

  it('gives every load its own objects', () => {
    const first = load({}).config
    first.qosMinusOne.topics.push('changed')
    first.listeners[0]?.allow.push('changed')
    expect(load({}).config.qosMinusOne.topics).toEqual(['#'])
    expect(load({}).config.listeners[0]?.allow).toEqual([])
  })

  it('appends a rule for all sensors only if no rule fits all', () => {
    const matches = (sensors: object[]) => load({ sensors }).config.sensors.map((rule) => rule.match)
    expect(matches([{ match: 'a*' }])).toEqual(['a*', '*'])
    expect(matches([{ match: 'a*' }, { match: '*', deny: true }])).toEqual(['a*', '*'])
    expect(matches([{}])).toEqual(['*'])
  })
})

describe('units', () => {
  it('reads timers in seconds or with a unit, also below a second [SN-RTX-5]', () => {
    const { timers } = load({
      timers: { tRetry: '50ms', tWait: 0.25, answer: '1.5s', awake: '2m', keepSessions: '1h' },
    }).config
    expect(timers).toMatchObject({
      tRetry: 50,
      tWait: 250,
      answer: 1500,
      awake: 120_000,
      keepSessions: 3_600_000,
    })
  })

  it('reads sizes in octets or with a unit', () => {
    expect(load({ limits: { queuedOctets: 1000 } }).config.limits.queuedOctets).toBe(1000)
    expect(load({ limits: { queuedOctets: '2KiB' } }).config.limits.queuedOctets).toBe(2048)
    expect(problemsWith({ limits: { queuedOctets: '2kb' } })[0]?.expected).toContain('"64KiB"')
  })

  it('reads sessionExpiry as a duration or "never"', () => {
    const expiry = (sessionExpiry: unknown) => load({ broker: { sessionExpiry } }).config.broker.sessionExpiry
    expect(expiry('never')).toBe(Number.POSITIVE_INFINITY)
    expect(expiry('2h')).toBe(7_200_000)
    expect(expiry(90)).toBe(90_000)
  })

  it('accepts the MQTT version as number or text', () => {
    const version = (value: unknown) => load({ broker: { version: value } }).config.broker.version
    expect([version(5), version('5'), version('3.1.1'), version('auto')]).toEqual(['5', '5', '3.1.1', 'auto'])
  })
})

describe('short forms', () => {
  it('takes the broker as url, and predefined topics as one object for everyone', () => {
    const { config } = load({ broker: 'embedded', predefined: { '1': 'home/button' } })
    expect(config.broker).toMatchObject({ url: 'embedded', connectTimeout: 4000 })
    expect(config.predefined).toEqual([{ match: '*', topics: { '1': 'home/button' } }])
  })

  it("moves user name and password from the broker's url to where the gateway's own are", () => {
    const { broker } = load({ broker: 'mqtt://me:p%40ss@broker.example:1883' }).config
    expect(broker).toMatchObject({ url: 'mqtt://broker.example:1883', username: 'me', password: 'p@ss' })
  })

  it("fills in the gateway's id in what is its own, and leaves templates for sensors alone", () => {
    const { config } = load({
      gateway: { id: 7 },
      broker: { clientId: `gw-\${gatewayId}`, username: `u\${gatewayId}` },
      sensors: [{ clientId: `\${gatewayId}-\${clientId}` }],
    })
    expect(config.broker).toMatchObject({ clientId: 'gw-7', username: 'u7' })
    expect(config.sensors[0]?.clientId).toBe(`\${gatewayId}-\${clientId}`)
  })
})

describe('precedence', () => {
  it('lets the command line win over the environment, that over the file, and that over the defaults', () => {
    const { config } = load(
      { limits: { sensors: 1, queuedMessages: 1, inflight: 1 }, log: { level: 'warn' } },
      {
        env: { MQTTSN_LIMITS__SENSORS: '2', MQTTSN_LIMITS__QUEUED_MESSAGES: '2' },
        overrides: { limits: { sensors: 3 }, log: { level: undefined } },
      },
    )
    expect(config.limits).toMatchObject({ sensors: 3, queuedMessages: 2, inflight: 1, topicsPerSensor: 256 })
    expect(config.log.level).toBe('warn')
  })

  it('changes none of its arguments', () => {
    const env = Object.freeze({ MQTTSN_GATEWAY__ID: '9' })
    const overrides = Object.freeze({ listeners: Object.freeze([Object.freeze({ name: 'x' })]) })
    expect(load({}, { env, overrides }).config.listeners[0]?.name).toBe('x')
  })
})

describe('files', () => {
  it('says so if the file is missing, no file, or no text', () => {
    const error = () => loadConfig({ file: '/nonexistent/gateway.json', env: {} })
    expect(error).toThrow(
      /^\/nonexistent\/gateway\.json: found no such file, expected a JSON file, of which \{\} is .* flags .*$/,
    )
    expect(() => loadConfig({ file: '/', env: {} })).toThrow('not a regular file')
    expect(errorOf(new Uint8Array([0x7b, 0xff])).message).toContain('not UTF-8')
  })

  it('names line and column where the JSON breaks, and shows nothing of what stands there', () => {
    const [problem] = problemsWith('{\n  "broker": {\n    "password": hunter2\n  }\n}')
    expect(problem).toEqual({ path: '', found: '"h"', expected: 'a value', source: 'line 3, column 17' })
  })

  it('rejects a file that holds no object', () => {
    for (const content of ['[]', '5', 'null', '"text"']) {
      expect(problemsWith(content)).toMatchObject([{ path: '', expected: 'an object { ... }' }])
    }
  })

  it('accepts what it shows: the effective configuration is a valid file that means the same', () => {
    const first = load({
      broker: { url: 'mqtts://broker.example', sessionExpiry: '3h', reconnect: { min: '250ms' } },
      listeners: [
        { url: 'udp://[::1]:0', receiveBuffer: 5000, discovery: { group: 'ff02::5', advertise: 0 } },
      ],
      predefined: { '7': 'seven' },
      timers: { inactivity: '90s' },
    }).config
    const file = fileWith(redacted(first))
    expect(loadConfig({ file, env: {} }).config).toEqual(first)
  })
})
