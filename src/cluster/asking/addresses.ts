// Addresses of sensors that other nodes serve, as far as this node has learnt them. Slots and not nodes: who owns a slot may change, and
// this stays true. Pure.

import type { PeerKey } from '../../session/peers.ts'

/** More than a node is the way in for, of a million sensors on four nodes. */
const MOST = 262_144

/** Bounded: who is forgotten is asked for again. */
export class Addresses {
  readonly #slots = new Map<PeerKey, number>()
  readonly #most: number

  constructor(most = MOST) {
    this.#most = most
  }

  get size(): number {
    return this.#slots.size
  }

  /** The slot of the sensor there. */
  slotAt(key: PeerKey): number | undefined {
    return this.#slots.get(key)
  }

  /** A sensor of this slot is there. */
  learn(key: PeerKey, slot: number): void {
    this.#slots.delete(key) // so that the newest entry is the last
    this.#slots.set(key, slot)
    for (const oldest of this.#slots.keys()) {
      if (this.#slots.size <= this.#most) break
      this.#slots.delete(oldest)
    }
  }

  /** It is not. */
  forget(key: PeerKey): void {
    this.#slots.delete(key)
  }
}

/** Addresses from which a sensor has just named itself, and which the node that serves it has not confirmed yet. Pure. */
export class ExpectedAddresses {
  readonly #known = new Map<PeerKey, { readonly slot: number; readonly until: number }>()
  readonly #longest: number

  /** `longest`: milliseconds until a name is forgotten */
  constructor(longest: number) {
    this.#longest = longest
  }

  slotAt(key: PeerKey, now: number): number | undefined {
    const known = this.#known.get(key)
    return known !== undefined && known.until > now ? known.slot : undefined
  }

  /** What follows from there is for the same slot. */
  expect(key: PeerKey, slot: number, now: number): void {
    this.#known.delete(key)
    this.#known.set(key, { slot, until: now + this.#longest })
    for (const [oldest, { until }] of this.#known) {
      if (until > now && this.#known.size <= MOST_EXPECTED) break
      this.#known.delete(oldest)
    }
  }

  forget(key: PeerKey): void {
    this.#known.delete(key)
  }
}

const MOST_EXPECTED = 8192
