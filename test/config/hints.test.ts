// Likely mistakes: what is refused says what would be right, what is accepted and has no effect is warned of.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { coversPattern, meantFilter, strangePattern } from '../../src/config/hints/patterns.ts'
import { loadConfig } from '../../src/config/load.ts'
import { globToMatcher } from '../../src/config/sections/glob.ts'
import { containsNetwork, matcher, wholeNetwork } from '../../src/config/sections/networks.ts'
import { errorOf, load, problemsWith } from './files.ts'

/** What is said of the only problem, after the expectation. */
const hintOf = (content: unknown) => {
  const problems = problemsWith(content)
  return problems.map(({ hint, suggestion }) => hint ?? suggestion).join(' & ')
}

describe('a key of another program', () => {
  it.each([
    [{ broker: { host: 'h.example', port: 8883 } }, '"url": "mqtts://h.example:8883"'],
    [{ broker: { hostname: 'h.example' } }, '"url": "mqtt://h.example:1883"'],
    [{ broker: { server: '192.168.1.5', port: '1883' } }, '"url": "mqtt://192.168.1.5:1883"'],
    [{ broker: { host: 'fd00::1' } }, '"url": "mqtt://[fd00::1]:1883"'],
    [{ listeners: [{ host: 'localhost', port: 2000 }] }, '"url": "udp://127.0.0.1:2000"'],
    [{ listeners: [{ port: 1883 }] }, '"url": "udp://0.0.0.0:1883"'],
    [{ console: { port: 80 } }, '"url": "http://127.0.0.1:80"'],
    [{ port: 1884 }, '"listeners": [{ "url": '],
    [{ BrokerName: 'h' }, '"broker": { "url": '],
    [{ GatewayPortNo: 10000 }, '"listeners": [{ "url": '],
    [{ PredefinedTopic: true }, '"predefined": {'],
    [{ persistence_location: '/var/lib' }, '"store": { "path": '],
    [{ allow_anonymous: true }, '"sensors": ['],
    [{ enable_qos3: true }, '"qosMinusOne": {'],
    [{ gatewayId: 3 }, '"gateway": { "id": '],
    [{ rejectUnauthorized: false }, '"verify": true'],
    [{ broker: { rejectUnauthorized: false } }, '"tls": { "verify": true }'],
    [{ broker: { 'reject-unauthorized': false } }, '"tls": { "verify": true }'],
    [{ broker: { tls_insecure: true } }, '"tls": { "verify": true }'],
    [{ broker: { cafile: 'ca.pem' } }, `"tls": { "ca": "\${file:ca.pem}" }`],
    [{ broker: { url: 'mqtts://h', tls: { rejectUnauthorized: false } } }, '"verify": true'],
    [{ broker: { url: 'mqtts://h', tls: { cafile: 'ca.pem' } } }, '"ca": '],
    [{ broker: { url: 'mqtts://h', tls: { passphrase: 'hunter2' } } }, 'no passphrase'],
    [{ broker: { protocolVersion: 5 } }, '"version"'],
    [{ broker: { user: 'me' } }, '"username"'],
    [{ sensors: [{ pattern: 'a*' }] }, '"match"'],
    [{ sensors: [{ ip: '10.0.0.1' }] }, '"from"'],
    [{ log: { file: 'x' } }, 'standard output'],
    [{ 'broker.url': 'mqtt://h' }, '"broker": { "url": ... }'],
    [{ broker: { keep_alive: 60 } }, 'keepAlive'],
    [{ limits: { 'queued-messages': 60 } }, 'queuedMessages'],
    [{ Listeners: [] }, 'listeners'],
  ])('%j is answered with what stands for it', (content, hint) => {
    expect(hintOf(content)).toContain(hint)
  })

  it('is answered for each entry of a list of predefined topics', () => {
    expect(hintOf({ predefined: [{ id: 1, topic: 'a' }] })).toContain('"topics": { "1": "topic/name" }')
  })
})

