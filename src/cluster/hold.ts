// Datagrams that are held while the one who serves their sensor is not known or not ready: for a moment, in order, and bounded. An old
// copy of a message that arrives after the end of its exchange would be a new message. Pure: time is an argument.

import type { PeerKey } from '../session/peers.ts'

/** How much may be held, and for how long. */
export interface HoldLimits {
  /** milliseconds; below any time after which a sensor repeats itself */
  readonly longest: number
  /** datagrams, of all addresses and of one, and octets of all */
  readonly datagrams: number
  readonly datagramsOfOne: number
  readonly octets: number
}

export const HOLD_LIMITS: HoldLimits = {
  longest: 2000,
  datagrams: 16_384,
  datagramsOfOne: 64,
  octets: 4_194_304,
}

interface Held<T> {
  readonly bytes: Uint8Array
  readonly item: T
  readonly until: number
  readonly isBack: boolean
}

/** Holds what is known by `T`, by the addresses of senders. */
export class Hold<T> {
  readonly #limits: HoldLimits
  /** in the order in which the first of each came */
  readonly #byAddress = new Map<PeerKey, Held<T>[]>()
  #datagrams = 0
  #octets = 0

  constructor(limits: HoldLimits = HOLD_LIMITS) {
    this.#limits = limits
  }

  /** datagrams that are held */
  get size(): number {
    return this.#datagrams
  }

  /** Whether something from there is held, so that all that follows has to wait behind it. */
  has(key: PeerKey): boolean {
    return this.#byAddress.has(key)
  }

  /**
   * Holds a datagram; `isBack`: it had gone on from here, so that it was sent before all that is held. `known`: the same octets from there
   * are held already, which is enough; `full`: there is no room.
   */
  keep(key: PeerKey, bytes: Uint8Array, item: T, now: number, isBack = false): 'held' | 'known' | 'full' {
    const { longest, datagrams, datagramsOfOne, octets } = this.#limits
    const queue = this.#byAddress.get(key) ?? []
    if (queue.some((held) => isSame(held.bytes, bytes))) return 'known'
    const isFull =
      this.#datagrams >= datagrams || queue.length >= datagramsOfOne || this.#octets + bytes.length > octets
    if (isFull) return 'full'
    const first = isBack ? queue.findIndex((held) => !held.isBack) : -1
    queue.splice(first < 0 ? queue.length : first, 0, { bytes, item, until: now + longest, isBack })
    this.#byAddress.set(key, queue)
    this.#datagrams += 1
    this.#octets += bytes.length
    return 'held'
  }

  /**
   * Something has changed: hands over what may go now, of each address in order, until something of it has to be held on. `mayGo` is
   * asked anew for each, after what came before it was handed over.
   */
  settle(mayGo: (item: T, key: PeerKey) => boolean, handOver: (item: T) => void): void {
    for (const key of this.#byAddress.keys()) this.settleAt(key, mayGo, handOver)
  }

  /** The same, of one address. */
  settleAt(key: PeerKey, mayGo: (item: T, key: PeerKey) => boolean, handOver: (item: T) => void): void {
    const queue = this.#byAddress.get(key) ?? []
    for (let first = queue[0]; first !== undefined && mayGo(first.item, key); first = queue[0]) {
      this.#remove(key, queue, 0)
      handOver(first.item)
    }
  }

  /** Takes out what was held for too long, also behind what came earlier: others may have held it before. */
  expire(now: number): T[] {
    const expired: T[] = []
    for (const [key, queue] of this.#byAddress) {
      for (let at = 0; at < queue.length; ) {
        const one = queue[at]
        if (one === undefined || one.until > now) at += 1
        else {
          this.#remove(key, queue, at)
          expired.push(one.item)
        }
      }
    }
    return expired
  }

  /** Takes out everything. */
  clear(): T[] {
    return this.expire(Number.POSITIVE_INFINITY)
  }

  #remove(key: PeerKey, queue: Held<T>[], at: number): void {
    const [one] = queue.splice(at, 1)
    this.#datagrams -= 1
    this.#octets -= one?.bytes.length ?? 0
    if (queue.length === 0) this.#byAddress.delete(key)
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return false
  return true
}
