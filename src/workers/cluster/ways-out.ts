// How datagrams leave. Those of sensors go to the node that has their sessions. Those for sensors leave by an own socket, or by that of the
// node which the sensor speaks to; before that the node that has the session of DTLS makes a record of it.

import type { Hold } from '../../cluster/hold.ts'
import type { BatchKind } from '../../cluster/links/connection.ts'
import type { SlotOwners } from '../../cluster/owners.ts'
import { slotOfNumber } from '../../dtls/slots.ts'
import type { DiscardReason } from '../../gateway/counters.ts'
import type { BoundListener } from '../../gateway/datagrams/listener.ts'
import { type Association, peerKey } from '../../session/peers.ts'
import type { SlotStates } from '../../sessions/ownership/slot-states.ts'
import type { Remote } from '../../transport/transport.ts'
import { type Arrival, MOST_HOPS } from './destinations.ts'
import type { LinkTraffic } from './link-traffic.ts'
import type { RouterFront } from './router-front.ts'
import type { RouterCounts } from './router-parts.ts'
import type { WaysIn } from './way-in.ts'

/** Where a sensor with a session of DTLS is. */
type SessionRemote = Remote & { readonly association: Association }

/** Over how many links something for a sensor goes: `onward`, from who has had its session until then. */
type AnswerKind = Extract<BatchKind, 'answer' | 'onward'>

/** What is known of ways. */
export interface WaysOutParts {
  readonly self: string
  readonly owners: Pick<SlotOwners, 'ownerOf'>
  readonly front: Pick<RouterFront, 'listenerAt'>
  readonly traffic: LinkTraffic
  readonly ways: WaysIn
  readonly counts: RouterCounts
  readonly states: SlotStates
  readonly held: Pick<Hold<Arrival>, 'size'>
  /** Sends it where it has to go, as soon as that is known. */
  route(arrival: Arrival): void
  holds(): boolean
  drop(reason: DiscardReason, bound: BoundListener, remote: Remote): void
}

export class WaysOut {
  readonly #parts: WaysOutParts

  constructor(parts: WaysOutParts) {
    this.#parts = parts
  }

  /** Where a datagram leaves by an own socket; undefined: it leaves by another node's, or not at all. */
  find(listener: number, remote: Remote, bytes: Uint8Array): Remote | undefined {
    const { association } = remote
    if (association !== undefined) return this.#findSession(listener, remote, association, bytes)
    const { self, holds, ways } = this.#parts
    const { local, node } = ways.read(remote.local)
    // without a lease the own socket does not let it go either, and counts it
    if (node === '' || node === self || !holds()) return { ...remote, local }
    const to = { address: remote.address, port: remote.port, local }
    return this.#send(node, listener, to, bytes) === 'away' ? { ...to, local: undefined } : undefined
  }

  /** Sends a sensor's datagram to the node that has its session. */
  forward(node: string, { bound, bytes, remote, since, hops }: Arrival): void {
    const { traffic, counts, holds, drop } = this.#parts
    if (!holds()) return drop('no-owner', bound, remote)
    const kind = hops === 0 ? 'forward' : 'relay'
    const sending = traffic.send(node, kind, bound.index, remote, bytes, since)
    if (sending === 'sent') counts.forwarded += 1
    else drop(sending === 'overloaded' ? 'overloaded' : 'no-owner', bound, remote)
  }

  /** Takes what another node has for a sensor that has spoken to a socket here, or whose session is here. */
  take(bound: BoundListener, remote: Remote, bytes: Uint8Array, since: number, kind: AnswerKind): void {
    const { secure } = bound.transport
    const { association } = remote
    if (association === undefined && secure !== undefined) return secure.sendSealed(bytes, remote)
    const slot = association && slotOfNumber(association.number)
    if (association === undefined || slot === undefined || this.#isHere(bound, association, slot))
      bound.transport.send(bytes, remote)
    else this.#seek(bound, { ...remote, association }, bytes, slot, since, kind === 'answer' ? 1 : MOST_HOPS)
  }

  /** Sends a message on to whoever has the session of its sensor: a node, or the link here. */
  passOn({ bound, bytes, remote, since, hops }: Arrival, to: string | symbol): void {
    if (typeof to !== 'string') return bound.transport.send(bytes, remote)
    const sending = this.#send(to, bound.index, remote, bytes, since, hops === 0 ? 'answer' : 'onward')
    if (sending === 'away') this.#parts.drop('no-owner', bound, remote)
  }

  #findSession(
    listener: number,
    remote: Remote,
    association: Association,
    bytes: Uint8Array,
  ): Remote | undefined {
    const { self, owners, holds, front, held } = this.#parts
    const slot = slotOfNumber(association.number)
    const bound = front.listenerAt(listener)
    // its link counts what it has no session for
    if (slot === undefined || bound === undefined || !holds()) return remote
    if (this.#isHere(bound, association, slot)) return remote
    const to = { address: remote.address, port: remote.port, association }
    const owner = owners.ownerOf(slot)?.node
    const isAtOnce = owner !== undefined && owner !== self && held.size === 0
    if (!isAtOnce || this.#send(owner, listener, to, bytes) === 'away')
      this.#seek(bound, to, bytes, slot, performance.now(), 0)
    return undefined
  }

  /** Whether a session is here, as far as anybody has it now: one of a slot that leaves is, until it has left. */
  #isHere({ transport }: BoundListener, { number }: Association, slot: number): boolean {
    const { self, owners, states } = this.#parts
    if (owners.ownerOf(slot)?.node !== self) return false
    const state = states.stateOf(slot)
    return state === 'served' || (state === 'leaving' && transport.secure?.about(number) !== undefined)
  }

  /** A message waits, in its turn, until it is known who has the session, and until that is there. */
  #seek(
    bound: BoundListener,
    remote: SessionRemote,
    bytes: Uint8Array,
    slot: number,
    since: number,
    hops: number,
  ): void {
    const key = `> ${peerKey(bound.index, '', 0, undefined, remote.association)}`
    this.#parts.route({
      bound,
      bytes,
      remote,
      key,
      named: slot,
      since,
      hops,
      at: performance.now(),
      isAnswer: true,
    })
  }

  #send(
    node: string,
    listener: number,
    to: Remote,
    bytes: Uint8Array,
    since = performance.now(),
    kind: AnswerKind = 'answer',
  ): 'gone' | 'away' {
    const { traffic, counts } = this.#parts
    const sending = traffic.send(node, kind, listener, to, bytes, since)
    if (sending === 'away') return 'away'
    if (sending === 'sent') counts.answered += 1
    else this.#drop('overloaded', listener, to)
    return 'gone'
  }

  #drop(reason: DiscardReason, listener: number, remote: Remote): void {
    const bound = this.#parts.front.listenerAt(listener)
    if (bound !== undefined) this.#parts.drop(reason, bound, remote)
  }
}
