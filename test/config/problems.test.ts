// What is said about a configuration that is wrong: everything at once, with path, finding, expectation and place.

import { describe, expect, it } from 'vitest'
import { errorOf, load, problemsWith } from './files.ts'

/** The paths complained about. */
const paths = (content: unknown) => problemsWith(content).map((problem) => problem.path)
/** Whether the content is accepted. */
const accepts = (content: unknown) => {
  try {
    return load(content) !== undefined
  } catch {
    return false
  }
}

describe('all problems', () => {
  it('reports everything at once: types, ranges, unknown keys, references and contradictions', () => {
    const content = {
      gateway: { id: 256 },
      listeners: [
        { name: 'a', roaming: 'everywhere' },
        { name: 'a', url: 'udp://127.0.0.1:0', discovery: {} },
      ],
      broker: { url: 'http://x', password: `\${env:UNSET}` },
      timers: { tRetry: 'soon' },
      limits: { sensors: 0.5 },
      log: 'debug',
      colour: true,
    }
    expect(new Set(paths(content))).toEqual(
      new Set([
        'gateway.id',
        'listeners[0].roaming',
        'listeners[1].discovery.group',
        'listeners[1].name',
        'broker.url',
        'broker.password',
        'timers.tRetry',
        'limits.sensors',
        'log',
        'colour',
      ]),
    )
  })

  it('says path, line, what was found and what was expected', () => {
    const error = errorOf('{\n "listeners": [{\n  "roaming": "everywhere" }] }')
    expect(error.problems).toEqual([
      {
        path: 'listeners[0].roaming',
        found: '"everywhere"',
        expected: 'one of "off", "port", "any"',
        source: 'line 3',
      },
    ])
    expect(error.message).toMatch(
      /has a problem:\n {2}listeners\[0\]\.roaming \(line 3\): found "everywhere", expected one of "off"/,
    )
  })

  it('suggests the nearest known key, beside it or in another section', () => {
    expect(problemsWith({ listeners: [{ roamin: 'any' }] })).toMatchObject([
      { path: 'listeners[0].roamin', found: 'an unknown key', suggestion: 'roaming' },
    ])
    expect(problemsWith({ limits: { queuedMesages: 1 } })[0]?.suggestion).toBe('queuedMessages')
    expect(problemsWith({ broker: { pasword: 'x' } })[0]?.suggestion).toBe('password')
    expect(problemsWith({ tRetry: 1 })[0]?.suggestion).toBe('timers.tRetry')
    expect(problemsWith({ zzzzzz: 1 })[0]?.suggestion).toBeUndefined()
  })

  it('rejects a key that occurs twice', () => {
    expect(problemsWith('{"log":{},\n"log":{}}')).toMatchObject([
      { path: 'log', found: 'the key a second time', source: 'line 2' },
    ])
  })

  it('shows no secret, whatever is wrong with it', () => {
    const contents = [
      { broker: { password: 123456 } },
      { broker: { tls: { key: 'hunter2' } } },
      { broker: { pasword: 'hunter2' } },
      { broker: { url: 'mqt://me:hunter2@host' } },
      { broker: 'me:hunter2@host' },
      { broker: { url: `mqt://me:${'hunter2'.repeat(20)}@host` } },
      { sensors: [{ password: `hunter2\${hunter2}` }] },
      { sensors: [{ match: 'a', password: 'hunter2' }] },
      '{ "broker": { "password": hunter2 } }',
      '{ "broker": { "password": "hunter2 } }',
    ]
    for (const content of contents) {
      const { message, problems } = errorOf(content)
      expect(message + JSON.stringify(problems)).not.toMatch(/hunter|123456/)
    }
  })
})

