// Topics at which the broker closes the connection: they are left alone for a while, each time for longer.

/** How often the connection must end, while a topic alone is under way, before it is suspended: once may be chance. */
const STRIKES = 2

/** First and longest pause, milliseconds. */
const FIRST = 30_000
const LONGEST = 3_600_000

/** Most topics that are remembered; the one that was longest without a strike is forgotten. */
const MOST = 1000

/** What is known of one topic. */
interface Suspect {
  readonly strikes: number
  /** when it may be tried again */
  readonly until: number
}

/** A bounded table of them. */
export class SuspendedTopics {
  readonly #suspects = new Map<string, Suspect>()

  /** Whether nothing may be published to it now. */
  has(topic: string, now: number): boolean {
    if (this.#suspects.size === 0) return false
    return (this.#suspects.get(topic)?.until ?? 0) > now
  }

  /** The connection has ended while it alone was under way. Returns for how long it is suspended now; 0 = not yet. */
  strike(topic: string, now: number): number {
    const strikes = (this.#suspects.get(topic)?.strikes ?? 0) + 1
    const pause = strikes < STRIKES ? 0 : Math.min(LONGEST, FIRST * 2 ** (strikes - STRIKES))
    this.#suspects.delete(topic)
    this.#suspects.set(topic, { strikes, until: now + pause })
    if (this.#suspects.size > MOST) {
      for (const oldest of this.#suspects.keys()) {
        this.#suspects.delete(oldest)
        break
      }
    }
    return pause
  }

  /** The broker has taken a message to it. */
  clear(topic: string): void {
    if (this.#suspects.size > 0) this.#suspects.delete(topic)
  }
}
