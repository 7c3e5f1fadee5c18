// The header of a message as it is read before the message is decoded, and as it is written [5.2.1, 5.2.2].

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  hasLongLength,
  headerLength,
  LONGEST_MESSAGE,
  messageLength,
  msgTypeAt,
  shortestHeader,
  statedLength,
  writeHeader,
} from '../../src/codec/header.ts'
import { decode, MsgType } from '../../src/codec/v1/frame.ts'
import { fromHex, packetOf, toHex, vectors } from './vectors.ts'

const bare = vectors.filter(({ fields }) => fields.inner === undefined)
const anyOctets = fc.uint8Array({ maxLength: 300, size: 'max' })
const msgType = fc.integer({ min: 0, max: 0xff })
const bodySize = fc.oneof(
  fc.integer({ min: 0, max: 600 }),
  fc.integer({ min: 0, max: LONGEST_MESSAGE - 4 }),
  fc.constantFrom(253, 254, 255, 256, LONGEST_MESSAGE - 4),
)

describe('the header', () => {
  it.each(bare)('of $name tells Length and MsgType without decoding [SN-LEN-1] [SN-TYP-1]', (vector) => {
    const bytes = fromHex(vector.hex)
    expect(statedLength(bytes)).toBe(bytes.length)
    expect(msgTypeAt(bytes)).toBe(MsgType[packetOf(vector).type])
    expect(headerLength(bytes)).toBe(bytes[0] === 1 ? 4 : 2)
    expect(hasLongLength(bytes)).toBe(bytes[0] === 1)
  })

  it('takes its form from the first octet alone [SN-LEN-2, SN-LEN-4]', () => {
    expect([headerLength(fromHex('0216')), statedLength(fromHex('0216'))]).toEqual([2, 2])
    expect([headerLength(fromHex('01000416')), statedLength(fromHex('01000416'))]).toEqual([4, 4])
    expect(statedLength(fromHex('01ffff16'))).toBe(LONGEST_MESSAGE)
    expect(statedLength(fromHex('ff16'))).toBe(255)
  })

  it('that is cut off has no MsgType, and nothing throws [SN-COD-5 in part]', () => {
    for (const hex of ['', '02', '01', '0100', '010004']) expect(msgTypeAt(fromHex(hex))).toBeUndefined()
    expect([statedLength(fromHex('')), statedLength(fromHex('01'))]).toEqual([0, 0])
    expect(msgTypeAt(fromHex('0216'), 7)).toBeUndefined()
  })

  it('is read at any place as if the octets began there', () => {
    fc.assert(
      fc.property(anyOctets, fc.nat(310), (bytes, start) => {
        const there = bytes.subarray(start)
        expect(msgTypeAt(bytes, start)).toBe(msgTypeAt(there))
        expect(statedLength(bytes, start)).toBe(statedLength(there))
        expect(headerLength(bytes, start)).toBe(headerLength(there))
        expect(hasLongLength(bytes, start)).toBe(hasLongLength(there))
      }),
    )
  })

  it('agrees with the decoder: a message of another Length than it states is refused [SN-LEN-7]', () => {
    fc.assert(
      fc.property(anyOctets, (bytes) => {
        fc.pre(bytes.length > 0 && msgTypeAt(bytes) !== 0xfe)
        const fits = statedLength(bytes) === bytes.length && bytes.length >= headerLength(bytes)
        const isRefused = JSON.stringify(decode(bytes)) === '{"type":"malformed","reason":"length"}'
        expect(isRefused).toBe(!fits)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('a header that is written', () => {
  it('says the whole length and the type, and leaves the octets around it alone [SN-LEN-1]', () => {
    fc.assert(
      fc.property(msgType, bodySize, fc.integer({ min: 0, max: 3 }), (type, size, gap) => {
        const body = gap + shortestHeader(size)
        const bytes = new Uint8Array(body + size + 1).fill(0xaa)
        const start = writeHeader(bytes, type, body, body + size)
        expect(start).toBe(gap)
        expect(statedLength(bytes, start)).toBe(messageLength(size))
        expect(msgTypeAt(bytes, start)).toBe(type)
        expect(headerLength(bytes, start)).toBe(shortestHeader(size))
        const outside = [...bytes.subarray(0, start), ...bytes.subarray(body)]
        expect(outside.every((octet) => octet === 0xaa)).toBe(true)
      }),
    )
  })

  it('has the shortest form: one octet of Length up to 255, three from 258 on [SN-LEN-5]', () => {
    const written = (size: number) => {
      const bytes = new Uint8Array(4 + size)
      return toHex(bytes.subarray(writeHeader(bytes, 0x0c, 4, 4 + size), 4))
    }
    expect([0, 253, 254, LONGEST_MESSAGE - 4].map(written)).toEqual(['020c', 'ff0c', '0101020c', '01ffff0c'])
    expect([messageLength(253), messageLength(254)]).toEqual([255, 258])
  })
})
