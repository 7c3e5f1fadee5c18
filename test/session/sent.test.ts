// What the gateway never sends, whatever it receives in whatever state [5.2.2, 5.3.4, 5.4].

import { expect, it } from 'vitest'
import { encode, type Packet } from '../../src/codec/v1/frame.ts'
import { messages, receiving } from '../support/every-message.ts'
import { inState, states } from '../support/scene.ts'

/** All that is sent in answer to every message in every state, and in the 100 s after it. */
const packets: Packet[] = states.flatMap((state) =>
  Object.keys(messages).flatMap((row) => {
    const scene = inState(state)
    receiving(row)(scene)
    scene.world.advance(100_000)
    return scene.world.effects.flatMap((effect) => (effect.type === 'send' ? [effect.packet] : []))
  }),
)
const types = new Set(packets.map(({ type }) => type))

it.each([
  'searchgw',
  'connect',
  'willtopic',
  'willmsg',
  'subscribe',
  'unsubscribe',
  'willtopicupd',
  'willmsgupd',
] as const)('sends no %s, which is for sensors to send [SN-TYP-4]', (type) => {
  expect(types.size).toBeGreaterThan(12)
  expect(types).not.toContain(type)
})

it('sends neither QoS -1 nor topic id type 0b11 [SN-FLG-2, SN-FLG-3]', () => {
  const publishes = packets.flatMap((packet) => (packet.type === 'publish' ? [packet] : []))
  expect(publishes.length).toBeGreaterThan(10)
  for (const { qos, topicIdType } of publishes) {
    expect(qos).toBeGreaterThanOrEqual(0)
    expect(topicIdType).not.toBe('reserved')
  }
})

it('sends DISCONNECT without Duration only [SN-COD-6]', () => {
  const disconnects = packets.filter(({ type }) => type === 'disconnect')
  expect(disconnects.length).toBeGreaterThan(50)
  for (const packet of disconnects) expect(Buffer.from(encode(packet)).toString('hex')).toBe('0218')
})

it('sends no PINGREQ with a ClientId [SN-COD-7]', () => {
  expect(packets.filter((packet) => packet.type === 'pingreq' && packet.clientId !== null)).toEqual([])
})

it('sends return codes 0 to 3 only [SN-FLD-1 in part]', () => {
  const codes = packets.flatMap((packet) => ('returnCode' in packet ? [packet.returnCode] : []))
  expect(codes.length).toBeGreaterThan(10)
  expect(codes.filter((code) => code > 3)).toEqual([])
})
