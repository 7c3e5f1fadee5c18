// MQTT-SN over UDP: one datagram carries one message [5.1]; "all nodes" is a multicast group or broadcast address [6.1].

import { createSocket, type Socket } from 'node:dgram'
import {
  type Endpoint,
  isWildcard,
  numericLookup,
  ownAddresses,
  parseUdpUrl,
  udpUrl,
  withoutZone,
} from '../address.ts'
import { explain } from '../error.ts'
import type { OnDatagram, Remote, Transport } from '../transport.ts'
import {
  type Group,
  groupAdvice,
  hopLimit,
  join,
  prepareSending,
  resolveGroup,
  type UdpGroup,
} from './group.ts'
import { kernelDrops } from './kernel-drops.ts'

export interface UdpOptions {
  /** `udp://address:port`, numeric; port 0 takes any free one */
  readonly url: string
  /** octets of receive buffer to ask of the system, which may grant less */
  readonly receiveBuffer: number
  /** without it, `broadcast` does nothing */
  readonly group?: UdpGroup | undefined
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
  const { url, receiveBuffer } = options
  const wanted = parseUdpUrl(url)
  const main = newSocket(wanted, false)
  try {
    await bind(main, wanted.port, wanted.host).catch((cause) => {
      throw explain(`cannot listen on ${url}`, cause)
    })
    const own: Endpoint = { ...wanted, port: main.address().port }
    const group = options.group && resolveGroup(options.group, own)
    const second = group && (await openGroup(main, own, group))
    const sockets = second === undefined ? [main] : [main, second]
    for (const socket of sockets) growReceiveBuffer(socket, receiveBuffer)
    return serve(main, sockets, own, group, receiveBuffer, onDatagram, onError)
  } catch (error) {
    main.close()
    throw error
  }
}

function newSocket({ family }: Endpoint, reuseAddr: boolean): Socket {
  // `::` must leave IPv4 alone, so that a listener on 0.0.0.0 can stand beside it on the same port.
  if (family === 6) return createSocket({ type: 'udp6', ipv6Only: true, reuseAddr, lookup: numericLookup })
  return createSocket({ type: 'udp4', reuseAddr, lookup: numericLookup })
}

function bind(socket: Socket, port: number, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    // Stays for good: once bound it does nothing, but an error without any listener would end the process.
    socket.on('error', reject)
    socket.bind({ port, address }, resolve)
  })
}

/**
 * Joins the group. A socket bound to one address does not receive what is sent to a group, nor one bound to another
 * port: then a second socket hears the group, shared with other programs that do. Sending is always done by the first,
 * so that sensors learn the address to answer to. Returns the second socket.
 */
async function openGroup(main: Socket, own: Endpoint, group: Group): Promise<Socket | undefined> {
  const shared = isWildcard(own.host) && group.port === own.port
  const second = shared ? undefined : newSocket(own, true)
  try {
    if (second !== undefined) await bind(second, group.port, group.target)
    join(second ?? main, group)
    prepareSending(main, group)
    return second
  } catch (cause) {
    second?.close()
    const name = udpUrl({ host: group.target, port: group.port, family: own.family })
    throw explain(`cannot use the group ${name}`, cause, groupAdvice)
  }
}

function growReceiveBuffer(socket: Socket, octets: number): void {
  try {
    socket.setRecvBufferSize(octets)
  } catch {
    // Some systems refuse what is above their limit instead of granting less: what is there stays, and is read back.
  }
}

function serve(
  main: Socket,
  sockets: readonly Socket[],
  own: Endpoint,
  group: Group | undefined,
  receiveBufferAsked: number,
  onDatagram: OnDatagram,
  onError: (error: Error) => void,
): Transport {
  // Linux reports twice what it grants, to account for its own bookkeeping [man 7 socket, SO_RCVBUF].
  const receiveBuffer = main.getRecvBufferSize() / (process.platform === 'linux' ? 2 : 1)
  const wildcard = isWildcard(own.host)
  let ours: ReadonlySet<string> = new Set([withoutZone(own.host)])
  let sendErrors = 0
  let closing: Promise<void> | undefined

  const sent = (error: Error | null) => {
    if (error !== null) sendErrors++
  }

  const send = (bytes: Uint8Array, port: number, address: string) => {
    try {
      if (main.getSendQueueSize() > MAX_SEND_QUEUE) sendErrors++
      else main.send(bytes, port, address, sent)
    } catch {
      sendErrors++ // closed, or an impossible port
    }
  }

  for (const socket of sockets) {
    socket.on('message', (bytes, remote) => {
      // What we sent to the group comes back to us.
      if (remote.port === own.port && ours.has(withoutZone(remote.address))) return
      onDatagram(bytes, remote)
    })
    socket.on('error', (error) => {
      sendErrors++
      onError(error)
    })
  }

  return {
    url: udpUrl(own),
    send: (bytes: Uint8Array, remote: Remote) => send(bytes, remote.port, remote.address),
    broadcast(bytes, radius) {
      if (group === undefined) return
      // Addresses come and go (DHCP); a broadcast is rare enough to look again before its echo arrives.
      if (wildcard) ours = ownAddresses()
      try {
        if (group.multicast) main.setMulticastTTL(hopLimit(radius, group.hops))
      } catch {
        sendErrors++
        return
      }
      send(bytes, group.port, group.target)
    },
    stats: () => ({ receiveBuffer, receiveBufferAsked, kernelDrops: kernelDrops(own), sendErrors }),
    close() {
      closing ??= Promise.all(
        sockets.map((socket) => new Promise<void>((resolve) => socket.close(resolve))),
      ).then(() => {})
      return closing
    },
  }
}
