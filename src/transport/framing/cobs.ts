// COBS: 00 after each message, and no other 00 in it: each block begins with how far it is to the next one. Pure.

import type { Framing } from './decoded.ts'
import { createDelimited, type Stuffing } from './delimited.ts'
import type { FramingOptions } from './options.ts'

/** A block of 254 octets has no zero behind it. */
const FULL = 0xff

const COBS: Stuffing = {
  delimiter: 0,
  leads: false,
  most: (length) => length + Math.floor(length / 254) + 1,
  stuff(message, into) {
    let start = 1
    let at = 2
    for (let i = 0; i < message.length; i++) {
      const octet = message[i] ?? 0
      if (octet !== 0) into[at++] = octet
      const isFull = at - start === FULL
      if (octet !== 0 && !(isFull && i + 1 < message.length)) continue
      into[start] = at - start
      start = at++
    }
    into[start] = at - start
    return at
  },
  unstuff(body, into) {
    let length = 0
    for (let i = 0; i < body.length; ) {
      const code = body[i] ?? 0
      const end = i + code
      if (end > body.length) return -1
      into.set(body.subarray(i + 1, end), length)
      length += code - 1
      i = end
      if (code !== FULL && i < body.length) into[length++] = 0
    }
    return length
  },
}

/** COBS; without check sum unless told otherwise. */
export const createCobs = ({ longest, crc = 'none' }: FramingOptions): Framing =>
  createDelimited(COBS, longest, crc)
