// Where sensors are, as a front of a cluster knows it: those of its own workers, those that other nodes serve, and those that have just
// named themselves.

import { Addresses, ExpectedAddresses } from '../../cluster/asking/addresses.ts'
import type { PeerKey } from '../../session/peers.ts'

export class Whereabouts {
  /** the slot of the sensor of an own worker */
  readonly boundAt: (key: PeerKey) => number | undefined
  readonly #expected: ExpectedAddresses
  /** since when own sensors are where they are; those that were there before this process are not in it */
  readonly #since = new Map<PeerKey, number>()
  /** of other nodes */
  readonly others = new Addresses()

  /** `boundAt`: the slot of the sensor of an own worker; `longest`: milliseconds until a name is forgotten */
  constructor(boundAt: (key: PeerKey) => number | undefined, longest: number) {
    this.boundAt = boundAt
    this.#expected = new ExpectedAddresses(longest)
  }

  /** The slot of the sensor there, as far as that is known. */
  slotAt(key: PeerKey, now: number): number | undefined {
    return this.boundAt(key) ?? this.#expected.slotAt(key, now) ?? this.others.slotAt(key)
  }

  /** The slot of the sensor there, if it is one of an own worker, or has just said so. */
  ownAt(key: PeerKey, now: number): number | undefined {
    return this.boundAt(key) ?? this.#expected.slotAt(key, now)
  }

  /** For how long an own sensor has been there; Infinity: longer than can be told. */
  ageOf(key: PeerKey, now: number): number {
    if (this.boundAt(key) === undefined) return 0 // it has just named itself
    return now - (this.#since.get(key) ?? Number.NEGATIVE_INFINITY)
  }

  /** A sensor of this slot has named itself there. */
  expect(key: PeerKey, slot: number, now: number): void {
    if (this.boundAt(key) === undefined) this.#expected.expect(key, slot, now)
  }

  /** A sensor of an own worker is there; `isRestored`: and was before this process. Returns the slot of another node's that was. */
  noteOwn(key: PeerKey, isRestored: boolean, now: number): number | undefined {
    const before = this.others.slotAt(key)
    this.forget(key)
    if (isRestored) this.#since.delete(key)
    else this.#since.set(key, now)
    return before
  }

  /** It is not any more; `elsewhere`: its slot, if another node goes on with it. */
  noteGone(key: PeerKey, elsewhere: number | undefined): void {
    this.#since.delete(key)
    if (elsewhere !== undefined) this.others.learn(key, elsewhere)
  }

  /** No other node has a sensor there. */
  forget(key: PeerKey): void {
    this.others.forget(key)
    this.#expected.forget(key)
  }
}
