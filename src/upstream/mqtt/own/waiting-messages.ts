// Messages of QoS -1 that wait while their connection is down for a moment: few, and not for long.

import type { UpstreamDrop } from '../../upstream.ts'

/** A message of a sender without a connection. */
export interface Anonymous {
  readonly topic: string
  readonly payload: Uint8Array
  readonly retain: boolean
  /** the address it came from, '' if that is not known */
  readonly source: string
  /** topic and retain flag, either of which a broker may forbid */
  readonly key: string
  /** of topic and payload, which a broker may find too long */
  readonly size: number
  /** when it came, milliseconds of the shared clock */
  readonly at: number
}

/** What may wait: messages, octets, and for how long in milliseconds. */
const MOST = 1000
const MOST_OCTETS = 1_048_576
const LONGEST = 10_000

/** In order; the oldest ones make room. */
export class WaitingMessages {
  readonly #onDropped: (reason: UpstreamDrop, source?: string) => void
  #messages: Anonymous[] = []
  #octets = 0

  constructor(onDropped: (reason: UpstreamDrop, source?: string) => void) {
    this.#onDropped = onDropped
  }

  add(message: Anonymous): void {
    this.#messages.push(message)
    this.#octets += message.size
    while (this.#messages.length > MOST || this.#octets > MOST_OCTETS) {
      const oldest = this.#messages.shift()
      this.#octets -= oldest?.size ?? 0
      this.#onDropped('upstream-down', oldest?.source)
    }
  }

  /** Those that have not waited for too long; nothing waits any more. */
  takeAll(now: number): readonly Anonymous[] {
    const all = this.#messages
    this.#messages = []
    this.#octets = 0
    return all.filter(({ at, source }) => {
      const isFresh = isStillWanted(at, now)
      if (!isFresh) this.#onDropped('upstream-down', source)
      return isFresh
    })
  }
}

/** Whether a message that came at this time may still be published: that a button was pressed is news for some seconds only. */
export const isStillWanted = (at: number, now: number): boolean => now - at <= LONGEST
