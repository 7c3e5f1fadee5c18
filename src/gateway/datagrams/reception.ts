// Checks that a datagram may reach a session: its sender must be allowed here, and it must be short enough and decodable.

import { decodeFrame } from '../../codec/v1/frame.ts'
import type { Packet } from '../../codec/v1/messages.ts'
import type { Peer, PeerKey } from '../../session/peers.ts'
import type { Refusal } from '../../session/refusal.ts'
import { onAdvertise } from '../../sessions/discovery.ts'
import type { Remote } from '../../transport/transport.ts'
import { type Counters, countDiscard, type DiscardBooks, incrementCounter } from '../counters.ts'
import type { BoundListener } from './listener.ts'

/** A message, and the wireless node that a forwarder had it from [5.5]. */
export interface ReceivedMessage {
  readonly packet: Packet
  readonly nodeId: Uint8Array | undefined
}

/** Where what comes in is noted. */
export interface ReceptionBooks extends DiscardBooks {
  readonly counters: Counters
  /** takes who was refused */
  onRefused?(refusal: Refusal): void
}

/** Counts a datagram; false, and counted again, for one that nobody may send: it must not even wait. */
export function admitDatagram(
  bound: BoundListener,
  bytes: Uint8Array,
  remote: Remote,
  books: ReceptionBooks,
): boolean {
  const { counters } = books
  counters.receivedDatagrams += 1
  counters.receivedOctets += bytes.length
  const isAllowed = bound.admits(remote.address, bytes)
  if (isAllowed && bytes.length <= bound.listener.maxMessage) return true
  const { address, port } = remote
  const peer = { address, port, listener: bound.listener }
  countDiscard(books, isAllowed ? 'oversized' : 'not-allowed', peer)
  if (!isAllowed) books.onRefused?.({ reason: 'address-not-admitted', peer })
  return false
}

/** The message in a datagram; undefined, and counted, if it is not to be handled. Hears other gateways' ADVERTISE [6.1]. */
export function decodeDatagram(
  bound: BoundListener,
  bytes: Uint8Array,
  { address, port, association }: Remote,
  books: ReceptionBooks,
): ReceivedMessage | undefined {
  const { counters } = books
  const { packet, nodeId } = decodeFrame(bytes)
  if (packet.type === 'malformed') {
    const from = { address, port, nodeId, listener: bound.listener }
    return void countDiscard(books, `malformed: ${packet.reason}`, from)
  }
  if (nodeId !== undefined && !bound.isForwarder(address, association)) {
    const clientId = packet.type === 'connect' ? packet.clientId : undefined
    const peer = { address, port, nodeId, association, listener: bound.listener }
    books.onRefused?.({ reason: 'forwarder-not-listed', peer, clientId })
    return void countDiscard(books, 'not-allowed', peer)
  }
  incrementCounter(counters.received, packet.type)
  if (packet.type === 'advertise' && bound.discovery !== undefined) {
    onAdvertise(bound.discovery, packet.gwId, packet.duration, performance.now())
  }
  return { packet, nodeId }
}

/** Who sent a datagram: as it is known by its session, unless it spoke from or to another address than before. */
export const peerOf = (
  { listener }: BoundListener,
  { address, port, local, association }: Remote,
  nodeId: Uint8Array | undefined,
  key: PeerKey,
  known: Peer | undefined,
): Peer =>
  known !== undefined && known.local === local && isSamePlace(known, { address, port, association })
    ? known
    : { key, listener, address, port, nodeId, local, association }

/** The key says that already, except of associations, and of nodes behind bridges. */
const isSamePlace = (
  known: Peer,
  { address, port, association }: Pick<Peer, 'address' | 'port' | 'association'>,
): boolean =>
  (association === undefined && typeof known.key === 'number') ||
  (known.association === association && known.port === port && known.address === address)
