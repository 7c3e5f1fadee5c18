// The contract of what a grouped store writes to: a group at once, all or nothing of it, and reading what was written.

import type { AsideRecord, SlotAside } from './asides.ts'
import type { Group } from './changes.ts'
import type { WrittenParts } from './lasting.ts'
import type { Key } from './records.ts'
import type { EngineHealth, Slots, StoredSession, StoreTime } from './store.ts'

/** Where a record lies: of a session, under its number in its slot. */
export interface Place {
  readonly slot: number
  readonly number: number
  readonly key: Key
}

/** A session that was read, and what of it is stored. */
export interface FoundSession {
  readonly session: StoredSession
  readonly slot: number
  readonly number: number
  /** the keys that are there, without the parts of its `lasting` */
  readonly stored: Set<Key>
  readonly parts: WrittenParts
}

/** Something that records lie in, opened for one writer. */
export interface Environment {
  /**
   * Writes a group and records beside sessions at once, with the present state of what is in them. Resolves when all of it is durable.
   * @throws Error that says for people why it is not; then the same may be written again, whatever has become of it. Deposed: never
   * again
   */
  write(group: Group, asides: readonly AsideRecord[]): Promise<void>
  /**
   * A record; undefined if there is none, `soon` if it is being fetched.
   * @throws TypeError if it is damaged, or an Error if it cannot be read at the moment
   */
  read(place: Place): unknown
  /** there is something to write besides what the next group has */
  readonly owes?: boolean
  /** Sessions in these slots are about to be released: the next write leaves them as others load them. */
  prepareRelease?(slots: Slots): void
  /**
   * The sessions in these slots, or in all, piece by piece, so that no turn takes long.
   * @throws StoreError
   */
  load(slots: Slots | undefined): AsyncIterable<readonly FoundSession[]>
  /**
   * The records beside sessions in these slots; absent where all were read at the start.
   * @throws StoreError
   */
  loadAsides?(slots: Slots): Promise<readonly SlotAside[]>
  /** how its times are to be read */
  readonly time: StoreTime
  /** why nothing could be written now, as far as is known without a try; undefined: all is well */
  readonly absence: Error | undefined
  /** octets on disk, as far as is known */
  readonly octets: number
  /** the database server, for what has one */
  readonly engine?: EngineHealth | undefined
  /** Lets go of all. */
  close(): Promise<void>
}
