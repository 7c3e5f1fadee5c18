// Transport addresses: how they are told apart, and how much fits into one message to them [5.5, 7.4].

import { encapsulationLength } from '../codec/v1/frame.ts'

/** How far a sensor's address may move while its session goes on. */
export type Roaming = 'off' | 'port' | 'any'

/** What the core knows of the link that a sensor is on. One object, shared by all peers of a listener. */
export interface Listener {
  readonly name: string
  /** octets that one datagram may have on this link, encapsulation included [7.4] */
  readonly maxMessage: number
  readonly roaming: Roaming
  /** messages that the link takes now for this peer before it is full; absent on links that never are */
  readonly room?: ((peer: Peer) => number) | undefined
}

/** Identifies a transport address: a number for IPv4, a string for everything else. */
export type PeerKey = number | string

/**
 * What a link that authenticates its peers knows of one of them. It stays while the peer's address changes, so it is what tells
 * such peers apart.
 */
export interface Association {
  /** from 1, below 2 ** 48, unique on its listener */
  readonly number: number
  /** who it has proved to be */
  readonly identity: string
  readonly kind: 'psk' | 'certificate'
}

/** A sensor's transport address: address and port, and the wireless node id if it is behind a forwarder [5.5]. */
export interface Peer {
  readonly key: PeerKey
  readonly listener: Listener
  readonly address: string
  readonly port: number
  readonly nodeId?: Uint8Array | undefined
  /** the gateway's own address that it speaks to, of a listener that has several; answers leave from there */
  readonly local?: string | undefined
  /** set where the link has authenticated it, or the forwarder that it is behind */
  readonly association?: Association | undefined
}

/**
 * A key that tells addresses apart: a number for plain IPv4, since building strings costs more than finding a session;
 * a string for IPv6 and for nodes behind a forwarder [SN-FWD-4]; and for an association its number, whatever the address.
 * `listener` is the listener's index, 0..31.
 */
export function peerKey(
  listener: number,
  address: string,
  port: number,
  nodeId: Uint8Array | undefined,
  association?: Association,
): PeerKey {
  if (association !== undefined) {
    const { number } = association
    return nodeId === undefined ? -(number * 32 + listener) : `${listener} #${number} ${hex(nodeId)}`
  }
  if (nodeId !== undefined) return `${listener} ${placeOf(address)} ${port} ${hex(nodeId)}`
  const ip = parseIPv4(address)
  return ip < 0 ? `${listener} ${placeOf(address)} ${port}` : (listener * 2 ** 32 + ip) * 2 ** 16 + port
}

/**
 * Nodes behind bridges that call the gateway are the same behind whichever of them, whose address is where they are now: those with ids
 * in encapsulations, `bridge/10.0.0.9`, and those with link addresses, `aquila/10.0.0.9/2`.
 */
function placeOf(address: string): string {
  const first = address.indexOf('/')
  if (first <= 0) return address
  if (address.startsWith('bridge/')) return 'bridge'
  const last = address.lastIndexOf('/')
  return first === last ? address : address.slice(0, first) + address.slice(last)
}

/** The association that a key is of, and the listener's index; undefined for plain addresses. */
export function associationIn(key: PeerKey): { listener: number; number: number } | undefined {
  if (typeof key === 'number')
    return key < 0 ? { listener: -key % 32, number: Math.floor(-key / 32) } : undefined
  const [, listener, number] = /^(\d+) #(\d+) /.exec(key) ?? []
  return number === undefined ? undefined : { listener: Number(listener), number: Number(number) }
}

/** The address as a number, or -1 if it is not dotted IPv4. */
function parseIPv4(address: string): number {
  let ip = 0
  let octet = 0
  for (let i = 0; i < address.length; i++) {
    const code = address.charCodeAt(i)
    if (code === 0x2e) {
      ip = ip * 256 + octet
      octet = 0
    } else if (code >= 0x30 && code <= 0x39) octet = octet * 10 + code - 0x30
    else return -1
  }
  return ip * 256 + octet
}

/** Octets as lower-case hexadecimal digits. */
export const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

/** Octets that one message to this peer may have, its encapsulation taken off [SN-FWD-10]. */
export const roomFor = ({ listener, nodeId }: Peer): number =>
  listener.maxMessage - (nodeId === undefined ? 0 : encapsulationLength(nodeId.length))

/**
 * The source that rates are counted for: the address without port, or who it has proved to be; each node behind a forwarder by
 * itself.
 */
export const sourceOf = ({ address, nodeId, association }: Peer): string => {
  const source = association === undefined ? address : `=${association.identity}`
  return nodeId === undefined ? source : `${source} ${hex(nodeId)}`
}

/**
 * For people: `127.0.0.1:5000`, `[::1]:5000`, a device as it is; with `/node` behind a forwarder, and `(identity)` where it has
 * proved one.
 */
export const describePeer = ({
  address,
  port,
  nodeId,
  association,
}: Pick<Peer, 'address' | 'port' | 'nodeId' | 'association'>): string => {
  const host = address.includes(':') ? `[${address}]` : address
  const place = port === 0 ? address : `${host}:${port}` // there are no ports beyond IP
  const node = nodeId === undefined ? '' : `/${hex(nodeId)}`
  return `${place}${node}${association === undefined ? '' : ` (${association.identity})`}`
}