describe('single values', () => {
  it('takes a GwId from 0 to 255 only [SN-ADV-4]', () => {
    expect([0, 255].map((id) => load({ gateway: { id } }).config.gateway.id)).toEqual([0, 255])
    for (const id of [-1, 256, 1.5, '1', null]) expect(paths({ gateway: { id } })).toEqual(['gateway.id'])
  })

  it('takes T_ADV from 1 to 65535 seconds, 0 for none, 1200 by default, and warns below 900 [SN-ADV-2]', () => {
    const discovery = (advertise?: unknown) => ({
      listeners: [{ discovery: { group: '225.1.1.1', advertise } }],
    })
    const value = (advertise?: unknown) =>
      load(discovery(advertise)).config.listeners[0]?.discovery?.advertise
    expect([value(), value(0), value(1), value('65535s')]).toEqual([1_200_000, 0, 1000, 65_535_000])
    for (const wrong of ['999ms', '65536s', -1]) {
      expect(paths(discovery(wrong))).toEqual(['listeners[0].discovery.advertise'])
    }
    expect(load(discovery(899)).warnings).toMatchObject([expect.stringContaining('discovery.advertise')])
    for (const advertise of [0, 900]) expect(load(discovery(advertise)).warnings).toEqual([])
  })

  it('shows the key of a predefined topic where that is wrong, and the topic where the topic is', () => {
    for (const at of ['predefined', 'predefined[0].topics']) {
      const topics = { '0': 'a/b', '3': 'a/#' }
      const found = problemsWith({ predefined: at === 'predefined' ? topics : [{ topics }] })
      expect(found.map(({ path, found }) => [path, found])).toEqual([
        [`${at}.0`, 'the key "0"'],
        [`${at}.3`, '"a/#"'],
      ])
    }
  })

  it('refuses the predefined ids 0 and 65535, and whatever is no number [SN-FLD-2]', () => {
    for (const id of ['0', '65535', '65536', '-1', '01', '1.0', 'x', '']) {
      expect(accepts({ predefined: { [id]: 'a' } }), id).toBe(false)
      expect(accepts({ predefined: [{ topics: { [id]: 'a' } }] }), id).toBe(false)
    }
    expect(accepts({ predefined: { '1': 'a', '65534': 'b' } })).toBe(true)
  })

  it('takes a message size from 16 to 65507 octets per listener [SN-LEN-6]', () => {
    const size = (maxMessageSize: number) => ({ listeners: [{ maxMessageSize }] })
    expect(load(size(60)).config.listeners[0]?.maxMessageSize).toBe(60)
    for (const wrong of [15, 65_508]) expect(paths(size(wrong))).toEqual(['listeners[0].maxMessageSize'])
  })

  it.each([
    [
      'broker',
      ['mqtt://h', 'mqtts://h:1', 'ws://h/mqtt', 'wss://h', 'embedded', 'mqtt://[::1]:1883'],
      ['h', 'http://h', 'mqtt://', 'mqtt:h', '', 'mqtt://%zz@h', 'mqtt://h:99999'],
    ],
  ])('knows legal urls of the %s', (key, legal, wrong) => {
    for (const url of legal) expect(accepts({ [key]: url }), url).toBe(true)
    for (const url of wrong) expect(accepts({ [key]: url }), url).toBe(false)
  })

  it('knows legal urls of listeners: udp, a numeric address and a port', () => {
    const listener = (url: string) => accepts({ listeners: [{ url }] })
    for (const url of ['udp://0.0.0.0:0', 'udp://[::]:1884', 'udp://[fe80::1%eth0]:1']) {
      expect(listener(url), url).toBe(true)
    }
    for (const url of [
      'udp://localhost:1',
      'udp://1.2.3.4',
      'udp://::1:1',
      'udp://[1.2.3.4]:1',
      'udp://1.2.3.4:65536',
    ]) {
      expect(listener(url), url).toBe(false)
    }
    expect(accepts({ listeners: [] })).toBe(false)
  })

  it('knows multicast groups and broadcast addresses', () => {
    const discovery = (group: string, url: string) => accepts({ listeners: [{ url, discovery: { group } }] })
    for (const group of ['225.1.1.1', '255.255.255.255', '192.168.1.255']) {
      expect(discovery(group, 'udp://0.0.0.0:1'), group).toBe(true)
    }
    expect(discovery('ff02::1', 'udp://[::]:1')).toBe(true)
    for (const group of ['10.0.0.1', '300.1.1.1', 'all'])
      expect(discovery(group, 'udp://0.0.0.0:1'), group).toBe(false)
    expect(discovery('fe80::1', 'udp://[::]:1')).toBe(false)
  })

  it('knows legal topic names, filters and networks', () => {
    for (const clientId of ['a\n', '\ufffe']) {
      expect(paths({ broker: { clientId } })).toEqual(['broker.clientId'])
      expect(paths({ sensors: [{ username: clientId }] })).toEqual(['sensors[0].username'])
    }
    for (const topic of ['a/+', '#', '', 'a\0b', '\ud800', 'a\n', '\u0085', '\ufdd0', '/'.repeat(200)])
      expect(accepts({ predefined: { '1': topic } })).toBe(false)
    for (const filter of ['a#', '#/a', 'a+/b', '']) {
      expect(paths({ qosMinusOne: { topics: [filter] } })).toEqual(['qosMinusOne.topics[0]'])
    }
    expect(accepts({ qosMinusOne: { topics: ['#', '+', 'a/+/b/#', '/'] } })).toBe(true)
    for (const network of ['10.0.0.0/33', '10.0.0', 'fd00::/129', 'x']) {
      expect(paths({ listeners: [{ allow: [network] }] })).toEqual(['listeners[0].allow[0]'])
      expect(paths({ sensors: [{ from: [network] }] })).toEqual(['sensors[0].from[0]'])
    }
  })

  it('tells a file name from a certificate', () => {
    const [problem] = problemsWith({ broker: { url: 'mqtts://h', tls: { ca: 'ca.pem' } } })
    expect(problem).toMatchObject({ path: 'broker.tls.ca', found: '"ca.pem"' })
    expect(problem?.expected).toContain(`"\${file:name.pem}"`)
  })
})

