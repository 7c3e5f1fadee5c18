// Whether a datagram's sensor is served here. What comes for a slot on its way is held for a moment; what comes for one that is not
// here is counted and dropped, or given back to who sent it here, since a living sensor must not be told that it is a stranger.

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
  /**
   * Another thread has asked before, and takes back what is for a slot that has left meanwhile; `age`: of the time for which something may
   * be held, what is over, milliseconds.
   */
  readonly giveBack?: ((datagram: Datagram, age: number) => void) | undefined
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

/**
 * The part of the time for holding something in which it may be held on by who takes it back: that may have held it before, too, and all of
 * it together must end before a sensor repeats itself.
 */
const AGAIN = 1 / 2

interface Held {
  readonly datagram: Datagram
  readonly since: number
  /** of its sensor, when it came: that is not known any more when the slot has left */
  readonly slot: number | undefined
}

export class OwnerCheck {
  readonly #parts: OwnerCheckParts
  readonly #held: Hold<Held>
  /** milliseconds for which something may have been held before it came here */
  readonly #before: number

  constructor(parts: OwnerCheckParts) {
    this.#parts = parts
    const { hold: longest = HOLD_LIMITS.longest } = parts
    this.#held = new Hold({ ...HOLD_LIMITS, longest })
    this.#before = (1 - AGAIN) * longest
  }

  /** Whether a datagram is to be handled now; if not, it is held or counted. */
  admits(...datagram: Datagram): boolean {
    if (this.#parts.states.isWhole) return true
    const [{ index }, bytes, { address, port, association, isStranger }] = datagram
    if (isStranger || needsNoOwner(bytes)) return true
    const key = peerKey(index, address, port, unwrapMessage(bytes)?.nodeId, association)
    const isFirst = !this.#held.has(key)
    if (continuesExchange(bytes, isFirst) && this.#isFinishing(key)) return true
    const slot = this.#slotOf(datagram, key)
    const verdict = this.#parts.states.judge(slot)
    if (verdict === 'serve' && isFirst) return true
    if (verdict === 'refuse' && isFirst) this.#refuse(datagram, 0)
    else this.#hold(key, { datagram, since: performance.now(), slot })
    return false
  }

  /** Takes back what a worker was given for a slot that has left; `since`: when it counts as having come. The slot may be back. */
  takeBack(datagram: Datagram, since: number): void {
    const [{ index }, bytes, { address, port, association }] = datagram
    const key = peerKey(index, address, port, unwrapMessage(bytes)?.nodeId, association)
    this.#hold(key, { datagram, since, slot: this.#slotOf(datagram, key) }, true)
    this.settle()
  }

  /** `age`: milliseconds that it was held here */
  #refuse(datagram: Datagram, age: number): void {
    const { giveBack } = this.#parts
    if (giveBack === undefined) this.#drop('no-owner', datagram)
    else giveBack(datagram, age + this.#before)
  }

  #hold(key: PeerKey, held: Held, isBack = false): void {
    const { datagram, since } = held
    const kept = this.#held.keep(key, datagram[1], held, since, isBack)
    if (kept === 'full') this.#drop('overloaded', datagram)
  }

  /**
   * Slots have changed their states: what is held goes where it can. Where nobody knows who has a slot that has left, what came for it is
   * held on: it may be back.
   */
  settle(): void {
    const { states, handle, giveBack } = this.#parts
    let verdict: Verdict = 'hold'
    this.#held.settle(
      ({ datagram, slot }, key) => {
        verdict = states.judge(this.#slotOf(datagram, key) ?? slot)
        return verdict === 'serve' || (verdict === 'refuse' && giveBack !== undefined)
      },
      ({ datagram, since }) => {
        if (verdict === 'serve') handle(...datagram)
        else this.#refuse(datagram, performance.now() - since)
      },
    )
  }

  /** Drops what is held for too long. */
  tick(now: number): void {
    if (this.#held.size === 0) return
    for (const { datagram } of this.#held.expire(now)) this.#drop('held-too-long', datagram)
  }

  /** Drops all that is held. */
  close(): void {
    for (const { datagram } of this.#held.clear()) this.#drop('not-serving', datagram)
  }

  #slotOf([, bytes]: Datagram, key: PeerKey): number | undefined {
    const { slotOf, slotAt } = this.#parts
    const clientId = clientIdIn(bytes, peekMsgType(bytes))
    return clientId === undefined ? slotAt(key) : slotOf(clientId)
  }

  #isFinishing(key: PeerKey): boolean {
    const slot = this.#parts.slotAt(key)
    return slot !== undefined && this.#parts.isFinishing(slot)
  }

  #drop(reason: DiscardReason, [{ listener }, , { address, port }]: Datagram): void {
    countDiscard(this.#parts.books, reason, { address, port, listener })
  }
}
