// The LMDB database: opening it, and how keys and values lie in it.

import { asBinary, type Binary, open, type RootDatabase } from 'lmdb'
import type { Key } from '../records.ts'
import { openValue, sealValue, type ValueEncoder } from '../values.ts'

/** What the store says of itself, under a key that no session has. */
export const ABOUT = 'about'

/** Session number of the keys that records beside sessions have: no session has it. */
export const ASIDE = 0

/** Values by the number of their session, and their key in it. */
export type Database = RootDatabase<unknown, string | [number, Key]>

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

/** The encoder of a database; lmdb does not declare it. */
export const encoderOf = (database: Database): ValueEncoder =>
  (database as Database & { readonly encoder: ValueEncoder }).encoder

const nameOf = ([session, key]: readonly [number, Key]): string => `${session} ${key}`

/** The value to be put under this key. */
export const binaryOf = (encoder: ValueEncoder, key: readonly [number, Key], record: object): Binary =>
  asBinary(sealValue(encoder, nameOf(key), record))

/**
 * The record in a value that was read.
 * @throws TypeError if it is not what was written
 */
export const recordIn = (encoder: ValueEncoder, key: readonly [number, Key], value: unknown): unknown =>
  openValue(encoder, nameOf(key), value)
