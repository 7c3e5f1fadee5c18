// Connections that end: the gateway sends DISCONNECT and waits until the broker closes the socket; the same client may send
// another CONNECT only after that [SN-MAP-14].

import type { Duplex } from 'node:stream'
import { isConnecting } from './opening.ts'

/** How long the broker may take to close the connection after our DISCONNECT, in milliseconds. */
const FAREWELL = 1000

/** The connections that are being ended, by client id. */
export class Endings {
  readonly #streams = new Set<Duplex>()
  readonly #ending = new Map<string, number>()
  readonly #waiting = new Map<string, Set<() => void>>()
  #onEmpty: (() => void) | undefined

  /** Writes `last` and closes the stream; discards what the broker still sends. */
  end(clientId: string, stream: Duplex, last: Uint8Array): void {
    if (stream.destroyed) return
    this.#streams.add(stream)
    this.#ending.set(clientId, (this.#ending.get(clientId) ?? 0) + 1)
    const deadline = setTimeout(() => stream.destroy(), FAREWELL)
    const closed = (): void => {
      clearTimeout(deadline)
      this.#streams.delete(stream)
      this.#proceed(clientId)
      if (this.#streams.size === 0) this.#onEmpty?.()
    }
    stream.once('close', closed)
    // CONNECT has not been sent yet, so that the broker needs no DISCONNECT.
    if (isConnecting(stream)) stream.destroy()
    else if (last.length === 0) stream.end()
    else stream.end(last)
  }

  /**
   * Calls `proceed` when no connection of this client is ending; at once if there is none.
   * @returns what stops the waiting; undefined if there was nothing to wait for
   */
  whenFree(clientId: string, proceed: () => void): (() => void) | undefined {
    if (!this.#ending.has(clientId)) {
      proceed()
      return undefined
    }
    const waiting = this.#waiting.get(clientId) ?? new Set()
    this.#waiting.set(clientId, waiting.add(proceed))
    return () => {
      waiting.delete(proceed)
    }
  }

  /** Resolves when all have ended; those that have not within `deadline` milliseconds are cut. */
  async close(deadline: number): Promise<void> {
    if (this.#streams.size === 0) return
    const timer = setTimeout(() => {
      for (const stream of this.#streams) stream.destroy()
    }, deadline)
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve
    })
    clearTimeout(timer)
  }

  #proceed(clientId: string): void {
    const left = (this.#ending.get(clientId) ?? 1) - 1
    if (left > 0) {
      this.#ending.set(clientId, left)
      return
    }
    this.#ending.delete(clientId)
    const waiting = this.#waiting.get(clientId)
    if (waiting === undefined) return
    this.#waiting.delete(clientId)
    for (const proceed of waiting) proceed()
  }
}
