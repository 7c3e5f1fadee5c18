// Every MQTT-SN 1.2 message as a TypeScript type, with its MsgType code [5.2.2, 5.4]. Pure.

/** Quality of service. -1 stands for the bits 0b11, which only a PUBLISH from a sensor may carry [5.3.4]. */
export type Qos = -1 | 0 | 1 | 2

/** What the two octets TopicId mean [5.3.4]. `reserved` is 0b11, which nobody may send. */
export type TopicIdType = 'normal' | 'predefined' | 'short' | 'reserved'

/** ReturnCode values [5.3.10]. A received value above 3 is reserved and counts as `notSupported`. */
export const ReturnCode = { accepted: 0, congestion: 1, invalidTopicId: 2, notSupported: 3 } as const
/** A ReturnCode that the gateway may send. */
export type ReturnCode = (typeof ReturnCode)[keyof typeof ReturnCode]

/** MsgType code of every message [5.2.2, table 3]. Mind the order of PUBCOMP, PUBREC, PUBREL. */
export const MsgType = {
  advertise: 0x00,
  searchgw: 0x01,
  gwinfo: 0x02,
  connect: 0x04,
  connack: 0x05,
  willtopicreq: 0x06,
  willtopic: 0x07,
  willmsgreq: 0x08,
  willmsg: 0x09,
  register: 0x0a,
  regack: 0x0b,
  publish: 0x0c,
  puback: 0x0d,
  pubcomp: 0x0e,
  pubrec: 0x0f,
  pubrel: 0x10,
  subscribe: 0x12,
  suback: 0x13,
  unsubscribe: 0x14,
  unsuback: 0x15,
  pingreq: 0x16,
  pingresp: 0x17,
  disconnect: 0x18,
  willtopicupd: 0x1a,
  willtopicresp: 0x1b,
  willmsgupd: 0x1c,
  willmsgresp: 0x1d,
} as const

/** A message's name in lower case, as in `packet.type`. */
export type PacketType = keyof typeof MsgType

export interface Advertise {
  type: 'advertise'
  gwId: number
  /** seconds until the next ADVERTISE */
  duration: number
}
export interface Searchgw {
  type: 'searchgw'
  radius: number
}
export interface Gwinfo {
  type: 'gwinfo'
  gwId: number
  /** empty when a gateway sends it */
  gwAdd: Uint8Array
}
export interface Connect {
  type: 'connect'
  will: boolean
  cleanSession: boolean
  protocolId: number
  /** keep-alive in seconds, 0 = not supervised */
  duration: number
  clientId: string
}
/** `returnCode` is a plain number in received packets, since reserved values occur. */
export interface Connack {
  type: 'connack'
  returnCode: number
}
export interface Willtopicreq {
  type: 'willtopicreq'
}
/**
 * `willTopic: null` is the empty 2-octet form, which deletes the will; flags alone decode to `willTopic: ''`.
 */
export interface Willtopic {
  type: 'willtopic'
  qos: Qos
  retain: boolean
  willTopic: string | null
}
export interface Willmsgreq {
  type: 'willmsgreq'
}
export interface Willmsg {
  type: 'willmsg'
  willMsg: Uint8Array
}
export interface Register {
  type: 'register'
  topicId: number
  msgId: number
  topicName: string
}
export interface Regack {
  type: 'regack'
  topicId: number
  msgId: number
  returnCode: number
}
export interface Publish {
  type: 'publish'
  dup: boolean
  qos: Qos
  retain: boolean
  topicIdType: TopicIdType
  /** the two octets as a number, for short topic names too */
  topicId: number
  msgId: number
  /** a view into the decoded datagram, not a copy */
  data: Uint8Array
}
export interface Puback {
  type: 'puback'
  topicId: number
  msgId: number
  returnCode: number
}
export interface Pubcomp {
  type: 'pubcomp'
  msgId: number
}
export interface Pubrec {
  type: 'pubrec'
  msgId: number
}
export interface Pubrel {
  type: 'pubrel'
  msgId: number
}
/** What SUBSCRIBE and UNSUBSCRIBE name: a topic name (type normal), or two octets (the other types). */
export type Filter =
  | { topicIdType: 'normal'; topicName: string }
  | { topicIdType: 'predefined' | 'short' | 'reserved'; topicId: number }
export type Subscribe = { type: 'subscribe'; dup: boolean; qos: Qos; msgId: number } & Filter
export interface Suback {
  type: 'suback'
  qos: Qos
  topicId: number
  msgId: number
  returnCode: number
}
export type Unsubscribe = { type: 'unsubscribe'; msgId: number } & Filter
export interface Unsuback {
  type: 'unsuback'
  msgId: number
}
/** `clientId: null` when the message has none. */
export interface Pingreq {
  type: 'pingreq'
  clientId: string | null
}
export interface Pingresp {
  type: 'pingresp'
}
/** `duration: null` when the message has none; seconds of sleep otherwise. */
export interface Disconnect {
  type: 'disconnect'
  duration: number | null
}
export interface Willtopicupd {
  type: 'willtopicupd'
  qos: Qos
  retain: boolean
  willTopic: string | null
}
export interface Willtopicresp {
  type: 'willtopicresp'
  returnCode: number
}
export interface Willmsgupd {
  type: 'willmsgupd'
  willMsg: Uint8Array
}
export interface Willmsgresp {
  type: 'willmsgresp'
  returnCode: number
}

/** Any MQTT-SN 1.2 message, told apart by `type`. */
export type Packet =
  | Advertise
  | Searchgw
  | Gwinfo
  | Connect
  | Connack
  | Willtopicreq
  | Willtopic
  | Willmsgreq
  | Willmsg
  | Register
  | Regack
  | Publish
  | Puback
  | Pubcomp
  | Pubrec
  | Pubrel
  | Subscribe
  | Suback
  | Unsubscribe
  | Unsuback
  | Pingreq
  | Pingresp
  | Disconnect
  | Willtopicupd
  | Willtopicresp
  | Willmsgupd
  | Willmsgresp

/** Why octets are not a message: at once log text, metric label and test expectation. */
export type MalformedReason =
  | 'empty' // no octets
  | 'length' // the Length field is impossible or differs from what was received
  | 'truncated' // a field is cut off
  | 'surplus' // octets after the last field
  | 'unknown-type' // reserved MsgType
  | 'encapsulation' // the forwarder header is impossible

/** Malformed input is a value, never an exception. */
export interface Malformed {
  type: 'malformed'
  reason: MalformedReason
}
