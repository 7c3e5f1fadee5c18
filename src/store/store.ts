// The contract of a store, which keeps sessions beyond the process: in memory, or on disk.

import type { QueuedMessage, StoredUplink, Uplink } from '../session/message.ts'
import type { SessionRecord } from '../session/record.ts'
import type { Session } from '../session/session.ts'
import type { SlotAside } from './asides.ts'

/**
 * A session as it comes out of the store, with its messages in order of `id` and its publishes in order of `token`. Publishes that
 * only wait for the broker, or for a person, stay in the store, which may be larger than memory: of them there is what names them.
 */
export interface StoredSession {
  readonly record: SessionRecord
  readonly messages: readonly QueuedMessage[]
  readonly uplinks: readonly StoredUplink[]
}

/** A store that cannot be used as it is; the message says why and what to do, for people. */
export class StoreError extends Error {}

/**
 * The store takes nothing from this writer any more: another one has taken its place. What was not written by then is not the truth,
 * and what this one keeps in memory is of no use.
 */
export class Deposed extends Error {}

/** The slot of a ClientId: the same in all processes and threads that share a store. */
export type SlotOf = (clientId: string) => number

/** Some of the slots. */
export type Slots = ReadonlySet<number>

/** How the times of stored records are to be read. */
export interface StoreTime {
  /** as of `performance.now` */
  toMonotonic(stored: number): number
  /**
   * Before this monotonic time some passed of which nobody knows how long it was. A sensor that was connected then may have
   * spoken ever since.
   */
  readonly knownSince: number
}

/**
 * Keeps sessions with their queued messages and their publishes under way. Writes are grouped: they take effect in order,
 * all or none of a group, and what is read when a group is written is the state of that moment. Times are monotonic
 * milliseconds (`performance.now`) on this side; those in a `SessionRecord` are read by `time`.
 */
export interface Store {
  /**
   * What is stored of sessions in these slots, or of all, piece by piece, so that no turn takes long; each session is given once,
   * until its slot is released. Throws StoreError.
   */
  load(slots?: Slots): AsyncIterable<readonly StoredSession[]>
  /**
   * Writes what is pending, and forgets what is known of sessions in these slots, about which nothing may be written meanwhile; another
   * writer may load them then. Rejects, with nothing forgotten, if it cannot be written.
   */
  release(slots: Slots): Promise<void>
  /** Calls back once, if ever, when this writer is deposed; never from within this call. */
  onDeposed(told: (why: Deposed) => void): void
  /** how the times of what was loaded are to be read */
  readonly time: StoreTime
  save(session: Session): void
  saveProgress(session: Session): void
  /** also deletes its messages and publishes */
  forget(clientId: string): void
  keepMessage(clientId: string, message: QueuedMessage): void
  dropMessage(clientId: string, id: number): void
  keepUplink(clientId: string, uplink: Uplink): void
  dropUplink(clientId: string, token: number): void
  /**
   * A publish that is kept, with its payload; `gone`: it is not there, or damaged, which is logged; `later`: it cannot be read
   * at the moment; `soon`: it is on its way, to be asked for again in some milliseconds
   */
  readUplink(clientId: string, token: number): Uplink | 'gone' | 'later' | 'soon'
  /** eight hexadecimal digits that tell this installation from all others at a broker, of a store that keeps them */
  readonly installation?: string | undefined
  /** Records beside sessions that were there at the start, by their names. */
  readonly asides: ReadonlyMap<string, unknown>
  /**
   * What is stored of records that belong to these slots: they are not among `asides`, and whoever serves a slot keeps them. Throws
   * StoreError.
   */
  loadAsides(slots: Slots): Promise<readonly SlotAside[]>
  /** The name under which such a record is kept. */
  nameInSlot(slot: number, name: string): string
  /**
   * Keeps such a record; `record` is asked when it is written, and undefined deletes. `lazy`: it is written with the next group
   * that there is, before what is kept after it, or within a second.
   */
  keepAside(name: string, record: () => object | undefined, lazy?: boolean): void
  /** grows with every write */
  readonly written: number
  /** all writes up to this one are durable; `written` for a store that has nothing to wait for */
  readonly durable: number
  /**
   * Calls back when everything written so far is durable, with the error if that write failed; what failed is written again
   * with the next group, so that nothing is lost in memory. Never calls from within this call.
   */
  onDurable(done: (error?: Error) => void): void
  /**
   * It fails with a server that comes back in seconds, often without this process: what a sensor is told meanwhile must be true for
   * whoever goes on with its session. A disk stays full for hours, and nobody may be silent for so long.
   */
  readonly isShared: boolean
  /** it has not been able to write for longer than a moment: whoever wants something written should be refused */
  readonly isFailing: boolean
  /** whether the last group could be written, and how long it took */
  readonly health: StoreHealth
  /** Writes what is pending, and lets go of all. */
  close(): Promise<void>
}

export interface StoreHealth {
  /** why the last write failed; undefined: all is well */
  readonly error: string | undefined
  /** groups written, and the seconds they took in all */
  readonly groups: number
  readonly seconds: number
  /** octets on disk; 0 for memory, and where nobody tells */
  readonly octets: number
  /** the database server; undefined for a store that has none */
  readonly engine?: EngineHealth | undefined
}

/** How the database server stands that a store is in. */
export interface EngineHealth {
  /** where it is, `host:port` */
  readonly host: string
  /** there is a connection, on which it answers */
  readonly up: boolean
  /** whether what it acknowledges outlives the loss of its machine; undefined as long as that is not known */
  readonly replicated: boolean | undefined
  /** what is wrong with its settings, for people */
  readonly warnings: readonly string[]
}