describe('a value that is refused', () => {
  it.each([
    [{ broker: 'tcp://h:1883' }, '"mqtt://h:1883"'],
    [{ broker: { url: 'ssl://h:8883' } }, '"mqtts://h:8883"'],
    [{ broker: { url: 'tls://h' } }, '"mqtts://h"'],
    [{ broker: { url: 'https://h/mqtt' } }, '"wss://h/mqtt"'],
    [{ broker: { url: ['mqtt://a', 'tcp://b'] } }, '"mqtt://b"'],
    [{ broker: 'broker.example:8883' }, '"mqtts://broker.example:8883"'],
    [{ broker: 'MQTT://h' }, '"mqtt://h"'],
    [{ broker: 'Embedded' }, '"embedded"'],
    [{ listeners: [{ url: '0.0.0.0:1884' }] }, '"udp://0.0.0.0:1884"'],
    [{ listeners: [{ url: 1884 }] }, '"udp://0.0.0.0:1884"'],
    [{ listeners: [{ url: 'udp://localhost:1884' }] }, '"udp://127.0.0.1:1884"'],
    [{ listeners: [{ url: 'udp://*:1884' }] }, '"udp://0.0.0.0:1884"'],
    [{ listeners: [{ url: 'mqttsn://1.2.3.4' }] }, '"udp://1.2.3.4:1884"'],
    [{ listeners: [{ url: 'udp://::1:1884' }] }, 'udp://'],
    [{ console: { url: ':8885' } }, '"http://127.0.0.1:8885"'],
    [{ console: { url: 'https://h' } }, 'no TLS'],
    [{ timers: { tRetry: '10 seconds' } }, '"10s"'],
    [{ timers: { tRetry: '10S' } }, '"10s"'],
    [{ timers: { keepSessions: '1 week' } }, '"7d"'],
    [{ timers: { awake: '1m30s' } }, '"90s"'],
    [{ timers: { answer: 8000 } }, '"8s"'],
    [{ timers: { inactivity: 'never' } }, 'write 0'],
    [{ broker: { sessionExpiry: 'Never' } }, '"never"'],
    [{ limits: { queuedOctets: '64KB' } }, '"64KiB"'],
    [{ limits: { queuedOctets: '1 MB' } }, '"1MiB"'],
    [{ limits: { sensors: '1000' } }, 'write 1000, without quotes'],
    [{ limits: { sensors: '10_000' } }, 'write 10000'],
    [{ listeners: [{ discovery: { group: '225.1.1.1', port: '1883' } }] }, 'write 1883, without quotes'],
    [{ workers: '2' }, 'write 2, without quotes'],
    [{ status: { enabled: 'true' } }, 'write true, without quotes'],
    [{ status: { enabled: 'on' } }, 'write true'],
    [{ sensors: [{ deny: 'yes' }] }, 'write true'],
    [{ log: { payloads: 0 } }, 'write false'],
    [{ log: { level: 'WARNING' } }, '"warn"'],
    [{ log: { level: 'Debug' } }, '"debug"'],
    [{ log: 'debug' }, '{"level":"debug"}'],
    [{ store: 'memory' }, '{"type":"memory"}'],
    [{ console: false }, '{"enabled":false}'],
    [{ store: { type: 'disk' } }, '"lmdb"'],
    [{ broker: { version: 3.1 } }, '"3.1.1"'],
    [{ broker: { version: 'mqtt5' } }, '"5"'],
    [{ broker: { username: 1234 } }, '"1234", in quotes'],
    [{ listeners: [{ allow: '10.0.0.0/8' }] }, '[ ... ]'],
    [{ listeners: { url: 'udp://0.0.0.0:1' } }, '[ { ... } ]'],
    [{ listeners: [{ allow: ['192.168.1.*'] }] }, '"192.168.1.0/24"'],
    [{ listeners: [{ allow: ['10.0.0.0/255.0.0.0'] }] }, '"10.0.0.0/8"'],
    [{ sensors: [{ from: ['10.0.0.1:1884'] }] }, '"10.0.0.1"'],
    [{ gateway: null }, 'no value'],
  ])('%j is answered with the right one', (content, hint) => {
    expect(hintOf(content)).toContain(hint)
  })

  it('is answered in all syntaxes, and on the line of the message', () => {
    expect(errorOf('// mine\n{ "broker": "tcp://h" }').message).toMatch(
      /broker \(line 2\): found "tcp:\/\/h", expected .*; write "mqtt:\/\/h"$/,
    )
  })

  it('is never shown where it may be secret', () => {
    for (const content of [
      { broker: 'tcp://me:hunter2@h' },
      { broker: { password: 20202 } },
      { broker: { url: 'mqtts://h', tls: { key: 20202 } } },
      { console: { token: 20202 } },
      { sensors: [{ pass: 'hunter2' }] },
      { broker: { host: 'h', secret: 'hunter2', psk: 'hunter2' } },
      { broker: { url: `tcp://\${env:hunter2}` } },
    ]) {
      const { message, problems } = errorOf(content, { env: { hunter2: 'opensesame' } })
      expect(
        message.replace(/\$\{env:hunter2\}/g, '') + JSON.stringify(problems.map(({ hint }) => hint)),
      ).not.toMatch(/hunter2|20202|opensesame/)
    }
    expect(hintOf({ broker: 'tcp://me:hunter2@h' })).toBe('write "mqtt://" in place of "tcp://"')
  })
})

