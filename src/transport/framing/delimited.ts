// Framings in which one octet stands between messages and nowhere in them: SLIP, COBS and HDLC differ only in how they stuff
// a message so that this octet does not occur. Pure.

import { appendCrc, type CrcKind, crcLength, takeCrc } from './crc.ts'
import type { Decoded, Framing } from './decoded.ts'

/** What tells one such framing from another. */
export interface Stuffing {
  readonly delimiter: number
  /** whether a delimiter also stands before each message, so that noise before it ends there */
  readonly leads: boolean
  /** Most octets that stuffing makes of so many. */
  most(length: number): number
  /** Writes the message without the delimiter into `into` at 1; returns where it ends. `into` has room for `most`. */
  stuff(message: Uint8Array, into: Uint8Array): number
  /** Writes the message into `into`, which has the length of the body; returns its length, -1 for a body that breaks the rules. */
  unstuff(body: Uint8Array, into: Uint8Array): number
}

/** A framing of this stuffing. */
export function createDelimited(stuffing: Stuffing, longest: number, crc: CrcKind): Framing {
  const { delimiter, leads } = stuffing
  const body = new Uint8Array(stuffing.most(longest + crcLength(crc)))
  let used = 0
  /** what lies before the next delimiter is too long, and counted */
  let skipping = false

  function decode(): Decoded | undefined {
    const raw = body.subarray(0, used)
    const whole = new Uint8Array(used)
    const length = stuffing.unstuff(raw, whole)
    if (length < 0) return { fault: 'noise', octets: raw.slice() }
    if (length === 0) return undefined
    const frame = takeCrc(crc, whole.subarray(0, length))
    if (frame === undefined) return { fault: 'checksum', octets: raw.slice() }
    if (frame.length === 0) return undefined
    if (frame.length > longest) return { fault: 'oversized', octets: new Uint8Array() }
    return { frame }
  }

  return {
    silence: undefined,
    encode(message) {
      const whole = appendCrc(crc, message)
      const into = new Uint8Array(stuffing.most(whole.length) + 2)
      const end = stuffing.stuff(whole, into)
      into[end] = into[0] = delimiter
      return into.subarray(leads ? 0 : 1, end + 1)
    },
    push(bytes) {
      const found: Decoded[] = []
      for (const octet of bytes) {
        if (octet === delimiter) {
          const decoded = used === 0 || skipping ? undefined : decode()
          if (decoded !== undefined) found.push(decoded)
          used = 0
          skipping = false
        } else if (!skipping && used === body.length) {
          skipping = true
          found.push({ fault: 'oversized', octets: new Uint8Array() })
        } else if (!skipping) body[used++] = octet
      }
      return found
    },
    reset() {
      const rest: Decoded[] = used === 0 || skipping ? [] : [{ fault: 'noise', octets: body.slice(0, used) }]
      used = 0
      skipping = false
      return rest
    },
  }
}
