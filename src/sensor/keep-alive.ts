// When to ping: a sensor shows itself, and checks the gateway, within each keep-alive period [6.11].

/**
 * Calls `ping` once three quarters of the keep-alive time passed without an answer from the gateway. Only answers
 * count: they prove that the gateway heard this sensor, which messages on their way to it do not.
 */
export class KeepAlive {
  readonly #period: number
  readonly #ping: (patience: number) => void
  #heardAt = 0
  #timer: NodeJS.Timeout | undefined

  /**
   * `seconds` = 0 never pings. `ping` gets the milliseconds after which an unanswered PINGREQ should be repeated so
   * that a second one still falls into the gateway's tolerance [7.2].
   */
  constructor(seconds: number, ping: (patience: number) => void) {
    this.#period = seconds * 750
    this.#ping = ping
  }

  /** An answer came. Cheap: the timer finds out later. */
  heard(): void {
    this.#heardAt = performance.now()
  }

  /** Begins to watch. */
  start(): void {
    this.stop()
    this.heard()
    if (this.#period > 0) this.#wait(this.#period)
  }

  /** Ends watching. */
  stop(): void {
    clearTimeout(this.#timer)
  }

  #wait(milliseconds: number): void {
    this.#timer = setTimeout(() => {
      const left = this.#heardAt + this.#period - performance.now()
      if (left < 1) this.#ping(this.#period / 3)
      this.#wait(left < 1 ? this.#period : left)
    }, milliseconds)
  }
}