const PEM = '-----BEGIN CERTIFICATE-----'

describe('contradictions', () => {
  it.each([
    [
      'two listeners of one name',
      { listeners: [{ name: 'a' }, { name: 'a', url: 'udp://[::1]:1' }] },
      'listeners[1].name',
    ],
    ['two listeners on one url', { listeners: [{ name: 'a' }, { name: 'b' }] }, 'listeners[1].url'],
    [
      'a group of the other family',
      { listeners: [{ discovery: { group: 'ff02::1' } }] },
      'listeners[0].discovery.group',
    ],
    [
      'an id twice',
      { predefined: [{ topics: { '1': 'a' } }, { match: '**', topics: { '1': 'b' } }] },
      'predefined[1].topics.1',
    ],
    [
      'a ClientId in topics for everyone',
      { predefined: { '1': `a/\${clientId}` } },
      'predefined[0].topics.1',
    ],
    ['a certificate without key', { broker: { url: 'wss://h', tls: { cert: PEM } } }, 'broker.tls.cert'],
    ['a key without certificate', { sensors: [{ key: PEM }] }, 'sensors[0].key'],
    ['certificates without TLS', { broker: { tls: { ca: PEM } } }, 'broker.tls.ca'],
    ["a sensor's certificate without TLS", { sensors: [{ cert: PEM, key: PEM }] }, 'sensors[0].cert'],
    ['a password without username', { broker: { password: 'x' } }, 'broker.password'],
    ['a shortest pause above the longest', { broker: { reconnect: { min: '2m' } } }, 'broker.reconnect.min'],
    ['MQTT 5 of the embedded broker', { broker: { url: 'embedded', version: 5 } }, 'broker.version'],
    [
      "a sensor's own user name on shared connections",
      { sensors: [{ connections: { shared: 2 }, username: `\${clientId}` }] },
      'sensors[0].username',
    ],
    [
      'a login of a rule that inherits shared connections',
      { broker: { connections: { shared: 2 } }, sensors: [{ match: 'a*', username: 'x' }] },
      'sensors[0].connections',
    ],
  ])('rejects %s', (_, content, path) => {
    expect(paths(content)).toEqual([path])
  })

  it('accepts the same id for different sensors, free ports, and MQTT 5 passwords alone', () => {
    expect(
      accepts({ predefined: [{ topics: { '1': 'a' } }, { match: 'b', topics: { '1': `\${clientId}` } }] }),
    ).toBe(true)
    expect(
      accepts({
        listeners: [
          { url: 'udp://[::1]:0', name: 'a' },
          { url: 'udp://[::1]:0', name: 'b' },
        ],
      }),
    ).toBe(true)
    expect(accepts({ broker: { version: 5, password: 'x' } })).toBe(true)
    expect(accepts({ broker: { url: 'mqtts://h', tls: { ca: PEM, cert: PEM, key: PEM } } })).toBe(true)
  })

  it('accepts logins of rules that say whether sensors share them, and personal ones of sensors that share nothing', () => {
    const broker = { connections: { shared: 4, publishesPerSecond: 100 } }
    const own = { match: 'a*', username: `\${clientId}`, connections: 'perSensor' }
    const shared = { match: 'b*', username: 'b', password: 'x', connections: { shared: 1 } }
    expect(accepts({ broker, sensors: [own, shared] })).toBe(true)
    expect(accepts({ broker, sensors: [{ match: 'c*', connections: { shared: 0 } }] })).toBe(false)
  })

  it('reports no contradiction that only another mistake makes', () => {
    expect(paths({ listeners: [{ url: 'tcp://a' }, { url: 'tcp://b' }] })).toEqual([
      'listeners[0].url',
      'listeners[1].url',
    ])
  })
})

