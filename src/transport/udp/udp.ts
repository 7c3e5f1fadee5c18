// MQTT-SN over UDP: one datagram carries one message [5.1]; "all nodes" is a multicast group or broadcast address [6.1].

import type { Socket } from 'node:dgram'
import { isWildcard, ownAddresses, parseUdpUrl, udpUrl, withoutZone } from '../address.ts'
import { explain } from '../error.ts'
import type { OnDatagram, Remote, Transport } from '../transport.ts'
import { BATCH, type DatagramCalls, receiveBatches, SendBatches } from './batched.ts'
import {
  type Group,
  groupAdvice,
  hopLimit,
  join,
  prepareSending,
  resolveGroup,
  type UdpGroup,
} from './group.ts'
import { totalKernelDrops } from './kernel-drops.ts'
import { LocalSockets } from './local-sockets.ts'
import { LoopbackTargets } from './loopback.ts'
import {
  type BoundSocket,
  bindSocket,
  growReceiveBuffer,
  newSocket,
  openSockets,
  PREFERS_EXACT,
} from './socket.ts'

export interface UdpOptions {
  /** `udp://address:port`, numeric; port 0 takes any free one */
  readonly url: string
  /** `[::]` stands for the addresses of IPv4 as well */
  readonly bothFamilies?: boolean | undefined
  /** octets of receive buffer to ask of the system, which may grant less */
  readonly receiveBuffer: number
  /** without it, `broadcast` does nothing */
  readonly group?: UdpGroup | undefined
  /** many datagrams in one system call; without it each goes by itself, as node:dgram does it */
  readonly calls?: DatagramCalls | undefined
}

/** Octets that may wait for a send buffer with room. What is above is lost and counted, as the network would do. */
const MAX_SEND_QUEUE = 4 * 1024 * 1024

/**
 * Opens a UDP link and calls `onDatagram` for all that arrives on its port and, if there is a group, on the group's.
 * Rejects with TransportError if the address cannot be had. Later errors of a socket are counted and told to `onError`.
 */
export async function openUdp(
  options: UdpOptions,
  onDatagram: OnDatagram,
  onError: (error: Error) => void = () => {},
): Promise<Transport> {
  const { url, bothFamilies = false, receiveBuffer, calls } = options
  const wanted = parseUdpUrl(url)
  const bound = await openSockets(wanted, bothFamilies && isWildcard(wanted.host)).catch((cause: unknown) => {
    throw explain(`cannot listen on ${url}`, cause)
  })
  const [main] = bound
  if (main === undefined) throw new Error('a listener has a socket')
  try {
    const group = options.group && resolveGroup(options.group, main.endpoint)
    const second = group && (await openGroup(main, group))
    for (const { socket } of bound) growReceiveBuffer(socket, receiveBuffer)
    if (second !== undefined) growReceiveBuffer(second, receiveBuffer)
    return new UdpTransport({ main, bound, second, group, receiveBuffer, calls, onDatagram, onError })
  } catch (error) {
    for (const { socket } of bound) socket.close()
    throw error
  }
}

/**
 * Joins the group. A socket bound to one address does not receive what is sent to a group, nor one bound to another
 * port: then a second socket hears the group, shared with other programs that do. Sending is always done by the first,
 * so that sensors learn the address to answer to. Returns the second socket.
 */
async function openGroup(
  { socket: main, endpoint: own }: BoundSocket,
  group: Group,
): Promise<Socket | undefined> {
  const shared = isWildcard(own.host) && group.port === own.port
  const second = shared ? undefined : newSocket(own.family, true)
  try {
    if (second !== undefined) await bindSocket(second, group.port, group.target)
    join(second ?? main, group)
    prepareSending(main, group)
    return second
  } catch (cause) {
    second?.close()
    const name = udpUrl({ host: group.target, port: group.port, family: own.family })
    throw explain(`cannot use the group ${name}`, cause, groupAdvice)
  }
}

interface Parts {
  /** sends what has no other socket, and to the group */
  readonly main: BoundSocket
  /** `main`, and for all addresses of IPv4 beside those of IPv6 another one */
  readonly bound: readonly BoundSocket[]
  /** hears the group where `main` does not */
  readonly second: Socket | undefined
  readonly group: Group | undefined
  readonly receiveBuffer: number
  readonly calls: DatagramCalls | undefined
  readonly onDatagram: OnDatagram
  readonly onError: (error: Error) => void
}

/** See `Transport` for what its methods do. */
class UdpTransport implements Transport {
  readonly url: string
  readonly atOnce: number | undefined
  readonly #parts: Parts
  /** octets that the system has granted */
  readonly #receiveBuffer: number
  /** on all addresses: one for each; undefined where there is only one, or the system cannot tell them apart */
  readonly #locals: LocalSockets | undefined
  readonly #loopback: LoopbackTargets
  /** undefined where each datagram is sent by itself */
  #batches: SendBatches | undefined
  /** where what we send to the group comes back from */
  #ours: ReadonlySet<string>
  #sendErrors = 0
  #closing: Promise<void> | undefined

