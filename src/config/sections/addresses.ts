// Addresses and urls in the configuration: networks, listeners, brokers, multicast groups.

import { isIP } from 'node:net'
import { z } from 'zod'
import { parseNetwork } from './networks.ts'
import { kind, text } from './values.ts'

/** A network or single address of sensors. */
export const network = () => {
  const error = 'a network such as "192.168.1.0/24" or "fd00::/8", or one address'
  return z
    .string({ error })
    .refine((value) => parseNetwork(value) !== undefined, { error })
    .meta(kind({ kind: 'network' }))
}

const LISTENER_URL = /^(?:udp|dtls):\/\/(?:\[([^\]]+)\]|([\d.]+)):(\d{1,5})$/

/** The parts of a listener's url, undefined if it is not legal. */
export function parseListenerUrl(url: string): { address: string; port: number; version: 4 | 6 } | undefined {
  const parts = LISTENER_URL.exec(url)
  const address = parts?.[1] ?? parts?.[2] ?? ''
  const version = isIP(address)
  const port = Number(parts?.[3])
  if ((version !== 4 && version !== 6) || !(port <= 65_535) || (version === 6) !== (parts?.[1] !== undefined))
    return undefined
  return { address, port, version }
}

/** Whether the listener of this url takes protected records only. */
export const isDtls = (url: string): boolean => url.startsWith('dtls:')

/** Where a listener is bound. */
export const listenerUrl = () => {
  const error =
    'udp://address:port or dtls://address:port with a numeric address, such as "udp://0.0.0.0:1884" or "udp://[::1]:1884"'
  return z
    .string({ error })
    .regex(LISTENER_URL, { error })
    .refine((value) => parseListenerUrl(value) !== undefined, { error })
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

/** All urls of the broker section, in their order. */
export const brokerUrls = ({ url }: { readonly url: string | readonly string[] }): readonly string[] =>
  typeof url === 'string' ? [url] : url

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
