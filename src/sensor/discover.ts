// Finding gateways [6.1]: asks with SEARCHGW, listens for GWINFO and ADVERTISE.

import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { isIP } from 'node:net'
import { decode, encode } from '../codec/v1/frame.ts'
import { SensorError } from './failure.ts'
import { pause } from './pause.ts'
import { checkSecurity, isSecure, type SecurityOptions } from './security.ts'
import { resolveGateway } from './udp.ts'

/** Everything has a default. */
export interface DiscoverOptions extends SecurityOptions {
  /** multicast group or broadcast address; default 225.1.1.1, or no group when `unicast` is given */
  group?: string
  /** UDP port of the group; default 1883 */
  port?: number
  /** asks this address directly, `host:port`, `udp://host:port` or, with keys, `dtls://host:port` */
  unicast?: string
  /** how far SEARCHGW goes, in hops; 0 = the whole network; default 0 */
  radius?: number
  /** milliseconds to listen; default 5,000 (T_SEARCHGW) */
  timeout?: number
  /** waits a random time up to so many milliseconds first: for many devices switched on together [6.1]; default 0 */
  maxDelay?: number
  /** called for each gateway once, as soon as it is heard */
  onFound?: (gateway: FoundGateway) => void
  /** ends the search early */
  signal?: AbortSignal
}

/** A gateway that was heard. */
export interface FoundGateway {
  gwId: number
  /** where to connect: the address that the datagram came from */
  url: string
  /** `gwinfo` answers SEARCHGW, `advertise` came unasked */
  via: 'gwinfo' | 'advertise'
  /** seconds until the gateway's next ADVERTISE; 0 in a GWINFO */
  duration: number
  /** GwAdd of a GWINFO that another sensor sent for a gateway, else empty */
  gwAdd: Uint8Array
}

/** Largest hop limit used for radius 0. */
const WHOLE_NETWORK = 32

/**
 * Searches until the timeout and resolves with every gateway heard, by gwId and address. Rejects with SensorError
 * `transport` if the network cannot be used, `invalid` for an impossible address.
 */
export async function discover(options: DiscoverOptions = {}): Promise<FoundGateway[]> {
  const { port = 1883, unicast, radius = 0, timeout = 5000, maxDelay = 0, signal } = options
  const group = options.group ?? (unicast === undefined ? '225.1.1.1' : undefined)
  const found = new Map<string, FoundGateway>()
  const hear: Hear = (bytes, url) => {
    const gateway = gatewayIn(bytes, url)
    const key = `${gateway?.gwId} ${gateway?.url}`
    if (gateway === undefined || found.has(key) || found.size >= 1000) return
    found.set(key, gateway)
    options.onFound?.(gateway)
  }
  const sockets: { close(): void }[] = []
  if (unicast !== undefined && isSecure(unicast)) checkSecurity(unicast, options)
  try {
    await pause(Math.random() * maxDelay, signal)
    if (group !== undefined) {
      const family = familyOf(group)
      await listenToGroup(family, group, port, hear, sockets)
      await ask(family, { address: group, port }, radius, hear, sockets)
    }
    if (unicast !== undefined) {
      if (isSecure(unicast)) await askSecurely(unicast, options, hear, sockets)
      else {
        const target = await resolveGateway(unicast.includes('://') ? unicast : `udp://${unicast}`)
        await ask(target.family, target, radius, hear, sockets)
      }
    }
    await pause(timeout, signal)
  } catch (error) {
    if (error instanceof SensorError) throw error
    throw new SensorError('transport', error instanceof Error ? error.message : String(error))
  } finally {
    for (const socket of sockets) socket.close()
  }
  return [...found.values()]
}

/** What becomes of a datagram, and the url where it came from. */
type Hear = (bytes: Uint8Array, url: string) => void

function familyOf(group: string): 4 | 6 {
  const family = isIP(group)
  if (family === 4 || family === 6) return family
  throw new SensorError('invalid', `group: expected an IP address, got ${JSON.stringify(group)}`)
}

