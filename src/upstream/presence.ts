// Whether the broker is there at all, as the gateway's own connection shows: when a sensor's connection ends without a reason, that
// tells an outage from a broker that serves the sensor elsewhere by now [SN-MAP-37].

/** How long a connection that ended may have been the first of all to end, milliseconds. */
const OUTAGE = 10_000

/** One broker of several that are used at the same time; `open`: connections to it. */
interface Place {
  readonly open: number
}

interface Ended {
  readonly at: number
  readonly tell: () => void
  readonly place: Place | undefined
}

/** One for all connections of a gateway. */
export class Presence {
  #isThere = false
  /** connections that have just ended without a reason: when, and how they are told that it was an outage */
  readonly #ended = new Map<object, Ended>()

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

  /**
   * Why a connection has ended, at `now`; `tell` is called if an end without a reason turns out to have been an outage. Of several
   * brokers the own connection shows one only: where the last of several connections to a `place` has just ended, that one is gone.
   */
  explainEnd<Why extends string>(
    connection: object,
    why: Why,
    now: number,
    tell: () => void,
    place?: Place,
  ): Why | 'lost' {
    if (why !== 'unexplained') return why
    if (!this.#isThere) return 'lost'
    for (const [oldest, { at }] of this.#ended) {
      if (now - at < OUTAGE) break
      this.#ended.delete(oldest)
    }
    if (place?.open === 0 && this.#tellOthersAt(place)) return 'lost'
    this.#ended.set(connection, { at: now, tell, place })
    return why
  }

  /** Returns whether there were others. */
  #tellOthersAt(place: Place): boolean {
    const others = [...this.#ended].filter(([, ended]) => ended.place === place)
    for (const [connection, { tell }] of others) {
      this.#ended.delete(connection)
      tell()
    }
    return others.length > 0
  }

  /** The connection is opened again, or needed no more. */
  forgetEnd(connection: object): void {
    this.#ended.delete(connection)
  }
}
