// One timer, for what is due first.

/** Timers of Node take no longer times than this. */
const LONGEST_PAUSE = 2 ** 30

export class Alarm {
  readonly #ring: () => void
  #timer: NodeJS.Timeout | undefined
  #at = Number.POSITIVE_INFINITY

  constructor(ring: () => void) {
    this.#ring = ring
  }

  /** Rings at this monotonic time, unless it rings earlier anyway. */
  set(at: number): void {
    if (at >= this.#at) return
    clearTimeout(this.#timer)
    this.#at = at
    const pause = Math.min(Math.max(at - performance.now(), 0), LONGEST_PAUSE)
    this.#timer = setTimeout(() => {
      this.#at = Number.POSITIVE_INFINITY
      this.#ring()
    }, Math.ceil(pause) + 1).unref()
  }

  clear(): void {
    clearTimeout(this.#timer)
  }
}
