// Where a datagram goes in a cluster: to a worker here, to the node that serves its sensor, or nowhere for a moment, until that is known.
//
//   sensor - socket - this front - link - front of the owner - worker - link back to the way in - socket - sensor

import { HOLD_LIMITS, Hold } from '../../cluster/hold.ts'
import type { LinkBatch } from '../../cluster/links/connection.ts'
import { peekMsgType, unwrapMessage } from '../../codec/envelope.ts'
import { countDiscard, type DiscardReason } from '../../gateway/counters.ts'
import type { BoundListener } from '../../gateway/datagrams/listener.ts'
import { Pulse } from '../../gateway/datagrams/stall.ts'
import { type PeerKey, peerKey } from '../../session/peers.ts'
import { clientIdIn, isAboutGateways, needsNoOwner } from '../../sessions/ownership/addressee.ts'
import { continuesExchange } from '../../sessions/ownership/exchanges.ts'
import { slotOfName } from '../../sessions/slots.ts'
import type { Remote } from '../../transport/transport.ts'
import { isBatch, unpackBatch } from '../between/batch.ts'
import type { Binding } from '../messages.ts'
import { type Arrival, Destinations, HERE, HOLD, MOST_HOPS, NOBODYS } from './destinations.ts'
import { LinkTraffic } from './link-traffic.ts'
import type { RouterCounts, RouterParts } from './router-parts.ts'
import { isSealed } from './secure/sealed.ts'
import { SealedRouter } from './secure/sealed-router.ts'
import { SlotTalk } from './slot-talk.ts'
import { WaysIn } from './way-in.ts'
import { WaysOut } from './ways-out.ts'
import { Whereabouts } from './whereabouts.ts'

/** Whoever serves this slot answers what is about gateways; each node does so for itself [6.1]. */
const SPEAKER = 0

export class SlotRouter {
  readonly counts: RouterCounts = { forwarded: 0, answered: 0, held: 0 }
  readonly #parts: RouterParts
  readonly #held: Hold<Arrival>
  readonly #whereabouts: Whereabouts
  readonly #talk: SlotTalk
  readonly #traffic: LinkTraffic
  readonly #ways: WaysIn
  readonly #destinations: Destinations
  readonly #out: WaysOut
  /** what it does besides for sessions of DTLS */
  readonly sealed: SealedRouter
  readonly #pulse = new Pulse()

