// Runs the gateway as an app (add-on) of Home Assistant: its options and the broker of the Supervisor become a configuration.

import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** Where the Supervisor's proxy comes from: nothing else may use the console without its token. */
const INGRESS = '172.30.32.2'

/** Text that stands for itself: in the configuration `${...}` is a variable, and `${$}` a dollar sign. */
const plain = (text) => text.replace(/\$/g, () => `\${$}`)

/** `{ value }`, if there is one: an option that is empty is left to its default. */
const given = (key, value) => (value === undefined || value === null || value === '' ? {} : { [key]: value })

function brokerOf({ broker, username, password }, service) {
  if (broker) {
    return {
      url: plain(broker),
      ...given('username', username && plain(username)),
      ...given('password', password && plain(password)),
    }
  }
  if (service === undefined) return undefined
  const { host, port, ssl } = service
  return {
    url: `${ssl ? 'mqtts' : 'mqtt'}://${host}:${port}`,
    ...given('username', service.username && plain(service.username)),
    ...given('password', service.password && plain(service.password)),
    // the certificate of the broker inside is seldom made for the name that it has there
    ...(ssl && { tls: { verify: false } }),
  }
}

/**
 * The configuration of the gateway. `options` are those of the app, `service` is what the Supervisor knows of the broker,
 * `file` a configuration of the user's own, whose values hold where the options say nothing.
 */
export function configurationOf(options, service, file = {}) {
  const broker = brokerOf(options, service)
  const fromFile = typeof file.broker === 'string' ? { url: file.broker } : file.broker
  if (broker === undefined && fromFile?.url === undefined)
    throw new Error('There is no broker: install the Mosquitto app, or set the option "broker".')
  const {
    discovery,
    client_id_prefix: prefix,
    allow = [],
    predefined = [],
    gateway_id: id,
    log_level: level,
  } = options
  const [listener = {}, ...listeners] = file.listeners ?? []
  const topics = Object.fromEntries(predefined.map(({ id: topicId, topic }) => [String(topicId), topic]))
  return {
    ...file,
    listeners: [{ ...listener, url: 'udp://0.0.0.0:1884', ...(allow.length > 0 && { allow }) }, ...listeners],
    broker: { ...fromFile, ...broker },
    sensors: file.sensors ?? [
      {
        clientId: `${plain(prefix ?? '')}\${clientId}`,
        // the broker of Home Assistant asks everyone to log in
        ...given('username', broker?.username),
        ...given('password', broker?.password),
      },
    ],
    ...given('predefined', file.predefined ?? (predefined.length > 0 ? escapedTopics(topics) : undefined)),
    gateway: { ...file.gateway, ...given('id', id) },
    homeAssistant: { ...file.homeAssistant, ...given('discovery', discovery) },
    store: { type: 'lmdb', path: '/data/state' },
    console: {
      ...file.console,
      enabled: true,
      url: 'http://0.0.0.0:8099',
      // new at every start and told to nobody: the way to the console is Home Assistant
      token: file.console?.token ?? randomBytes(32).toString('base64url'),
      trustedProxies: [INGRESS],
    },
    log: { format: 'pretty', ...file.log, ...given('level', level) },
  }
}

const escapedTopics = (topics) =>
  Object.fromEntries(Object.entries(topics).map(([id, topic]) => [id, plain(topic)]))

/** What the Supervisor knows of the broker; undefined if there is none. */
export async function askSupervisor({ url = 'http://supervisor', token, patience = 10_000 }) {
  if (token === undefined) return undefined
  const response = await fetch(`${url}/services/mqtt`, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(patience),
  })
  // 400: no app provides it
  if (!response.ok) return undefined
  const { data } = await response.json()
  return data?.host === undefined ? undefined : data
}

/** Reads the options, writes the configuration, and becomes the gateway. */
async function run({ data = '/data', own = '/config', env = process.env } = {}) {
  const read = (file) => {
    try {
      return JSON.parse(readFileSync(file, 'utf8'))
    } catch (error) {
      throw new Error(`${file} cannot be read: ${error.message}`, { cause: error })
    }
  }
  const options = read(join(data, 'options.json'))
  const service = options.broker
    ? undefined
    : await askSupervisor({ url: env.SUPERVISOR_URL, token: env.SUPERVISOR_TOKEN })
  const file = join(own, 'gateway.config.json')
  const configuration = configurationOf(options, service, existsSync(file) ? read(file) : undefined)
  const target = join(data, 'gateway.config.json')
  writeFileSync(target, JSON.stringify(configuration, null, 2), { mode: 0o600 })
  process.argv = [process.argv[0], 'mqttsn', 'gateway', '-c', target]
  const cli = fileURLToPath(new URL('node_modules/mqtt-sn-gateway/dist/src/cli.js', import.meta.url))
  await import(pathToFileURL(cli).href)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  run({ data: process.env.APP_DATA, own: process.env.APP_CONFIG }).catch((error) => {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  })
}
