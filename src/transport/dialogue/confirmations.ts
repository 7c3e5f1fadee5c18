// Frames that a modem has been given and has not confirmed: how many, for how long, under which ids. Pure.

/** The largest id; 0 asks for no confirmation. */
const LAST_ID = 255

export interface ConfirmationLimits {
  /** frames that may wait */
  readonly inFlight: number
  /** milliseconds after which one is given up */
  readonly confirm: number
}

interface Waiting {
  readonly to: string
  readonly until: number
}

export class Confirmations {
  readonly #limits: ConfirmationLimits
  readonly #waiting = new Map<number, Waiting>()
  #lastId = 0

  constructor(limits: ConfirmationLimits) {
    this.#limits = limits
  }

  /** frames that wait */
  get size(): number {
    return this.#waiting.size
  }

  /** Whether no further one may leave. */
  get isFull(): boolean {
    return this.#waiting.size >= this.#limits.inFlight
  }

  /** when the oldest is given up */
  get deadline(): number | undefined {
    for (const { until } of this.#waiting.values()) return until
    return undefined
  }

  /** The next id from 1 to 255 that nothing waits for, nor is `taken` for something else. */
  nextId(taken: (id: number) => boolean = () => false): number {
    do this.#lastId = (this.#lastId % LAST_ID) + 1
    while (this.#waiting.has(this.#lastId) || taken(this.#lastId))
    return this.#lastId
  }

  /** A frame to this address leaves under this id. */
  begin(id: number, to: string, now: number): void {
    this.#waiting.set(id, { to, until: now + this.#limits.confirm })
  }

  /** It is confirmed, in whatever sense; the address that it went to, undefined if nothing waits under this id. */
  end(id: number): string | undefined {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    return waiting?.to
  }

  /** The same for modems that tell no id. */
  endOldest(): string | undefined {
    for (const id of this.#waiting.keys()) return this.end(id)
    return undefined
  }

  /** Gives up what has waited too long; returns how many. */
  expire(now: number): number {
    let givenUp = 0
    for (const [id, { until }] of this.#waiting) {
      if (until > now) break
      this.#waiting.delete(id)
      givenUp += 1
    }
    return givenUp
  }

  /** Gives up all; returns how many. */
  clear(): number {
    const { size } = this.#waiting
    this.#waiting.clear()
    return size
  }
}
