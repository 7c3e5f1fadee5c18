// What a datagram must be to reach a session: from an address that may send here, short enough, and decodable.

import { decodeFrame } from '../../codec/v1/frame.ts'
import type { Packet } from '../../codec/v1/messages.ts'
import { onAdvertise } from '../../sessions/discovery.ts'
import { type Counters, count } from '../counters.ts'
import type { Link } from './listener.ts'

/** A message, and the wireless node that a forwarder had it from [5.5]. */
export interface Reception {
  readonly packet: Packet
  readonly nodeId: Uint8Array | undefined
}

/** Counts a datagram; false, and counted again, for one that nobody may send: it must not even wait. */
export function admit(link: Link, bytes: Uint8Array, address: string, counters: Counters): boolean {
  counters.receivedDatagrams += 1
  counters.receivedOctets += bytes.length
  const isAllowed = link.admits(address)
  if (isAllowed && bytes.length <= link.listener.maxMessage) return true
  count(counters.dropped, isAllowed ? 'oversized' : 'not-allowed')
  return false
}

/** The message in a datagram; undefined, and counted, if it is not to be handled. Hears other gateways' ADVERTISE [6.1]. */
export function receiveDatagram(
  link: Link,
  bytes: Uint8Array,
  address: string,
  counters: Counters,
): Reception | undefined {
  const { dropped } = counters
  const { packet, nodeId } = decodeFrame(bytes)
  if (packet.type === 'malformed') return void count(dropped, `malformed: ${packet.reason}`)
  if (nodeId !== undefined && !link.isForwarder(address)) return void count(dropped, 'not-allowed')
  count(counters.received, packet.type)
  if (packet.type === 'advertise' && link.discovery !== undefined) {
    onAdvertise(link.discovery, packet.gwId, packet.duration, performance.now())
  }
  return { packet, nodeId }
}
