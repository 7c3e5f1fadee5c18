// How a value lies in LMDB: behind a checksum of it and of its key, so that a flipped bit is noticed. Values of the first edition
// are plain records, and are read as they are.

import { crc32 } from 'node:zlib'
import { asBinary, type Binary, type RootDatabase } from 'lmdb'
import type { Key } from '../records.ts'

/** Values by the number of their session, and their key in it. */
export type Database = RootDatabase<unknown, string | [number, Key]>

/** What turns records into octets and back. */
export interface ValueEncoder {
  encode(record: object): Uint8Array
  decode(octets: Uint8Array): unknown
}

/** The encoder of a database; lmdb does not declare it. */
export const encoderOf = (database: Database): ValueEncoder =>
  (database as Database & { readonly encoder: ValueEncoder }).encoder

// MessagePack of [checksum, octets], whatever the checksum and the length
const HEADER = 11

const checksumOf = ([session, key]: readonly [number, Key], octets: Uint8Array): number =>
  crc32(octets, crc32(`${session} ${key}`))

/** The value to be put under this key. */
export function sealValue(encoder: ValueEncoder, key: readonly [number, Key], record: object): Binary {
  const octets = encoder.encode(record)
  const value = Buffer.allocUnsafe(HEADER + octets.length)
  value.set(octets, HEADER)
  value[0] = 0x92
  value[1] = 0xce
  value.writeUInt32BE(checksumOf(key, octets), 2)
  value[6] = 0xc6
  value.writeUInt32BE(octets.length, 7)
  return asBinary(value)
}

/**
 * The record in a value that was read.
 * @throws TypeError if it is not what was written
 */
export function openValue(encoder: ValueEncoder, key: readonly [number, Key], value: unknown): unknown {
  if (!Array.isArray(value)) return value
  const [checksum, octets] = value
  if (!(octets instanceof Uint8Array) || checksum !== checksumOf(key, octets)) {
    throw new TypeError('a value is not what was written: its checksum differs')
  }
  return encoder.decode(octets)
}
