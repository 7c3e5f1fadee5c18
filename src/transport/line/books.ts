// What a line tells of itself: octets, frames, errors, and the last that was no message.

import type { Dialogue } from '../dialogue/dialogue.ts'
import type { LinkError, LinkStats, Signal } from '../transport.ts'

/** Octets of noise that are kept. */
const NOISE = 200
/** Unreachable peers that are named. */
const NAMED = 10

/** Counts of one line. */
export class LineBooks {
  isUp = false
  readonly octets = { received: 0, sent: 0 }
  readonly frames = { received: 0, sent: 0 }
  readonly errors: Record<LinkError, number> = {
    noise: 0,
    checksum: 0,
    oversized: 0,
    'unknown-frame': 0,
    broadcast: 0,
    undelivered: 0,
    unconfirmed: 0,
    full: 0,
    away: 0,
    stuck: 0,
  }
  /** of the last message */
  signal: Signal | undefined
  #noise = ''

  /** Counts a message that could not go out or octets that were no message. */
  count(reason: LinkError, times = 1): void {
    this.errors[reason] += times
  }

  /** Keeps what a person would want to see: what a node prints between its messages, such as while it starts. */
  keepNoise(octets: Uint8Array): void {
    const text = Array.from(octets, (octet) =>
      (octet >= 0x20 && octet < 0x7f) || octet === 0x0a ? String.fromCharCode(octet) : '.',
    ).join('')
    this.#noise = `${this.#noise}${text}`.slice(-NOISE)
  }

  /** A copy, with how many messages wait, and what the dialogue tells. */
  stats(queue: number, { unconfirmed, unreachable }: Dialogue): LinkStats {
    return {
      up: this.isUp,
      octets: { ...this.octets },
      frames: { ...this.frames },
      errors: { ...this.errors },
      queue,
      noise: this.#noise,
      unconfirmed,
      signal: this.signal,
      unreachable: { count: unreachable.length, some: unreachable.slice(0, NAMED) },
    }
  }
}
