// Sensors that send ever more at which the broker closes the connection that they share with others: each time costs everybody else the
// connection for a moment, so they may send nothing for a while, each time for longer. Pure: time is an argument.

/** So many times within the memory are accidents. */
const ACCIDENTS = 10

/** How long they are remembered, milliseconds. */
const MEMORY = 300_000

/** How long it is not served after one more, milliseconds: at first, and at most. */
const FIRST = 1000
const LONGEST = 300_000

/** Sensors that are remembered. */
const MOST = 1000

/** One per connection. */
export class Offenders {
  readonly #known = new Map<string, { times: number; until: number; at: number }>()

  /** nobody has to wait */
  get isEmpty(): boolean {
    return this.#known.size === 0
  }

  /** This sensor was found. */
  note(clientId: string, now: number): void {
    const known = this.#known.get(clientId)
    const times = known === undefined || now - known.at > MEMORY ? 1 : known.times + 1
    const pause = times <= ACCIDENTS ? 0 : Math.min(LONGEST, FIRST * 2 ** Math.min(30, times - ACCIDENTS - 1))
    this.#known.delete(clientId)
    for (const [oldest] of this.#known) {
      if (this.#known.size < MOST) break
      this.#known.delete(oldest)
    }
    this.#known.set(clientId, { times, until: now + pause, at: now })
  }

  /** Whether it has to wait. */
  hasToWait(clientId: string, now: number): boolean {
    const known = this.#known.get(clientId)
    if (known === undefined) return false
    if (now - known.at > MEMORY + LONGEST) this.#known.delete(clientId)
    return known.until > now
  }
}
