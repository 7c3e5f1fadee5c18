// Brokers that close the connection right after they have refused something. What was sent behind it is innocent, and what was refused
// twice like that is not sent again for a while: each time would cost everybody else the connection. Pure: time is an argument.

import type { Asked } from './doubts.ts'

/** A break this soon after a refusal is part of it, milliseconds. */
const AFTER_REFUSAL = 500

/** Breaks after which the like of it is not sent any more. */
const BREAKS = 2

/** How long that is remembered, milliseconds: the broker's rules may change. */
const MEMORY = 300_000

/** Requests that are remembered. */
const MOST = 4096

/** One per connection; `M`: a sensor. */
export class ClosingRefusals<M extends object> {
  readonly #known = new Map<string, { breaks: number; until: number }>()
  readonly #nameOf: (member: M) => string
  #last: string | undefined
  #lastAt = Number.NEGATIVE_INFINITY

  constructor(nameOf: (member: M) => string) {
    this.#nameOf = nameOf
  }

  /** The broker has refused it. */
  noteRefused(asked: Asked<M>, now: number): void {
    this.#last = this.#keyOf(asked)
    this.#lastAt = now
  }

  /** The connection broke: whether that was part of a refusal. */
  takeBreak(now: number): boolean {
    const key = this.#last
    this.#last = undefined
    if (key === undefined || now - this.#lastAt >= AFTER_REFUSAL) return false
    const breaks = (this.#known.get(key)?.breaks ?? 0) + 1
    this.#known.delete(key)
    for (const [oldest] of this.#known) {
      if (this.#known.size < MOST) break
      this.#known.delete(oldest)
    }
    this.#known.set(key, { breaks, until: now + MEMORY })
    return true
  }

  /** nothing was refused like that */
  get isEmpty(): boolean {
    return this.#known.size === 0
  }

  /** Whether it is not to be sent. Cheap where nothing was refused like that. */
  isBarred(asked: Asked<M>, now: number): boolean {
    if (this.#known.size === 0) return false
    const known = this.#known.get(this.#keyOf(asked))
    if (known === undefined || known.breaks < BREAKS) return false
    if (known.until > now) return true
    this.#known.delete(this.#keyOf(asked))
    return false
  }

  #keyOf({ kind, member, topic, retain }: Asked<M>): string {
    if (kind === 'subscribe' || member === undefined) return `${kind} ${topic}`
    return `${retain ? 'retain' : 'publish'} ${this.#nameOf(member)} ${topic}`
  }
}
