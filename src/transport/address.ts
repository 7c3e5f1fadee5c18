// Addresses of UDP links: the listener's url, and what this machine's interfaces are called.

import { isIP, isIPv4, isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'
import { TransportError } from './error.ts'

/** Where a listener listens. */
export interface Endpoint {
  /** numeric; a link-local one carries its zone, as in `fe80::1%eth0` */
  readonly host: string
  readonly port: number
  readonly family: 4 | 6
}

/**
 * Reads `udp://127.0.0.1:1884` or `udp://[fe80::1%eth0]:1884`. Throws TransportError `invalid`; names are refused,
 * because a listener is bound to one address and must not wait for DNS.
 */
export function parseUdpUrl(url: string): Endpoint {
  // URL does not read zones, so the few forms are taken apart here.
  const [, six, four, digits] = /^udp:\/\/(?:\[([^\]]+)\]|([^:/[\]]+)):(\d{1,5})$/.exec(url) ?? []
  const port = Number(digits)
  if (port <= 65_535) {
    if (six !== undefined && isIPv6(six)) return { host: six, port, family: 6 }
    if (four !== undefined && isIPv4(four)) return { host: four, port, family: 4 }
  }
  throw new TransportError(
    'invalid',
    `${url}: expected udp://address:port with a numeric address, such as udp://0.0.0.0:1884 or udp://[::1]:1884`,
  )
}

/** The opposite of `parseUdpUrl`. */
export const udpUrl = ({ host, port, family }: Endpoint): string =>
  family === 6 ? `udp://[${host}]:${port}` : `udp://${host}:${port}`

/** Whether a socket bound to it listens on every interface. */
export const isWildcard = (host: string): boolean => host === '0.0.0.0' || /^[0:]+$/.test(host)

/** `fe80::1%eth0` without its zone. */
export const withoutZone = (address: string): string => address.replace(/%.*$/, '')

/** The zone of an IPv6 address, which on most systems is the interface's name. */
export const zoneOf = (address: string): string | undefined => /%(.+)$/.exec(address)?.[1]

/** All addresses of this machine, without zones. */
export const ownAddresses = (): ReadonlySet<string> =>
  new Set(
    Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map((each) => withoutZone(each.address))),
  )

/** The addresses of this machine's interfaces, as a socket is bound to them: link-local ones with their zone. */
export function localAddresses(family: Endpoint['family']): string[] {
  const found: string[] = []
  for (const [name, all] of Object.entries(networkInterfaces())) {
    for (const each of all ?? []) {
      if (each.family !== `IPv${family}`) continue
      found.push(/^fe[89ab]/i.test(each.address) ? `${withoutZone(each.address)}%${name}` : each.address)
    }
  }
  return found
}

/** The name of the interface that has an address. */
export function interfaceWith(address: string): string | undefined {
  const wanted = withoutZone(address)
  for (const [name, all] of Object.entries(networkInterfaces())) {
    if (all?.some((each) => withoutZone(each.address) === wanted)) return name
  }
  return undefined
}

/** The first IPv4 address of an interface. */
export const ipv4Of = (name: string): string | undefined =>
  networkInterfaces()[name]?.find((each) => each.family === 'IPv4')?.address

/** Answers like dns.lookup for numeric addresses, at once; anything else fails, since DNS would delay the sending. */
export function numericLookup(
  address: string,
  _options: unknown,
  done: (error: Error | null, address: string, family: number) => void,
): void {
  const family = isIP(address)
  done(family === 0 ? new Error(`not a numeric address: ${address}`) : null, address, family)
}
