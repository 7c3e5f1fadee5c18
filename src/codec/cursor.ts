// Reads and writes the parts of a message: unsigned integers, big endian, text, and octets up to the end
// [5.2]. Pure.

import { decodeText, encodeText } from './text.ts'

/**
 * Walks over the octets of one message, which ends where `bytes` ends. Reading past the end gives zeros and
 * leaves `left` below 0.
 */
export class Reader {
  private bytes: Uint8Array
  /** offset of the next octet */
  at: number

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes
    this.at = at
  }

  /** Octets still to be read; negative when more was read than there is. */
  get left(): number {
    return this.bytes.length - this.at
  }

  u8(): number {
    return this.bytes[this.at++] ?? 0
  }

  u16(): number {
    const high = this.bytes[this.at] ?? 0
    const low = this.bytes[this.at + 1] ?? 0
    this.at += 2
    return (high << 8) | low
  }

  /** All that is left, as a view. */
  rest(): Uint8Array {
    const view = this.bytes.subarray(this.at)
    this.at += view.length
    return view
  }

  /** All that is left, as text. */
  text(): string {
    const text = decodeText(this.bytes, this.at)
    this.at = Math.max(this.at, this.bytes.length)
    return text
  }
}

/** Appends to `bytes` from offset `at`. What does not fit is a RangeError. */
export class Writer {
  readonly bytes: Uint8Array
  at = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  u8(value: number): void {
    this.bytes[this.at++] = value
  }

  u16(value: number): void {
    this.bytes[this.at++] = value >> 8
    this.bytes[this.at++] = value
  }

  rest(octets: Uint8Array): void {
    if (octets.length > this.bytes.length - this.at)
      throw new RangeError(`${octets.length} octets are too long`)
    this.bytes.set(octets, this.at)
    this.at += octets.length
  }

  text(text: string): void {
    this.at = encodeText(text, this.bytes, this.at)
  }
}
