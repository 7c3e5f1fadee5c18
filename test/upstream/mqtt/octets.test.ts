// The packets that are written octet by octet, read again by a parser.

import fc from 'fast-check'
import { generate, type Packet, parser } from 'mqtt-packet'
import { describe, expect, it } from 'vitest'
import {
  acknowledgement,
  farewell,
  PINGREQ,
  PUBACK,
  PUBCOMP,
  PUBREC,
  PUBREL,
  publishPacket,
  pubrelForUnknown,
} from '../../../src/upstream/mqtt/packets/octets.ts'

function parsed(octets: Uint8Array, protocolVersion: 4 | 5): Packet[] {
  const packets: Packet[] = []
  const parse = parser({ protocolVersion })
  parse.on('packet', (packet) => packets.push(packet))
  parse.parse(Buffer.from(octets))
  return packets
}

describe('octets', () => {
  it('of PUBLISH are those that a general encoder makes', () => {
    const payload = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.nat(70_000).map((length) => new Uint8Array(length).fill(7)),
    )
    const topic = fc.oneof(
      fc.string({ minLength: 1, unit: 'grapheme', maxLength: 200 }),
      fc.constant('a'.repeat(65_535)),
    )
    fc.assert(
      fc.property(
        fc.constantFrom(4 as const, 5 as const),
        fc.constantFrom(0 as const, 1 as const, 2 as const),
        topic,
        payload,
        fc.integer({ min: 1, max: 0xffff }),
        fc.boolean(),
        fc.boolean(),
        (version, qos, topic, payload, messageId, retain, dup) => {
          fc.pre(Buffer.byteLength(topic) <= 65_535)
          const octets = publishPacket(version, { topic, payload, qos, retain }, messageId, dup)
          const packet: Packet = { cmd: 'publish', topic, payload: Buffer.from(payload), qos, retain, dup }
          const expected = generate(qos === 0 ? packet : { ...packet, messageId }, {
            protocolVersion: version,
          })
          expect(Buffer.compare(octets, expected)).toBe(0)
        },
      ),
      { numRuns: 300 },
    )
  })

  it.each([0, 1, 127 - 3, 128 - 3, 16_383 - 3, 16_384 - 3, 2_097_151 - 3, 2_097_152 - 3])(
    'of PUBLISH have the right length with %i octets of payload',
    (size) => {
      const octets = publishPacket(
        4,
        { topic: 'a', payload: new Uint8Array(size), qos: 0, retain: false },
        0,
        false,
      )
      expect(parsed(octets, 4)).toMatchObject([{ cmd: 'publish', topic: 'a' }])
      expect((parsed(octets, 4)[0] as { payload: Buffer }).payload.length).toBe(size)
    },
  )

  it('of acknowledgements carry the identifier', () => {
    for (const version of [4, 5] as const) {
      const all = [PUBACK, PUBREC, PUBREL, PUBCOMP].map(
        (type) => parsed(acknowledgement(type, 0xfedc), version)[0],
      )
      expect(all.map((packet) => [packet?.cmd, packet?.messageId])).toEqual(
        ['puback', 'pubrec', 'pubrel', 'pubcomp'].map((cmd) => [cmd, 0xfedc]),
      )
    }
    expect(parsed(pubrelForUnknown(5, 7), 5)).toMatchObject([
      { cmd: 'pubrel', messageId: 7, reasonCode: 0x92 },
    ])
    expect(parsed(pubrelForUnknown(4, 7), 4)).toMatchObject([{ cmd: 'pubrel', messageId: 7 }])
    expect(parsed(PINGREQ, 4)).toMatchObject([{ cmd: 'pingreq' }])
  })

  it('of the farewell let the broker discard the will or publish it [SN-MAP-12, SN-MAP-13]', () => {
    expect(parsed(farewell(4, false, true), 4)).toMatchObject([{ cmd: 'disconnect' }])
    expect(farewell(4, true, false).length).toBe(0)
    expect(parsed(farewell(5, false, false), 5)).toMatchObject([{ cmd: 'disconnect', reasonCode: 0 }])
    expect(parsed(farewell(5, true, false), 5)).toMatchObject([{ cmd: 'disconnect', reasonCode: 4 }])
    expect(parsed(farewell(5, false, true), 5)).toMatchObject([
      { cmd: 'disconnect', reasonCode: 0, properties: { sessionExpiryInterval: 0 } },
    ])
  })
})
