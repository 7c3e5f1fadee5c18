// The LMDB environment: opening, and writing a group as one transaction.

import { statSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { open } from 'lmdb'
import type { Group } from '../changes.ts'
import { changedParts } from '../lasting.ts'
import { type Key, recordOf } from '../records.ts'
import { ASIDE, type AsideRecord } from './asides.ts'
import { type MachineClock, StoreClock } from './store-clock.ts'
import { type Database, encoderOf, openValue, sealValue } from './values.ts'

/** What the store says of itself, under a key that no session has. */
export const ABOUT = 'about'

const DISK_FULL = new Set<unknown>([28, 122]) // ENOSPC, EDQUOT
const SCARCE = 65_536

/** Opens the folder. Throws what LMDB throws. */
export function openDatabase(folder: string): Database {
  return open({
    path: folder,
    noSubdir: false,
    // A commit is complete when it is on the disk, pages before the meta page, so that a power loss leaves all or nothing.
    overlappingSync: false,
    // Otherwise lmdb makes a second promise of its own per group, whose rejection nobody could catch.
    eventTurnBatching: false,
    maxDbs: 1,
  })
}

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

interface Records {
  readonly records: readonly (readonly [[number, Key], object | undefined])[]
  /** all of them are on the disk */
  confirm(): void
}

/** What a group writes, with the state of this moment. */
function recordsOf(group: Group, toStored: (monotonic: number) => number): Records {
  const records: [[number, Key], object | undefined][] = []
  const confirmed: (() => void)[] = []
  for (const { entry, values } of group) {
    for (const [key, value] of values) {
      if (key === 'lasting' && value !== undefined && 'subscriptions' in value) {
        const parts = changedParts(value, entry.parts)
        for (const [part, record] of parts.records) records.push([[entry.number, part], record])
        confirmed.push(parts.confirm)
      } else records.push([[entry.number, key], value && recordOf(value, toStored)])
    }
  }
  return {
    records,
    confirm() {
      for (const step of confirmed) step()
    },
  }
}

export class Environment {
  readonly #folder: string
  readonly #file: string
  readonly #identity: string | undefined
  readonly #clock: StoreClock
  #database: Database | undefined

  constructor(folder: string, database: Database, clock: StoreClock) {
    this.#folder = folder
    this.#file = join(folder, 'data.mdb')
    this.#identity = identityOf(this.#file)
    this.#database = database
    this.#clock = clock
  }

  /**
   * Whether the file that was opened is still where it was. What is written to one that was deleted is lost with the process.
   */
  get isPresent(): boolean {
    return identityOf(this.#file) === this.#identity
  }

  /** Why nothing can be written if it is not. */
  get absence(): Error {
    return new Error(
      `the store in ${this.#folder} was deleted, moved or replaced: put it back, or start the gateway again without its sessions`,
    )
  }

  /**
   * Writes a group and records beside sessions as one transaction, with the present state of what is in it. Resolves when it is on the disk.
   * @throws Error that says for people why it could not be written; then nothing of it was
   */
  async write(group: Group, asides: readonly AsideRecord[] = []): Promise<void> {
    try {
      if (!this.isPresent) throw this.absence // to open it would make another one
      this.#database ??= openDatabase(this.#folder)
      const database = this.#database
      const encoder = encoderOf(database)
      const { records, confirm } = recordsOf(group, this.#clock.toStored)
      const note = noteOf(database, this.#clock)
      const beside = asides.map(([name, record]): (typeof records)[number] => [
        [ASIDE, `aside ${name}`],
        record(),
      ])
      const all = [...beside, ...records]
      await database.batch(() => {
        note.put()
        for (const [key, record] of all) {
          if (record === undefined) void database.remove(key)
          else void database.put(key, sealValue(encoder, key, record))
        }
      })
      if (!this.isPresent) throw this.absence
      note.confirm()
      confirm()
      database.resetReadTxn() // what is read from now on is what was written
    } catch (error) {
      // LMDB refuses all further writes after some failures, and does not say which.
      await this.abandon().catch(() => {})
      if (!this.isPresent) throw this.absence
      throw new Error(await this.#explain(await causeOf(error)))
    }
  }

  /**
   * The record under a key; undefined if there is none.
   * @throws TypeError if it is damaged, or what LMDB throws
   */
  read(key: [number, Key]): unknown {
    if (this.#database === undefined && !this.isPresent) throw this.absence
    this.#database ??= openDatabase(this.#folder)
    const value = this.#database.get(key)
    return value === undefined ? undefined : openValue(encoderOf(this.#database), key, value)
  }

  /** Notes the time of the end, where that is possible, and closes. */
  async close(): Promise<void> {
    const database = this.#database
    this.#clock.expire()
    if (database !== undefined && this.isPresent) await writeClock(database, this.#clock)
    await this.abandon()
  }

  /** Closes, and writes nothing. */
  async abandon(): Promise<void> {
    const database = this.#database
    this.#database = undefined
    await database?.close()
  }

  async #explain(cause: unknown): Promise<string> {
    const text = cause instanceof Error ? cause.message : String(cause)
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
    // LMDB reports an input/output error when the disk takes only a part of a write.
    const free = await statfs(this.#folder).then(
      ({ bavail, bsize }) => bavail * bsize,
      () => Number.POSITIVE_INFINITY,
    )
    return DISK_FULL.has(code) || free < SCARCE
      ? `the disk of ${this.#folder} is full: free some space`
      : `cannot write to ${this.#folder}: ${text}`
  }
}