describe('a warning', () => {
  const warningsOf = (content: object) => load(content).warnings
  const listeners = (more: object) => ({ listeners: [{ url: 'udp://127.0.0.1:0', ...more }] })

  it.each([
    [
      { sensors: [{ match: 'meter-[0-9]+', deny: true }] },
      'sensors[0].match: looks like a regular expression',
      '"meter-*"',
    ],
    [
      { sensors: [{ match: '^meter-.*$' }] },
      'sensors[0].match: looks like a regular expression',
      '"meter-*"',
    ],
    [{ sensors: [{ match: 'meter-\\d{1,3}' }] }, 'sensors[0].match:', '"meter-*"'],
    [{ sensors: [{ match: '(meter|valve)-1' }] }, 'sensors[0].match:', 'only * and ?'],
    [{ queues: [{ match: 'meter-.+' }] }, 'queues[0].match:', '"meter-*"'],
    [{ predefined: [{ match: 'meter-\\d', topics: { 1: 'a' } }] }, 'predefined[0].match:', '"meter-?"'],
    [{ sensors: [{ match: 'meter-%' }] }, 'sensors[0].match: looks like a pattern of SQL', '"meter-*"'],
    [{ sensors: [{ match: 'meter/#' }] }, 'sensors[0].match: looks like a topic filter', '"meter/*"'],
    [{ sensors: [{ match: 'meter-1 ' }] }, 'sensors[0].match: looks like a text with a blank', '"meter-1"'],
    [{ sensors: [{ match: 'a*, b*' }] }, 'sensors[0].match: looks like a list', ''],
    [
      { sensors: [{ match: 'x'.repeat(65) }] },
      'sensors[0].match: fits no ClientId',
      'limits.clientIdLength (64)',
    ],
    [{ qosMinusOne: { topics: ['button/*'] } }, 'qosMinusOne.topics[0]:', '"button/+"'],
    [{ queues: [{ topics: ['a/**'] }] }, 'queues[0].topics[0]:', '"a/#"'],
    [listeners({ allow: ['10.1.2.3/8'] }), 'listeners[0].allow[0]: has host bits', '"10.0.0.0/8"'],
    [listeners({ deny: ['192.168.1.77/25'] }), 'listeners[0].deny[0]: has host bits', '"192.168.1.0/25"'],
    [{ sensors: [{ from: ['fd00::1/8'] }] }, 'sensors[0].from[0]: has host bits', '"fd00::/8"'],
    [listeners({ allow: ['fd00::/8'] }), 'listeners[0].allow[0]: fits nothing', 'IPv4'],
    [listeners({ allow: ['10.1.0.0/16'], deny: ['10.0.0.0/8'] }), 'listeners[0].deny: covers all', ''],
    [
      listeners({ allow: ['10.0.0.0/8'], forwarders: ['11.0.0.1'] }),
      'listeners[0].forwarders[0]: fits nothing',
      '',
    ],
    [
      { ...listeners({ allow: ['10.0.0.0/8'] }), sensors: [{ from: ['11.0.0.0/8'] }] },
      'sensors[0].from[0]: fits nothing',
      '',
    ],
    [{ sensors: [{ match: 'meter-*' }, { match: 'meter-1?' }] }, 'sensors[1]: never used', 'sensors[0]'],
    [{ sensors: [{ match: 'meter-*', clientId: 'meters' }] }, 'sensors[0].clientId: is the same', ''],
    [{ broker: { url: ['mqtt://127.0.0.1', 'mqtt://127.0.0.1'] } }, 'broker.url[1]: the same', ''],
    [{ console: { hosts: ['https://console.example'] } }, 'console.hosts[0]: fits nothing', ''],
    [{ queues: [{ match: 'a*' }, { match: 'ab' }] }, 'queues[1]: never used', ''],
    [{ sensors: [{ match: 'a', publish: ['sensors/*'] }] }, 'sensors[0].publish[0]: *', '"sensors/+"'],
    [
      { sensors: [{ identity: ['fleet-[0-9]+'] }] },
      'sensors[0].identity[0]: looks like a regular',
      '"fleet-*"',
    ],
    [{ qosMinusOne: { from: ['10.1.2.3/8'] } }, 'qosMinusOne.from[0]: has host bits', '"10.0.0.0/8"'],
  ])('%j', (content, start, end) => {
    const warnings = warningsOf(content)
    expect(warnings).toHaveLength(1)
    expect(warnings[0]?.slice(0, start.length)).toBe(start)
    expect(warnings[0]).toContain(end)
  })

  it('is not given for what is meant as it stands', () => {
    const sensors = [
      'meter-*',
      'sensor.?',
      'node.*',
      'a_b',
      'x[1]',
      'dev(1)',
      'a+b',
      'zähler:*',
      '00:1a:*',
      'a{b}',
      '*',
    ]
    expect(warningsOf({ sensors: sensors.map((match) => ({ match })) })).toEqual([])
    expect(warningsOf({ qosMinusOne: { topics: ['#', 'a/+', 'a*b/c', '$x/#'] } })).toEqual([])
    expect(
      warningsOf(
        listeners({
          allow: ['10.0.0.0/8', '10.1.2.3', '0.0.0.0/0', '10.1.2.3/32'],
          forwarders: ['10.0.0.7'],
        }),
      ),
    ).toEqual([])
    expect(warningsOf({ sensors: [{ match: 'a*', deny: true }, { match: 'b?' }, { match: 'bc*' }] })).toEqual(
      [],
    )
  })

  it('is not given for a rule that a list of sensors may name', () => {
    const sensors = [{ match: 'a*' }, { match: 'ab' }]
    expect(warningsOf({ sensors, admission: { sensors: 'ab ab' } })).toEqual([])
    expect(
      warningsOf({ sensors: [{ match: 'a*', clientId: `\${identity}`, identity: [`\${clientId}`] }] }),
    ).toEqual([])
  })

  it('shows nothing that came from a reference', () => {
    const { warnings } = loadConfig({
      env: { SECRET: 'hunter2-[0-9]+', NET: '10.20.30.40/8' },
      overrides: { sensors: [{ match: `\${env:SECRET}`, from: [`\${env:NET}`] }] },
    })
    expect(warnings).toHaveLength(2)
    expect(warnings.join()).not.toMatch(/hunter2|10\.0/)
  })
})

