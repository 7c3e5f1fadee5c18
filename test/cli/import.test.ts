// The command `import`: the configurations of four other gateways, with every key they know, become one that `check` accepts.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these variables are filled in by the gateway

import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ca, p384, server } from '../../lab/pki.ts'
import { checkConfig } from '../../src/cli/check.ts'
import { importCommand } from '../../src/cli/import.ts'
import { parsePskFile } from '../../src/config/dtls/psk-file.ts'
import { loadConfig } from '../../src/config/load.ts'
import { directoryWith } from '../config/files.ts'
import { makeAuthority } from '../support/certificates.ts'
import { FakeTerminal } from '../support/sensor.ts'

const samples = resolve(import.meta.dirname, 'import')
const sample = (name: string) => join(samples, name)

interface Outcome {
  readonly out: string
  readonly err: string
  readonly code: number
}

/** Runs the command as the command line would. */
async function runImport(...words: string[]): Promise<Outcome> {
  const terminal = new FakeTerminal()
  const code = (await terminal.run(importCommand(terminal), ...words)) ?? 0
  return { out: terminal.lines.join('\n'), err: terminal.errors.join('\n'), code }
}

/** The configuration as the gateway would use it; `check` accepts it. */
function accepted({ out }: Outcome, env: Record<string, string> = {}) {
  const file = join(directoryWith({ 'c.json': out }), 'c.json')
  const checked = checkConfig({ config: file }, env)
  expect(checked.err).toContain(': valid')
  expect(checked.status).toBe(0)
  return loadConfig({ file, env }).config
}

const SECRET = { MQTT_PASSWORD: 'x', SENSOR_PASSWORD: 'y' }
const paho = ['gateway.conf', 'clients.conf', 'predefinedTopic.conf'].map((name) => sample(`paho/${name}`))

