// Arbitrary packets of every type, for property tests.

import fc from 'fast-check'
import type { Packet, PacketType, Qos, TopicIdType } from '../../src/codec/v1/messages.ts'

const u8 = fc.integer({ min: 0, max: 0xff })
const u16 = fc.integer({ min: 0, max: 0xffff })
const bool = fc.boolean()
const qos = fc.constantFrom<Qos>(-1, 0, 1, 2)
const topicIdType = fc.constantFrom<TopicIdType>('normal', 'predefined', 'short', 'reserved')
/** Sizes around 255, where the length form changes, come up often enough. */
const octets = fc.oneof(
  fc.uint8Array({ maxLength: 30 }),
  fc.uint8Array({ minLength: 240, maxLength: 270, size: 'max' }),
)
const text = fc.string({ unit: 'binary', maxLength: 100, size: 'max' })
const name = fc.string({ unit: 'binary', minLength: 1, maxLength: 30, size: 'max' })

const filter = fc.oneof(
  fc.record({ topicIdType: fc.constant('normal' as const), topicName: text }),
  fc.record({ topicIdType: fc.constantFrom('predefined', 'short', 'reserved'), topicId: u16 }),
)

/** The fields of each message; `type` is added. Without its variable part a message has only zeros. */
const fields: Record<PacketType, fc.Arbitrary<object>> = {
  advertise: fc.record({ gwId: u8, duration: u16 }),
  searchgw: fc.record({ radius: u8 }),
  gwinfo: fc.record({ gwId: u8, gwAdd: octets }),
  connect: fc.record({ will: bool, cleanSession: bool, protocolId: u8, duration: u16, clientId: text }),
  connack: fc.record({ returnCode: u8 }),
  willtopicreq: fc.constant({}),
  willtopic: fc.record({ qos, retain: bool, willTopic: text }),
  willmsgreq: fc.constant({}),
  willmsg: fc.record({ willMsg: octets }),
  register: fc.record({ topicId: u16, msgId: u16, topicName: text }),
  regack: fc.record({ topicId: u16, msgId: u16, returnCode: u8 }),
  publish: fc.record({ dup: bool, qos, retain: bool, topicIdType, topicId: u16, msgId: u16, data: octets }),
  puback: fc.record({ topicId: u16, msgId: u16, returnCode: u8 }),
  pubcomp: fc.record({ msgId: u16 }),
  pubrec: fc.record({ msgId: u16 }),
  pubrel: fc.record({ msgId: u16 }),
  subscribe: fc.tuple(fc.record({ dup: bool, qos, msgId: u16 }), filter).map(([a, b]) => ({ ...a, ...b })),
  suback: fc.record({ qos, topicId: u16, msgId: u16, returnCode: u8 }),
  unsubscribe: fc.tuple(fc.record({ msgId: u16 }), filter).map(([a, b]) => ({ ...a, ...b })),
  unsuback: fc.record({ msgId: u16 }),
  pingreq: fc.record({ clientId: fc.option(name) }),
  pingresp: fc.constant({}),
  disconnect: fc.record({ duration: fc.option(u16) }),
  willtopicupd: fc.oneof(
    fc.record({ qos, retain: bool, willTopic: text }),
    fc.constant({ qos: 0, retain: false, willTopic: null }),
  ),
  willtopicresp: fc.record({ returnCode: u8 }),
  willmsgupd: fc.record({ willMsg: octets }),
  willmsgresp: fc.record({ returnCode: u8 }),
}

/** Any packet of one type. */
export function packetOfType(type: PacketType): fc.Arbitrary<Packet> {
  return fields[type].map((values) => ({ type, ...values }) as Packet)
}
