// How many messages a shared connection may publish in a second, for brokers that limit it: a connection for each sensor would never
// come near. Pure: time is an argument.

/** One per connection; without a limit it costs a comparison. */
export class PublishRate {
  readonly #limit: () => number | undefined
  #credit = 0
  #at = Number.NEGATIVE_INFINITY

  constructor(limit: () => number | undefined) {
    this.#limit = limit
  }

  /** Milliseconds until one more may be published; 0: it may be now, and is counted. */
  take(now: number): number {
    const limit = this.#limit()
    if (limit === undefined) return 0
    // a tenth of a second's worth may go at once, so that no second has more than the limit and a tenth
    const most = Math.max(1, limit / 10)
    this.#credit = Math.min(most, this.#credit + (Math.max(0, now - this.#at) * limit) / 1000)
    this.#at = now
    if (this.#credit < 1) return Math.ceil(((1 - this.#credit) * 1000) / limit)
    this.#credit -= 1
    return 0
  }
}
