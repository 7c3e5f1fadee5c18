// The group that stands for "all nodes": a multicast group or an IPv4 broadcast address [5.4.1-5.4.3, 6.1].

import type { Socket } from 'node:dgram'
import { isIP, isIPv4 } from 'node:net'
import { type Endpoint, interfaceWith, ipv4Of, isWildcard, withoutZone, zoneOf } from '../address.ts'
import { type Advice, TransportError } from '../error.ts'

/** What is configured. */
export interface UdpGroup {
  /** multicast group (`225.1.1.1`, `ff02::1:5`) or IPv4 broadcast address (`255.255.255.255`, `10.0.0.255`) */
  readonly address: string
  /** UDP port of the group; the listener's own if absent */
  readonly port?: number | undefined
  /** interface, by name or address; if absent the one of the listener's address, or the system's choice */
  readonly interface?: string | undefined
  /** hops that a multicast datagram may travel at most, 1..255; broadcasts are not routed */
  readonly hops: number
}

/** A group made ready for use. */
export interface Group {
  readonly address: string
  readonly port: number
  readonly multicast: boolean
  /** how node:dgram wants to be told the interface; undefined: the system chooses */
  readonly via: string | undefined
  /** where datagrams are sent, and a socket of its own is bound: with zone where one is known */
  readonly target: string
  readonly hops: number
}

const NO_WAY = 'no interface leads to it; name one that does, such as "interface": "eth0"'

/** What to change if the system refuses a group. */
export const groupAdvice: Advice = {
  'in-use': "another program uses the group's port and does not share it; stop it, or set another group port",
  'not-available': NO_WAY,
  invalid: NO_WAY,
}

/** Checks a group against the listener that serves it. Throws TransportError `invalid`. */
export function resolveGroup(group: UdpGroup, listener: Endpoint): Group {
  const address = withoutZone(group.address)
  const family = isIP(address)
  const multicast = family === 6 ? /^ff/i.test(address) : isMulticast4(address)
  if (family !== listener.family || (family === 6 && !multicast)) {
    throw new TransportError(
      'invalid',
      `group ${group.address}: a listener on IPv${listener.family} needs ` +
        (listener.family === 6
          ? 'an IPv6 multicast group, such as ff02::1:5'
          : 'an IPv4 multicast group or broadcast address, such as 225.1.1.1'),
    )
  }
  const via = multicast ? resolveInterface(group, listener) : undefined
  return {
    address,
    port: group.port ?? listener.port,
    multicast,
    via,
    target: family === 6 && via !== undefined ? address + via.slice('::'.length) : address,
    hops: group.hops,
  }
}

/** The interface as node:dgram wants it: an own address for IPv4, `::%name` for IPv6. */
function resolveInterface(group: UdpGroup, listener: Endpoint): string | undefined {
  const named = group.interface
  const host = isWildcard(listener.host) ? undefined : listener.host
  if (listener.family === 4) {
    if (named === undefined) return host
    return isIPv4(named) ? named : (ipv4Of(named) ?? noInterface(named, 'an IPv4 address'))
  }
  const wanted = named ?? zoneOf(group.address) ?? host
  if (wanted === undefined) return undefined
  if (isIP(wanted) === 0) return `::%${wanted}`
  return `::%${zoneOf(wanted) ?? interfaceWith(wanted) ?? noInterface(wanted, 'that address')}`
}

function noInterface(wanted: string, what: string): never {
  throw new TransportError('invalid', `group interface ${wanted}: this machine has no interface with ${what}`)
}

/** Lets a socket receive what is sent to the group. */
export function join(socket: Socket, group: Group): void {
  if (group.multicast) socket.addMembership(group.address, group.via)
}

/** Lets a socket send to the group. */
export function prepareSending(socket: Socket, group: Group): void {
  if (!group.multicast) {
    socket.setBroadcast(true)
    return
  }
  if (group.via !== undefined) socket.setMulticastInterface(group.via)
  // A sensor on the gateway's own machine shall hear it, too.
  socket.setMulticastLoopback(true)
}

/** The hop limit for a radius: 0 is as far as configured, and nothing goes further [SN-SGW-2]. */
export const hopLimit = (radius: number, most: number): number =>
  radius === 0 ? most : Math.min(radius, most)

function isMulticast4(address: string): boolean {
  const first = Number(address.split('.')[0])
  return first >= 224 && first < 240
}
