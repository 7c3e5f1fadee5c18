// What a person gets to read about a datagram.

import { describe, expect, it } from 'vitest'
import { describeFrame, explainMalformed, summarize } from '../../src/codec/v1/describe.ts'
import { decodeFrame } from '../../src/codec/v1/frame.ts'
import { fromHex, malformed, toHex, vectors } from './vectors.ts'

function explained(hex: string): string {
  const bytes = fromHex(hex)
  return explainMalformed(bytes, decodeFrame(bytes)) ?? 'not malformed'
}

describe('describeFrame', () => {
  it('shows every field with its octets and its meaning', () => {
    expect(describeFrame(fromHex('0c0cd00002012c68656c6c6f'))).toEqual([
      'PUBLISH [5.4.12], 12 octets',
      '  Length   0c          12',
      '  MsgType  0c          PUBLISH',
      '  Flags    d0          dup, QoS 2, retain, topic id type normal',
      '  TopicId  0002        2 (normal)',
      '  MsgId    012c        300',
      '  Data     68656c6c6f  "hello" (5 octets)',
    ])
  })

  it('shows the encapsulation around a message', () => {
    expect(describeFrame(fromHex('05fe001234030500'))).toEqual([
      'encapsulated by a forwarder [5.5]',
      '  Length          05    5 octets up to the end of the node id',
      '  MsgType         fe    encapsulated message',
      '  Ctrl            00    broadcast radius 0',
      '  WirelessNodeId  1234  2 octets',
      '  CONNACK [5.4.5], 3 octets',
      '    Length      03  3',
      '    MsgType     05  CONNACK',
      '    ReturnCode  00  0 (accepted)',
    ])
  })

  it('shows how far a malformed message could be read', () => {
    expect(describeFrame(fromHex('060c20000100'))).toEqual([
      'malformed (truncated): PUBLISH ends inside its field MsgId',
      '  Length   06    6',
      '  MsgType  0c    PUBLISH',
      '  Flags    20    QoS 1, topic id type normal',
      '  TopicId  0001  1 (normal)',
      '  MsgId    00    cut off',
    ])
    expect(describeFrame(fromHex('0518003c00')).at(-1)).toBe('  surplus   00    belongs to no field')
    expect(describeFrame(new Uint8Array())).toEqual(['malformed (empty): there are no octets'])
  })

  it('names the length form and the flag bits that are ignored', () => {
    expect(describeFrame(fromHex('01000416'))).toEqual([
      'PINGREQ [5.4.19], 4 octets, without ClientId',
      '  Length   010004  4, in the 3-octet form although one octet would do',
      '  MsgType  16      PINGREQ',
    ])
    expect(describeFrame(fromHex('0e04f701003c73656e736f722d31'))[3]).toContain(
      'cleanSession, unused bits 0xf3 ignored',
    )
  })

  it('begins with the name of the message for every vector, and has all octets', () => {
    for (const { name, type, hex } of vectors) {
      const lines = describeFrame(fromHex(hex))
      expect(lines[0], name).toMatch(
        type === 'ENCAPSULATED' ? /^encapsulated/ : new RegExp(`^${type} \\[5\\.4\\.`),
      )
      if (lines.some((line) => line.includes('more)')) || type === 'ENCAPSULATED') continue
      const octets = lines
        .slice(1)
        .map((line) => line.slice(lines[1]?.indexOf(hex.slice(0, 2))).split(' ')[0])
      expect(octets.join(''), name).toBe(hex)
    }
  })

  it('says malformed for every frame that is, and only for those', () => {
    for (const { name, hex } of malformed) {
      const isMalformed = decodeFrame(fromHex(hex)).packet.type === 'malformed'
      expect(
        describeFrame(fromHex(hex)).some((line) => line.trim().startsWith('malformed')),
        name,
      ).toBe(isMalformed)
    }
  })

  it('makes control characters harmless and shows binary payload as octets only', () => {
    expect(describeFrame(fromHex('06161b5b9b41')).at(-1)).toContain('"\\u001b[\\udc9bA" (not valid UTF-8)')
    expect(describeFrame(fromHex('0616c29b5b41')).at(-1)).toContain('"\\u{9b}[A"')
    expect(describeFrame(fromHex('050900ff80')).at(-1)).toBe('  WillMsg  00ff80  3 octets')
  })
})

describe('summarize', () => {
  it.each([
    ['0a0c2200070001006f6e', 'PUBLISH QoS 1, topicId "\\u0000\\u0007" (short), msgId 1, data 3 octets'],
    ['090c21000500076f6e', 'PUBLISH QoS 1, topicId 5 (predefined), msgId 7, data "on" (2 octets)'],
    [
      '080c62657600006e',
      'PUBLISH QoS -1 (without a connection), topicId "ev" (short), msgId 0, data "n" (1 octet)',
    ],
    [
      '0a040c01003c64657631',
      'CONNECT will, cleanSession, protocolId 1 (MQTT-SN 1.2), duration 60 s keep-alive, clientId "dev1"',
    ],
    ['0812200003732f2b', 'SUBSCRIBE QoS 1, msgId 3, topicName "s/+"'],
    ['070b0001000280', 'REGACK topicId 1, msgId 2, returnCode 128 (reserved: counts as not supported)'],
    ['0207', 'WILLTOPIC empty: deletes the will'],
    ['0217', 'PINGRESP'],
    ['0200', 'malformed (truncated)'],
  ])('puts %s in one line', (hex, line) => {
    expect(summarize(decodeFrame(fromHex(hex)).packet)).toBe(line)
  })
})

describe('explainMalformed', () => {
  it.each([
    ['', 'there are no octets'],
    ['0016', 'Length 0 is impossible'],
    ['0100', 'the 3-octet Length and the MsgType are cut off'],
    ['02160218', 'Length says 2, but 4 octets arrived'],
    ['0203', 'MsgType 0x03 is reserved'],
    ['0205', 'CONNACK ends before its field ReturnCode'],
    ['031700', 'PINGRESP goes on after its last field'],
    ['03fe000216', 'has no wireless node id'],
    ['05fe001234', 'no message follows'],
    ['09fe0012340216', "the encapsulation's Length is 9, but 7 octets arrived"],
    ['010007fe0012340216', 'an encapsulation has a Length of one octet'],
    ['05fe00123404fe00070216', 'an encapsulation holds another one'],
    ['0217', 'not malformed'],
  ])('says of %j: %s', (hex, text) => {
    expect(explained(hex)).toContain(text)
  })

  it('ends no explanation without a reason for every malformed frame', () => {
    for (const { hex } of malformed) {
      expect(explained(hex)).not.toMatch(/undefined|NaN|^\s|\s$/)
      expect(explained(toHex(Uint8Array.of(4, 0xfe, 0, 7)) + hex)).not.toMatch(/undefined|NaN|^\s|\s$/)
    }
  })
})
