// What lies between simulated radios: one sends at a time, at a rate, with losses. Pure: the clock and chance are given.

/** How the air is. */
export interface AirOptions {
  /** monotonic milliseconds */
  readonly clock: () => number
  /** 0 <= x < 1 */
  readonly random: () => number
  /** part of what is sent that does not arrive, after all that radios repeat by themselves */
  readonly loss?: number
  /** longest time that a radio waits for its turn, milliseconds */
  readonly backOff?: number
  /** octets that all radios together send in a second */
  readonly octetsPerSecond?: number
}

/** `unheard`: it arrived, but its sender does not know. */
export type Outcome = 'arrived' | 'lost' | 'unheard'

/** What radios add to each message. */
const OVERHEAD = 30

export class Air {
  readonly random: () => number
  readonly #clock: () => number
  readonly #loss: number
  readonly #backOff: number
  readonly #octetsPerSecond: number
  #freeAt = 0
  /** what is to happen, in its order */
  #steps: { readonly at: number; readonly step: () => void }[] = []
  /** is told when something is to happen earlier than all else */
  onSooner: () => void = () => {}

  constructor({ clock, random, loss = 0, backOff = 10, octetsPerSecond = 4000 }: AirOptions) {
    this.random = random
    this.#clock = clock
    this.#loss = loss
    this.#backOff = backOff
    this.#octetsPerSecond = octetsPerSecond
  }

  get now(): number {
    return this.#clock()
  }

  /** when the next step is due */
  get deadline(): number | undefined {
    return this.#steps[0]?.at
  }

  /** Takes the steps that are due. */
  advance(): void {
    for (;;) {
      const [next] = this.#steps
      if (next === undefined || next.at > this.now) return
      this.#steps.shift()
      next.step()
    }
  }

  /** Something happens at this time; what was planned for the same time comes first. */
  at(time: number, step: () => void): void {
    const place = this.#steps.findIndex(({ at }) => at > time)
    this.#steps.splice(place < 0 ? this.#steps.length : place, 0, { at: time, step })
    if (place === 0 || this.#steps.length === 1) this.onSooner()
  }

  /** Sends so many octets when the air is free; `done` comes when they are sent. */
  transmit(octets: number, done: (outcome: Outcome) => void): void {
    const start = Math.max(this.#freeAt, this.now + this.random() * this.#backOff)
    this.#freeAt = start + (1000 * (octets + OVERHEAD)) / this.#octetsPerSecond
    const isLost = this.random() < this.#loss
    // of what goes wrong, a fifth is the acknowledgement
    const outcome: Outcome = isLost ? (this.random() < 0.2 ? 'unheard' : 'lost') : 'arrived'
    this.at(this.#freeAt, () => done(outcome))
  }
}
