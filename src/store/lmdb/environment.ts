// The LMDB environment: opening, and writing a group as one transaction.

import { statSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { AsideRecord } from '../asides.ts'
import type { Group } from '../changes.ts'
import type { Environment, FoundSession, Place } from '../environment.ts'
import { recordsOf } from '../group-records.ts'
import type { Key } from '../records.ts'
import type { SlotOf, Slots } from '../store.ts'
import { ABOUT, ASIDE, binaryOf, type Database, encoderOf, openDatabase, recordIn } from './database.ts'
import type { Journal, OwnRecord } from './journal/journal.ts'
import { JOURNAL } from './journal/reading.ts'
import { readSessions } from './load.ts'
import { type MachineClock, StoreClock } from './store-clock.ts'

const DISK_FULL = new Set<unknown>([28, 122]) // ENOSPC, EDQUOT
const SCARCE = 65_536

/** Why LMDB could not commit: the first error it gives only says that it could not. */
async function causeOf(error: unknown): Promise<unknown> {
  if (!(error instanceof Error && 'commitError' in error)) return error
  const late = new Promise((resolve) => setTimeout(resolve, 100, error))
  return Promise.race([error.commitError, late]).catch((cause: unknown) => cause)
}

/** The time of a store, as it goes on from what is written. */
export function openClock(database: Database, machine?: MachineClock): StoreClock {
  const about: unknown = database.get(ABOUT)
  return new StoreClock(Object(about).clock, () => newestTime(database), machine)
}

/** Of a store of the first edition, which kept no clock. */
function newestTime(database: Database): number | undefined {
  let newest: number | undefined
  for (const { value } of database.getRange()) {
    const { at, heardAt, endedAt } = Object(value)
    for (const time of [at, heardAt, endedAt]) if (Number.isFinite(time)) newest = Math.max(newest ?? 0, time)
  }
  return newest
}

/** What is to be written of the clock now, if anything; `put` within a transaction. */
function noteOf(database: Database, clock: StoreClock): { put(): void; confirm(): void } {
  const record = clock.due()
  if (record === undefined) return { put() {}, confirm() {} }
  const about = Object(database.get(ABOUT))
  return {
    put: () => void database.put(ABOUT, { ...about, clock: record }),
    confirm: () => clock.confirm(record),
  }
}

/** Writes the clock by itself: at the start, and at the end. A disk that is full now has time until the next group. */
export async function writeClock(database: Database, clock: StoreClock): Promise<void> {
  const note = noteOf(database, clock)
  try {
    await database.batch(() => note.put())
    note.confirm()
  } catch {}
}

/** Which file it is, whatever its name; undefined if there is none. */
function identityOf(file: string): string | undefined {
  const stat = statSync(file, { throwIfNoEntry: false, bigint: true })
  return stat && `${stat.dev}:${stat.ino}`
}

/** What an environment in LMDB is made of. */
export interface LmdbParts {
  readonly folder: string
  readonly database: Database
  readonly clock: StoreClock
  readonly journal: Journal
  readonly slotOf: SlotOf
  /** whether a session is wanted; others stay as they are */
  readonly owns: (clientId: string) => boolean
  /** what the look through the whole store has found at the start; the first to load is given it */
  readonly found: readonly (readonly FoundSession[])[]
  /** lets go of the folder */
  readonly release: () => void
}

export class LmdbEnvironment implements Environment {
  readonly time: StoreClock
  readonly #parts: LmdbParts
  readonly #file: string
  readonly #identity: string | undefined
  #database: Database | undefined
  #found: readonly (readonly FoundSession[])[] | undefined

  constructor(parts: LmdbParts) {
    this.time = parts.clock
    this.#parts = parts
    this.#file = join(parts.folder, 'data.mdb')
    this.#identity = identityOf(this.#file)
    this.#database = parts.database
    this.#found = parts.found
  }

  /**
   * Whether the file that was opened is still where it was. What is written to one that was deleted is lost with the process.
   */
  get #isPresent(): boolean {
    return identityOf(this.#file) === this.#identity
  }

  get #absence(): Error {
    return new Error(
      `the store in ${this.#parts.folder} was deleted, moved or replaced: put it back, or start the gateway again without its sessions`,
    )
  }

  get absence(): Error | undefined {
    return this.#isPresent ? undefined : this.#absence
  }

  get octets(): number {
    return statSync(this.#file, { throwIfNoEntry: false })?.size ?? 0
  }

  async write(group: Group, asides: readonly AsideRecord[]): Promise<void> {
    try {
      const database = this.#opened() // to open it anew would make another one
      const encoder = encoderOf(database)
      const { records, confirm } = recordsOf(group, this.time.toStored)
      const note = noteOf(database, this.time)
      const beside = asides.map(([name, record]): OwnRecord => [[ASIDE, `aside ${name}`], record()])
      const { own, segment, over, ...plan } = this.#parts.journal.plan(
        records.map(([{ number }, key, record]): OwnRecord => [[number, key], record]),
      )
      const put = (key: [number, Key], record: object) =>
        void database.put(key, binaryOf(encoder, key, record))
      await database.batch(() => {
        note.put()
        for (const [key, record] of [...beside, ...own]) {
          if (record === undefined) void database.remove(key)
          else put(key, record)
        }
        for (const sequence of over) void database.remove([JOURNAL, sequence])
        if (segment !== undefined) put([JOURNAL, segment.sequence], segment.entries)
      })
      if (!this.#isPresent) throw this.#absence
      note.confirm()
      confirm()
      plan.confirm()
      database.resetReadTxn() // what is read from now on is what was written
    } catch (error) {
      // LMDB refuses all further writes after some failures, and does not say which.
      await this.#abandon().catch(() => {})
      if (!this.#isPresent) throw this.#absence
      throw new Error(await this.#explain(await causeOf(error)))
    }
  }

  read({ number, key }: Place): unknown {
    const database = this.#database ?? this.#opened()
    const value = database.get([number, key])
    return value === undefined ? undefined : recordIn(encoderOf(database), [number, key], value)
  }

  get owes(): boolean {
    return this.#parts.journal.owes
  }

  prepareRelease(): void {
    this.#parts.journal.empty()
  }

  async *load(slots: Slots | undefined): AsyncIterable<readonly FoundSession[]> {
    const { slotOf, journal } = this.#parts
    const isWanted = (clientId: string) => slots === undefined || slots.has(slotOf(clientId))
    const owns = (clientId: string) => this.#parts.owns(clientId) && isWanted(clientId)
    const pieces = this.#found ?? readSessions(this.#opened(), this.time, { owns, slotOf, journal })
    this.#found = undefined
    for await (const piece of pieces)
      yield slots === undefined ? piece : piece.filter(({ slot }) => slots.has(slot))
  }

  #opened(): Database {
    if (!this.#isPresent) throw this.#absence
    this.#database ??= openDatabase(this.#parts.folder)
    return this.#database
  }

  /** Notes the time of the end, where that is possible, and closes. */
  async close(): Promise<void> {
    const database = this.#database
    this.time.expire()
    if (database !== undefined && this.#isPresent) await writeClock(database, this.time)
    await this.#abandon()
    this.#parts.release()
  }

  /** Closes, and writes nothing. */
  async #abandon(): Promise<void> {
    const database = this.#database
    this.#database = undefined
    await database?.close()
  }

  async #explain(cause: unknown): Promise<string> {
    const text = cause instanceof Error ? cause.message : String(cause)
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
    // LMDB reports an input/output error when the disk takes only a part of a write.
    const free = await statfs(this.#parts.folder).then(
      ({ bavail, bsize }) => bavail * bsize,
      () => Number.POSITIVE_INFINITY,
    )
    return DISK_FULL.has(code) || free < SCARCE
      ? `the disk of ${this.#parts.folder} is full: free some space`
      : `cannot write to ${this.#parts.folder}: ${text}`
  }
}
