// The time by which a store counts. It begins as the wall clock's and goes on with the monotonic one, from one start of the
// gateway to the next as long as the machine was not booted: whoever sets the wall clock moves nothing in the store. How long
// the machine was away between two boots nobody can tell, since the wall clock may have been wrong on either side; that time
// counts as nothing, so that nothing runs out in it, and what a sensor may have said in it is not held against it.

import { readFileSync } from 'node:fs'
import type { StoreTime } from '../store.ts'

/** What a machine tells of time. */
export interface MachineClock {
  /** names this boot; '' where the system does not tell */
  boot(): string
  /** milliseconds since some moment of this boot, the same for all processes */
  monotonic(): number
  /** milliseconds since 1970, as the clock is set now */
  wall(): number
}

/** The clock of this machine. */
export const machineClock: MachineClock = {
  boot() {
    try {
      return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    } catch {
      return ''
    }
  },
  monotonic: () => Number(process.hrtime.bigint()) / 1e6,
  wall: () => Date.now(),
}

/** How store time goes on, as it is stored. Times are store time. */
export interface ClockRecord {
  readonly boot: string
  /** the time when the monotonic clock of that boot was zero */
  readonly zero: number
  /** since when it is known how much time has passed */
  readonly since: number
  /** when this was written */
  readonly last: number
}

/** How often `last` is written, with something else, milliseconds. */
const INTERVAL = 10_000
/** The last write may seem to lie ahead by so much, milliseconds: clocks have a resolution. */
const TOLERANCE = 100

function readClock(value: unknown): ClockRecord | undefined {
  const { boot, zero, since, last } = Object(value)
  return typeof boot === 'string' && [zero, since, last].every(Number.isFinite)
    ? { boot, zero, since, last }
    : undefined
}

/** Store time, for one start of the gateway. Times of `performance.now` go in and come out. */
export class StoreClock implements StoreTime {
  readonly #machine: MachineClock
  readonly #boot: string
  readonly #zero: number
  readonly #since: number
  /** monotonic time when `performance.now` was zero */
  readonly #start: number
  #written = Number.NEGATIVE_INFINITY

  /**
   * @param stored what the last start left
   * @param newest for a store that was written before there was such a record: the latest time in it; undefined for a new one
   */
  constructor(stored: unknown, newest: () => number | undefined, machine: MachineClock = machineClock) {
    const now = machine.monotonic()
    const before = readClock(stored)
    this.#machine = machine
    this.#start = now - performance.now()
    this.#boot = machine.boot()
    const goesOn =
      before !== undefined &&
      before.boot !== '' &&
      before.boot === this.#boot &&
      now + before.zero >= before.last - TOLERANCE
    if (goesOn) {
      this.#zero = before.zero
      this.#since = before.since
    } else {
      const last = before?.last ?? newest()
      this.#zero = (last ?? machine.wall()) - now
      this.#since = last ?? 0 // in a new store nothing has happened of which anything is unknown
    }
  }

  /** Infinity stays what it is. */
  readonly toStored = (time: number): number => time + this.#start + this.#zero

  readonly toMonotonic = (stored: number): number => stored - this.#zero - this.#start

  /** When the time began of which is known how long it was; as of `performance.now`. */
  get knownSince(): number {
    return this.toMonotonic(this.#since)
  }

  /** What has to be written now and then; undefined if it was a moment ago. */
  due(): ClockRecord | undefined {
    const last = this.#now()
    if (last - this.#written < INTERVAL) return undefined
    return { boot: this.#boot, zero: this.#zero, since: this.#since, last }
  }

  /** That was written. */
  confirm({ last }: ClockRecord): void {
    this.#written = last
  }

  /** It is to be written again, at the end. */
  expire(): void {
    this.#written = Number.NEGATIVE_INFINITY
  }

  #now(): number {
    return this.#machine.monotonic() + this.#zero
  }
}
