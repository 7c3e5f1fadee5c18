// The variable part of every message, field by field in the order of the octets: the one table behind both
// decode and encode [5.4]. Pure.

import { type Field, filter, flags, octets, text, u8, u16 } from '../fields.ts'
import type { Packet, PacketType } from './messages.ts'

/** What follows the header of one message. */
export interface Layout<Name extends string = string> {
  readonly fields: readonly Field<Name>[]
  /**
   * values that stand for a message without its variable part, where that is legal; what is null here decides
   */
  readonly absent?: Readonly<Partial<Record<Name, null | 0 | false>>>
}

type PropertyOf<P> = P extends unknown ? Exclude<keyof P & string, 'type'> : never
/** Every message must be listed, and may name only properties that its packet has. */
type Layouts = { readonly [T in PacketType]: Layout<PropertyOf<Extract<Packet, { type: T }>>> }

const msgIdOnly = { fields: [u16('msgId')] }
const returnCodeOnly = { fields: [u8('returnCode')] }
const acknowledgement = { fields: [u16('topicId'), u16('msgId'), u8('returnCode')] }
const nothing = { fields: [] }
const will = {
  fields: [flags('qos', 'retain'), text('willTopic')],
  absent: { qos: 0, retain: false, willTopic: null },
} as const

export const layouts: Layouts = {
  advertise: { fields: [u8('gwId'), u16('duration')] },
  searchgw: { fields: [u8('radius')] },
  gwinfo: { fields: [u8('gwId'), octets('gwAdd')] },
  connect: { fields: [flags('will', 'cleanSession'), u8('protocolId'), u16('duration'), text('clientId')] },
  connack: returnCodeOnly,
  willtopicreq: nothing,
  willtopic: will,
  willmsgreq: nothing,
  willmsg: { fields: [octets('willMsg')] },
  register: { fields: [u16('topicId'), u16('msgId'), text('topicName')] },
  regack: acknowledgement,
  publish: {
    fields: [flags('dup', 'qos', 'retain', 'topicIdType'), u16('topicId'), u16('msgId'), octets('data')],
  },
  puback: acknowledgement,
  pubcomp: msgIdOnly,
  pubrec: msgIdOnly,
  pubrel: msgIdOnly,
  subscribe: { fields: [flags('dup', 'qos', 'topicIdType'), u16('msgId'), filter] },
  suback: { fields: [flags('qos'), u16('topicId'), u16('msgId'), u8('returnCode')] },
  unsubscribe: { fields: [flags('topicIdType'), u16('msgId'), filter] },
  unsuback: msgIdOnly,
  pingreq: { fields: [text('clientId')], absent: { clientId: null } },
  pingresp: nothing,
  disconnect: { fields: [u16('duration')], absent: { duration: null } },
  willtopicupd: will,
  willtopicresp: returnCodeOnly,
  willmsgupd: { fields: [octets('willMsg')] },
  willmsgresp: returnCodeOnly,
}
