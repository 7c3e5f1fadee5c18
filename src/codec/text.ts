// Text fields are UTF-8 [5.3.1, 5.3.12]. Octets that are not must survive a round trip, so that the session
// can refuse them and still answer. TextDecoder would replace them, and is not used here. Pure.

/** An octet that is not part of valid UTF-8 becomes this plus the octet: U+DC80..U+DCFF, a lone surrogate. */
const ESCAPE = 0xdc00

/** Smallest code point that needs a sequence of 0..4 octets; anything lower is an overlong form. */
const LOWEST = [0, 0, 0x80, 0x800, 0x10000]

/** Tells whether a decoded text was valid UTF-8, which MQTT demands [SN-FLD-3]. */
export function isUtf8(text: string): boolean {
  return !/\p{Surrogate}/u.test(text)
}

/** Decodes `bytes` from `start` to their end. Never fails: invalid octets become lone surrogates. */
export function decodeText(bytes: Uint8Array, start: number): string {
  let text = ''
  for (let at = start; at < bytes.length; ) {
    const octet = bytes[at] ?? 0
    if (octet < 0x80) {
      text += String.fromCharCode(octet)
      at++
      continue
    }
    const codePoint = sequenceAt(bytes, at)
    if (codePoint === undefined) {
      text += String.fromCharCode(ESCAPE + octet)
      at++
      continue
    }
    text += String.fromCodePoint(codePoint)
    at += octetsOf(codePoint)
  }
  return text
}

/**
 * Encodes `text` into `bytes` from `start` and returns where it ends; the inverse of `decodeText`.
 * Throws RangeError when it does not fit, or holds a surrogate that no octet could have produced.
 */
export function encodeText(text: string, bytes: Uint8Array, start: number): number {
  let at = start
  for (let i = 0; i < text.length; i++) {
    const codePoint = text.codePointAt(i) ?? 0
    if (codePoint > 0xffff) i++
    const size = octetsOf(codePoint)
    if (at + size > bytes.length) throw new RangeError(`text of ${text.length} characters is too long`)
    if (size === 1) {
      bytes[at++] = codePoint
    } else if (codePoint >= 0xd800 && codePoint <= 0xdfff) {
      if (codePoint < ESCAPE + 0x80 || codePoint > ESCAPE + 0xff) {
        throw new RangeError(`text holds the lone surrogate U+${codePoint.toString(16).toUpperCase()}`)
      }
      bytes[at++] = codePoint - ESCAPE
    } else {
      let shift = 6 * (size - 1)
      bytes[at++] = (0xf00 >> size) | (codePoint >> shift)
      while (shift > 0) {
        shift -= 6
        bytes[at++] = 0x80 | ((codePoint >> shift) & 0x3f)
      }
    }
  }
  return at
}

/** The code point of the multi-octet sequence at `at`, or undefined where none is valid. */
function sequenceAt(bytes: Uint8Array, at: number): number | undefined {
  const first = bytes[at] ?? 0
  const size = first >= 0xf8 ? 0 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 0
  if (size === 0) return undefined
  let codePoint = first & (0x7f >> size)
  for (let i = 1; i < size; i++) {
    const next = bytes[at + i] ?? 0
    if ((next & 0xc0) !== 0x80) return undefined
    codePoint = (codePoint << 6) | (next & 0x3f)
  }
  const surrogate = codePoint >= 0xd800 && codePoint <= 0xdfff
  return codePoint < (LOWEST[size] ?? 0) || codePoint > 0x10ffff || surrogate ? undefined : codePoint
}

function octetsOf(codePoint: number): number {
  return codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4
}
