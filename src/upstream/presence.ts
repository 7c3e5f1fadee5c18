// Whether the broker is there at all, as the gateway's own connection shows: when a sensor's connection ends without a reason, that
// tells an outage from a broker that serves the sensor elsewhere by now [SN-MAP-37].

/** How long a connection that ended may have been the first of all to end, milliseconds. */
const OUTAGE = 10_000

/** One for all connections of a gateway. */
export class Presence {
  #isThere = false
  /** connections that have just ended without a reason: when, and how they are told that it was an outage */
  readonly #ended = new Map<object, { readonly at: number; readonly tell: () => void }>()

  /** whether the gateway's own connection is up */
  get isThere(): boolean {
    return this.#isThere
  }

  /** The gateway's own connection is up. */
  appear(): void {
    this.#isThere = true
  }

  /** The gateway's own connection has ended, at `now`: what ended shortly before ended with it. */
  vanish(now: number): void {
    this.#isThere = false
    const ended = [...this.#ended.values()]
    this.#ended.clear()
    for (const { at, tell } of ended) if (now - at < OUTAGE) tell()
  }

  /** Why a connection has ended, at `now`; `tell` is called if an end without a reason turns out to have been an outage. */
  explainEnd<Why extends string>(connection: object, why: Why, now: number, tell: () => void): Why | 'lost' {
    if (why !== 'unexplained') return why
    if (!this.#isThere) return 'lost'
    for (const [oldest, { at }] of this.#ended) {
      if (now - at < OUTAGE) break
      this.#ended.delete(oldest)
    }
    this.#ended.set(connection, { at: now, tell })
    return why
  }

  /** The connection is opened again, or needed no more. */
  forgetEnd(connection: object): void {
    this.#ended.delete(connection)
  }
}