describe('the comparison of patterns', () => {
  const signs = fc.array(fc.constantFrom('a', 'b', '*', '?'), { maxLength: 6 }).map((all) => all.join(''))
  const texts = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 8 }).map((all) => all.join(''))

  it('never says that a pattern covers another one that fits more', () => {
    fc.assert(
      fc.property(signs, signs, texts, (first, second, text) => {
        fc.pre(coversPattern(first, second) && globToMatcher(second)(text))
        expect(globToMatcher(first)(text)).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  it('knows the plain cases', () => {
    for (const [first, second] of [
      ['*', 'a'],
      ['a*', 'a?b*'],
      ['*b*', 'abc'],
      ['a', 'a'],
      ['?', '?'],
      ['a*', 'a'],
    ] as const)
      expect(coversPattern(first, second), `${first} ${second}`).toBe(true)
    for (const [first, second] of [
      ['a', '*'],
      ['a?', 'a*'],
      ['a*b', 'a*'],
      ['?', '*'],
      ['b*', 'a*'],
    ] as const)
      expect(coversPattern(first, second), `${first} ${second}`).toBe(false)
  })

  it('proposes no pattern and no filter where that would be a guess', () => {
    expect(strangePattern('(a|b)')).toEqual({ what: 'a regular expression', meant: undefined })
    expect(meantFilter('a/b*')).toBeUndefined()
  })
})

describe('networks', () => {
  const address = fc.oneof(fc.ipV4(), fc.ipV6())

  it('are those whose addresses are matched alike, without host bits', () => {
    fc.assert(
      fc.property(address, fc.nat(128), address, (base, bits, other) => {
        const network = `${base}/${base.includes(':') ? bits : bits % 33}`
        const whole = wholeNetwork(network) ?? ''
        expect(matcher([whole])(other)).toBe(matcher([network])(other))
        expect(wholeNetwork(whole)).toBe(whole)
        expect([containsNetwork(whole, network), containsNetwork(network, whole)]).toEqual([true, true])
      }),
    )
  })
})
