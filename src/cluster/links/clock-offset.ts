// How far the clock of another node is from this one's, from questions and answers: so that it can be told how old something is that has
// come from there. Pure.

/** Answers that are remembered. */
const MOST = 8

interface Sample {
  /** what has to be added to this node's time */
  readonly offset: number
  /** how long question and answer were under way */
  readonly trip: number
}

/** Both clocks are monotonic milliseconds, each from a beginning of its own. */
export class ClockOffset {
  #samples: Sample[] = []
  #best: Sample | undefined

  /** A question that left at `askedAt` has been answered at `answeredAt`; in between, the other clock said `theirs`. */
  add(askedAt: number, theirs: number, answeredAt: number): void {
    const sample = { offset: theirs - (askedAt + answeredAt) / 2, trip: answeredAt - askedAt }
    const best = this.#best
    // the other clock has stood still, or has been set: what was known of it is wrong
    const isOther =
      best !== undefined && Math.abs(sample.offset - best.offset) > (sample.trip + best.trip) / 2 + 1
    this.#samples = isOther ? [sample] : [...this.#samples.slice(1 - MOST), sample]
    this.#best = this.#samples.reduce((one, other) => (other.trip < one.trip ? other : one))
  }

  /** whether anything is known */
  get isKnown(): boolean {
    return this.#best !== undefined
  }

  /** how long a question and its answer take at best */
  get trip(): number | undefined {
    return this.#best?.trip
  }

  /** This node's time when the other clock said `theirs`: the latest that it can have been. */
  toOwn(theirs: number, now: number): number {
    const best = this.#best
    return best === undefined ? now : Math.min(now, theirs - best.offset + best.trip / 2)
  }
}
