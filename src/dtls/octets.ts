// Reads and writes the parts of records and handshake messages: unsigned integers, big endian, and vectors with their
// length in front [5246 4]. Pure.

/** No octets at all. */
export const NOTHING = new Uint8Array(0)

/** Walks over octets. Reading past the end gives zeros and leaves `left` below 0, which `complete` tells. */
export class OctetReader {
  readonly #bytes: Uint8Array
  at: number

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes
    this.at = at
  }

  /** Octets still to be read; negative when more was read than there is. */
  get left(): number {
    return this.#bytes.length - this.at
  }

  /** Everything was read, and nothing more. */
  get complete(): boolean {
    return this.left === 0
  }

  u8(): number {
    return this.#bytes[this.at++] ?? 0
  }

  u16(): number {
    return (this.u8() << 8) | this.u8()
  }

  u24(): number {
    return (this.u16() << 8) | this.u8()
  }

  /** As a view; shorter where there are not so many. */
  octets(count: number): Uint8Array {
    const view = this.#bytes.subarray(Math.min(this.at, this.#bytes.length), this.at + count)
    this.at += count
    return view
  }

  /** A vector whose length has 1, 2 or 3 octets. */
  vector8(): Uint8Array {
    return this.octets(this.u8())
  }

  vector16(): Uint8Array {
    return this.octets(this.u16())
  }

  vector24(): Uint8Array {
    return this.octets(this.u24())
  }

  rest(): Uint8Array {
    return this.octets(Math.max(this.left, 0))
  }
}

export function concatOctets(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const whole = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

export const u8 = (value: number): Uint8Array => number(value, 1)
export const u16 = (value: number): Uint8Array => number(value, 2)

function number(value: number, octets: number): Uint8Array {
  const bytes = new Uint8Array(octets)
  putNumber(bytes, 0, value, octets)
  return bytes
}

function putNumber(bytes: Uint8Array, at: number, value: number, octets: number): void {
  for (let left = value, index = at + octets - 1; index >= at; left >>>= 8) bytes[index--] = left
}

/** Octets with their length in front, in 1, 2 or 3 octets. */
export const vector8 = (...parts: readonly Uint8Array[]): Uint8Array => withLength(1, parts)
export const vector16 = (...parts: readonly Uint8Array[]): Uint8Array => withLength(2, parts)
export const vector24 = (...parts: readonly Uint8Array[]): Uint8Array => withLength(3, parts)

function withLength(octets: 1 | 2 | 3, parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  if (length >= 2 ** (8 * octets)) throw new RangeError(`a vector of ${length} octets is too long`)
  const whole = new Uint8Array(octets + length)
  putNumber(whole, 0, length, octets)
  let at = octets
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** A list of 16-bit numbers, such as suites and groups. */
export function u16List(values: readonly number[]): Uint8Array {
  const list = new Uint8Array(2 * values.length)
  for (const [index, value] of values.entries()) putNumber(list, 2 * index, value, 2)
  return list
}

/** Whether a list of 16-bit numbers, as it came, holds this one. */
export function holdsU16(list: Uint8Array, value: number): boolean {
  const [high, low] = [value >> 8, value & 0xff]
  for (let at = 0; at + 1 < list.length; at += 2) if (list[at] === high && list[at + 1] === low) return true
  return false
}

/** For public values only: it takes the longer the more octets are equal. */
export function sameOctets(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false
  return true
}

const HEX = Array.from({ length: 256 }, (_, octet) => octet.toString(16).padStart(2, '0'))

export function hexOf(bytes: Uint8Array): string {
  let text = ''
  for (const octet of bytes) text += HEX[octet]
  return text
}

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export const utf8Of = (text: string): Uint8Array => encoder.encode(text)

/** The text, or undefined where it is not valid UTF-8. */
export function textOf(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}
