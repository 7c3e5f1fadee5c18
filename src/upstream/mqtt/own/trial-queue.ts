// Messages of QoS -1 to topics that the broker has not taken yet: who may try next, and who makes room.

import type { Anonymous } from './waiting-messages.ts'

/** Messages that may wait. */
const MOST = 256
/** Sources whose messages have ended connections, that are remembered. */
const MOST_SOURCES = 1000

/** In order, but those come first whose source has ended the fewest connections lately. */
export class TrialQueue {
  #messages: Anonymous[] = []
  readonly #guilt = new Map<string, number>()

  /** Returns a message that had to make room: the last one of the source that has most of them. */
  add(message: Anonymous): Anonymous | undefined {
    this.#messages.push(message)
    if (this.#messages.length <= MOST) return undefined
    const counts = new Map<string, number>()
    let worst = ''
    for (const { source } of this.#messages) {
      counts.set(source, (counts.get(source) ?? 0) + 1)
      if ((counts.get(source) ?? 0) > (counts.get(worst) ?? 0)) worst = source
    }
    const index = this.#messages.findLastIndex(({ source }) => source === worst)
    return this.#messages.splice(index, 1)[0]
  }

  /** whether none waits */
  get isEmpty(): boolean {
    return this.#messages.length === 0
  }

  /** Whether a message to this key waits, which later ones must not overtake. */
  has(key: string): boolean {
    return this.#messages.some((message) => message.key === key)
  }

  /** Takes the next one out. */
  next(): Anonymous | undefined {
    if (this.#guilt.size === 0) return this.#messages.shift()
    let best = 0
    let least = Number.POSITIVE_INFINITY
    for (const [i, { source }] of this.#messages.entries()) {
      const guilt = this.#guilt.get(source) ?? 0
      if (guilt >= least) continue
      best = i
      least = guilt
    }
    return this.#messages.splice(best, 1)[0]
  }

  /** Takes all of these out, in order. */
  takeWhere(fits: (message: Anonymous) => boolean): Anonymous[] {
    const taken = this.#messages.filter(fits)
    if (taken.length > 0) this.#messages = this.#messages.filter((message) => !fits(message))
    return taken
  }

  /** A message of this source was alone under way when the connection ended. */
  blame(source: string): void {
    const guilt = (this.#guilt.get(source) ?? 0) + 1
    this.#guilt.delete(source)
    this.#guilt.set(source, guilt)
    if (this.#guilt.size <= MOST_SOURCES) return
    for (const oldest of this.#guilt.keys()) {
      this.#guilt.delete(oldest)
      break
    }
  }

  /** The broker has taken a message of this source. */
  forgive(source: string): void {
    if (this.#guilt.size > 0) this.#guilt.delete(source)
  }
}
