// HDLC as on asynchronous lines [RFC 1662]: 7E before and after each message, 7D and the octet with its bit 20 turned for what
// must not occur, FCS-16 at the end. Pure.

import type { Framing } from './decoded.ts'
import { createDelimited, type Stuffing } from './delimited.ts'
import type { FramingOptions } from './options.ts'

const FLAG = 0x7e
const ESC = 0x7d

const HDLC: Stuffing = {
  delimiter: FLAG,
  leads: true,
  most: (length) => 2 * length,
  stuff(message, into) {
    let at = 1
    for (const octet of message) {
      if (octet === FLAG || octet === ESC) {
        into[at++] = ESC
        into[at++] = octet ^ 0x20
      } else into[at++] = octet
    }
    return at
  },
  unstuff(body, into) {
    let length = 0
    for (let i = 0; i < body.length; i++) {
      const octet = body[i] ?? 0
      if (octet !== ESC) into[length++] = octet
      else if (i + 1 === body.length)
        return -1 // 7D 7E: its sender gave it up
      else into[length++] = (body[++i] ?? 0) ^ 0x20
    }
    return length
  },
}

/** HDLC; with FCS-16 (X.25) unless told otherwise. */
export const createHdlc = ({ longest, crc = 'x25' }: FramingOptions): Framing =>
  createDelimited(HDLC, longest, crc)
