// How fast messages go onto a line, and what waits for it: octets per second, answers first, a bound on what waits. Pure.

import { MsgType } from '../../codec/v1/messages.ts'

/** Limits of a line. */
export interface PaceLimits {
  /** undefined: as fast as the system takes it */
  readonly octetsPerSecond: number | undefined
  /** messages and octets that may wait */
  readonly messages: number
  readonly octets: number
}

/**
 * Sensors repeat themselves until these come, and nothing that waits changes its meaning by them. A PUBREL is none: a repetition of
 * its PUBLISH that it overtook would be a new message. Nor is a CONNACK: what was sent before it belongs to another session.
 */
const ANSWERS: ReadonlySet<number | undefined> = new Set([
  MsgType.regack, MsgType.puback, MsgType.pubrec, MsgType.pubcomp, MsgType.suback, MsgType.unsuback,
]) // biome-ignore format: one list

/** The type of a message, of what an encapsulated one carries [5.5]. */
function typeOf(message: Uint8Array): { readonly type: number | undefined; readonly flags: number } {
  let start = 0
  if (message[1] === 0xfe && message[0] !== 1) start = message[0] ?? 0
  const at = start + (message[start] === 1 ? 3 : 1)
  return { type: message[at], flags: message[at + 1] ?? 0 }
}

interface Waiting {
  readonly frame: Uint8Array
  readonly isAnswer: boolean
  /** nobody repeats it, and nobody waits for it */
  readonly isExpendable: boolean
}

/** The queue of one line. Time is an argument: monotonic milliseconds. */
export class Pace {
  readonly #limits: PaceLimits
  readonly #burst: number
  #waiting: Waiting[] = []
  #octets = 0
  #tokens: number
  #at: number | undefined

  /** `longest`: octets of the longest frame, which goes out in one piece */
  constructor(limits: PaceLimits, longest: number) {
    this.#limits = limits
    this.#burst = longest
    this.#tokens = longest
  }

  /** messages that wait */
  get length(): number {
    return this.#waiting.length
  }

  /** Messages that still find room, if answers are to have some as well. */
  get room(): number {
    const { messages, octets } = this.#limits
    return this.#octets * 2 > octets ? 0 : Math.max(0, Math.ceil(messages / 2) - this.#waiting.length)
  }

  /** Takes a message as it goes onto the line; returns how many were dropped for want of room, itself perhaps. */
  add(message: Uint8Array, frame: Uint8Array): number {
    const { type, flags } = typeOf(message)
    const isExpendable = type === MsgType.publish && (flags & 0x60) === 0
    const one = { frame, isAnswer: ANSWERS.has(type), isExpendable }
    let dropped = 0
    while (!this.#fits(frame)) {
      const victim = isExpendable ? -1 : this.#waiting.findLastIndex((other) => other.isExpendable)
      if (victim < 0) return dropped + 1
      this.#take(victim)
      dropped += 1
    }
    const place = one.isAnswer ? this.#waiting.findIndex(({ isAnswer }) => !isAnswer) : -1
    this.#waiting.splice(place < 0 ? this.#waiting.length : place, 0, one)
    this.#octets += frame.length
    return dropped
  }

  /** The next frame if it may leave now; else milliseconds until one may, undefined if nothing waits. */
  next(now: number): Uint8Array | number | undefined {
    const [head] = this.#waiting
    if (head === undefined) return undefined
    const { octetsPerSecond: rate } = this.#limits
    if (rate !== undefined) {
      this.#tokens = Math.min(this.#burst, this.#tokens + ((now - (this.#at ?? now)) * rate) / 1000)
      this.#at = now
      const missing = Math.min(head.frame.length, this.#burst) - this.#tokens
      if (missing > 0) return Math.max(1, (missing * 1000) / rate)
      this.#tokens -= head.frame.length
    }
    this.#take(0)
    return head.frame
  }

  /** Octets that went out besides, or more of a frame than it had while it waited; what was too many is made up for later. */
  spend(octets: number): void {
    if (this.#limits.octetsPerSecond !== undefined) this.#tokens -= octets
  }

  /** Forgets all that waits; returns how many messages that were. */
  clear(): number {
    const { length } = this.#waiting
    this.#waiting = []
    this.#octets = 0
    return length
  }

  #fits({ length }: Uint8Array): boolean {
    const { messages, octets } = this.#limits
    return this.#waiting.length < messages && (this.#octets + length <= octets || this.#waiting.length === 0)
  }

  #take(index: number): void {
    const [taken] = this.#waiting.splice(index, 1)
    this.#octets -= taken?.frame.length ?? 0
  }
}
