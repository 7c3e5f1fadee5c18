// What a session remembers of a broker that closes the connection instead of answering: see suspicion.ts. Pure data.

import { SparseSet } from '../sparse.ts'

/** Since a break, until everything that was under way then is settled: requests are sent one at a time. */
export interface Suspicion {
  /** requests with a smaller token were there at the break */
  readonly until: number
  /** QoS 0 publishes, which nobody answers, are sent one at a time until then, monotonic milliseconds */
  readonly watchUntil: number
}

/** The last QoS 0 publish that nothing was answered after. */
export interface Unanswered {
  topic: string
  retain: boolean
  length: number
  at: number
  /** another topic was published to a moment before */
  isMixed: boolean
}

/** What the broker hung up at, remembered for a while, so that the next of its kind is refused without another break. */
export interface Blame {
  readonly kind: 'publish' | 'subscribe'
  readonly topic: string
  readonly retain: boolean
  /** QoS and octets from which on it is refused: it may have been the size, or the QoS, not the topic */
  readonly qos: number
  readonly length: number
  readonly until: number
}

export interface HangUps {
  /** when something was last sent that the broker may hang up at */
  sentAt: number
  /** when the broker last refused something */
  refusedAt: number
  /** the last QoS 0 publish that nothing was answered after */
  unanswered: Unanswered | undefined
  /** since a break: requests are sent one at a time, to find out what the broker hangs up at */
  suspicion: Suspicion | undefined
  /** what was alone under way at the last break, and at how many in a row */
  lastAlone: { readonly key: string; readonly at: number; readonly breaks: number } | undefined
  /** when it last broke with a QoS 0 publish under way */
  qos0BreakAt: number
  /** what the broker hung up at lately */
  blamed: readonly Blame[]
  /** tokens of what the broker of this connection leaves without an answer, and without hanging up: nothing waits for it */
  readonly silent: SparseSet<number>
}

const never = Number.NEGATIVE_INFINITY

/** Nothing has happened. */
export const noHangUps = (): HangUps => ({
  sentAt: never,
  refusedAt: never,
  unanswered: undefined,
  suspicion: undefined,
  lastAlone: undefined,
  qos0BreakAt: never,
  blamed: [],
  silent: new SparseSet(),
})
