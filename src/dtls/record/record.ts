// Records as octets [6347 4.1, 9146 4]: finds them in a datagram, and writes those of epoch 0.

import { NOTHING } from '../octets.ts'

export const CHANGE_CIPHER_SPEC = 20
export const ALERT = 21
export const HANDSHAKE = 22
export const APPLICATION_DATA = 23
/** a record with a connection id: its real type is inside */
export const TLS12_CID = 25

/** DTLS 1.2, and 1.0, which only HelloVerifyRequests and first hellos carry. */
export const DTLS12 = 0xfefd
export const DTLS10 = 0xfeff

export const HEADER_LENGTH = 13
/** the longest plaintext [5246 6.2] */
export const LONGEST_PLAINTEXT = 2 ** 14
/** Sequence numbers end here; numbers up to it are exact in a double. */
export const LAST_SEQUENCE = 2 ** 48 - 1

const CID_AT = 11

export interface DtlsRecord {
  readonly type: number
  readonly version: number
  readonly epoch: number
  readonly sequence: number
  /** empty for all but TLS12_CID */
  readonly cid: Uint8Array
  /** a view into the datagram */
  readonly payload: Uint8Array
  /** octets of the whole record */
  readonly size: number
}

/**
 * The record that starts at `at`, or undefined if it is cut short: then nothing behind it can be read either. Connection
 * ids have no length of their own on the wire: the receiver knows how long those are that it gave away.
 */
export function readRecord(datagram: Uint8Array, at: number, cidLength: number): DtlsRecord | undefined {
  const left = datagram.length - at
  if (left < HEADER_LENGTH) return undefined
  const type = datagram[at] ?? 0
  const cidOctets = type === TLS12_CID ? cidLength : 0
  if (left < HEADER_LENGTH + cidOctets) return undefined
  const lengthAt = at + CID_AT + cidOctets
  const length = u16At(datagram, lengthAt)
  const size = HEADER_LENGTH + cidOctets + length
  if (left < size) return undefined
  return {
    type,
    version: u16At(datagram, at + 1),
    epoch: u16At(datagram, at + 3),
    sequence: u16At(datagram, at + 5) * 2 ** 32 + u16At(datagram, at + 7) * 2 ** 16 + u16At(datagram, at + 9),
    cid: cidOctets === 0 ? NOTHING : datagram.subarray(at + CID_AT, lengthAt),
    payload: datagram.subarray(lengthAt + 2, at + size),
    size,
  }
}

const u16At = (bytes: Uint8Array, at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)

/** Writes epoch and sequence number, 8 octets: the number of a record, and the explicit part of its nonce. */
export function writeNumber(bytes: Uint8Array, at: number, epoch: number, sequence: number): void {
  const high = Math.floor(sequence / 2 ** 32)
  const low = sequence >>> 0
  bytes[at] = epoch >> 8
  bytes[at + 1] = epoch
  bytes[at + 2] = high >> 8
  bytes[at + 3] = high
  bytes[at + 4] = low >>> 24
  bytes[at + 5] = low >>> 16
  bytes[at + 6] = low >>> 8
  bytes[at + 7] = low
}

/** A record without protection, in epoch 0. */
export function writePlainRecord(
  type: number,
  sequence: number,
  payload: Uint8Array,
  version = DTLS12,
): Uint8Array {
  const record = new Uint8Array(HEADER_LENGTH + payload.length)
  record[0] = type
  record[1] = version >> 8
  record[2] = version
  writeNumber(record, 3, 0, sequence)
  record[11] = payload.length >> 8
  record[12] = payload.length
  record.set(payload, HEADER_LENGTH)
  return record
}
