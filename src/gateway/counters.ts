// What the gateway counts of datagrams and effects: plain integers, so that counting costs next to nothing.

import type { MalformedReason, Packet, PacketType } from '../codec/v1/messages.ts'
import type { Discard } from '../dtls/effects.ts'
import type { DropReason } from '../session/events.ts'
import type { Peer } from '../session/peers.ts'
import type { RefusalReason } from '../session/refusal.ts'

/**
 * Why a datagram never reached a session; `not-serving`: the gateway starts or stops; of several processes that are ready to serve,
 * `no-owner`: another one may serve now, `stalled`: it came while this one stood still.
 */
export type DiscardReason =
  | DropReason
  | `malformed: ${MalformedReason}`
  | `dtls-${Discard}`
  | 'oversized'
  | 'not-serving'
  | 'stalled'
  | 'overloaded'

export interface Counters {
  /** messages by type, from sensors and to sensors */
  readonly received: Partial<Record<PacketType, number>>
  readonly sent: Partial<Record<PacketType, number>>
  receivedDatagrams: number
  receivedOctets: number
  sentDatagrams: number
  sentOctets: number
  /** application messages to the broker and from it */
  published: number
  delivered: number
  /** requests to sensors that were sent again [6.13] */
  retransmissions: number
  /** what was discarded, by reason */
  readonly dropped: Partial<Record<DiscardReason, number>>
  /** who was refused, by reason; what was discarded with that is among `dropped` too */
  readonly refusals: Partial<Record<RefusalReason, number>>
  /** sensors that fell silent, by what became of their session: a clean one is forgotten */
  readonly losses: Partial<Record<'clean' | 'kept', number>>
  /** exceptions caught: each one is a bug */
  faults: number
  /** writes to the store that failed */
  storeFailures: number
}

/** All at zero. */
export const createCounters = (): Counters => ({
  received: {},
  sent: {},
  receivedDatagrams: 0,
  receivedOctets: 0,
  sentDatagrams: 0,
  sentOctets: 0,
  published: 0,
  delivered: 0,
  retransmissions: 0,
  dropped: {},
  refusals: {},
  losses: {},
  faults: 0,
  storeFailures: 0,
})

/** Adds one to a counter of a table. */
export function incrementCounter<K extends string>(table: Partial<Record<K, number>>, key: K): void {
  table[key] = (table[key] ?? 0) + 1
}

/** Where something came from that was discarded, as far as that is known. */
export type Origin = Pick<Peer, 'address'> & Partial<Pick<Peer, 'port' | 'nodeId' | 'listener'>>

/** Where discarded datagrams and messages are noted. */
export interface DiscardBooks {
  readonly counters: Pick<Counters, 'dropped'>
  /** takes each of them, for those who look on */
  onDiscarded?(reason: DiscardReason, from: Origin | undefined): void
}

/** Counts something that was discarded; nothing is without the address it came from, where there is one. */
export function countDiscard(
  { counters, onDiscarded }: DiscardBooks,
  reason: DiscardReason,
  from: Origin | undefined,
): void {
  incrementCounter(counters.dropped, reason)
  onDiscarded?.(reason, from)
}

/** Counts a datagram to a sensor, or to the whole network. */
export function countSent(counters: Counters, { type }: Packet, bytes: Uint8Array): void {
  incrementCounter(counters.sent, type)
  counters.sentDatagrams += 1
  counters.sentOctets += bytes.length
}