  constructor(parts: Parts) {
    const { main, bound, second, receiveBuffer, calls } = parts
    const { socket, endpoint } = main
    this.url = udpUrl(endpoint)
    this.#parts = parts
    // Linux reports twice what it grants, to account for its own bookkeeping [man 7 socket, SO_RCVBUF].
    this.#receiveBuffer = socket.getRecvBufferSize() / (process.platform === 'linux' ? 2 : 1)
    this.#ours = new Set([withoutZone(endpoint.host)])
    this.#loopback = new LoopbackTargets(endpoint.port)
    this.atOnce = calls && BATCH
    this.#batches = calls && new SendBatches(calls, (...datagram) => this.#sendOn(...datagram))
    for (const each of bound) this.#serve(each.socket, isWildcard(endpoint.host) ? this.#localOf : undefined)
    if (second !== undefined) this.#serve(second, undefined)
    if (!PREFERS_EXACT || !isWildcard(endpoint.host)) return
    this.#locals = new LocalSockets({
      wildcards: bound.map((each) => each.endpoint),
      receiveBuffer,
      onOpen: (local) => this.#serve(local.socket, () => local.endpoint.host),
    })
    this.#locals.refresh()
  }

  send(bytes: Uint8Array, { address, port, local }: Remote): void {
    const bound = (local !== undefined && this.#locals?.find(local)) || this.#boundFor(address)
    if (this.#batches === undefined) this.#sendOn(bound.socket, bytes, port, address)
    else this.#batches.send(bound, bytes, port, address)
  }

  broadcast(bytes: Uint8Array, radius: number): void {
    const { main, group } = this.#parts
    if (group === undefined) return
    // Addresses come and go (DHCP); a broadcast is rare enough to look again before its echo arrives.
    if (isWildcard(main.endpoint.host)) this.#ours = ownAddresses()
    try {
      if (group.multicast) main.socket.setMulticastTTL(hopLimit(radius, group.hops))
    } catch {
      this.#sendErrors++
      return
    }
    this.#sendOn(main.socket, bytes, group.port, group.target)
  }

  stats() {
    return {
      receiveBuffer: this.#receiveBuffer,
      receiveBufferAsked: this.#parts.receiveBuffer,
      kernelDrops: this.#kernelDrops(),
      sendErrors: this.#sendErrors,
    }
  }

  close(): Promise<void> {
    this.#batches?.flush()
    this.#batches = undefined
    const { bound, second } = this.#parts
    const sockets = [...bound.map(({ socket }) => socket), ...(second === undefined ? [] : [second])]
    this.#closing ??= Promise.all([
      this.#locals?.close(),
      ...sockets.map((socket) => new Promise<void>((done) => socket.close(done))),
    ]).then(() => {})
    return this.#closing
  }

  /** `localOf`: where a datagram that this socket receives was sent to. */
  #serve(socket: Socket, localOf: ((remote: Remote) => string | undefined) | undefined): void {
    const { main, calls, onDatagram, onError } = this.#parts
    const { port } = main.endpoint
    const take = (bytes: Uint8Array, remote: Remote & { local?: string | undefined }): void => {
      // What we sent to the group comes back to us.
      if (remote.port === port && this.#ours.has(withoutZone(remote.address))) return
      if (localOf !== undefined) remote.local = localOf(remote)
      onDatagram(bytes, remote)
    }
    if (calls === undefined) socket.on('message', take)
    else receiveBatches(socket, calls, take)
    socket.on('error', (error) => {
      this.#sendErrors++
      onError(error)
    })
  }

  /** Of what the socket for all addresses receives: broadcasts, and what is sent to an address without a socket of its own. */
  readonly #localOf = (remote: Remote): string | undefined => {
    const target = this.#loopback.targetOf(remote)
    return target === undefined ? undefined : this.#locals?.find(target)?.endpoint.host
  }

  #boundFor(address: string): BoundSocket {
    const { main, bound } = this.#parts
    if (bound.length === 1) return main
    const family = address.includes(':') ? 6 : 4
    return bound.find(({ endpoint }) => endpoint.family === family) ?? main
  }

  #sendOn(socket: Socket, bytes: Uint8Array, port: number, address: string): void {
    try {
      if (socket.getSendQueueSize() > MAX_SEND_QUEUE) this.#sendErrors++
      else socket.send(bytes, port, address, this.#sent)
    } catch {
      this.#sendErrors++ // closed, or an impossible port
    }
  }

  readonly #sent = (error: Error | null): void => {
    if (error !== null) this.#sendErrors++
  }

  #kernelDrops(): number | undefined {
    const locals = this.#locals
    const endpoints = this.#parts.bound.map(({ endpoint }) => endpoint)
    if (locals !== undefined) endpoints.push(...locals.endpoints())
    const drops = totalKernelDrops(endpoints)
    return drops === undefined ? undefined : drops + (locals?.goneDrops ?? 0)
  }
}
