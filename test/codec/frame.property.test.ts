// Properties that hold for every packet and for any octets at all [SN-COD-5].

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { describeFrame, summarize } from '../../src/codec/v1/describe.ts'
import {
  decode,
  decodeFrame,
  encode,
  encodeFrame,
  MsgType,
  type PacketType,
} from '../../src/codec/v1/frame.ts'
import { packetOfType } from './packets.ts'

const types = Object.keys(MsgType) as PacketType[]

describe('any packet', () => {
  it.each(types)('of type %s comes back as it was, bare and encapsulated', (type) => {
    fc.assert(
      fc.property(
        packetOfType(type),
        fc.uint8Array({ minLength: 1, maxLength: 252, size: 'max' }),
        fc.integer({ min: 0, max: 3 }),
        (packet, nodeId, radius) => {
          const bytes = encode(packet)
          expect(decode(bytes)).toEqual(packet)
          expect(decodeFrame(encodeFrame(packet, nodeId, radius))).toEqual({ packet, nodeId, radius })
        },
      ),
      { numRuns: 200 },
    )
  })
})

/** Decodes; whatever comes out must encode and explain itself. */
function survives(bytes: Uint8Array): void {
  const { packet, nodeId, radius } = decodeFrame(bytes)
  if (packet.type !== 'malformed') {
    const again = encodeFrame(packet, nodeId, radius)
    expect(again.length).toBeLessThanOrEqual(bytes.length)
    expect(decodeFrame(again)).toEqual({ packet, nodeId, radius })
  }
  const lines = [...describeFrame(bytes), summarize(packet)]
  // Nothing that moves a cursor, hides text or turns it around reaches a terminal.
  for (const line of lines) expect(line).not.toMatch(/\p{C}/u)
}

describe('any octets', () => {
  it('of a length up to 70000 never throw [SN-COD-5 in part]', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), survives), { numRuns: 2000 })
    const seedAndSize = fc.tuple(fc.integer({ min: 0, max: 0xff }), fc.integer({ min: 65, max: 70000 }))
    fc.assert(
      fc.property(seedAndSize, ([seed, size]) =>
        survives(Uint8Array.from({ length: size }, (_, i) => (i * i * 31 + seed * i + seed) & 0xff)),
      ),
      { numRuns: 20 },
    )
  })

  it('behind a sound header never throw [SN-COD-5 in part]', () => {
    const body = fc.uint8Array({ maxLength: 250, size: 'max' })
    const code = fc.oneof(fc.constantFrom(...Object.values(MsgType)), fc.integer({ min: 0, max: 0xff }))
    const head = fc.constantFrom([], [4, 0xfe, 0, 7], [6, 0xfe, 0xff, 1, 2, 3])
    fc.assert(
      fc.property(head, code, body, (encapsulation, msgType, rest) =>
        survives(Uint8Array.of(...encapsulation, 2 + rest.length, msgType, ...rest)),
      ),
      { numRuns: 4000 },
    )
  })

  it('that declare more than was received make nothing large [SN-COD-5 in part]', () => {
    expect(decode(Uint8Array.of(1, 0xff, 0xff, 0x0c, 0, 0, 1, 0, 0))).toEqual({
      type: 'malformed',
      reason: 'length',
    })
  })
})
