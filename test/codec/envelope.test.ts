// The forwarder encapsulation as it is looked through, taken off and put on [5.5].

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  encapsulationLength,
  isEncapsulated,
  LONGEST_NODE_ID,
  messageStart,
  peekMsgType,
  unwrapMessage,
  wrapMessage,
} from '../../src/codec/envelope.ts'
import { decodeFrame, encodeFrame, MsgType, type PacketType } from '../../src/codec/v1/frame.ts'
import { packetOfType } from './packets.ts'
import { fromHex, malformed, packetOf, toHex, vectors } from './vectors.ts'

const types = Object.keys(MsgType) as PacketType[]
const anyNodeId = fc.uint8Array({ minLength: 1, maxLength: LONGEST_NODE_ID, size: 'max' })
const anyRadius = fc.integer({ min: 0, max: 3 })
const anyPacket = fc.constantFrom(...types).chain((type) => packetOfType(type))
const anyOctets = fc.oneof(
  fc.uint8Array({ maxLength: 300, size: 'max' }),
  fc.uint8Array({ maxLength: 20 }).map((rest) => Uint8Array.of((rest[0] ?? 0) % 12, 0xfe, ...rest)),
)

/** A message in an envelope, in octets of its own. */
function wrapped(message: Uint8Array, nodeId: Uint8Array, radius: number): Uint8Array {
  const bytes = new Uint8Array(300 + message.length)
  bytes.set(message, 300)
  return bytes.slice(wrapMessage(bytes, 300, nodeId, radius))
}

describe('looking through an envelope', () => {
  it.each(vectors)('finds the MsgType of $name, encapsulated or not [SN-TYP-1] [SN-FWD-1]', (vector) => {
    const bytes = fromHex(vector.hex)
    expect(peekMsgType(bytes)).toBe(MsgType[packetOf(vector).type])
    expect(isEncapsulated(bytes)).toBe(vector.fields.inner !== undefined)
  })

  it('finds the MsgType of every message behind every node id [SN-FWD-1]', () => {
    fc.assert(
      fc.property(anyPacket, anyNodeId, anyRadius, (packet, nodeId, radius) => {
        const bare = encodeFrame(packet)
        const bytes = encodeFrame(packet, nodeId, radius)
        expect([peekMsgType(bare), messageStart(bare)]).toEqual([MsgType[packet.type], 0])
        expect(peekMsgType(bytes)).toBe(MsgType[packet.type])
        expect(messageStart(bytes)).toBe(encapsulationLength(nodeId.length))
      }),
    )
  })

  it('never throws, and agrees with the decoder on any octets [SN-COD-5 in part]', () => {
    fc.assert(
      fc.property(anyOctets, (bytes) => {
        const { packet, nodeId, radius } = decodeFrame(bytes)
        const type = peekMsgType(bytes)
        if (packet.type !== 'malformed') expect(type).toBe(MsgType[packet.type])
        const envelope = unwrapMessage(bytes)
        expect(envelope?.nodeId).toEqual(nodeId)
        expect(envelope?.radius ?? 0).toBe(radius)
      }),
      { numRuns: 4000 },
    )
  })

  it.each(['05fe00', 'fffe', '03fe01', '00fe', '02fe0217', '05fe001234', '010007fe000217'])(
    'finds nothing in the impossible encapsulation %s [SN-FWD-8]',
    (hex) => {
      const bytes = fromHex(hex)
      expect(isEncapsulated(bytes)).toBe(true)
      expect([messageStart(bytes), peekMsgType(bytes), unwrapMessage(bytes)]).toEqual([
        undefined,
        undefined,
        undefined,
      ])
    },
  )

  it('does not look into a second envelope: its type is that of the inner one [SN-FWD-8]', () => {
    const nested = malformed.find(({ name }) => name === 'encap-nested')
    expect(peekMsgType(fromHex(nested?.hex ?? ''))).toBe(0xfe)
  })

  it('tells a Length of 0xfe from the type 0xfe', () => {
    const bytes = Uint8Array.of(1, 0xfe, 0x01, MsgType.willmsg, 0)
    expect([isEncapsulated(bytes), peekMsgType(bytes)]).toEqual([false, MsgType.willmsg])
  })
})

describe('an envelope', () => {
  it('comes off as it was put on, with the message untouched [SN-FWD-1, SN-FWD-2]', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), anyNodeId, anyRadius, (message, nodeId, radius) => {
        const bytes = wrapped(message, nodeId, radius)
        const envelope = unwrapMessage(bytes)
        expect(envelope).toEqual({ nodeId, radius, start: encapsulationLength(nodeId.length) })
        expect(bytes.subarray(envelope?.start)).toEqual(message)
      }),
    )
  })

  it('is 3 octets and the node id, whose reserved Ctrl bits are ignored [SN-FWD-6]', () => {
    expect(toHex(wrapped(fromHex('0217'), fromHex('1234'), 2))).toBe('05fe0212340217')
    expect(unwrapMessage(fromHex('05fefe12340217'))).toEqual({ nodeId: fromHex('1234'), radius: 2, start: 5 })
    expect(unwrapMessage(fromHex('0217'))).toBeUndefined()
  })

  it('shows the node id as a view into the datagram, not as a copy', () => {
    const bytes = fromHex('05fe0012340217')
    expect(unwrapMessage(bytes)?.nodeId.buffer).toBe(bytes.buffer)
  })

  it('refuses a node id or radius that it cannot express [SN-FWD-2]', () => {
    const message = fromHex('0217')
    expect(() => wrapped(message, new Uint8Array(0), 0)).toThrow(RangeError)
    expect(() => wrapped(message, new Uint8Array(LONGEST_NODE_ID + 1), 0)).toThrow(RangeError)
    for (const radius of [-1, 0.5, 4, Number.NaN]) {
      expect(() => wrapped(message, fromHex('12'), radius)).toThrow(RangeError)
    }
  })
})
