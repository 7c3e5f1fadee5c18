// What the codec costs per message. Figures vary with the machine and its other work: compare, do not trust.
// Run with: npx vitest bench test/codec

import { bench, describe } from 'vitest'
import { decode, decodeFrame, encode, encodeFrame, type Packet } from '../../src/codec/v1/frame.ts'

const publish = Buffer.from('0b0c200001000132312e35', 'hex')
const encapsulated = Buffer.from('05fe0012340b0c200001000132312e35', 'hex')
const mixed = [
  '0b0c200001000132312e35',
  '0e040401003c73656e736f722d31',
  '0b0a00000001612f622f63',
  '070b0001000100',
  '070d0001000100',
  '040f0102',
  '04100102',
  '0a1673656e736f722d31',
  '0217',
  '0813200001000100',
].map((hex) => Buffer.from(hex, 'hex'))
const packets = mixed.map((bytes) => decode(bytes) as Packet)
const publishPacket = packets[0] as Packet
const nodeId = Uint8Array.of(0x12, 0x34)

describe('decode', () => {
  bench('PUBLISH', () => void decodeFrame(publish))
  bench('PUBLISH, encapsulated', () => void decodeFrame(encapsulated))
  bench('ten different messages', () => {
    for (const bytes of mixed) decodeFrame(bytes)
  })
})

describe('encode', () => {
  bench('PUBLISH', () => void encode(publishPacket))
  bench('PUBLISH, encapsulated', () => void encodeFrame(publishPacket, nodeId))
  bench('ten different messages', () => {
    for (const packet of packets) encode(packet)
  })
})