describe('import paho', () => {
  it('takes over gateway, broker, listener, discovery, forwarders, limits and QoS -1', async () => {
    const config = accepted(await runImport('paho', ...paho), SECRET)
    expect(config).toMatchObject({
      gateway: { id: 17 },
      limits: { sensors: 45 },
      qosMinusOne: { enabled: true },
      broker: {
        url: 'mqtts://broker.greenhouse.example:8893',
        clientId: 'Greenhouse-A',
        username: 'greenhouse',
        password: 'x',
        version: '3.1.1',
        keepAlive: 120_000,
      },
    })
    expect(config.listeners).toMatchObject([
      {
        url: 'udp://0.0.0.0:10001',
        forwarders: ['10.7.0.30'],
        discovery: { group: '225.1.1.7', port: 1885, hops: 3, advertise: 120_000 },
      },
    ])
  })

  it('makes a rule of every client, pinned to its address, and refuses all others, as ClientAuthentication does', async () => {
    const { sensors } = accepted(await runImport('paho', ...paho), SECRET)
    expect(sensors.map(({ match, from, deny }) => [match, from, deny])).toEqual([
      ['bed-1', ['10.7.0.11'], false],
      ['bed-2', ['10.7.0.12'], false],
      ['pump', ['10.7.0.13'], false],
      ['door-button', ['10.7.0.20'], false],
      ['QoS-1-lamp', ['10.7.0.14'], false],
      ['*', [], true],
    ])
    expect(
      sensors.slice(0, -1).every(({ username, password }) => username === 'greenhouse' && password === 'x'),
    ).toBe(true)
    expect(sensors.slice(0, -1).every(({ asleepConnect }) => asleepConnect === 'resume')).toBe(true)
  })

  it('takes over predefined topics of everyone and of single sensors, and leaves out ids that there cannot be', async () => {
    const outcome = await runImport('paho', ...paho)
    expect(accepted(outcome, SECRET).predefined).toEqual([
      { match: '*', topics: { '1': 'greenhouse/alarm', '2': 'greenhouse/$cost/door' } },
      { match: 'bed-1', topics: { '10': 'greenhouse/bed/1/soil', '11': 'greenhouse/bed/1/air' } },
      { match: 'door-button', topics: { '3': 'greenhouse/door/pressed' } },
      { match: 'pump', topics: {} },
    ])
    expect(outcome.err).toContain('left out, since this gateway would refuse it: predefined[3].topics.70000')
  })

  it('finds clients and topics by the paths in gateway.conf, beside it if need be', async () => {
    const { sensors, predefined } = accepted(await runImport('paho', sample('paho/gateway.conf')), SECRET)
    expect([sensors.length, predefined.length]).toEqual([6, 4])
  })

  it('opens for everyone where there is no ClientAuthentication, without TLS where no client asks for it', async () => {
    const folder = directoryWith({
      'gateway.conf': 'GatewayID=2\nGatewayName=G\nBrokerName=fd00::5\nGatewayPortNo=10000\nRootCAfile=x\n',
      'list.txt': 'one,10.0.0.1:1\ntwo*,10.0.0.2:2,forwarder\n*three?,10.0.0.3:3',
    })
    const outcome = await runImport('paho', `${folder}/gateway.conf`, `${folder}/list.txt`)
    const config = accepted(outcome)
    expect(config.broker).toMatchObject({ url: 'mqtt://[fd00::5]:1883' })
    expect(config.sensors.map(({ match, from, deny }) => [match, from, deny])).toEqual([
      ['one', [], false],
      ['?three?', [], false],
      ['*', [], false],
    ])
    expect(config.qosMinusOne.enabled).toBe(false)
    expect(outcome.err).toMatch(/the forwarder two\* is left out, as Forwarder does not say YES/)
    expect(outcome.err).toMatch(/RootCAfile: not used without TLS/)
  })

  it('follows the build: IPv6 with its group and interface, DTLS not unencrypted, radios not at all', async () => {
    const listener = async (network: string) =>
      accepted(await runImport('paho', '--network', network, ...paho), SECRET).listeners[0]
    expect(await listener('udp6')).toMatchObject({
      url: 'udp://[::]:10006',
      discovery: { group: 'ff05::4d51', port: 1886, interface: 'eth1', hops: 2 },
    })
    expect(await listener('dtls')).toMatchObject({ url: 'udp://127.0.0.1:10001' })
    expect(await listener('xbee')).toMatchObject({ url: 'udp://127.0.0.1:1884' })
  })

  it('refers to certificates that are there', async () => {
    const { ca, good } = makeAuthority()
    const folder = directoryWith({ 'ca.pem': ca, 'client.pem': good.cert, 'client.key': good.key })
    for (const file of ['gateway.conf', 'clients.conf', 'predefinedTopic.conf'])
      writeFileSync(join(folder, file), readFileSync(sample(`paho/${file}`)))
    const outcome = await runImport('paho', join(folder, 'gateway.conf'))
    expect(JSON.parse(outcome.out).broker.tls).toMatchObject({
      ca: `\${file:${folder}/ca.pem}`,
      cert: `\${file:${folder}/client.pem}`,
      key: `\${file:${folder}/client.key}`,
    })
    accepted(outcome, SECRET)
  })
})

