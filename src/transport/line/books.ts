// What a line tells of itself: octets, frames, errors, and the last that was no message.

import type { LinkError, LinkStats } from '../transport.ts'

/** Octets of noise that are kept. */
const NOISE = 200

/** Counts of one line. */
export class LineBooks {
  isUp = false
  readonly octets = { received: 0, sent: 0 }
  readonly frames = { received: 0, sent: 0 }
  readonly errors: Record<LinkError, number> = {
    noise: 0,
    checksum: 0,
    oversized: 0,
    full: 0,
    away: 0,
    stuck: 0,
  }
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

  /** A copy, with how many messages wait. */
  stats(queue: number): LinkStats {
    return {
      up: this.isUp,
      octets: { ...this.octets },
      frames: { ...this.frames },
      errors: { ...this.errors },
      queue,
      noise: this.#noise,
    }
  }
}
