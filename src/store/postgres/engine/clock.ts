// The time by which a store on a database server counts: that of the server, so that all who share it agree, whatever their own clocks
// say. It is known from round trips as well as the shortest of them tells.

import type { StoreTime } from '../../store.ts'

/** By so much two good clocks may drift apart, of each millisecond. */
const DRIFT = 0.0005

/** Server time in terms of `performance.now`. */
export class EngineClock implements StoreTime {
  /** the server knows how long everybody was away */
  readonly knownSince = Number.NEGATIVE_INFINITY
  #offset = 0
  #doubt = Number.POSITIVE_INFINITY
  #at = 0

  /** `engine`, milliseconds since 1970, was the time at some moment between these two. */
  observe(before: number, engine: number, after: number): void {
    const doubt = (after - before) / 2
    const offset = engine - (before + after) / 2
    const aged = this.#doubt + (after - this.#at) * DRIFT
    const contradicts = Math.abs(offset - this.#offset) > doubt + aged // its clock was set, or it is another server
    if (doubt > aged && !contradicts) return
    this.#offset = offset
    this.#doubt = doubt
    this.#at = after
  }

  /** Infinity stays what it is. */
  readonly toStored = (time: number): number => time + this.#offset

  readonly toMonotonic = (stored: number): number => stored - this.#offset
}