describe('import bisquitt', () => {
  const files = [sample('bisquitt/bisquitt.env'), sample('bisquitt/topics.yaml')]

  it('takes over listener, broker, timeout, logins, log and predefined topics, of which those of variables win', async () => {
    const config = accepted(await runImport('bisquitt', ...files), SECRET)
    expect(config).toMatchObject({
      listeners: [{ url: 'udp://0.0.0.0:1898' }],
      broker: {
        url: 'mqtt://broker.harbour.example:1899',
        connectTimeout: 90_000,
        username: 'harbour',
        password: 'x',
      },
      sensors: [{ match: '*', username: 'harbour', password: 'x', asleepConnect: 'resume' }],
      log: { level: 'debug' },
    })
    expect(config.predefined).toEqual([
      { match: '*', topics: { '1': 'harbour/tide', '6': 'harbour/all' } },
      { match: 'buoy-1', topics: { '5': 'harbour/buoy/1', '7': 'harbour/buoy/1/lamp' } },
    ])
  })

  it('finds the file of topics by its path, and reads flags behind --', async () => {
    const [environment = ''] = files
    const found = accepted(await runImport('bisquitt', environment), SECRET)
    expect(found.predefined).toHaveLength(2)
    const flags = [
      '--host',
      '::1',
      '--port=1885',
      '-mqtt-host=b',
      '--predefined-topic',
      'a/b;3',
      '--predefined-topic',
      'c;d;4',
    ]
    const given = accepted(await runImport('bisquitt', '--', ...flags))
    expect(given.listeners[0]?.url).toBe('udp://[::1]:1885')
    expect(given.broker.url).toBe('mqtt://b:1883')
    expect(given.predefined).toEqual([
      { match: '*', topics: { '3': 'a/b' } },
      { match: 'c', topics: { '4': 'd' } },
    ])
  })

  it('reads compose files and units of systemd, where flags win over variables', async () => {
    const compose = accepted(await runImport('bisquitt', sample('bisquitt/compose.yaml')))
    expect([compose.listeners[0]?.url, compose.broker.url]).toEqual([
      'udp://0.0.0.0:1883',
      'mqtt://mosquitto:1883',
    ])
    expect(compose.predefined).toEqual([{ match: '*', topics: { '1': 'harbour/tide' } }])
    const outcome = await runImport('bisquitt', sample('bisquitt/bisquitt.service'))
    const unit = accepted(outcome)
    expect([unit.listeners[0]?.url, unit.broker.url]).toEqual([
      'udp://127.0.0.1:1883',
      'mqtt://10.9.0.2:1885',
    ])
    expect(outcome.err).toMatch(/DTLS has no counterpart: so that nothing goes unencrypted/)
  })

  it('refers to a password in a file as it is', async () => {
    const folder = directoryWith({ password: 'hunter2' })
    const outcome = await runImport(
      'bisquitt',
      '--',
      '--mqtt-user',
      'u$er',
      '--mqtt-password-file',
      `${folder}/password`,
    )
    expect(outcome.out + outcome.err).not.toContain('hunter2')
    expect(accepted(outcome).broker).toMatchObject({ username: 'u$er', password: 'hunter2' })
  })
})

