// Where sessions live beyond the process: the contract that memory and every durable store fulfil.

import type { QueuedMessage } from '../session/events.ts'
import type { Session } from '../session/session.ts'

/** A session as it comes out of the store, with its queued messages in order of `id`. */
export interface StoredSession {
  readonly session: Session
  readonly messages: readonly QueuedMessage[]
}

/**
 * Keeps sessions and their queued messages. Writes may be grouped: they take effect in order, and `flushed` tells when
 * all that was written before is safe.
 */
export interface Store {
  /** Everything stored, once, at the start. */
  load(): Promise<StoredSession[]>
  save(session: Session): void
  forget(clientId: string): void
  keepMessage(clientId: string, message: QueuedMessage): void
  dropMessage(clientId: string, id: number): void
  /** true: nothing is waiting, all written is durable; then `flushed` need not be asked */
  readonly durable: boolean
  /** Resolves when everything written so far is durable; rejects when it cannot be. */
  flushed(): Promise<void>
  close(): Promise<void>
}
