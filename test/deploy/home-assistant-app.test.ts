// The app (add-on) for Home Assistant: accepted by the Supervisor's rules, and its options become a configuration that the gateway takes.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: options may hold what the configuration takes for a variable

import { spawn } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { parse } from 'yaml'
import { loadConfig } from '../../src/config/load.ts'
import type { Config } from '../../src/config/schema.ts'
import { startAedes } from '../support/broker.ts'
import { Office, until } from '../support/gateway.ts'
import { devicesOf } from '../support/home-assistant.ts'
import { appConfig, translations, wrongOptions } from '../support/home-assistant-app.ts'

const FOLDER = 'deploy/home-assistant/mqtt-sn-gateway'
const file = (name: string) => readFileSync(join(FOLDER, name), 'utf8')
const app = appConfig.parse(parse(file('config.yaml')))

type Options = Record<string, unknown>
const { configurationOf, askSupervisor } = (await import(resolve(FOLDER, 'run.mjs'))) as {
  configurationOf(options: Options, service?: object, file?: object): object
  askSupervisor(options: { url?: string; token?: string; patience?: number }): Promise<object | undefined>
}

const service = { host: 'core-mosquitto', port: 1883, ssl: false, username: 'addons', password: 'pa${ss}' }

/** The configuration in effect; throws with everything that is wrong. */
const effective = (options: Options, ...more: [service?: object, file?: object]): Config =>
  loadConfig({ env: {}, overrides: configurationOf({ ...app.options, ...options }, ...more) }).config

describe('the app', () => {
  it('is of the version of the package, and has the files that it speaks of', () => {
    expect(app.version).toBe(JSON.parse(readFileSync('package.json', 'utf8')).version)
    for (const name of ['Dockerfile', 'DOCS.md', 'README.md', 'run.mjs'])
      expect(existsSync(join(FOLDER, name)), name).toBe(true)
    expect(parse(readFileSync('deploy/home-assistant/repository.yaml', 'utf8'))).toHaveProperty('name')
    expect(file('Dockerfile')).toContain('CMD ["node", "/app/run.mjs"]')
    expect(file('Dockerfile')).toContain('COPY . .')
    expect(file('Dockerfile')).not.toContain('BUILD_FROM')
  })

  it('explains every option and every port in its translation, and no others', () => {
    const { configuration, network } = translations.parse(parse(file('translations/en.yaml')))
    expect(Object.keys(configuration).sort()).toEqual(Object.keys(app.schema).sort())
    expect(Object.keys(network)).toEqual(Object.keys(app.ports))
    const [fields] = app.schema['predefined'] as [object]
    expect(Object.keys(configuration['predefined']?.fields ?? {})).toEqual(Object.keys(fields))
    for (const { name } of Object.values(configuration))
      expect(file('DOCS.md').toLowerCase()).toContain(name.toLowerCase())
  })

  it('has default options that the Supervisor takes, and the gateway starts with them', () => {
    expect(wrongOptions(app, app.options)).toEqual([])
    const { listeners, broker, store, console, homeAssistant, sensors, status } = effective({}, service)
    expect(listeners.map(({ url, allow }) => ({ url, allow }))).toEqual([
      { url: 'udp://0.0.0.0:1884', allow: [] },
    ])
    expect(broker).toMatchObject({
      url: 'mqtt://core-mosquitto:1883',
      username: 'addons',
      password: 'pa${ss}',
    })
    expect([store.path, homeAssistant.discovery, status.enabled]).toEqual(['/data/state', true, true])
    expect(sensors).toMatchObject([
      { match: '*', clientId: 'sn-${clientId}', username: 'addons', password: 'pa${$}{ss}' },
    ])
    expect([app.ingress_port, app.ports]).toEqual([Number(new URL(console.url).port), { '1884/udp': 1884 }])
    expect(app.watchdog).toBe(`http://[HOST]:${app.ingress_port}/health/live`)
    expect(app.map).toContainEqual({ type: 'addon_config', read_only: true })
  })

  it('lets nobody into the console but the proxy of Home Assistant', () => {
    const { console } = effective({}, service)
    expect(console.trustedProxies).toEqual(['172.30.32.2'])
    expect(console.token?.length).toBeGreaterThan(30)
    expect(effective({}, service).console.token).not.toBe(console.token)
  })

  const changes: Record<string, [value: unknown, seen: (config: Config) => unknown]> = {
    broker: ['mqtts://10.0.0.5:8883', ({ broker }) => broker.url === 'mqtts://10.0.0.5:8883'],
    username: ['${env:HOME}', ({ broker }) => broker.username === '${env:HOME}'],
    password: ['p$${x}', ({ broker }) => broker.password === 'p$${x}'],
    discovery: [false, ({ homeAssistant, status }) => !homeAssistant.discovery && !status.enabled],
    client_id_prefix: ['', ({ sensors }) => sensors[0]?.clientId !== 'sn-${clientId}'],
    allow: [['192.168.1.0/24'], ({ listeners }) => listeners[0]?.allow.length === 1],
    predefined: [
      [{ id: 7, topic: 'home/${room}' }],
      ({ predefined }) => predefined[0]?.topics['7'] === 'home/${room}',
    ],
    gateway_id: [9, ({ gateway }) => gateway.id === 9],
    log_level: ['debug', ({ log }) => log.level === 'debug'],
  }

  it('has no option without a meaning', () => {
    expect(Object.keys(changes).sort()).toEqual(Object.keys(app.schema).sort())
  })

  it.each(Object.keys(changes))('option %s changes the configuration', (key) => {
    const [value, seen] = changes[key] ?? []
    const login = { broker: 'mqtt://10.0.0.5', username: 'u' }
    const url = ['username', 'password'].includes(key) ? login : {}
    const options = { ...app.options, ...url, [key]: value }
    expect(wrongOptions(app, options)).toEqual([])
    expect(seen?.(effective(options, service))).toBe(true)
    const before = key === 'broker' || !('broker' in url) ? effective({}, service) : effective(url, service)
    expect(seen?.(before)).toBe(false)
  })

  it('refuses options that the gateway could not use', () => {
    for (const wrong of [
      { broker: 'core-mosquitto' },
      { client_id_prefix: 'a/b' },
      { gateway_id: 256 },
      { log_level: 'loud' },
      { predefined: [{ id: 0, topic: 'x' }] },
    ])
      expect(wrongOptions(app, { ...app.options, ...wrong })).toEqual(Object.keys(wrong))
  })

  it('says what to do if there is no broker', () => {
    expect(() => configurationOf(app.options)).toThrow(
      /install the Mosquitto app, or set the option "broker"/,
    )
  })

  it('uses a configuration of the user`s own, but keeps port, store and console', () => {
    const own = {
      listeners: [{ url: 'udp://0.0.0.0:9', maxMessageSize: 500 }],
      broker: { url: 'mqtt://own', keepAlive: '20s' },
      sensors: [{ match: 'meter-*', deny: true }],
      timers: { tRetry: '3s' },
      store: { type: 'memory' },
      console: { enabled: false, url: 'http://127.0.0.1:1', trustedProxies: ['10.0.0.1'], hosts: ['x'] },
      log: { level: 'trace', payloads: true },
    }
    const config = effective({}, undefined, own)
    expect(config.listeners[0]).toMatchObject({ url: 'udp://0.0.0.0:1884', maxMessageSize: 500 })
    expect(config.broker).toMatchObject({ url: 'mqtt://own', keepAlive: 20_000 })
    expect(config.sensors[0]).toMatchObject({ match: 'meter-*' })
    expect([config.timers.tRetry, config.store.type]).toEqual([3000, 'lmdb'])
    expect(config.console).toMatchObject({
      enabled: true,
      url: 'http://0.0.0.0:8099',
      trustedProxies: ['172.30.32.2'],
      hosts: ['x'],
    })
    expect(config.log).toMatchObject({ level: 'info', payloads: true })
  })

  it('gives way to a TLS broker inside, whose certificate has another name', () => {
    const { broker } = effective({}, { ...service, port: 8883, ssl: true })
    expect(broker).toMatchObject({ url: 'mqtts://core-mosquitto:8883', tls: { verify: false } })
  })
})

