// The messages of a conversation in their order: what was remembered first, then what comes live; paused on demand. Pure.

import type { BrokerStep } from '../../contract/live.ts'
import type { RecentEntry } from '../../contract/sensors.ts'
import type { PacketEvent } from '../data/live.ts'

/** One message of a conversation: a datagram, what is remembered of one, or what passes to and from the broker. */
export type Message = (PacketEvent | RecentEntry | BrokerStep) & { readonly key: number }
type Live = PacketEvent | BrokerStep

/** Messages that are kept. */
const MOST = 500
/** The two clocks of the gateway may differ by a few milliseconds. */
const TOLERANCE = 5

type Step = BrokerStep & { readonly key: number }

/** What passed to or from the broker, which is not remembered. */
export const isStep = (message: Message): message is Step =>
  message.direction === 'toBroker' || message.direction === 'fromBroker'

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

  add(live: Live): void {
    const message = this.#keyed(live)
    const place = this.isPaused ? this.held : this.#waiting
    place.push(message)
    if (place.length > MOST) place.shift()
    if (!this.#awaitsPast) this.#schedule()
  }

  #keyed<T extends Live | RecentEntry>(entry: T): T & { key: number } {
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
    const from = (this.messages.filter((message) => !isStep(message)).at(-1)?.at ?? 0) + TOLERANCE
    const to = (this.#waiting.find((message) => !isStep(message))?.at ?? Number.POSITIVE_INFINITY) - TOLERANCE
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
