// The packed memory of a sensor's last messages gives back what matters of them.

import { expect, it } from 'vitest'
import type { Packet } from '../../../src/codec/v1/messages.ts'
import {
  addRecentPacket,
  createRecentPackets,
  listRecentPackets,
} from '../../../src/monitor/sensors/recent-packets.ts'

const publish = (fields: Partial<Extract<Packet, { type: 'publish' }>>): Packet => ({
  type: 'publish',
  dup: false,
  qos: 0,
  retain: false,
  topicIdType: 'normal',
  topicId: 1,
  msgId: 1,
  data: new Uint8Array(1),
  ...fields,
})
const names = (topicId: number, type: string) => (topicId === 1 ? `${type}/topic` : undefined)

it('keeps type, direction, QoS, topic, size, DUP and return code', () => {
  const recent = createRecentPackets()
  addRecentPacket(recent, 10, 'received', publish({}))
  addRecentPacket(
    recent,
    11,
    'sent',
    publish({ qos: 2, dup: true, topicId: 65534, data: new Uint8Array(70_000) }),
  )
  addRecentPacket(recent, 12, 'received', publish({ qos: -1, topicIdType: 'short', topicId: 0x6162 }))
  addRecentPacket(
    recent,
    13,
    'received',
    publish({ qos: 1, topicIdType: 'predefined', data: new Uint8Array(0) }),
  )
  addRecentPacket(recent, 14, 'sent', { type: 'puback', topicId: 65534, msgId: 9, returnCode: 2 })
  addRecentPacket(recent, 15, 'sent', { type: 'connack', returnCode: 0 })
  addRecentPacket(recent, 16, 'received', { type: 'pingreq', clientId: 'x' })
  expect(listRecentPackets(recent, names)).toEqual([
    {
      at: 10,
      direction: 'received',
      type: 'PUBLISH',
      text: 'QoS 0 normal/topic, 1 octet',
      refused: undefined,
    },
    {
      at: 11,
      direction: 'sent',
      type: 'PUBLISH',
      text: 'QoS 2 topic id 65534, 16383 octets or more, again',
      refused: undefined,
    },
    { at: 12, direction: 'received', type: 'PUBLISH', text: 'QoS -1 ab, 1 octet', refused: undefined },
    {
      at: 13,
      direction: 'received',
      type: 'PUBLISH',
      text: 'QoS 1 predefined/topic, 0 octets',
      refused: undefined,
    },
    {
      at: 14,
      direction: 'sent',
      type: 'PUBACK',
      text: 'topic id 65534, rejected: invalid topic id',
      refused: 2,
    },
    { at: 15, direction: 'sent', type: 'CONNACK', text: 'accepted', refused: undefined },
    { at: 16, direction: 'received', type: 'PINGREQ', text: '', refused: undefined },
  ])
})

it('keeps the names that messages carry themselves', () => {
  const recent = createRecentPackets()
  addRecentPacket(recent, 20, 'received', { type: 'register', topicId: 0, msgId: 1, topicName: 'a/name' })
  addRecentPacket(recent, 21, 'sent', { type: 'register', topicId: 1, msgId: 1, topicName: 'b/name' })
  const subscribe = { type: 'subscribe', dup: false, qos: 1, msgId: 2 } as const
  addRecentPacket(recent, 22, 'received', { ...subscribe, topicIdType: 'normal', topicName: 'c/#' })
  addRecentPacket(recent, 23, 'received', { ...subscribe, topicIdType: 'predefined', topicId: 1 })
  addRecentPacket(recent, 24, 'received', { ...subscribe, topicIdType: 'short', topicId: 0x6162 })
  addRecentPacket(recent, 25, 'received', { type: 'willtopic', qos: 0, retain: false, willTopic: 'gone' })
  addRecentPacket(recent, 26, 'received', { type: 'willtopic', qos: 0, retain: false, willTopic: null })
  const texts = () => listRecentPackets(recent, names).map(({ text }) => text)
  expect(texts()).toEqual(['a/name', 'b/name', 'c/#', 'predefined/topic', 'ab', 'gone', ''])
  for (let at = 30; at < 46; at++) addRecentPacket(recent, at, 'sent', { type: 'pingresp' })
  expect(new Set(texts())).toEqual(new Set(['']))
})

it('keeps no more than the beginning of a long name', () => {
  const recent = createRecentPackets()
  const topicName = 'x'.repeat(5000)
  addRecentPacket(recent, 20, 'received', { type: 'register', topicId: 0, msgId: 1, topicName })
  expect(listRecentPackets(recent, names)[0]?.text).toBe('x'.repeat(200))
})

it('forgets the oldest', () => {
  const recent = createRecentPackets()
  for (let at = 1; at <= 40; at++) addRecentPacket(recent, at, 'sent', { type: 'pingresp' })
  expect(listRecentPackets(recent, names).map(({ at }) => at)).toEqual(
    Array.from({ length: 16 }, (_, i) => 25 + i),
  )
})