/** A Supervisor that knows one broker, or none. */
async function startSupervisor(broker: object | undefined): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = []
  const server = createServer(({ url, headers }, answer) => {
    asked.push(`${url} ${headers.authorization}`)
    answer.writeHead(broker === undefined ? 400 : 200, { 'content-type': 'application/json' })
    answer.end(JSON.stringify(broker === undefined ? { result: 'error' } : { result: 'ok', data: broker }))
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  onTestFinished(() => void server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

describe('the program of the app', () => {
  it('asks the Supervisor for the broker', async () => {
    const { url, asked } = await startSupervisor(service)
    expect(await askSupervisor({ url, token: 'secret' })).toEqual(service)
    expect(asked).toEqual(['/services/mqtt Bearer secret'])
    expect(
      await askSupervisor({ url: (await startSupervisor(undefined)).url, token: 'secret' }),
    ).toBeUndefined()
  })

  it('becomes the gateway, which serves sensors at that broker and ends at SIGTERM', async () => {
    const broker = await startAedes()
    onTestFinished(() => broker.close())
    const office = await Office.at(broker, '#')
    onTestFinished(() => office.close())
    const supervisor = await startSupervisor({ host: '127.0.0.1', port: broker.port, ssl: false })
    const folder = mkdtempSync(join(tmpdir(), 'mqttsn-app-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    mkdirSync(join(folder, 'node_modules'))
    symlinkSync(resolve('.'), join(folder, 'node_modules/mqtt-sn-gateway'))
    writeFileSync(join(folder, 'run.mjs'), file('run.mjs'))
    writeFileSync(join(folder, 'options.json'), JSON.stringify(app.options))
    const child = spawn(process.execPath, [join(folder, 'run.mjs')], {
      env: {
        ...process.env,
        APP_DATA: folder,
        APP_CONFIG: folder + '/none',
        SUPERVISOR_URL: supervisor.url,
        SUPERVISOR_TOKEN: 'secret',
        // what cannot be shared with other tests
        MQTTSN_LISTENERS: '[{"url":"udp://127.0.0.1:0"}]',
        MQTTSN_CONSOLE__URL: 'http://127.0.0.1:0',
        MQTTSN_STORE__PATH: join(folder, 'state'),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const exited = new Promise<number | null>((done) => child.once('exit', done))
    onTestFinished(() => void child.kill('SIGKILL'))
    let output = ''
    child.stdout.on('data', (text: Buffer) => (output += text))
    child.stderr.on('data', (text: Buffer) => (output += text))
    await until(() => output.includes('gateway started') || child.exitCode !== null, 20_000)
    expect(output).toContain('gateway started')
    await until(() => devicesOf(office.inbox.all).has('homeassistant/device/mqttsn-1/config'))
    expect(statSync(join(folder, 'gateway.config.json')).mode & 0o077).toBe(0)
    child.kill('SIGTERM')
    expect(await exited).toBe(0)
    expect(office.inbox.all.at(-1)?.text).toBe('{"state":"offline"}')
  })
})
