// Messages that nobody repeats, for nodes of a link that is full: they wait for it, within bounds.

import type { NodeRemote } from './effects.ts'

interface Held {
  readonly bytes: Uint8Array
  readonly remote: NodeRemote
}

/** What may wait for one link. */
const MESSAGES = 256
const OCTETS = 65_536

export class HeldMessages {
  #waiting: Held[] = []
  #octets = 0

  get length(): number {
    return this.#waiting.length
  }

  /** False: there is no room for it. */
  add(bytes: Uint8Array, remote: NodeRemote): boolean {
    if (this.#waiting.length >= MESSAGES || this.#octets + bytes.length > OCTETS) return false
    this.#waiting.push({ bytes, remote })
    this.#octets += bytes.length
    return true
  }

  /** The oldest, so many at most. */
  take(count: number): readonly Held[] {
    const taken = this.#waiting.splice(0, count)
    for (const { bytes } of taken) this.#octets -= bytes.length
    return taken
  }
}
