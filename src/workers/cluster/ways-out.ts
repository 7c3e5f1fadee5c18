// How datagrams leave. Those of sensors go to the node that has their sessions. Those for sensors leave by an own socket, or by that of the
// node which the sensor speaks to; before that the node that has the session of DTLS makes a record of it.

import type { SlotOwners } from '../../cluster/owners.ts'
import { slotOfNumber } from '../../dtls/slots.ts'
import type { DiscardReason } from '../../gateway/counters.ts'
import type { BoundListener } from '../../gateway/datagrams/listener.ts'
import type { Remote } from '../../transport/transport.ts'
import type { Arrival } from './destinations.ts'
import type { LinkTraffic } from './link-traffic.ts'
import type { RouterFront } from './router-front.ts'
import type { RouterCounts } from './router-parts.ts'
import type { WaysIn } from './way-in.ts'

/** What is known of ways. */
export interface WaysOutParts {
  readonly self: string
  readonly owners: Pick<SlotOwners, 'ownerOf'>
  readonly front: Pick<RouterFront, 'listenerAt'>
  readonly traffic: LinkTraffic
  readonly ways: WaysIn
  readonly counts: RouterCounts
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
    if (remote.association !== undefined) return this.#findSession(listener, remote, bytes)
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
  take(bound: BoundListener, remote: Remote, bytes: Uint8Array): void {
    const { secure } = bound.transport
    if (secure === undefined || remote.association !== undefined) bound.transport.send(bytes, remote)
    else secure.sendSealed(bytes, remote)
  }

  #findSession(listener: number, remote: Remote, bytes: Uint8Array): Remote | undefined {
    const { self, owners, holds } = this.#parts
    const { address, port, association } = remote
    const slot = association && slotOfNumber(association.number)
    const owner = slot === undefined ? undefined : owners.ownerOf(slot)?.node
    // its link counts what it has no session for
    if (owner === undefined || owner === self || !holds()) return remote
    if (this.#send(owner, listener, { address, port, association }, bytes) === 'away')
      this.#drop('no-owner', listener, remote)
    return undefined
  }

  #send(node: string, listener: number, to: Remote, bytes: Uint8Array): 'gone' | 'away' {
    const { traffic, counts } = this.#parts
    const sending = traffic.send(node, 'answer', listener, to, bytes, performance.now())
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
