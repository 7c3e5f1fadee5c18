// The sessions' table of addresses, which tells what is put into it: the receiving thread must know who is where.

import type { Writing } from '../gateway/effects/writing.ts'
import type { PeerKey } from '../session/peers.ts'
import type { Session } from '../session/session.ts'
import type { Binding } from './messages.ts'

/** Addresses that may wait until their sensors have been seen off; others are told at once. */
const MOST_LEAVING = 100_000

export class PeerTable extends Map<PeerKey, Session> {
  readonly #slotOf: (clientId: string) => number
  #bound: Binding[] = []
  #left: PeerKey[] = []
  /** to be told */
  #gone: PeerKey[] = []
  /** addresses of which it is not durable yet that their sensors are gone */
  readonly #leaving = new Map<PeerKey, readonly PeerKey[]>()
  /** what is written of its sessions */
  writing: Writing = { isDurable: true, whenDurable: (done) => done() }
  /** called when there is something to tell */
  onChange: () => void = () => {}

  /** `slotOf`: the slot of a sensor */
  constructor(slotOf: (clientId: string) => number) {
    super()
    this.#slotOf = slotOf
  }

  override set(key: PeerKey, session: Session): this {
    if (super.get(key) !== session) {
      const { clientId, peer } = session
      this.#bound.push({ key, clientId, slot: this.#slotOf(clientId), local: peer?.local })
      this.onChange()
    }
    return super.set(key, session)
  }

  override delete(key: PeerKey): boolean {
    const was = super.delete(key)
    if (was) {
      // the other thread applies what is unbound before what is bound, so a binding from before this is dropped
      this.#bound = this.#bound.filter((binding) => binding.key !== key)
      this.#left.push(key)
      this.onChange()
    }
    return was
  }

  /**
   * What has changed since the last call: `unbound` before `bound`. That a sensor is gone is told when it is durable: before, whoever
   * goes on from the store would find it there, and nobody must call it a stranger.
   */
  take(): { bound: readonly Binding[]; unbound: readonly PeerKey[] } {
    const changes = { bound: this.#bound, unbound: this.#gone }
    const left = this.#left
    this.#bound = []
    this.#gone = []
    this.#left = []
    const { writing } = this
    if (left.length === 0) return changes
    const leaving = writing.isDurable ? [] : left.splice(0, MOST_LEAVING - this.#leaving.size)
    changes.unbound.push(...left)
    if (leaving.length === 0) return changes
    for (const key of leaving) this.#leaving.set(key, leaving)
    writing.whenDurable(() => this.#leave(leaving))
    return changes
  }

  #leave(keys: readonly PeerKey[]): void {
    for (const key of keys) {
      if (this.#leaving.get(key) !== keys) continue // another sensor has left from there since
      this.#leaving.delete(key)
      if (!this.has(key)) this.#gone.push(key)
    }
    if (this.#gone.length > 0) this.onChange()
  }
}
