// Whether a datagram's sensor is served here. What comes for a slot on its way is held for a moment; what comes for one that is not
// here is counted and dropped, since a living sensor must not be told that it is a stranger.

import { HOLD_LIMITS, Hold } from '../../cluster/hold.ts'
import { peekMsgType, unwrapMessage } from '../../codec/envelope.ts'
import { type PeerKey, peerKey } from '../../session/peers.ts'
import { clientIdIn, needsNoOwner } from '../../sessions/ownership/addressee.ts'
import { continuesExchange } from '../../sessions/ownership/exchanges.ts'
import type { SlotStates, Verdict } from '../../sessions/ownership/slot-states.ts'
import { countDiscard, type DiscardBooks, type DiscardReason } from '../counters.ts'
import type { Datagram } from './intake.ts'

/** What a check works with. */
export interface OwnerCheckParts {
  readonly states: SlotStates
  /** another thread has asked before: what still comes for a slot that has left was on its way here, and the slot may be back */
  readonly isBehindFront?: boolean
  /** of a slot that leaves: exchanges under way are brought to their end first */
  isFinishing(slot: number): boolean
  /** milliseconds for which something may be held */
  readonly hold?: number | undefined
  slotOf(clientId: string): number
  /** of the sensor at an address, as far as that is known */
  slotAt(key: PeerKey): number | undefined
  readonly books: DiscardBooks
  /** takes what was held, once its sensor is served */
  handle(...datagram: Datagram): void
}

export class OwnerCheck {
  readonly #parts: OwnerCheckParts
  readonly #held: Hold<Datagram>

  constructor(parts: OwnerCheckParts) {
    this.#parts = parts
    const { hold: longest = HOLD_LIMITS.longest } = parts
    this.#held = new Hold({ ...HOLD_LIMITS, longest })
  }

  /** Whether a datagram is to be handled now; if not, it is held or counted. */
  admits(...datagram: Datagram): boolean {
    if (this.#parts.states.isWhole) return true
    const [{ index }, bytes, { address, port, association, isStranger }] = datagram
    if (isStranger || needsNoOwner(bytes)) return true
    const key = peerKey(index, address, port, unwrapMessage(bytes)?.nodeId, association)
    const isFirst = !this.#held.has(key)
    if (continuesExchange(bytes, isFirst) && this.#isFinishing(key)) return true
    const verdict = isFirst ? this.#judge(datagram, key) : 'hold'
    if (verdict === 'serve') return true
    if (verdict === 'refuse' && !this.#parts.isBehindFront) this.#drop('no-owner', datagram)
    else if (this.#held.keep(key, bytes, datagram, performance.now()) === 'full')
      this.#drop('overloaded', datagram)
    return false
  }

  /** Slots have changed their states: what is held goes where it can. What has left may be back before it was held for too long. */
  settle(): void {
    this.#held.settle(
      (datagram, key) => this.#judge(datagram, key) === 'serve',
      (datagram) => this.#parts.handle(...datagram),
    )
  }

  /** Drops what is held for too long. */
  tick(now: number): void {
    if (this.#held.size === 0) return
    for (const datagram of this.#held.expire(now)) this.#drop('held-too-long', datagram)
  }

  /** Drops all that is held. */
  close(): void {
    for (const datagram of this.#held.clear()) this.#drop('not-serving', datagram)
  }

  #judge([, bytes]: Datagram, key: PeerKey): Verdict {
    const { slotOf, slotAt, states } = this.#parts
    const clientId = clientIdIn(bytes, peekMsgType(bytes))
    return states.judge(clientId === undefined ? slotAt(key) : slotOf(clientId))
  }

  #isFinishing(key: PeerKey): boolean {
    const slot = this.#parts.slotAt(key)
    return slot !== undefined && this.#parts.isFinishing(slot)
  }

  #drop(reason: DiscardReason, [{ listener }, , { address, port }]: Datagram): void {
    countDiscard(this.#parts.books, reason, { address, port, listener })
  }
}
