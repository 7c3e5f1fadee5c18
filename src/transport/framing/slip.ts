// SLIP [RFC 1055]: C0 before and after each message; in it DB DC stands for C0, and DB DD for DB. Pure.

import type { Framing } from './decoded.ts'
import { createDelimited, type Stuffing } from './delimited.ts'
import type { FramingOptions } from './options.ts'

const END = 0xc0
const ESC = 0xdb
const ESC_END = 0xdc
const ESC_ESC = 0xdd

const SLIP: Stuffing = {
  delimiter: END,
  leads: true,
  most: (length) => 2 * length,
  stuff(message, into) {
    let at = 1
    for (const octet of message) {
      if (octet === END || octet === ESC) {
        into[at++] = ESC
        into[at++] = octet === END ? ESC_END : ESC_ESC
      } else into[at++] = octet
    }
    return at
  },
  unstuff(body, into) {
    let length = 0
    for (let i = 0; i < body.length; i++) {
      const octet = body[i] ?? 0
      if (octet !== ESC) into[length++] = octet
      else {
        const escaped = body[++i]
        if (escaped !== ESC_END && escaped !== ESC_ESC) return -1
        into[length++] = escaped === ESC_END ? END : ESC
      }
    }
    return length
  },
}

/** SLIP; without check sum unless told otherwise. */
export const createSlip = ({ longest, crc = 'none' }: FramingOptions): Framing =>
  createDelimited(SLIP, longest, crc)
