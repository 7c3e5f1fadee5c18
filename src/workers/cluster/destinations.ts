// Where a datagram has to go now, by what this node knows of addresses, owners and links.

import type { SlotOwners } from '../../cluster/owners.ts'
import type { DiscardReason } from '../../gateway/counters.ts'
import type { BoundListener } from '../../gateway/datagrams/listener.ts'
import type { PeerKey } from '../../session/peers.ts'
import type { SlotStates } from '../../sessions/ownership/slot-states.ts'
import type { Remote } from '../../transport/transport.ts'
import type { Whereabouts } from './whereabouts.ts'

/** Links that a datagram may go over at once: who has just given a slot away passes on what was sent to him before that was known. */
export const MOST_HOPS = 2
/** Milliseconds for which it rests then: two nodes that believe in each other would send it round and round until one of them looks. */
const REST = 50

/** What becomes of a datagram: it is for a worker here, nobody's (one worker counts how often an address is told so), or held; or else a node gets it. */
export const HERE = Symbol('here')
export const NOBODYS = Symbol("nobody's")
export const HOLD = Symbol('hold')

/** A datagram on its way through this node. */
export interface Arrival {
  readonly bound: BoundListener
  readonly bytes: Uint8Array
  /** with the way in */
  readonly remote: Remote
  readonly key: PeerKey
  /** of the sensor that it names */
  readonly named: number | undefined
  /** since when it is under way, monotonic milliseconds */
  readonly since: number
  /** links that it has come over, and when it came, monotonic milliseconds */
  readonly hops: number
  readonly at: number
  /** a worker has held it and gives it back: it was sent before all that is held here of its sensor */
  readonly isBack?: boolean
  /** it is for a sensor, and goes to whoever has its session of DTLS, whose slot is `named` */
  readonly isAnswer?: true
}

/** What is looked at. */
export interface DestinationParts {
  /** the name of this node */
  readonly self: string
  readonly owners: Pick<SlotOwners, 'ownerOf'>
  readonly states: SlotStates
  readonly whereabouts: Whereabouts
  isNobodys(key: PeerKey, now: number): boolean
  /** there is a link to this node */
  isUp(node: string): boolean
}

export class Destinations {
  readonly #parts: DestinationParts

  constructor(parts: DestinationParts) {
    this.#parts = parts
  }

  /** The slot that it is for, as far as that is known. */
  slotOf({ named, key }: Arrival, now: number): number | undefined {
    return named ?? this.#parts.whereabouts.slotAt(key, now)
  }

  /** Where it has to go, or to which node. */
  find({ key, hops, at }: Arrival, slot: number | undefined, now: number): symbol | string {
    const { owners, states, self, isNobodys, isUp } = this.#parts
    if (slot === undefined) return isNobodys(key, now) ? NOBODYS : HOLD
    const owner = owners.ownerOf(slot)?.node
    if (owner === self) return states.stateOf(slot) === 'served' ? HERE : HOLD
    const rests = hops >= MOST_HOPS && now - at < REST
    return owner === undefined || rests || !isUp(owner) ? HOLD : owner
  }

  /** Whether it has to be held no longer. */
  mayGo(arrival: Arrival, now: number): boolean {
    return this.find(arrival, this.slotOf(arrival, now), now) !== HOLD
  }

  /** Why one was held for too long. */
  whyHeld(arrival: Arrival, now: number): DiscardReason {
    const { owners, self, isUp } = this.#parts
    const slot = this.slotOf(arrival, now)
    const owner = slot === undefined ? self : owners.ownerOf(slot)?.node
    return owner === undefined || (owner !== self && !isUp(owner)) ? 'no-owner' : 'held-too-long'
  }
}