/** Sensors whose ClientIds at the broker are not those of others there. */
const apart = { clientId: `sn-\${clientId}` }

describe('warnings', () => {
  it.each([
    [
      'QoS -1 from anyone to everything',
      { listeners: [{ url: 'udp://0.0.0.0:1884' }], sensors: [apart] },
      'listeners[0]:',
    ],
    [
      'sensors that may take the ClientIds of other clients of the broker',
      { listeners: [{ url: 'udp://0.0.0.0:1884', allow: ['10.0.0.0/8'] }] },
      'sensors[0].clientId:',
    ],
    [
      'some sensors that may, beside others that may not',
      {
        listeners: [{ url: 'udp://[::]:1884', allow: ['10.0.0.0/8'] }],
        sensors: [{ match: 'one' }, { ...apart, match: 'a*' }, { match: 'b*' }, { deny: true }],
      },
      'sensors[2].clientId:',
    ],
    ['forwarders from anywhere', { listeners: [{ forwarders: ['0.0.0.0/0'] }] }, 'listeners[0].forwarders:'],
    ['an unchecked broker', { broker: { url: 'mqtts://h', tls: { verify: false } } }, 'broker.tls.verify:'],
    ['plain passwords', { broker: 'mqtt://me:x@broker.example' }, 'broker.url:'],
    ['rules that are never used', { sensors: [{}, { match: 'a' }] }, 'sensors[1]:'],
    ['one topic under two ids', { predefined: { '1': 'a', '2': 'a' } }, 'predefined[0].topics:'],
    ['payloads in the log', { log: { payloads: true } }, 'log.payloads:'],
    [
      'promises that memory cannot keep',
      { store: { type: 'memory' }, sensors: [{ ack: 'store' }] },
      'sensors[0].ack:',
    ],
    ['a spool that nothing uses', { sensors: [{ spool: { qos0: true } }] }, 'sensors[0].spool.qos0:'],
    ['queues that are never used', { queues: [{}, { match: 'a', topics: ['b'] }] }, 'queues[1]:'],
    [
      'queues that an earlier rule takes everything from',
      {
        queues: [
          { match: 'a*', topics: ['b', 'c'] },
          { match: 'a*', topics: ['c'] },
        ],
      },
      'queues[1]:',
    ],
    ['more messages than the limit for all', { queues: [{ messages: 101 }] }, 'queues[0].messages:'],
    ['more octets than the limit for all', { queues: [{ octets: '65KiB' }] }, 'queues[0].octets:'],
  ])('warns of %s', (_, content, start) => {
    const { warnings } = load(content)
    expect(warnings).toHaveLength(1)
    expect(warnings[0]?.startsWith(start)).toBe(true)
  })

  it('does not warn of an open listener that is guarded', () => {
    const url = 'udp://0.0.0.0:1884'
    const sensors = [apart]
    expect(load({ listeners: [{ url, allow: ['10.0.0.0/8'] }], sensors }).warnings).toEqual([])
    expect(load({ listeners: [{ url }], sensors, qosMinusOne: { enabled: false } }).warnings).toEqual([])
    expect(load({ listeners: [{ url }], sensors, qosMinusOne: { topics: ['a/#'] } }).warnings).toEqual([])
  })

  it('does not warn of queue rules that overlap', () => {
    const queues = [
      { match: 'a*', topics: ['b/#'] },
      { match: 'a*', topics: ['b/c', 'd'] },
      { match: 'b*', topics: ['b/#'] },
      {},
    ]
    expect(load({ queues, sensors: [{ ack: 'store', spool: { qos0: true } }] }).warnings).toEqual([])
  })
})
