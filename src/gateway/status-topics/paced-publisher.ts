// Retained messages of the gateway's own, some at a time: a broker that is slow, or away, gets each topic's newest later.

/** What is to be said in one topic. */
export interface PacedMessage {
  /** made when it is its turn, so that it holds what is true then */
  make(): Uint8Array
  /** it was published */
  done?(): void
}

/** Publishes; false if that cannot be done now. */
type Publish = (topic: string, payload: Uint8Array) => boolean

/** Holds one entry per topic, however often something is said in it. */
export class PacedPublisher {
  readonly #publish: Publish
  /** what others wait for, and what has time */
  readonly #urgent = new Map<string, PacedMessage>()
  readonly #routine = new Map<string, PacedMessage>()
  readonly #perSecond: number
  #allowance: number
  #at: number

  /** `perSecond`: messages, of which as many may follow each other at once; `now`: milliseconds that never go back. */
  constructor(publish: Publish, perSecond: number, now: number) {
    this.#publish = publish
    this.#perSecond = perSecond
    this.#allowance = perSecond
    this.#at = now
  }

  /** topics whose message has not been published */
  get waiting(): number {
    return this.#urgent.size + this.#routine.size
  }

  /** Puts a message in the place of the one that waits for this topic, if there is one. */
  put(topic: string, message: PacedMessage, how: 'urgent' | 'routine'): void {
    if (how === 'urgent') {
      this.#routine.delete(topic)
      this.#urgent.set(topic, message)
    } else if (this.#urgent.has(topic)) this.#urgent.set(topic, message)
    else this.#routine.set(topic, message)
  }

  /** Whether something is to be said in this topic. */
  has(topic: string): boolean {
    return this.#urgent.has(topic) || this.#routine.has(topic)
  }

  /** Takes it back; false if nothing waits. */
  drop(topic: string): boolean {
    return this.#urgent.delete(topic) || this.#routine.delete(topic)
  }

  /** Publishes what may be published now. */
  send(now: number): void {
    const most = this.#perSecond
    this.#allowance = Math.min(most, this.#allowance + ((now - this.#at) * most) / 1000)
    this.#at = now
    for (const waiting of [this.#urgent, this.#routine]) {
      for (const [topic, message] of waiting) {
        if (this.#allowance < 1 || !this.#publish(topic, message.make())) return
        waiting.delete(topic)
        this.#allowance -= 1
        message.done?.()
      }
    }
  }
}
