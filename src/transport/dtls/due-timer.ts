// One timer, for what is due first.

/** Timers of Node take no longer times than this. */
const LONGEST_PAUSE = 2 ** 30

export class DueTimer {
  readonly #pass: () => void
  #timer: NodeJS.Timeout | undefined
  #at = Number.POSITIVE_INFINITY

  /** `pass` is called when something is due, perhaps a little too early. */
  constructor(pass: () => void) {
    this.#pass = pass
  }

  /** Something is due then, monotonic milliseconds; what was due earlier still is. */
  wakeAt(at: number): void {
    if (at >= this.#at) return
    clearTimeout(this.#timer)
    this.#at = at
    const pause = Math.min(Math.max(at - performance.now(), 0), LONGEST_PAUSE)
    this.#timer = setTimeout(() => {
      this.#at = Number.POSITIVE_INFINITY
      this.#pass()
    }, Math.ceil(pause) + 1).unref()
  }

  stop(): void {
    clearTimeout(this.#timer)
  }
}
