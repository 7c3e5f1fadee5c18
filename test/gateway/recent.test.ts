// The packed memory of a sensor's last messages gives back what matters of them.

import { expect, it } from 'vitest'
import type { Packet } from '../../src/codec/messages.ts'
import { createRecent, recall, remember } from '../../src/gateway/recent.ts'

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
  const recent = createRecent()
  remember(recent, 10, 'received', publish({}))
  remember(recent, 11, 'sent', publish({ qos: 2, dup: true, topicId: 65534, data: new Uint8Array(70_000) }))
  remember(recent, 12, 'received', publish({ qos: -1, topicIdType: 'short', topicId: 0x6162 }))
  remember(recent, 13, 'received', publish({ qos: 1, topicIdType: 'predefined', data: new Uint8Array(0) }))
  remember(recent, 14, 'sent', { type: 'puback', topicId: 65534, msgId: 9, returnCode: 2 })
  remember(recent, 15, 'sent', { type: 'connack', returnCode: 0 })
  remember(recent, 16, 'received', { type: 'pingreq', clientId: 'x' })
  expect(recall(recent, names)).toEqual([
    { at: 10, direction: 'received', type: 'PUBLISH', text: 'QoS 0 normal/topic, 1 octet' },
    { at: 11, direction: 'sent', type: 'PUBLISH', text: 'QoS 2 topic id 65534, 16383 octets or more, again' },
    { at: 12, direction: 'received', type: 'PUBLISH', text: 'QoS -1 ab, 1 octet' },
    { at: 13, direction: 'received', type: 'PUBLISH', text: 'QoS 1 predefined/topic, 0 octets' },
    { at: 14, direction: 'sent', type: 'PUBACK', text: 'topic id 65534, rejected: invalid topic id' },
    { at: 15, direction: 'sent', type: 'CONNACK', text: 'accepted' },
    { at: 16, direction: 'received', type: 'PINGREQ', text: '' },
  ])
})

it('forgets the oldest', () => {
  const recent = createRecent()
  for (let at = 1; at <= 40; at++) remember(recent, at, 'sent', { type: 'pingresp' })
  expect(recall(recent, names).map(({ at }) => at)).toEqual(Array.from({ length: 16 }, (_, i) => 25 + i))
})
