// How a value lies in a store: MessagePack behind a checksum of it and of its key, so that a flipped bit is noticed. LMDB's values of
// the first edition are plain records, and are read as they are.

import { crc32 } from 'node:zlib'

/** What turns records into octets and back. */
export interface ValueEncoder {
  encode(record: object): Uint8Array
  decode(octets: Uint8Array): unknown
}

// MessagePack of [checksum, octets], whatever the checksum and the length
const HEADER = 11
const [CHECKSUM_AT, LENGTH_AT] = [2, 7]

const checksumOf = (key: string, octets: Uint8Array): number => crc32(octets, crc32(key))

/** The value to be put under this key. */
export function sealValue(encoder: ValueEncoder, key: string, record: object): Buffer {
  const octets = encoder.encode(record)
  const value = Buffer.allocUnsafe(HEADER + octets.length)
  value.set(octets, HEADER)
  value[0] = 0x92
  value[1] = 0xce
  value.writeUInt32BE(checksumOf(key, octets), CHECKSUM_AT)
  value[6] = 0xc6
  value.writeUInt32BE(octets.length, LENGTH_AT)
  return value
}

/**
 * The record in the octets that `sealValue` made.
 * @throws TypeError if they are not what was written
 */
export function openSealed(encoder: ValueEncoder, key: string, value: Buffer): unknown {
  const isWhole =
    value.length >= HEADER &&
    value.readUInt16BE(0) === 0x92ce &&
    value[6] === 0xc6 &&
    value.readUInt32BE(LENGTH_AT) === value.length - HEADER
  if (!isWhole) throw new TypeError('a value is not what was written: it has no checksum')
  return openValue(encoder, key, [value.readUInt32BE(CHECKSUM_AT), value.subarray(HEADER)])
}

/**
 * The record in a value that was read and decoded.
 * @throws TypeError if it is not what was written
 */
export function openValue(encoder: ValueEncoder, key: string, value: unknown): unknown {
  if (!Array.isArray(value)) return value
  const [checksum, octets] = value
  if (!(octets instanceof Uint8Array) || checksum !== checksumOf(key, octets)) {
    throw new TypeError('a value is not what was written: its checksum differs')
  }
  return encoder.decode(octets)
}
