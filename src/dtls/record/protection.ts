// Protects a record, and opens one: AEAD with epoch and sequence number as the nonce's explicit part [6655 3, 5288 3],
// and the additional data of records with a connection id [9146 5.3].

import type { DirectionKeys } from '../crypto/keys.ts'
import { openAead, sealAead } from '../crypto/primitives.ts'
import type { RecordCipher } from '../suites.ts'
import {
  DTLS12,
  type DtlsRecord,
  HEADER_LENGTH,
  LONGEST_PLAINTEXT,
  TLS12_CID,
  writeNumber,
} from './record.ts'

const EXPLICIT_NONCE = 8

/** Octets that protection adds to a message. */
export const recordOverhead = (cipher: RecordCipher, cidLength: number): number =>
  HEADER_LENGTH + EXPLICIT_NONCE + cipher.tagLength + (cidLength === 0 ? 0 : cidLength + 1)

function nonceOf({ iv }: DirectionKeys, explicit: Uint8Array): Uint8Array {
  const nonce = new Uint8Array(12)
  nonce.set(iv)
  nonce.set(explicit, 4)
  return nonce
}

/** Epoch and sequence number, type, version, length; all in front of these where there is a connection id. */
function additionalData(
  number: Uint8Array,
  type: number,
  version: number,
  cid: Uint8Array,
  length: number,
): Uint8Array {
  if (type !== TLS12_CID) {
    const data = new Uint8Array(13)
    data.set(number)
    data[8] = type
    data[9] = version >> 8
    data[10] = version
    data[11] = length >> 8
    data[12] = length
    return data
  }
  const data = new Uint8Array(23 + cid.length)
  data.fill(0xff, 0, 8)
  data[8] = TLS12_CID
  data[9] = cid.length
  data[10] = TLS12_CID
  data[11] = version >> 8
  data[12] = version
  data.set(number, 13)
  data.set(cid, 21)
  data[21 + cid.length] = length >> 8
  data[22 + cid.length] = length
  return data
}

/** One protected record; with a connection id the type moves inside [9146 4]. */
export function sealRecord(
  cipher: RecordCipher,
  keys: DirectionKeys,
  type: number,
  epoch: number,
  sequence: number,
  cid: Uint8Array,
  content: Uint8Array,
): Uint8Array {
  const hasCid = cid.length > 0
  const outerType = hasCid ? TLS12_CID : type
  let plaintext = content
  if (hasCid) {
    plaintext = new Uint8Array(content.length + 1)
    plaintext.set(content)
    plaintext[content.length] = type
  }
  const payloadAt = HEADER_LENGTH + cid.length
  const payloadLength = EXPLICIT_NONCE + plaintext.length + cipher.tagLength
  const record = new Uint8Array(payloadAt + payloadLength)
  record[0] = outerType
  record[1] = DTLS12 >> 8
  record[2] = DTLS12 & 0xff
  writeNumber(record, 3, epoch, sequence)
  if (hasCid) record.set(cid, 11)
  record[payloadAt - 2] = payloadLength >> 8
  record[payloadAt - 1] = payloadLength
  const number = record.subarray(3, 11)
  record.set(number, payloadAt)
  const additional = additionalData(number, outerType, DTLS12, cid, plaintext.length)
  const at = payloadAt + EXPLICIT_NONCE
  sealAead(cipher, keys.key, nonceOf(keys, number), additional, plaintext, record, at)
  return record
}

export interface Content {
  /** the real type; -1 = there is none, which a peer never sends */
  readonly type: number
  readonly content: Uint8Array
}

/** Whether a payload can be a protected one at all; what is not costs no decryption. */
export const isSealable = (cipher: RecordCipher, payload: Uint8Array): boolean =>
  payload.length >= EXPLICIT_NONCE + cipher.tagLength &&
  payload.length <= EXPLICIT_NONCE + cipher.tagLength + LONGEST_PLAINTEXT + 1

/** What is in a protected record, or undefined if its tag is not right. */
export function openRecord(
  cipher: RecordCipher,
  keys: DirectionKeys,
  record: DtlsRecord,
): Content | undefined {
  const { payload, type, cid, version } = record
  const number = new Uint8Array(8)
  writeNumber(number, 0, record.epoch, record.sequence)
  const length = payload.length - EXPLICIT_NONCE - cipher.tagLength
  const additional = additionalData(number, type, version, cid, length)
  const nonce = nonceOf(keys, payload.subarray(0, EXPLICIT_NONCE))
  const plaintext = openAead(cipher, keys.key, nonce, additional, payload.subarray(EXPLICIT_NONCE))
  if (plaintext === undefined) return undefined
  return type === TLS12_CID ? innerContent(plaintext) : { type, content: plaintext }
}

/** Content, real type, zeros [9146 4]. */
function innerContent(plaintext: Uint8Array): Content {
  let end = plaintext.length - 1
  while (end >= 0 && plaintext[end] === 0) end--
  return { type: plaintext[end] ?? -1, content: plaintext.subarray(0, Math.max(end, 0)) }
}