  constructor(parts: RouterParts) {
    this.#parts = parts
    const { self, owners, links, hold, front, states } = parts
    this.#held = new Hold({ ...HOLD_LIMITS, longest: hold })
    this.#whereabouts = new Whereabouts((key) => front.boundAt(key) ?? this.sealed.slotAt(key), hold)
    this.#traffic = new LinkTraffic(links)
    this.#ways = new WaysIn(self)
    this.#talk = new SlotTalk({
      ...{ self, owners, links, whereabouts: this.#whereabouts },
      serves: (slot) => parts.holds() && states.stateOf(slot) === 'served' && !front.isAway(slot),
      displace: (key) => void (this.sealed.displace(key) || front.displace(key)),
      onUsed: (keys) => this.sealed.use.note(keys, performance.now()),
      onSettled: (key) => this.#held.settleAt(key, this.#mayGo, this.#handOver),
    })
    this.#destinations = new Destinations({
      ...{ self, owners, states, whereabouts: this.#whereabouts },
      isNobodys: (key, at) => this.#talk.asks.isNobodys(key, at),
      isUp: (node) => this.#traffic.isUp(node),
    })
    this.#out = new WaysOut({
      ...{ ...parts, traffic: this.#traffic, ways: this.#ways, counts: this.counts, held: this.#held },
      route: (arrival) => void this.#route(arrival, arrival.named, performance.now()),
      drop: (...one) => this.#drop(...one),
    })
    this.sealed = new SealedRouter({
      ...{ ...parts, ways: this.#ways, whereabouts: this.#whereabouts, talk: this.#talk, held: this.#held },
      noteUnbound: (key, slot) => this.noteUnbound(key, slot),
      route: (...one) => this.#route(...one),
    })
  }

  /** datagrams that are held now, and addresses that were asked for since the start */
  get holding(): number {
    return this.#held.size
  }
  get asked(): number {
    return this.#talk.asks.asked
  }

  /**
   * Takes a datagram from an own socket; `since`: it has waited since then until all workers were ready, and its sensor may have gone on by
   * another node. Whatever is to be done with it is done: always false.
   */
  admits(bound: BoundListener, bytes: Uint8Array, from: Remote, since?: number): boolean {
    const remote = this.#ways.arrival(from)
    const now = this.#beat()
    if (since !== undefined && now - since > this.#parts.hold) this.#drop('held-too-long', bound, remote)
    else this.#take(bound, bytes, remote, since ?? now, 0)
    return false
  }

  /** Takes one of DTLS that is of no session here; `from`: as `sealed.wayIn` says. */
  passSealed(bound: BoundListener, bytes: Uint8Array, from: Remote): void {
    this.#take(bound, bytes, from, this.#beat(), 0)
  }

  /** Takes datagrams of another node, or back from a worker that has held them for slots that left; false if these are none. */
  takeBatch(node: string | undefined, { kind, octets, count, since }: LinkBatch): boolean {
    if (!isBatch(octets, count)) return false
    const now = this.#beat()
    const { front, holds, hold } = this.#parts
    const isTooLate =
      now - since > hold ? 'held-too-long' : since < this.#pulse.wokenAt ? 'stalled' : undefined
    const reason = holds() ? isTooLate : 'no-owner'
    const unknown: PeerKey[] = []
    unpackBatch(octets, (listener, remote, bytes) => {
      const bound = front.listenerAt(listener)
      if (bound === undefined || remote.address === '') return
      if (reason !== undefined) this.#drop(reason, bound, remote)
      else if (kind === 'answer' || kind === 'onward') this.#out.take(bound, remote, bytes, since, kind)
      else {
        const hops = kind === 'forward' ? 1 : MOST_HOPS
        const lost = this.#take(bound, bytes, remote, since, hops, node === undefined)
        if (lost !== undefined) unknown.push(lost)
      }
    })
    // it is not known yet who is in slots that come and go
    if (node && unknown.length > 0 && !this.#parts.states.isMoving) this.#talk.tellUnknown(node, unknown)
    return true
  }

  /** Takes what another node says; false if that is nothing that nodes say. */
  takeMessage(node: string, message: unknown): boolean {
    this.#beat()
    return !this.#parts.holds() || this.#talk.take(node, message)
  }

  /** A sensor of an own worker is at an address; to be followed by `tellBound`. */
  noteBound({ key, slot, local }: Binding, isRestored: boolean): void {
    this.#talk.noteBound([key, slot], this.#ways.read(local).node, isRestored)
  }

  tellBound(): void {
    this.#talk.tellBound()
  }

  /** It is not any more; `slot`: its own. */
  noteUnbound(key: PeerKey, slot: number): void {
    this.#whereabouts.noteGone(key, this.#parts.states.stateOf(slot) === 'served' ? undefined : slot)
  }

  /** Where a datagram leaves by an own socket; undefined: it leaves by another node's, or not at all. */
  wayOut(listener: number, remote: Remote, bytes: Uint8Array): Remote | undefined {
    return this.#out.find(listener, remote, bytes)
  }

  /** Slots, owners or links have changed: what is held goes where it can. */
  settle(): void {
    this.#held.settle(this.#mayGo, this.#handOver)
    this.#talk.asks.tick(performance.now(), (key) => this.#held.has(key), true)
    this.#talk.plan()
  }

  /** A node cannot be reached any more. */
  loseNode(node: string): void {
    this.#talk.asks.lose(node, performance.now())
  }

  /** To be called far more often than every `STALL`. */
  tick(now: number): void {
    this.#beat(now)
    for (const one of this.#held.expire(now))
      this.#drop(this.#destinations.whyHeld(one, now), one.bound, one.remote)
    this.#held.settle(this.#mayGo, this.#handOver) // some have rested
    this.sealed.use.tick(now)
    this.#talk.asks.tick(now, (key) => this.#held.has(key))
    this.#talk.plan()
  }

  close(): void {
    for (const { bound, remote } of this.#held.clear()) this.#drop('not-serving', bound, remote)
  }

  /** Returns the address if a node has sent it here and nobody is known there. */
  #take(
    bound: BoundListener,
    bytes: Uint8Array,
    remote: Remote,
    since: number,
    hops: number,
    isBack = false,
  ): PeerKey | undefined {
    if (isSealed(bound, remote)) return this.sealed.take(bound, bytes, remote, since, hops)
    const { slotOf, states, front } = this.#parts
    const type = peekMsgType(bytes)
    if (isAboutGateways(type)) return void front.handOver(SPEAKER, bound, bytes, remote)
    const { address, port, association } = remote
    const key = peerKey(bound.index, address, port, unwrapMessage(bytes)?.nodeId, association)
    const clientId = clientIdIn(bytes, type)
    const named = clientId === undefined ? undefined : slotOf(clientId)
    const now = hops === 0 ? since : performance.now()
    if (named !== undefined) this.#whereabouts.expect(key, named, now)
    const slot = named ?? this.#whereabouts.slotAt(key, now)
    if (slot === undefined && needsNoOwner(bytes))
      return void front.handOver(slotOfName(address), bound, bytes, remote)
    const state = slot === undefined ? 'absent' : states.stateOf(slot)
    if (isBack && state === 'served') return void this.#drop('no-owner', bound, remote) // not round and round
    if (!isBack && state === 'leaving' && continuesExchange(bytes, !this.#held.has(key)))
      return void front.handOver(slot ?? 0, bound, bytes, remote)
    return this.#route({ bound, bytes, remote, key, named, since, hops, at: now, isBack }, slot, now)
  }

  #route(arrival: Arrival, slot: number | undefined, now: number): PeerKey | undefined {
    this.#held.has(arrival.key) ? this.#keep(arrival, slot, now) : this.#pass(arrival, slot, now)
    return arrival.hops > 0 && slot === undefined ? arrival.key : undefined
  }

  #pass(arrival: Arrival, slot: number | undefined, now: number): void {
    const { bound, bytes, remote } = arrival
    const { front } = this.#parts
    const to = this.#destinations.find(arrival, slot, now)
    if (arrival.isAnswer && to !== HOLD) this.#out.passOn(arrival, to)
    else if (isSealed(bound, remote) && (to === HERE || to === NOBODYS))
      bound.transport.secure?.hear(bytes, remote)
    else if (to === HERE) front.handOver(slot ?? 0, bound, bytes, remote)
    else if (to === NOBODYS)
      front.handOver(slotOfName(remote.address), bound, bytes, { ...remote, isStranger: true })
    else if (typeof to === 'string') this.#out.forward(to, arrival)
    else this.#keep(arrival, slot, now)
  }

  #keep(arrival: Arrival, slot: number | undefined, now: number): void {
    const { bound, bytes, remote, key, since, isBack } = arrival
    if (slot === undefined && !this.#talk.want(key, remote.address, now))
      return this.#drop('rate-limited', bound, remote)
    const kept = this.#held.keep(key, bytes, arrival, since, isBack)
    if (kept === 'held') this.counts.held += 1
    else if (kept === 'full') this.#drop('overloaded', bound, remote)
  }

  readonly #mayGo = (arrival: Arrival): boolean => this.#destinations.mayGo(arrival, performance.now())

  readonly #handOver = (arrival: Arrival, now = performance.now()): void =>
    this.#pass(arrival, this.#destinations.slotOf(arrival, now), now)

  /** Notes that the process runs; if it has stood still, what it holds is thrown away before anything else. */
  #beat(now = performance.now()): number {
    if (!this.#pulse.isStall(now)) return now
    for (const { bound, remote } of this.#held.clear()) this.#drop('stalled', bound, remote)
    return now
  }

  #drop(reason: DiscardReason, { listener }: BoundListener, { address, port }: Remote): void {
    countDiscard(this.#parts.books, reason, { address, port, listener })
  }
}
