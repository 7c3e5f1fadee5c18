// Handshake messages and their fragments as octets [6347 4.2.2, 4.2.3].

import { OctetReader } from '../octets.ts'

export const HELLO_REQUEST = 0
export const CLIENT_HELLO = 1
export const SERVER_HELLO = 2
export const HELLO_VERIFY_REQUEST = 3
export const NEW_SESSION_TICKET = 4
export const CERTIFICATE = 11
export const SERVER_KEY_EXCHANGE = 12
export const CERTIFICATE_REQUEST = 13
export const SERVER_HELLO_DONE = 14
export const CERTIFICATE_VERIFY = 15
export const CLIENT_KEY_EXCHANGE = 16
export const FINISHED = 20

/** type, length, message_seq, fragment_offset, fragment_length */
export const MESSAGE_HEADER = 12

/** A part of a message, or all of it. */
export interface Fragment {
  readonly type: number
  /** of the whole message, without its header */
  readonly length: number
  readonly messageSeq: number
  readonly offset: number
  readonly body: Uint8Array
}

/** A whole message; `bytes` begins with a header as if it had never been cut, which is what hashes are made over. */
export interface Message {
  readonly type: number
  readonly messageSeq: number
  readonly body: Uint8Array
  readonly bytes: Uint8Array
}

/** The fragments of one record's content; undefined where they do not fill it exactly. */
export function readFragments(content: Uint8Array): Fragment[] | undefined {
  const reader = new OctetReader(content)
  const fragments: Fragment[] = []
  while (reader.left > 0) {
    const type = reader.u8()
    const length = reader.u24()
    const messageSeq = reader.u16()
    const offset = reader.u24()
    const body = reader.vector24()
    if (reader.left < 0) return undefined
    fragments.push({ type, length, messageSeq, offset, body })
  }
  return fragments.length === 0 ? undefined : fragments
}

function writeHeader(bytes: Uint8Array, type: number, length: number, messageSeq: number): void {
  bytes[0] = type
  writeU24(bytes, 1, length)
  bytes[4] = messageSeq >> 8
  bytes[5] = messageSeq
}

function writeU24(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 16
  bytes[at + 1] = value >> 8
  bytes[at + 2] = value
}

/** A message as a whole, header included. */
export function writeMessage(type: number, messageSeq: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(MESSAGE_HEADER + body.length)
  writeHeader(bytes, type, body.length, messageSeq)
  writeU24(bytes, 9, body.length)
  bytes.set(body, MESSAGE_HEADER)
  return bytes
}

/** `length` octets of a message's body from `offset`, as a fragment. */
export function cutMessage(message: Uint8Array, offset: number, length: number): Uint8Array {
  const start = MESSAGE_HEADER + offset
  const fragment = new Uint8Array(MESSAGE_HEADER + length)
  fragment.set(message.subarray(0, 6))
  writeU24(fragment, 6, offset)
  writeU24(fragment, 9, length)
  fragment.set(message.subarray(start, start + length), MESSAGE_HEADER)
  return fragment
}
