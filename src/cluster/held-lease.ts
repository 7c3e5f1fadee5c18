// The lease of this process, as all its threads see it.

import { Lease } from './judging/lease.ts'
import type { LeaseEnd } from './lease-end.ts'

/** One per process; the times are monotonic milliseconds. */
export class HeldLease {
  readonly #lease: Lease
  readonly #end: LeaseEnd

  /** `length`: milliseconds */
  constructor(length: number, end: LeaseEnd) {
    this.#lease = new Lease(length)
    this.#end = end
  }

  /** until when */
  get end(): number {
    return this.#end.isOver ? Number.NEGATIVE_INFINITY : this.#lease.end
  }

  /** Whether it holds now. */
  holds(): boolean {
    return this.#lease.holds(performance.now()) && !this.#end.isOver
  }

  /** As `Lease.noteRenewal`. */
  noteRenewal(askedAt: number): void {
    this.#lease.noteRenewal(askedAt)
    this.#end.set(this.#lease.end)
  }

  /** As `Lease.noteSilence`. */
  noteSilence(askedAt: number): void {
    this.#goOn((now) => this.#lease.noteSilence(askedAt, now))
  }

  /** As `Lease.extend`. */
  extend(until: number): void {
    this.#goOn((now) => this.#lease.extend(until, now))
  }

  #goOn(lengthen: (now: number) => void): void {
    // once it was suspended, only the engine can give it again
    if (this.#end.isOver) return this.#lease.finish()
    lengthen(performance.now())
    this.#end.set(this.#lease.end, this.#lease.isWithoutEngine)
  }

  /** Nothing is served any more. */
  finish(): void {
    this.#lease.finish()
    this.#end.set(Number.NEGATIVE_INFINITY)
  }
}
