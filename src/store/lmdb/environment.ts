// The LMDB environment: opening, and writing a group as one transaction.

import { statfs } from 'node:fs/promises'
import { open, type RootDatabase } from 'lmdb'
import { toWallNow } from '../../clock.ts'
import type { Group } from '../changes.ts'
import { type Key, recordOf } from '../records.ts'

export type Database = RootDatabase<unknown, string | [number, Key]>

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

export class Environment {
  readonly #folder: string
  #database: Database | undefined

  constructor(folder: string, database: Database) {
    this.#folder = folder
    this.#database = database
  }

  /**
   * Writes a group as one transaction, with the present state of what is in it. Resolves when it is on the disk.
   * @throws Error that says for people why it could not be written; then nothing of it was
   */
  async write(group: Group): Promise<void> {
    try {
      this.#database ??= openDatabase(this.#folder)
      const database = this.#database
      const toWall = toWallNow()
      const records = group.flatMap(({ entry, values }) =>
        [...values].map(([key, value]): [[number, Key], object | undefined] => [
          [entry.number, key],
          value && recordOf(key, value, toWall),
        ]),
      )
      await database.batch(() => {
        for (const [key, record] of records) {
          if (record === undefined) void database.remove(key)
          else void database.put(key, record)
        }
      })
    } catch (error) {
      // LMDB refuses all further writes after some failures, and does not say which.
      await this.close().catch(() => {})
      throw new Error(await this.#explain(await causeOf(error)))
    }
  }

  async close(): Promise<void> {
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
