// Takes datagrams of DTLS as they are on the wire, and knows which sessions are used, and where: what a router does besides for DTLS.

import type { Hold } from '../../../cluster/hold.ts'
import type { BoundListener } from '../../../gateway/datagrams/listener.ts'
import { type PeerKey, peerKey } from '../../../session/peers.ts'
import type { SlotStates } from '../../../sessions/ownership/slot-states.ts'
import type { SessionSharing } from '../../../transport/secure-link.ts'
import type { Remote } from '../../../transport/transport.ts'
import type { Arrival } from '../destinations.ts'
import type { RouterFront } from '../router-front.ts'
import type { SlotTalk } from '../slot-talk.ts'
import type { WaysIn } from '../way-in.ts'
import type { Whereabouts } from '../whereabouts.ts'
import { RemoteUse, type RemoteUseParts } from './remote-use.ts'
import { SealedAddresses, slotNamed } from './sealed.ts'
import { type SealedWays, sharingOf } from './session-sharing.ts'

export interface SealedRouterParts extends Omit<RemoteUseParts, 'tell' | 'use'> {
  readonly front: Pick<RouterFront, 'use' | 'listenerAt'>
  readonly held: Pick<Hold<Arrival>, 'size' | 'has'>
  readonly ways: WaysIn
  readonly whereabouts: Pick<Whereabouts, 'slotAt'>
  readonly talk: Pick<SlotTalk, 'tellUsed' | 'noteBound' | 'tellNewer'>
  /** See `SlotRouter`. */
  noteUnbound(key: PeerKey, slot: number): void
  /** Passes it on, as far as it is known where to. */
  route(arrival: Arrival, slot: number | undefined, now: number): PeerKey | undefined
}

export class SealedRouter {
  readonly #addresses = new SealedAddresses()
  readonly use: RemoteUse
  readonly #parts: SealedRouterParts

  constructor(parts: SealedRouterParts) {
    this.#parts = parts
    this.use = new RemoteUse({
      ...parts,
      use: parts.front.use,
      tell: (node, keys) => parts.talk.tellUsed(node, keys),
    })
  }

  /** The slot of the session here that is known by this address. */
  slotAt(key: PeerKey): number | undefined {
    return this.#addresses.slotAt(key)
  }

  /** What a link has to do with those of other nodes; `states`: which slots are served here */
  sharingOf(bound: BoundListener, ways: SealedWays, states: SlotStates): SessionSharing {
    return sharingOf(bound, this, ways, states)
  }

  /** Where a datagram came in, for all nodes. */
  wayIn({ address, port, local }: Remote): Remote {
    return { address, port, local: this.#parts.ways.own(local) }
  }

  /** Takes one that is of no session here, or of one that came over so many links. Returns the address if nobody is known there. */
  take(
    bound: BoundListener,
    bytes: Uint8Array,
    remote: Remote,
    since: number,
    hops: number,
  ): PeerKey | undefined {
    const key = peerKey(bound.index, remote.address, remote.port, undefined)
    const now = performance.now()
    const named = slotNamed(bytes, remote)
    const slot = named ?? this.#parts.whereabouts.slotAt(key, now)
    return this.#parts.route({ bound, bytes, remote, key, named, since, hops, at: now }, slot, now)
  }

  /** Whether something from there is held, behind which all that follows has to wait. */
  isWaiting(listener: number, { address, port }: Remote): boolean {
    const { held } = this.#parts
    return held.size > 0 && held.has(peerKey(listener, address, port, undefined))
  }

  /**
   * A session is here that has no connection id; `isRestored`: and was before this process. One that has just begun is told to all: any
   * node may have the one before, and would take its records for those of that.
   */
  note(listener: number, at: Remote, session: number, isRestored: boolean): void {
    const key = peerKey(listener, at.address, at.port, undefined)
    this.#addresses.note(key, { listener, at, session })
    this.#parts.talk.noteBound([key, this.#addresses.slotAt(key) ?? 0], '', isRestored)
    if (!isRestored) this.#parts.talk.tellNewer(key)
  }

  /** Another node has a newer session at this address: the one here ends; false: there is none. */
  displace(key: PeerKey): boolean {
    const old = this.#addresses.get(key)
    if (old === undefined) return false
    this.#parts.front.listenerAt(old.listener)?.transport.secure?.displace(old.at)
    this.#addresses.forget(key, old.session) // where the link has not done so
    return true
  }

  /** It is not any more. */
  forget(listener: number, { address, port }: Remote, session: number): void {
    const key = peerKey(listener, address, port, undefined)
    const slot = this.#addresses.slotAt(key)
    if (!this.#addresses.forget(key, session) || slot === undefined) return
    this.#parts.noteUnbound(key, slot)
  }
}
