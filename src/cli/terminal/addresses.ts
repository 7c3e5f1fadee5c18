// Addresses on the command line, spelt alike for every command: `host`, `host:port` or the url; and `-h HOST -p PORT`.

import { type Command, InvalidArgumentError } from 'commander'

/** What an address is for: the scheme and the port that may be left out, and further schemes. */
export interface AddressKind {
  readonly scheme: string
  readonly port: number | undefined
  readonly others?: readonly string[]
}

/** A gateway's listener. */
export const GATEWAY: AddressKind = { scheme: 'udp', port: 1884 }
/** A gateway, as sensors reach it; `dtls://` has no usual port. */
export const LINK: AddressKind = { ...GATEWAY, others: ['dtls'] }
/** A gateway's console. */
export const CONSOLE: AddressKind = { scheme: 'http', port: 8885, others: ['https'] }
/** An MQTT broker; each scheme has a port of its own. */
const BROKER: AddressKind = { scheme: 'mqtt', port: undefined, others: ['mqtts', 'ws', 'wss'] }

/** The url that an address stands for; undefined if it is none of this kind. */
export function urlOf(text: string, { scheme, port, others = [] }: AddressKind): string | undefined {
  const [, given = scheme, rest = ''] = /^(?:([a-z][a-z0-9+.-]*):\/\/)?(.+)$/i.exec(text.trim()) ?? []
  if (given !== scheme && !others.includes(given)) return undefined
  // an IPv6 address without brackets, which has no port then
  const bracketed = /^[0-9a-f]*:[0-9a-f.:]*:[0-9a-f.:]*(%\w+)?$/i.test(rest) ? `[${rest}]` : rest
  const [, host = '', digits, path = ''] =
    /^(\[[^\]\s]+\]|[^:/[\]\s]*)(?::(\d{1,5}))?(\/\S*)?$/.exec(bracketed) ?? []
  if (host === '' || /^\d+$/.test(host) || Number(digits ?? 0) > 65_535) return undefined
  const number = digits ?? (given === scheme ? port : undefined)
  return `${given}://${host}${number === undefined ? '' : `:${Number(number)}`}${path.replace(/\/+$/, '')}`
}

/** The url of a broker, or the word for the one that the gateway brings along; undefined if it is neither. */
export const brokerUrlOf = (text: string): string | undefined =>
  text.trim() === 'embedded' ? 'embedded' : urlOf(text, BROKER)

/** A parser of option values, whose complaint names what is expected. */
export const addressParser =
  (kind: AddressKind) =>
  (text: string): string => {
    const url = urlOf(text, kind)
    if (url !== undefined) return url
    throw new InvalidArgumentError(`expected ${kind.scheme}://host:port, host:port or host`)
  }

interface HostFlags {
  host?: string
  port?: number
}

/**
 * Adds `-h HOST -p PORT`, as Mosquitto's tools have them, for what option `name` says in one word; help is `--help` alone. What is
 * given in either way is the value of `name` when the command runs.
 */
export function addHostOptions(command: Command, name: string, kind: AddressKind, of: string): Command {
  return command
    .helpOption('--help', 'display help for command')
    .option('-h, --host <name>', `host of ${of}`)
    .option('-p, --port <number>', `its port (default: ${kind.port})`, portNumber)
    .hook('preAction', (_, action) => {
      const { host, port } = action.opts<HostFlags>()
      if (host === undefined && port === undefined) return
      if (action.getOptionValueSource(name) === 'cli') {
        action.error(`error: give --${name}, or --host and --port`, { exitCode: 2 })
      }
      const usual = String(action.getOptionValue(name) ?? '127.0.0.1')
      const url = urlOf(host ?? usual.replace(/^\w+:\/\/|:\d+$/g, ''), kind)
      if (url === undefined)
        return action.error(`error: --host: expected a name or an address, got '${host}'`, { exitCode: 2 })
      action.setOptionValue(name, port === undefined ? url : url.replace(/:\d+$|$/, `:${port}`))
    })
}

function portNumber(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (port >= 1 && port <= 65_535) return port
  throw new InvalidArgumentError('expected a port from 1 to 65535')
}

/** `-h HOST -p PORT` for a url, with a blank before; empty where it is what the commands have as their default. */
export function hostFlags(url: string, { port: usual }: AddressKind): string {
  const { hostname, port } = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '').replace(/^(0\.0\.0\.0|::)$/, '127.0.0.1')
  const isLocal = ['127.0.0.1', 'localhost'].includes(host)
  return `${isLocal ? '' : ` -h ${host}`}${port === '' || Number(port) === usual ? '' : ` -p ${port}`}`
}
