// HMAC with SHA-256 [2104], from Node's hash of one call. A handshake needs about twenty of them, over a few octets each: Node's own
// Hmac is an object that costs three times as much to set up and to collect as the hashing itself. Tests compare the two.

import { hash } from 'node:crypto'

const BLOCK = 64
const HASH_LENGTH = 32

/** Writes the hash of these octets to `target` at `at`; as text it comes without a buffer of its own. */
function hashInto(octets: Uint8Array, target: Uint8Array, at: number): void {
  const text = hash('sha256', octets, 'binary')
  for (let index = 0; index < HASH_LENGTH; index++) target[at + index] = text.charCodeAt(index)
}

export function sha256(octets: Uint8Array): Uint8Array {
  const result = new Uint8Array(HASH_LENGTH)
  hashInto(octets, result, 0)
  return result
}

/** Messages are put together here, behind the key's inner block; it is empty between two calls. */
let scratch = new Uint8Array(1024)

/** A key for any number of messages; as secret as the key itself. */
export class HmacKey {
  readonly #inner = new Uint8Array(BLOCK).fill(0x36)
  /** the key's outer block, and room for the inner hash */
  readonly #outer = new Uint8Array(BLOCK + HASH_LENGTH).fill(0x5c)

  constructor(key: Uint8Array) {
    let short = key
    if (key.length > BLOCK) {
      short = new Uint8Array(HASH_LENGTH)
      hashInto(key, short, 0)
    }
    for (let at = 0; at < short.length; at++) {
      const octet = short[at] ?? 0
      this.#inner[at] = octet ^ 0x36
      this.#outer[at] = octet ^ 0x5c
    }
  }

  /** The code of all parts in a row. */
  codeOf(...parts: readonly Uint8Array[]): Uint8Array {
    let length = BLOCK
    for (const part of parts) length += part.length
    if (length > scratch.length) scratch = new Uint8Array(2 * length)
    scratch.set(this.#inner)
    let at = BLOCK
    for (const part of parts) {
      scratch.set(part, at)
      at += part.length
    }
    hashInto(scratch.subarray(0, length), this.#outer, BLOCK)
    scratch.fill(0, 0, length)
    const code = new Uint8Array(HASH_LENGTH)
    hashInto(this.#outer, code, 0)
    return code
  }
}