describe('import of DTLS', () => {
  const NEEDED = { verify: 'verify_peer', fail_if_no_peer_cert: true }
  const pki = () =>
    directoryWith({
      'ca.pem': ca.cert,
      'gw.pem': server.cert,
      'gw.key': server.key,
      'p384.key': p384.key,
      'p384.pem': p384.cert,
    })

  /** A configuration of EMQX with this DTLS listener. */
  async function importListener(options: object, more: object = {}, folder = pki()) {
    const files = {
      cacertfile: `${folder}/ca.pem`,
      certfile: `${folder}/gw.pem`,
      keyfile: `${folder}/gw.key`,
    }
    const dtls = { secure: { bind: '0.0.0.0:8883', dtls_options: { ...NEEDED, ...files, ...options } } }
    const gateway = { mqttsn: { enable: true, listeners: { dtls, ...more } } }
    const text = JSON.stringify({ gateway, psk_authentication: { enable: true, init_file: 'keys.psk' } })
    const outcome = await runImport('emqx', join(directoryWith({ 'e.conf': text }), 'e.conf'))
    return { ...outcome, config: accepted(outcome), folder }
  }

  it('takes over a listener of EMQX that asks sensors for certificates, and lets each have any ClientId, as it did', async () => {
    const { config, err } = await importListener({
      ciphers: ['ECDHE-RSA-AES256-SHA', 'ECDHE-ECDSA-AES128-GCM-SHA256'],
      versions: ['dtlsv1.2'],
      depth: 10,
    })
    expect(config.listeners).toMatchObject([
      {
        name: 'secure',
        url: 'dtls://0.0.0.0:8883',
        dtls: { cert: server.cert.trimEnd(), key: server.key.trimEnd() },
      },
    ])
    expect(config.sensors[0]?.identity).toEqual(['*'])
    expect(err).toMatch(/sensors\[0\]\.identity: with any certificate a sensor may have any ClientId/)
    expect(err).toMatch(/depth: not taken over/)
    expect(err).not.toContain('no dtls:// listener')
  })

  it('does not shut out the sensors of a listener without DTLS beside it', async () => {
    const { config, err } = await importListener({}, { udp: { default: { bind: 1884 } } })
    expect(config.listeners.map(({ url }) => url)).toEqual(['dtls://0.0.0.0:8883', 'udp://0.0.0.0:1884'])
    expect(config.sensors[0]?.identity).toBeUndefined()
    expect(err).toMatch(/sensors\[0\]\.identity: not set/)
  })

  it.each([
    [{ verify: 'verify_none' }, /lets in sensors without a certificate/],
    [{ fail_if_no_peer_cert: false }, /lets in sensors without a certificate/],
    [{ versions: ['dtlsv1'] }, /DTLS 1\.0 only/],
    [{ ciphers: 'ECDHE-RSA-AES128-SHA,ECDHE-ECDSA-AES256-SHA' }, /no cipher suite of/],
    [{ password: 'hunter2' }, /passphrase/],
    [{ keyfile: '/no/where/gw.key' }, /there is no file \/no\/where\/gw\.key here/],
    [{ cacertfile: '' }, /no cacertfile/],
    [{ ciphers: ['PSK-AES128-GCM-SHA256'] }, /keys are text.* < keys\.psk > psk\.txt/],
  ])('says why not, and puts what stands in on loopback: %o', async (options, reason) => {
    const { config, err, out } = await importListener(options)
    expect(config.listeners.map(({ url }) => url)).toEqual(['udp://127.0.0.1:8883'])
    expect(err).toMatch(reason)
    expect(err + out).not.toContain('hunter2')
  })

  it('says why not where the key is on another curve, or that of another certificate', async () => {
    const folder = pki()
    const other = { keyfile: `${folder}/p384.key`, certfile: `${folder}/p384.pem` }
    expect((await importListener(other, {}, folder)).err).toMatch(/not on the curve P-256/)
    const wrong = { certfile: `${folder}/ca.pem` }
    expect((await importListener(wrong, {}, folder)).err).toMatch(/that of another certificate/)
  })

  it('makes keys of EMQX by the line that it names, as sensors have them', async () => {
    const { err } = await importListener({ ciphers: ['PSK-AES128-GCM-SHA256'] })
    const [, line = ''] = /(while IFS=.*?; done) </.exec(err) ?? []
    const input = 'emqx_c:BA0DB2A3448345A3\nemqx_a:A6FC9EDF-62864125\n'
    const lines = execFileSync('sh', ['-c', line], { input, encoding: 'utf8' })
    const { keys, problems } = parsePskFile(lines)
    expect([Buffer.from(keys.get('emqx_c') ?? '').toString(), problems]).toEqual(['BA0DB2A3448345A3', []])
    expect(Buffer.from(keys.get('emqx_a') ?? '').toString()).toBe('A6FC9EDF-62864125')
  })

  it('says for bisquitt and Paho that they ask sensors for no certificate', async () => {
    const bisquitt = await runImport('bisquitt', '--', '--dtls', '--cert', 'c.pem', '--key', 'k.pem')
    expect(accepted(bisquitt).listeners.map(({ url }) => url)).toEqual(['udp://127.0.0.1:8883'])
    expect(bisquitt.err).toMatch(
      /no dtls:\/\/ listener: bisquitt shows its own certificate and asks sensors for none/,
    )
    const paho = await runImport('paho', '--network', 'dtls', sample('paho/gateway.conf'))
    expect(paho.err).toMatch(/no dtls:\/\/ listener: Paho's gateway shows its own certificate/)
  })
})

describe('import emqx', () => {
  it('takes over the section of emqx.conf: ids, topics, identity, listeners with their rules, the way to the broker', async () => {
    const config = accepted(await runImport('emqx', sample('emqx/emqx.conf')), SECRET)
    expect(config).toMatchObject({
      gateway: { id: 23 },
      qosMinusOne: { enabled: false },
      limits: { sensors: 300 },
      broker: { url: 'mqtt://127.0.0.1:1893' },
      sensors: [
        {
          match: '*',
          clientId: 'sn-${clientId}',
          username: 'dairy-${clientId}',
          password: 'y',
          reRegister: 'always',
          asleepConnect: 'resume',
        },
      ],
      predefined: [
        {
          match: '*',
          topics: { '1': 'dairy/tank/1', '2': 'dairy/tank/2', '3': 'dairy/tank/3', '1025': 'dairy/tank/4' },
        },
      ],
    })
    expect(config.listeners).toMatchObject([
      {
        name: 'default',
        url: 'udp://0.0.0.0:1894',
        allow: ['10.1.0.0/16'],
        deny: ['10.1.0.66'],
        receiveBuffer: 524_288,
        discovery: { group: '255.255.255.255', port: 1884, advertise: 900_000 },
      },
      { name: 'six', url: 'udp://[fd00:1::1]:1896' },
      { url: 'udp://127.0.0.1:1897' },
    ])
  })

  it('reads what the API gives as JSON, and the plugin of version 4', async () => {
    const api = accepted(await runImport('emqx', sample('emqx/gateway.json')))
    expect(api).toMatchObject({
      gateway: { id: 9 },
      listeners: [{ name: 'default', url: 'udp://0.0.0.0:1884' }],
      limits: { sensors: 1024 },
      predefined: [{ match: '*', topics: { '4': 'dairy/cow' } }],
    })
    const plugin = accepted(await runImport('emqx', sample('emqx/emqx_sn.conf')), SECRET)
    expect(plugin).toMatchObject({
      gateway: { id: 3 },
      listeners: [{ url: 'udp://0.0.0.0:1884', discovery: { advertise: 900_000 } }],
      sensors: [{ username: 'dairy', password: 'y', reRegister: 'always' }],
      predefined: [{ match: '*', topics: { '1': '/dairy/hello', '2': '/dairy/nice' } }],
    })
  })

  it('lets later files replace values and lists, and says so', async () => {
    const folder = directoryWith({
      'a.conf':
        'gateway { mqttsn { gateway_id = 1, predefined = [{id = 1, topic = a}, {id = 2, topic = b}] } }',
      'b.conf':
        '"gateway"."mqttsn" { gateway_id : 2\npredefined = [{id = 3, topic = "c"}] }\ngateway.mqttsn.listeners.udp.x.bind=":::1885"',
    })
    const outcome = await runImport('emqx', `${folder}/a.conf`, `${folder}/b.conf`)
    const config = accepted(outcome)
    expect([config.gateway.id, config.predefined[0]?.topics]).toEqual([2, { '3': 'c' }])
    expect(config.listeners[0]?.url).toBe('udp://[::]:1885')
    expect(outcome.err).toContain('gateway_id: not used')
  })

  it('says where a file stops being HOCON', async () => {
    const folder = directoryWith({
      'bad.conf': 'gateway.mqttsn {\n  gateway_id = 1\n  predefined = [ {id = 1\n',
    })
    const { err, out, code } = await runImport('emqx', `${folder}/bad.conf`)
    expect([out, code]).toEqual(['', 1])
    expect(err).toMatch(/bad\.conf:4: expected "\}"/)
  })
})

describe('import hivemq-edge', () => {
  it('takes over listeners, topics, ids, lengths, QoS -1, discovery and the way to the broker', async () => {
    const config = accepted(await runImport('hivemq-edge', sample('hivemq-edge/config.xml')))
    expect(config).toMatchObject({
      gateway: { id: 33 },
      limits: { clientIdLength: 40 },
      qosMinusOne: { enabled: true },
      broker: { url: 'mqtt://127.0.0.1:1894' },
      predefined: [{ match: '*', topics: { '1': 'mill/press', '2': 'mill/oil & water' } }],
    })
    expect(config.listeners).toMatchObject([
      {
        name: 'press',
        url: 'udp://0.0.0.0:2443',
        discovery: { group: '10.5.255.255', port: 2443, advertise: 1_000_000 },
      },
    ])
  })

  it('refuses messages without a connection where nothing allows them, as HiveMQ Edge did', async () => {
    const folder = directoryWith({
      'c.xml':
        '<hivemq><mqtt-sn-listeners><udp-listener><port>2442</port></udp-listener></mqtt-sn-listeners></hivemq>',
    })
    const config = accepted(await runImport('hivemq-edge', `${folder}/c.xml`))
    expect(config.qosMinusOne.enabled).toBe(false)
    expect(config.listeners[0]?.url).toBe('udp://0.0.0.0:2442')
  })

  it('says where a file stops being XML, and reads no other files through entities', async () => {
    const folder = directoryWith({
      'bad.xml': '<hivemq>\n<mqtt-sn>\n</hivemq>',
      'other.xml': '<project/>',
      'entity.xml':
        '<!DOCTYPE hivemq [<!ENTITY x SYSTEM "file:///etc/passwd">]><hivemq><mqtt-sn><gateway-id>&x;</gateway-id></mqtt-sn></hivemq>',
    })
    for (const [name, why] of [
      ['bad.xml', /bad\.xml: is no XML/],
      ['other.xml', /the root is <project>, expected <hivemq>/],
    ] as const) {
      const { err, code } = await runImport('hivemq-edge', join(folder, name))
      expect(code).toBe(1)
      expect(err).toMatch(why)
    }
    const { out, err } = await runImport('hivemq-edge', join(folder, 'entity.xml'))
    expect(out + err).not.toContain('root:')
  })
})

describe('every import', () => {
  const all: Readonly<Record<string, readonly string[]>> = {
    paho,
    bisquitt: [sample('bisquitt/bisquitt.env'), sample('bisquitt/topics.yaml')],
    emqx: [sample('emqx/emqx.conf')],
    'hivemq-edge': [sample('hivemq-edge/config.xml')],
  }

  /** Names of settings in the samples, by program, that must turn up in the output or in a line about them. */
  const KEYS: Readonly<Record<string, RegExp>> = {
    paho: /^([\w-]+)=/gm,
    bisquitt: /^([A-Z_]+)=/gm,
    emqx: /\b([a-z_]+) *[=:{]/g,
    'hivemq-edge': /<([a-zA-Z-]+)>[^<\s]/g,
  }

  it.each(Object.keys(all))(
    '%s drops nothing silently: every key is written, or there is a line about it',
    async (program) => {
      const files = all[program] ?? []
      const { out, err } = await runImport(program, ...files)
      const [main = ''] = files
      const text = readFileSync(main, 'utf8').replace(/^\s*(?:#|<!--).*$/gm, '')
      const keys = new Set([...text.matchAll(KEYS[program] ?? /$/g)].map(([, key = '']) => key))
      // names of members of other sections, which are reported as sections; switches that say NO are what is there anyway
      const others = [
        'gateway',
        'mqttsn',
        'node',
        'name',
        'cookie',
        'data_dir',
        'tcp',
        'ssl',
        'default',
        'spare',
        'safe',
        'six',
        'udp',
        'dtls',
        'id',
        'topic',
        'mechanism',
        'backend',
      ]
      const elsewhere = [
        'config-version',
        'max-qos',
        'enabled',
        'AggregatingGateway',
        'ClientsList',
        'PredefinedTopicList',
        'PredefinedTopic',
        'PREDEFINED_TOPICS_FILE',
        'xml',
        'topicName',
        'alias',
        'port',
        'host',
      ]
      const silent = [...keys].filter(
        (key) => ![...others, ...elsewhere].includes(key) && !`${out}${err}`.includes(key),
      )
      expect(keys.size).toBeGreaterThan(5)
      expect(silent).toEqual([])
      expect(out).toContain('$comment')
      for (const line of err.split('\n').slice(0, 3)) expect(JSON.parse(out).$comment).toContain(line)
    },
  )

  it.each(Object.keys(all))('%s shows no secret', async (program) => {
    const { out, err } = await runImport(program, ...(all[program] ?? []))
    expect(out + err).not.toMatch(/tomato|tide and|cream/)
  })

  it('puts secrets into files beside the output, for their owner only, and refers to them', async () => {
    const folder = directoryWith({})
    const output = join(folder, 'gateway.config.json')
    const { code, err } = await runImport('paho', '--output', output, ...paho)
    expect(code).toBe(0)
    const secret = join(folder, 'gateway.config.secrets', 'mqtt-password')
    expect(readFileSync(secret, 'utf8')).toBe('tomato $ecret, with=signs')
    expect(statSync(secret).mode & 0o077).toBe(0)
    expect(err).toContain(secret)
    const { config } = loadConfig({ file: output, env: {} })
    expect(config.broker.password).toBe('tomato $ecret, with=signs')
    // what sensors have is filled in when they connect
    expect(config.sensors[0]?.password).toBe('tomato ${$}ecret, with=signs')
  })

  it('writes over nothing unless told to', async () => {
    const folder = directoryWith({ 'mine.json': 'precious' })
    const output = join(folder, 'mine.json')
    const refused = await runImport('emqx', '-o', output, sample('emqx/emqx.conf'))
    expect(refused.code).toBe(1)
    expect(refused.err).toContain('--force writes over it')
    expect(readFileSync(output, 'utf8')).toBe('precious')
    expect(readdirSync(folder)).toEqual(['mine.json'])
    const forced = await runImport('emqx', '-o', output, '--force', sample('emqx/emqx.conf'))
    expect(forced.code).toBe(0)
    expect(JSON.parse(readFileSync(output, 'utf8')).gateway.id).toBe(23)
  })

  it('knows the four, and needs a file or flags: anything else is wrong usage', async () => {
    for (const words of [
      ['pahoo', 'x'],
      ['paho'],
      ['bisquitt'],
      ['emqx', '--colour', 'x'],
      ['paho', '--network', 'smoke', 'x'],
    ])
      expect((await runImport(...words)).code, words.join(' ')).toBe(2)
  })

  it.each([
    ['paho', paho],
    ['bisquitt', [sample('bisquitt/bisquitt.env'), sample('bisquitt/topics.yaml')]],
    ['bisquitt', [sample('bisquitt/compose.yaml')]],
    ['emqx', [sample('emqx/emqx.conf')]],
    ['hivemq-edge', [sample('hivemq-edge/config.xml')]],
  ] as const)(
    '%s makes an accepted configuration of a damaged file, or says where the damage is: %j',
    async (program, files) => {
      const damage = [
        '"',
        '{',
        '}',
        ']',
        '=',
        ',',
        '\n',
        '${x}',
        '<',
        '*x',
        '\0',
        '99999999',
        '?',
        '-1',
        '"""',
        '__proto__',
      ]
      const where = fc.tuple(
        fc.nat(files.length - 1),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.constantFrom(...damage),
        fc.nat(12),
      )
      await fc.assert(
        fc.asyncProperty(where, async ([which, at, text, gone]) => {
          const copies = files.map((file, i) => {
            const content = readFileSync(file, 'utf8')
            const from = Math.floor(at * content.length)
            return [
              `${i}`,
              i === which ? content.slice(0, from) + text + content.slice(from + gone) : content,
            ]
          })
          const folder = directoryWith(Object.fromEntries(copies))
          const outcome = await runImport(program, ...files.map((_, i) => join(folder, `${i}`)))
          if (outcome.code === 0) accepted(outcome, SECRET)
          else expect(outcome.err).toMatch(/^error: /)
        }),
        { numRuns: 25 },
      )
    },
  )

  it('says which file it cannot read', async () => {
    const { err, code } = await runImport('paho', '/nonexistent/gateway.conf')
    expect(code).toBe(1)
    expect(err).toBe('error: /nonexistent/gateway.conf: the file does not exist')
  })
})
