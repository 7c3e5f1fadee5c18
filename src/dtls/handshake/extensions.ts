// Extensions of hellos as octets [5246 7.4.1.4; 6066; 7627; 5746; 5077; 8422; 9146].

import { concatOctets, OctetReader, u16, vector16 } from '../octets.ts'

export const MAX_FRAGMENT_LENGTH = 1
export const SUPPORTED_GROUPS = 10
export const POINT_FORMATS = 11
export const SIGNATURE_ALGORITHMS = 13
export const EXTENDED_MASTER_SECRET = 23
export const SESSION_TICKET = 35
/** drafts of it had 53 and 254, which are strangers here */
export const CONNECTION_ID = 54
export const RENEGOTIATION_INFO = 0xff01
/** a suite that says the same as an empty renegotiation_info [5746 3.3] */
export const RENEGOTIATION_SCSV = 0x00ff

/** Whether a block of extensions has the right lengths. */
export function areExtensions(block: Uint8Array): boolean {
  const reader = new OctetReader(block)
  while (reader.left > 0) {
    reader.u16()
    reader.vector16()
  }
  return reader.complete
}

/** The extensions by their number; undefined where one comes twice. */
export function readExtensions(block: Uint8Array): ReadonlyMap<number, Uint8Array> | undefined {
  const reader = new OctetReader(block)
  const found = new Map<number, Uint8Array>()
  while (reader.left > 0) {
    const number = reader.u16()
    if (found.has(number)) return undefined
    found.set(number, reader.vector16())
  }
  return found
}

export const extension = (number: number, content: Uint8Array): Uint8Array =>
  concatOctets(u16(number), vector16(content))

/** max_fragment_length 1 to 4 stands for 2^9 to 2^12 octets; undefined for other values. */
export function fragmentLengthOf(content: Uint8Array): number | undefined {
  const [code = 0] = content
  return content.length === 1 && code >= 1 && code <= 4 ? 2 ** (8 + code) : undefined
}
