// A lease as its holder counts it: from before it asked, on its own monotonic clock, and shorter than the engine does. Pure:
// time is an argument.

/** So much earlier than the engine the holder stops, milliseconds: what it has begun by then must have left. */
export const EARLY = 200

/** Until when a node may serve. Times are monotonic milliseconds. */
export class Lease {
  readonly #length: number
  /** the node may serve before this time */
  end = Number.NEGATIVE_INFINITY
  /** the last renewal was not answered: it goes on without promises */
  isWithoutEngine = false

  constructor(length: number) {
    this.#length = length
  }

  /** The engine has renewed it; `askedAt`: when it was asked. */
  noteRenewal(askedAt: number): void {
    this.isWithoutEngine = false
    this.end = Math.max(this.end, askedAt + this.#length - EARLY)
  }

  /**
   * The engine was asked and has not answered, and there is nobody else to ask. Who was serving goes on: what needs a promise waits
   * for the engine anyway, and as long as it is away for all, nobody can take over. Who has slept beyond its lease does not begin
   * again: others may have taken over before the engine went away; and who has slept while it waited knows nothing of the engine.
   */
  noteSilence(askedAt: number, now: number): void {
    if (now >= this.end || now - askedAt > this.#length / 2) return
    this.isWithoutEngine = true
    this.end = Math.max(this.end, now + this.#length - EARLY)
  }

  /** The engine is silent, but nobody can take over before this time: who still serves goes on until then. */
  extend(until: number, now: number): void {
    if (now >= this.end || until <= this.end) return
    this.isWithoutEngine = true
    this.end = until
  }

  /** Nothing is served any more. */
  finish(): void {
    this.end = Number.NEGATIVE_INFINITY
  }

  holds(now: number): boolean {
    return now < this.end
  }
}
