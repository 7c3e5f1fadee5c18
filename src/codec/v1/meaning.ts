// What messages and their values mean, in words: for people who read a datagram or a trace. Pure.

import { decodeText, isUtf8 } from '../text.ts'
import { MsgType, type Packet, type PacketType } from './messages.ts'

/** The clause of the specification that lays out a message. */
export const clauses: Readonly<Record<PacketType, string>> = {
  advertise: '5.4.1',
  searchgw: '5.4.2',
  gwinfo: '5.4.3',
  connect: '5.4.4',
  connack: '5.4.5',
  willtopicreq: '5.4.6',
  willtopic: '5.4.7',
  willmsgreq: '5.4.8',
  willmsg: '5.4.9',
  register: '5.4.10',
  regack: '5.4.11',
  publish: '5.4.12',
  puback: '5.4.13',
  pubcomp: '5.4.14',
  pubrec: '5.4.14',
  pubrel: '5.4.14',
  subscribe: '5.4.15',
  suback: '5.4.16',
  unsubscribe: '5.4.17',
  unsuback: '5.4.18',
  pingreq: '5.4.19',
  pingresp: '5.4.20',
  disconnect: '5.4.21',
  willtopicupd: '5.4.22',
  willmsgupd: '5.4.23',
  willtopicresp: '5.4.24',
  willmsgresp: '5.4.25',
}

const RETURN_CODES = [
  'accepted',
  'rejected: congestion',
  'rejected: invalid topic ID',
  'rejected: not supported',
]

/** Longer texts are shown in part. */
const SHOWN = 128

const DURATIONS: Partial<Record<PacketType, string>> = {
  advertise: ' until the next ADVERTISE',
  connect: ' keep-alive',
  disconnect: ' of sleep',
}

/** What it means that a message has no variable part, where it may have one. */
export const absences: Partial<Record<PacketType, string>> = {
  willtopic: 'empty: deletes the will',
  willtopicupd: 'empty: deletes the will',
  pingreq: 'without ClientId',
  disconnect: 'without Duration: ends the connection',
}

/** The name of a MsgType code as the specification writes it, or undefined for a reserved code. */
export function nameOfCode(code: number): string | undefined {
  const type = (Object.keys(MsgType) as PacketType[]).find((candidate) => MsgType[candidate] === code)
  return type?.toUpperCase()
}

/** A property of a packet in words, such as `60 s keep-alive`; undefined where there is nothing to say. */
export function meaning(packet: Packet, name: string): string | undefined {
  const value: unknown = (packet as unknown as Record<string, unknown>)[name]
  if (value === null || value === undefined || value === false) return undefined
  if (value instanceof Uint8Array) return octetsInWords(value)
  if (typeof value === 'string' && name !== 'topicIdType') return textInWords(value)
  switch (name) {
    case 'qos':
      return value === -1 ? 'QoS -1 (without a connection)' : `QoS ${value}`
    case 'topicIdType':
      return packet.type === 'publish' || value !== 'normal'
        ? `topic id type ${value}`
        : 'a topic name follows'
    case 'duration':
      if (value === 0 && packet.type === 'connect') return '0 s (no keep-alive)'
      if (value === 0 && packet.type === 'disconnect') return '0 s (no sleep: ends the connection)'
      return `${value} s${DURATIONS[packet.type] ?? ''}`
    case 'returnCode':
      return `${value} (${RETURN_CODES[Number(value)] ?? 'reserved: counts as not supported'})`
    case 'protocolId':
      return value === 1 ? '1 (MQTT-SN 1.2)' : `${value} (not MQTT-SN 1.2)`
    case 'radius':
      return value === 0 ? '0 (the whole network)' : value === 1 ? '1 hop' : `${value} hops`
    case 'topicId':
      return topicIdInWords(packet, Number(value))
    default:
      return value === true ? name : String(value)
  }
}

function topicIdInWords(packet: Packet, topicId: number): string {
  const type = 'topicIdType' in packet ? packet.topicIdType : undefined
  if (type === undefined) return String(topicId)
  if (type === 'short') return `${textInWords(decodeText(Uint8Array.of(topicId >> 8, topicId), 0))} (short)`
  return topicId === 0 || topicId === 0xffff ? `${topicId} (a reserved id)` : `${topicId} (${type})`
}

function textInWords(text: string): string {
  if (text === '') return 'empty'
  return isUtf8(text) ? quote(text) : `${quote(text)} (not valid UTF-8)`
}

function octetsInWords(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'empty'
  const size = bytes.length === 1 ? '1 octet' : `${bytes.length} octets`
  // Text with invalid UTF-8 holds surrogates, which are in \p{C} like control characters: octets, not text.
  const text = decodeText(bytes, 0)
  return /[^\P{C}\t\r\n]/u.test(text) ? size : `${quote(text)} (${size})`
}

/** In quotation marks and harmless for a terminal: what is no visible character becomes an escape. */
function quote(text: string): string {
  const shown = JSON.stringify(text.slice(0, SHOWN)).replace(
    /\p{C}/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  )
  return text.length > SHOWN ? `${shown}...` : shown
}
