// The messages of a conversation in their order: what was remembered first, then what comes live; paused on demand. Pure.

import type { RecentEntry } from '../../contract/sensors.ts'
import type { PacketEvent } from '../data/live.ts'

/** One message of a conversation: a datagram, or what is remembered of one. */
export type Message = (PacketEvent | RecentEntry) & { readonly key: number }

/** Messages that are kept. */
const MOST = 500
/** The two clocks of the gateway may differ by a few milliseconds. */
const TOLERANCE = 5

export class Transcript {
  messages: readonly Message[] = []
  isPaused = false
  /** came while paused */
  held: Message[] = []
  #waiting: Message[] = []
  #keys = 0
  /** the messages before the first live one are still to come: what arrives meanwhile is kept back */
  #awaitsPast = false
  readonly #schedule: () => void

  /** `schedule` is called when there is something that `take` would take. */
  constructor(schedule: () => void) {
    this.#schedule = schedule
  }

  add(packet: PacketEvent): void {
    const message = this.#keyed(packet)
    if (this.isPaused) {
      this.held.push(message)
      if (this.held.length > MOST) this.held.shift()
    } else {
      this.#waiting.push(message)
      if (this.#waiting.length > MOST) this.#waiting.shift()
    }
    if (!this.#awaitsPast) this.#schedule()
  }

  #keyed<T extends PacketEvent | RecentEntry>(entry: T): T & { key: number } {
    this.#keys += 1
    return { ...entry, key: this.#keys }
  }

  /** The stream has begun, perhaps anew: what was said before it comes with `past`, and has to stand first. */
  awaitPast(): void {
    this.#awaitsPast = true
  }

  /** The messages before the stream began. */
  past(recent: readonly RecentEntry[]): void {
    this.#awaitsPast = false
    const from = (this.messages.at(-1)?.at ?? 0) + TOLERANCE
    const to = (this.#waiting[0]?.at ?? Number.POSITIVE_INFINITY) - TOLERANCE
    const missing = recent.filter(({ at }) => at > from && at < to).map((entry) => this.#keyed(entry))
    this.messages = [...this.messages, ...missing].slice(-MOST)
    this.#schedule()
  }

  /** Makes what has come a part of the conversation; gives back how much that was. */
  take(): number {
    if (this.#awaitsPast) return 0
    const batch = this.#waiting.splice(0)
    if (batch.length > 0) this.messages = [...this.messages, ...batch].slice(-MOST)
    return batch.length
  }

  pause(isPaused: boolean): void {
    this.isPaused = isPaused
    if (!isPaused) this.#waiting.push(...this.held.splice(0))
    this.#schedule()
  }

  clear(): void {
    this.messages = []
    this.#schedule()
  }
}
