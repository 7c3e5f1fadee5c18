// One look at the engine after the other: at intervals, at once when something may have changed, and never two at a time.

/** Milliseconds between looks of a node that stands by, at most, and of any node, at least. */
const STANDBY_LOOK = 500
const LEAST_LOOK = 50

/** Milliseconds from one look to the next. `soon`: at most. */
export function lookInterval(lease: number, isActive: boolean, soon: number | undefined): number {
  const usual = isActive ? lease / 5 : Math.min(STANDBY_LOOK, lease / 5)
  return Math.min(usual, Math.max(LEAST_LOOK, soon ?? usual))
}

/** What comes of a look. */
export interface Looked {
  /** the engine has answered */
  readonly isAnswered: boolean
  /** something was changed by it: it is to be looked again at once */
  readonly isSoon: boolean
}

/** What looks are made of. */
export interface LooksParts {
  /** takes one; `askedAt`: monotonic milliseconds. Never rejects */
  look(askedAt: number): Promise<Looked>
  /** milliseconds from one to the next */
  interval(): number
  /** nothing is looked at any more */
  isOver(): boolean
}

/** One object for the life of a node. */
export class Looks {
  readonly #parts: LooksParts
  #isRunning = false
  #isWanted = false
  #timer: NodeJS.Timeout | undefined
  readonly #onLooked: ((isAnswered: boolean, askedAt: number) => void)[] = []

  constructor(parts: LooksParts) {
    this.#parts = parts
  }

  /** Looks at once; after the one that is under way, if there is one. */
  now(): void {
    if (this.#parts.isOver()) return
    this.#isWanted = this.#isRunning
    if (this.#isRunning) return
    clearTimeout(this.#timer)
    this.#isRunning = true
    void this.#take()
  }

  /** Resolves when a look is over that has begun after this: to whether the engine has answered it; false if there is none any more. */
  async next(): Promise<boolean> {
    const since = performance.now()
    while (!this.#parts.isOver()) {
      const [isAnswered, askedAt] = await new Promise<[boolean, number]>((resolve) => {
        this.#onLooked.push((...looked) => resolve(looked))
        this.now()
      })
      if (askedAt >= since) return isAnswered
    }
    return false
  }

  /** Plans no other one. */
  stop(): void {
    clearTimeout(this.#timer)
  }

  async #take(): Promise<void> {
    const { look, interval, isOver } = this.#parts
    const askedAt = performance.now()
    const { isAnswered, isSoon } = await look(askedAt)
    this.#isRunning = false
    for (const told of this.#onLooked.splice(0)) told(isAnswered, askedAt)
    if (isOver()) return
    if (isSoon || this.#isWanted) return this.now()
    const pause = Math.max(0, askedAt + interval() - performance.now())
    this.#timer = setTimeout(() => this.now(), pause)
  }
}
