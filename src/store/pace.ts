// Divides long work into turns: others have theirs between them.

/** Milliseconds that a turn may take, and pieces of work in it. */
const TURN = 4
const MOST = 1000

/** Counts the work of a turn; a new one begins with `next`. */
export class Pace {
  #began = performance.now()
  #done = 0

  /** A piece of work is done; whether it was the last one for this turn. */
  isOver(): boolean {
    this.#done += 1
    return this.#done >= MOST || performance.now() - this.#began > TURN
  }

  /** Resolves in the next turn. */
  async next(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    this.#began = performance.now()
    this.#done = 0
  }
}

/** What is left of such work: the next turn goes on with it, in one series, however often somebody finds that there is a rest. */
export class Rest {
  #isPlanned = false

  /** Calls `step` in the next turn, unless that is planned already. */
  plan(step: () => void): void {
    if (this.#isPlanned) return
    this.#isPlanned = true
    setImmediate(() => {
      this.#isPlanned = false
      step()
    })
  }
}