function isMulticast(address: string): boolean {
  const first = Number(address.split('.')[0])
  return address.includes(':') ? address.toLowerCase().startsWith('ff') : first >= 224 && first <= 239
}

/**
 * Hears ADVERTISE and the broadcast GWINFO, on a port that others may share. Where a gateway runs on this machine the socket is
 * bound to the group's address, so that the gateway goes on to get what is sent to its own addresses. Where a program does not
 * share the port, only direct answers are heard.
 */
async function listenToGroup(
  family: 4 | 6,
  group: string,
  port: number,
  hear: Hear,
  sockets: { close(): void }[],
): Promise<void> {
  const type = `udp${family}` as const
  try {
    // Windows does not let a socket be bound to a group
    const isMine = process.platform === 'win32' || (await isFree(type, port))
    const socket = await open({ type, reuseAddr: true }, port, hear, sockets, isMine ? undefined : group)
    if (isMulticast(group)) socket.addMembership(group)
  } catch (error) {
    if (!isInUse(error)) throw error
  }
}

/** Whether no program on this machine has the port. */
async function isFree(type: 'udp4' | 'udp6', port: number): Promise<boolean> {
  const probes: { close(): void }[] = []
  try {
    await open({ type }, port, () => {}, probes)
    return true
  } catch (error) {
    if (isInUse(error)) return false
    throw error
  } finally {
    for (const probe of probes) probe.close()
  }
}

const isInUse = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'

/** Sends SEARCHGW from a port of its own, where direct answers arrive. */
async function ask(
  family: 4 | 6,
  to: { address: string; port: number },
  radius: number,
  hear: Hear,
  sockets: { close(): void }[],
): Promise<void> {
  const socket = await open({ type: `udp${family}` }, 0, hear, sockets)
  if (isMulticast(to.address)) socket.setMulticastTTL(radius === 0 ? WHOLE_NETWORK : radius)
  else if (family === 4) socket.setBroadcast(true)
  const bytes = encode({ type: 'searchgw', radius })
  await new Promise<void>((resolve, reject) => {
    socket.send(bytes, to.port, to.address, (error) => (error === null ? resolve() : reject(error)))
  })
}

/** Asks within a DTLS session. */
async function askSecurely(
  url: string,
  { radius = 0, timeout = 5000, ...security }: DiscoverOptions,
  hear: Hear,
  links: { close(): void }[],
): Promise<void> {
  const { openDtls } = await import('./dtls.ts')
  const link = await openDtls(url, {}, security, { tRetry: timeout, nRetry: 0 })
  links.push(link)
  link.onReceive = (bytes) => hear(bytes, url)
  await link.ready()
  link.send(encode({ type: 'searchgw', radius }))
}

/** Puts the socket into `sockets` first, so that it is closed even if it cannot be used. */
function open(
  options: { type: 'udp4' | 'udp6'; reuseAddr?: boolean },
  port: number,
  hear: Hear,
  sockets: { close(): void }[],
  address?: string,
): Promise<Socket> {
  const socket = createSocket(options)
  sockets.push(socket)
  socket.on('message', (bytes, from) => hear(bytes, urlOf(from)))
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.bind({ port, ...(address !== undefined && { address }) }, () => {
      socket.off('error', reject)
      // An ICMP refusal of the unicast question means no more than no answer.
      socket.on('error', () => {})
      resolve(socket)
    })
  })
}

const urlOf = ({ family, address, port }: RemoteInfo): string =>
  `udp://${family === 'IPv6' ? `[${address}]` : address}:${port}`

function gatewayIn(bytes: Uint8Array, url: string): FoundGateway | undefined {
  const packet = decode(bytes)
  if (packet.type === 'gwinfo') {
    return { gwId: packet.gwId, url, via: 'gwinfo', duration: 0, gwAdd: packet.gwAdd }
  }
  if (packet.type !== 'advertise') return undefined
  return { gwId: packet.gwId, url, via: 'advertise', duration: packet.duration, gwAdd: new Uint8Array() }
}
