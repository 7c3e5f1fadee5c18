// Text fields: UTF-8, and octets that are not [5.3.1, 5.3.12].

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeText, encodeText, isUtf8 } from '../../src/codec/text.ts'
import { fromHex } from './vectors.ts'

function encoded(text: string): Uint8Array {
  const room = new Uint8Array(3 * text.length)
  return room.slice(0, encodeText(text, room, 0))
}

describe('decodeText', () => {
  it('agrees with TextDecoder on what is valid UTF-8 and what it says', () => {
    // Few different octets, so that valid, overlong, surrogate and cut sequences all come up often.
    const octet = fc.constantFrom(
      0x00,
      0x41,
      0x80,
      0x9f,
      0xa0,
      0xbf,
      0xc1,
      0xc2,
      0xe0,
      0xed,
      0xef,
      0xbb,
      0xf0,
      0xf4,
      0xf5,
    )
    const bytes = fc.array(octet, { maxLength: 6 }).map((octets) => Uint8Array.from(octets))
    const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
    fc.assert(
      fc.property(fc.oneof(bytes, fc.uint8Array({ maxLength: 20 })), (input) => {
        let expected: string | undefined
        try {
          expected = strict.decode(input)
        } catch {}
        const text = decodeText(input, 0)
        expect(isUtf8(text)).toBe(expected !== undefined)
        if (expected !== undefined) expect(text).toBe(expected)
      }),
      { numRuns: 5000 },
    )
  })

  it('knows the first and last sequence of each size, and what lies just outside', () => {
    const inside = ['c280', 'dfbf', 'e0a080', 'ed9fbf', 'ee8080', 'efbfbf', 'f0908080', 'f48fbfbf']
    const outside = [
      'c1bf',
      'e09fbf',
      'eda080',
      'edbfbf',
      'f08fbfbf',
      'f4908080',
      'f8888080',
      '80',
      'bf',
      'ff',
    ]
    for (const hex of inside) expect(isUtf8(decodeText(fromHex(hex), 0)), hex).toBe(true)
    for (const hex of outside) expect(decodeText(fromHex(hex), 0).length, hex).toBe(hex.length / 2)
  })

  it('loses no octet, valid or not [SN-FLD-3 in part]', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (input) => {
        expect(encoded(decodeText(input, 0))).toEqual(input)
      }),
      { numRuns: 2000 },
    )
  })

  it('marks each invalid octet with a lone surrogate [SN-FLD-3 in part]', () => {
    expect(decodeText(fromHex('c328'), 0)).toBe('\uDCC3(')
    expect(isUtf8('\uDCC3(')).toBe(false)
    expect(decodeText(fromHex('eda080'), 0)).toBe('\uDCED\uDCA0\uDC80')
    expect(decodeText(fromHex('c080'), 0)).toBe('\uDCC0\uDC80')
  })

  it('keeps a byte order mark and starts at the offset given', () => {
    expect(decodeText(fromHex('0a16efbbbf61'), 2)).toBe('\uFEFFa')
  })
})

describe('encodeText', () => {
  it('agrees with TextEncoder on every well-formed text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(isUtf8(text)).toBe(true)
        expect(encoded(text)).toEqual(new TextEncoder().encode(text))
      }),
      { numRuns: 1000 },
    )
  })

  it('throws RangeError for text that does not fit', () => {
    expect(encodeText('é', new Uint8Array(2), 0)).toBe(2)
    expect(() => encodeText('éa', new Uint8Array(2), 0)).toThrow(RangeError)
    expect(() => encodeText('a', new Uint8Array(1), 1)).toThrow(RangeError)
  })
})
