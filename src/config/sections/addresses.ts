// Addresses and urls in the configuration: networks, listeners, brokers, multicast groups.

import { isIP } from 'node:net'
import { z } from 'zod'
import { ENGINE_EXAMPLE, readEngineUrl } from '../../store/postgres/engine/url.ts'
import { LINE_EXAMPLES, readLineUrl } from '../../transport/line/url.ts'
import { nearest } from '../reading/nearest.ts'
import { isPeerEntry } from './peers.ts'
import { kind, text } from './values.ts'

/** A network or single address of sensors, or link addresses of nodes. */
export const network = () => {
  const error =
    'a network such as "192.168.1.0/24" or "fd00::/8", or one address; or the link address of a node such as "0013a20012345678", "0013a2*" or "5"'
  return z
    .string({ error })
    .refine(isPeerEntry, { error })
    .meta(kind({ kind: 'network' }))
}

const SOCKET_URL = /^(?:udp|dtls):\/\/(?:\[([^\]]+)\]|([\d.]+)):(\d{1,5})$/

/** Address and port of a listener's url; undefined if it has none, or is not legal. */
export function parseListenerUrl(url: string): { address: string; port: number; version: 4 | 6 } | undefined {
  const parts = SOCKET_URL.exec(url)
  const address = parts?.[1] ?? parts?.[2] ?? ''
  const version = isIP(address)
  const port = Number(parts?.[3])
  if ((version !== 4 && version !== 6) || !(port <= 65_535) || (version === 6) !== (parts?.[1] !== undefined))
    return undefined
  return { address, port, version }
}

/** Whether the listener of this url takes protected records only. */
export const isDtls = (url: string): boolean => url.startsWith('dtls:')

/** One kind of listener: what its urls look like, and what one that looks so should be instead, if it is wrong. */
interface ListenerKind {
  readonly form: RegExp
  readonly example: string
  wrong(url: string): string | undefined
}

const SOCKET_EXAMPLE =
  'udp://address:port or dtls://address:port with a numeric address, such as "udp://0.0.0.0:1884" or "udp://[::1]:1884"'

/** All kinds. The examples are told where an url is of none of them. */
const LISTENERS: readonly ListenerKind[] = [
  {
    form: SOCKET_URL,
    example: SOCKET_EXAMPLE,
    wrong: (url) => (parseListenerUrl(url) === undefined ? SOCKET_EXAMPLE : undefined),
  },
  { form: /^(?:serial|xbee|loralink|tcp|tcp-listen):\/\/.+$/, example: LINE_EXAMPLES, wrong: wrongLine },
]

function wrongLine(url: string): string | undefined {
  const read = readLineUrl(url)
  if (!('expected' in read)) return undefined
  const meant = read.unknown && nearest(read.unknown.name, read.unknown.known)
  return meant === undefined ? read.expected : `${read.expected}; did you mean "${meant}"?`
}

/** Where a listener is bound. */
export const listenerUrl = () => {
  const error = LISTENERS.map(({ example }) => example).join('; or ')
  return z
    .string({ error })
    .regex(new RegExp(LISTENERS.map(({ form }) => form.source).join('|')), { error, abort: true })
    .superRefine((url, context) => {
      const message = LISTENERS.find(({ form }) => form.test(url))?.wrong(url)
      if (message !== undefined) context.addIssue({ code: 'custom', message })
    })
    .meta(kind({ kind: 'url' }))
}

const BROKER_URL = /^(embedded|(mqtts?|wss?):\/\/.+)$/

/** The host of a url, without brackets; empty if there is none. */
export const hostOf = (url: string): string =>
  URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/g, '') : ''

/** The parts of a broker's url, user information decoded; undefined if it is not legal or is "embedded". */
export function parseBrokerUrl(
  url: string,
): { host: string; username: string; password: string } | undefined {
  try {
    const { username, password } = new URL(url)
    const host = hostOf(url)
    if (host === '') return undefined
    return { host, username: decodeURIComponent(username), password: decodeURIComponent(password) }
  } catch {
    return undefined
  }
}

function brokerAddress(error: string, embedded: boolean) {
  const legal = (value: string) =>
    value === 'embedded' ? embedded : BROKER_URL.test(value) && parseBrokerUrl(value) !== undefined
  return text(error, 1, 4096)
    .regex(BROKER_URL, { error })
    .refine(legal, { error })
    .meta(kind({ kind: 'url' }))
}

/** The broker's url. */
export const brokerUrl = () =>
  brokerAddress('mqtt://host:port, mqtts://..., ws://..., wss://... or "embedded"', true)

/** The url of a broker of several. */
export const networkBrokerUrl = () =>
  brokerAddress('mqtt://host:port, mqtts://..., ws://... or wss://...', false)

/** Where a database is. */
export const engineUrl = () =>
  text(ENGINE_EXAMPLE, 1, 4096)
    .superRefine((url, context) => {
      const read = readEngineUrl(url)
      if ('expected' in read) context.addIssue({ code: 'custom', message: read.expected })
    })
    .meta(kind({ kind: 'url' }))

/** All urls of the broker section, in their order. */
export const brokerUrls = ({ url }: { readonly url: string | readonly string[] }): readonly string[] =>
  typeof url === 'string' ? [url] : url

/** An address of this machine that connections may go out from. */
export const localAddress = () => {
  const error = 'an address of this machine, such as "192.168.1.10" or "fd00::10"'
  const legal = (value: string) => {
    const version = isIP(value)
    return version === 4
      ? /^(?!0\.)/.test(value) && Number.parseInt(value, 10) < 224
      : version === 6 && isOneHost(value)
  }
  return z
    .string({ error })
    .refine(legal, { error })
    .meta(kind({ kind: 'address' }))
}

/** Neither all addresses nor a multicast group. */
const isOneHost = (address: string): boolean => !/^ff/i.test(address) && !/^[0:]+$/.test(address)

/** A multicast group, or a broadcast address (IPv4 only; those end in ones). */
export const group = () => {
  const error = 'a multicast group such as "225.1.1.1" or "ff02::1:5", or an IPv4 broadcast address'
  const legal = (value: string) => {
    const version = isIP(value)
    if (version === 6) return /^ff/i.test(value)
    const octet = value.split('.').map(Number)
    return version === 4 && (((octet[0] ?? 0) >= 224 && (octet[0] ?? 0) < 240) || ((octet[3] ?? 0) & 3) === 3)
  }
  return z
    .string({ error })
    .refine(legal, { error })
    .meta(kind({ kind: 'address' }))
}
