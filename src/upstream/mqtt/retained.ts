// Drops the retained messages that an MQTT 3.1.1 broker sends again for a repeated subscription [SN-MAP-3].

import { matches } from '../../mqtt-topics.ts'

/** How long after SUBACK retained messages are still taken for such, in milliseconds. */
const AFTERGLOW = 1000

/** The filters whose retained messages are dropped. MQTT 3.1.1 marks only those as retained that a SUBSCRIBE provoked. */
export class UnwantedRetained {
  readonly #now: () => number
  /** filter, and until when; Infinity before SUBACK */
  #filters: Map<string, number> | undefined

  constructor(now: () => number) {
    this.#now = now
  }

  /** A SUBSCRIBE is sent. */
  subscribing(filter: string, replay: boolean): void {
    if (replay) this.#filters?.delete(filter)
    else {
      this.#filters ??= new Map()
      this.#filters.set(filter, Number.POSITIVE_INFINITY)
    }
  }

  /** Its SUBACK came. */
  subscribed(filter: string): void {
    if (this.#filters?.has(filter)) this.#filters.set(filter, this.#now() + AFTERGLOW)
  }

  /** Whether a retained message of this topic is to be dropped. */
  has(topic: string): boolean {
    if (this.#filters === undefined) return false
    let unwanted = false
    for (const [filter, until] of this.#filters) {
      if (until <= this.#now()) this.#filters.delete(filter)
      else unwanted ||= matches(filter, topic)
    }
    return unwanted
  }
}
