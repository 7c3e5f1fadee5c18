// When a shared connection is made again: soon after the first break, ever later while it fails or does not hold, and rarely while
// another client has its name.

import type { UpstreamOptions } from '../upstream.ts'

/** A connection that held this long was a good one, milliseconds. */
const STABLE = 10_000
/** Pause after the first break of a good one, milliseconds, and the longest between two attempts. */
const FIRST = 100
const LONGEST = 5000
/** Pause after the broker has given its name to another client, and the longest, milliseconds. */
const TRUCE = 5000
const LONGEST_TRUCE = 60_000

/** So soon after one failed no other is made because somebody waits, milliseconds. */
const MOMENT = 500

export class Retries {
  readonly #options: () => UpstreamOptions
  readonly #now: () => number
  readonly #connect: () => void
  #timer: NodeJS.Timeout | undefined
  #failures = 0
  #takeovers = 0
  /** when an attempt ended, or the connection */
  #lastAt = Number.NEGATIVE_INFINITY
  #nextAt = 0
  #openedAt = Number.NEGATIVE_INFINITY
  #said = ''

  constructor(options: () => UpstreamOptions, now: () => number, connect: () => void) {
    this.#options = options
    this.#now = now
    this.#connect = connect
  }

  opened(): void {
    this.#openedAt = this.#now()
    this.#said = ''
  }

  /** An attempt failed; the log says why, once for each reason. */
  failed(clientId: string, detail: string, isAnswered: boolean): void {
    const { log } = this.#options()
    if (isAnswered && detail !== this.#said)
      log.error({ clientId, detail }, 'the broker does not accept a connection that sensors share')
    if (isAnswered) this.#said = detail
    this.#planNext()
  }

  /** The connection broke. */
  broke(clientId: string, why: 'lost' | 'unexplained' | 'taken-over' | 'forbidden'): void {
    if (this.#now() - this.#openedAt >= STABLE) this.#failures = this.#takeovers = 0
    if (why !== 'taken-over') return this.#planNext()
    this.#takeovers += 1
    const { log } = this.#options()
    log.error(
      { clientId },
      `another client uses the ClientId ${JSON.stringify(clientId)} of a connection that sensors share: set another broker.clientId, or gateway.id`,
    )
    this.#plan(Math.min(LONGEST_TRUCE, TRUCE * 2 ** Math.min(this.#takeovers - 1, 10)))
  }

  /** Somebody waits for an answer: the next attempt comes at once, or a moment after the last one. */
  hurry(): void {
    const now = this.#now()
    const at = Math.max(now, this.#lastAt + MOMENT)
    if (at < this.#nextAt) this.#planAt(at - now)
  }

  /** What the broker hangs up at is being found. */
  progressed(): void {
    this.#failures = 0
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #planNext(): void {
    this.#lastAt = this.#now()
    const { reconnect } = this.#options()
    const first = Math.min(reconnect.min, FIRST)
    const pause = Math.min(LONGEST, reconnect.max, first * 2 ** Math.min(this.#failures, 30))
    this.#failures += 1
    this.#plan(pause)
  }

  #plan(pause: number): void {
    const { random = Math.random } = this.#options()
    this.#planAt(pause * (0.5 + random() / 2))
  }

  #planAt(pause: number): void {
    clearTimeout(this.#timer)
    this.#nextAt = this.#now() + pause
    this.#timer = setTimeout(() => this.#connect(), pause)
  }
}
