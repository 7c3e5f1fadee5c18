// The swarm's books: what was promised (acknowledged to its sender) and what arrived, one account per direction.

/** Messages remembered per sensor to notice that one comes again. */
const REMEMBERED = 100

/** Messages of one direction, known by the number of their sensor and their own number. */
export class Account {
  /** acknowledged but not yet arrived: when it was acknowledged */
  readonly #promised = new Map<string, number>()
  /** arrived but not (yet) acknowledged */
  readonly #early = new Set<string>()
  readonly #recent = new Map<number, Set<number>>()
  /** messages acknowledged */
  promises = 0
  /** messages that arrived, repetitions not counted */
  arrivals = 0
  /** QoS 2 messages that arrived more than once, and must not */
  duplicates = 0

  /** Notes that the message was acknowledged to its sender: it has to arrive. */
  promise(sensor: number, message: number): void {
    this.promises += 1
    const key = `${sensor}/${message}`
    if (!this.#early.delete(key)) this.#promised.set(key, performance.now())
  }

  /** Notes that the message arrived. */
  arrive(sensor: number, message: number, qos: number): void {
    const recent = this.#recent.get(sensor) ?? new Set()
    this.#recent.set(sensor, recent)
    if (recent.has(message)) {
      if (qos === 2) this.duplicates += 1
      return
    }
    recent.add(message)
    if (recent.size > REMEMBERED)
      for (const oldest of [...recent].slice(0, -REMEMBERED)) recent.delete(oldest)
    this.arrivals += 1
    const key = `${sensor}/${message}`
    if (!this.#promised.delete(key)) this.#early.add(key)
  }

  /** How many promised messages are missing since more than so many milliseconds. */
  missing(milliseconds = 0): number {
    const since = performance.now() - milliseconds
    let count = 0
    for (const at of this.#promised.values()) if (at <= since) count += 1
    return count
  }

  /** Some of the missing messages as `sensor/message`. */
  examples(): string[] {
    return [...this.#promised.keys()].slice(0, 5)
  }
}
