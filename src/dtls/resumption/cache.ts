// Sessions that may be resumed by their session id: bounded, the oldest goes first.

import { hexOf } from '../octets.ts'
import type { ResumableState } from './state.ts'

export class ResumptionCache {
  readonly #entries = new Map<string, ResumableState>()
  readonly #most: number

  constructor(most: number) {
    this.#most = most
  }

  get size(): number {
    return this.#entries.size
  }

  put(sessionId: Uint8Array, state: ResumableState): void {
    this.#entries.set(hexOf(sessionId), state)
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#most) break
      this.#entries.delete(oldest)
    }
  }

  find(sessionId: Uint8Array): ResumableState | undefined {
    return sessionId.length === 0 ? undefined : this.#entries.get(hexOf(sessionId))
  }

  delete(sessionId: Uint8Array): void {
    this.#entries.delete(hexOf(sessionId))
  }
}
