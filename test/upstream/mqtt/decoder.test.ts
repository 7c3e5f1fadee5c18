// What a broker may send, and what is made of everything else.

import fc from 'fast-check'
import { generate, type Packet } from 'mqtt-packet'
import { describe, expect, it } from 'vitest'
import { Decoder } from '../../../src/upstream/mqtt/packets/decoder.ts'
import { bytes } from '../harness.ts'

const message: Packet = {
  cmd: 'publish',
  topic: 'a/b',
  payload: 'x',
  qos: 1,
  dup: false,
  retain: true,
  messageId: 9,
}

const octetsAt5 = (packet: Packet) => generate(packet, { protocolVersion: 5 })

describe.each([4, 5] as const)('the decoder of version %i', (protocolVersion) => {
  const octetsOf = (packet: Packet) => generate(packet, { protocolVersion })

  it.each<Packet>([
    { cmd: 'connack', sessionPresent: true, returnCode: 0, reasonCode: 0 },
    { cmd: 'puback', messageId: 1, reasonCode: 0 },
    { cmd: 'pubrec', messageId: 0xffff, reasonCode: 0 },
    { cmd: 'pubrel', messageId: 3, reasonCode: 0 },
    { cmd: 'pubcomp', messageId: 4, reasonCode: 0 },
    { cmd: 'suback', messageId: 5, granted: [1] },
    { cmd: 'unsuback', messageId: 6, granted: [0] },
    { cmd: 'pingresp' },
  ])('reads $cmd', (packet) => {
    const { cmd, messageId } = packet
    const read = new Decoder(protocolVersion).decode(octetsOf(packet))
    expect(read).toMatchObject(messageId === undefined ? { cmd } : { cmd, messageId })
  })

  it('reads a PUBLISH and keeps its payload when the buffer is used again', () => {
    const octets = octetsOf(message)
    const read = new Decoder(protocolVersion).decode(octets)
    octets.fill(0)
    expect(read).toMatchObject({
      cmd: 'publish',
      topic: 'a/b',
      payload: bytes('x'),
      qos: 1,
      retain: true,
      messageId: 9,
    })
  })

  it.each<[string, number[]]>([
    ['CONNECT', [0x10, 12, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 60, 0, 0]],
    ['SUBSCRIBE', [0x82, 6, 0, 1, 0, 1, 0x61, 0]],
    ['PINGREQ', [0xc0, 0]],
    ['AUTH', [0xf0, 0]],
    ['type 0', [0x00, 0]],
    ['PUBACK without identifier', [0x40, 2, 0, 0]],
    ['PUBACK with flags', [0x42, 2, 0, 1]],
    ['PUBREL without its flags', [0x60, 2, 0, 1]],
    ['PUBACK of one octet', [0x40, 1, 0]],
    ['PUBACK with an overlong length', [0x40, 0x82, 0, 0, 1]],
    ['SUBACK without identifier', [0x90, 3, 0, 0, 0]],
    ['PUBLISH at QoS 3', [0x36, 6, 0, 1, 0x61, 0, 1, 0]],
    ['PUBLISH at QoS 1 without identifier', [0x32, 6, 0, 1, 0x61, 0, 0, 0]],
    ['PUBLISH with a topic that does not end', [0x30, 4, 0, 9, 0x61, 0]],
  ])('refuses %s, and reads the next packet as ever', (name, octets) => {
    const decoder = new Decoder(protocolVersion)
    // longer than need be, which nobody forbids
    if (name === 'PUBACK with an overlong length') {
      expect(decoder.decode(Buffer.from(octets))).toMatchObject({ cmd: 'puback', messageId: 1 })
    } else expect(() => decoder.decode(Buffer.from(octets))).toThrow('the broker sent')
    expect(decoder.decode(octetsOf(message))).toMatchObject({ cmd: 'publish', messageId: 9 })
  })

  it.each<[string, number[]]>([
    ['nothing', []],
    ['a wildcard', [0x61, 0x2f, 0x23]],
    ['another wildcard', [0x2b]],
    ['a name with NUL', [0x61, 0]],
    ['octets that are no UTF-8', [0x61, 0xff, 0x62]],
    ['half a surrogate pair', [0xed, 0xa0, 0x80]],
  ])('tells the identifier of a PUBLISH to %s, so that it can be acknowledged', (_, topic) => {
    const decoder = new Decoder(protocolVersion)
    const properties = protocolVersion === 5 ? [0] : []
    for (const qos of [0, 1, 2]) {
      const body = [0, topic.length, ...topic, ...(qos > 0 ? [1, 2] : []), ...properties, 0x78]
      const read = decoder.decode(Buffer.of(0x30 + 2 * qos, body.length, ...body))
      expect(read).toMatchObject({ cmd: 'unusable', qos, messageId: qos > 0 ? 0x102 : 0 })
    }
    expect(decoder.decode(octetsOf({ ...message, topic: 'a/\ufffd' }))).toMatchObject({ topic: 'a/\ufffd' })
  })

  it('reads or refuses whatever comes, and keeps nothing of it', () => {
    const decoder = new Decoder(protocolVersion)
    const expected = decoder.decode(octetsOf(message))
    const first = fc.integer({ min: 0, max: 255 })
    fc.assert(
      fc.property(first, fc.uint8Array({ maxLength: 60 }), (head, body) => {
        try {
          decoder.decode(Buffer.of(head, body.length, ...body))
        } catch (error) {
          expect(error).toBeInstanceOf(Error)
        }
        expect(decoder.decode(octetsOf(message))).toEqual(expected)
      }),
      { numRuns: 3000 },
    )
  })
})

describe('the decoder', () => {
  it('tells the identifier of a PUBLISH with malformed properties', () => {
    const decoder = new Decoder(5)
    // property 0x7f does not exist; a length of properties beyond the packet
    expect(decoder.decode(Buffer.of(0x32, 8, 0, 1, 0x61, 0, 9, 2, 0x7f, 1))).toMatchObject({
      ...{ cmd: 'unusable', qos: 1, messageId: 9 },
    })
    expect(decoder.decode(octetsAt5(message))).toMatchObject({ cmd: 'publish', messageId: 9 })
  })

  it('takes DISCONNECT from MQTT 5 brokers only', () => {
    expect(new Decoder(5).decode(Buffer.of(0xe0, 1, 0x8e))).toMatchObject({
      cmd: 'disconnect',
      reasonCode: 0x8e,
    })
    expect(() => new Decoder(4).decode(Buffer.of(0xe0, 0))).toThrow('type 14')
  })
})
