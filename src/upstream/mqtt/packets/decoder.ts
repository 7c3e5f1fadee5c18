// Reads packets from the broker, with the parser of mqtt-packet. One per version of MQTT serves all connections.

import { isUtf8 } from 'node:buffer'
import {
  type IConnackPacket,
  type IDisconnectPacket,
  type IPublishPacket,
  type Parser,
  parser,
} from 'mqtt-packet'
import { hasWildcard } from '../../../mqtt-topics.ts'
import type { DropReason } from '../../../session/events.ts'
import type { Version } from '../negotiation.ts'

type Packet<Cmd extends string, Fields> = Cmd extends string ? { readonly cmd: Cmd } & Fields : never

export type Acknowledgement = Packet<
  'puback' | 'pubrec' | 'pubrel' | 'pubcomp',
  { readonly messageId: number; readonly reasonCode?: number | undefined }
>

/** SUBACK and UNSUBACK. */
export type Granted = Packet<
  'suback' | 'unsuback',
  { readonly messageId: number; readonly granted?: readonly unknown[] | undefined }
>

/** A PUBLISH whose payload is its own, not a part of what the network delivered; `messageId` is 0 at QoS 0. */
export type Published = Omit<IPublishPacket, 'payload' | 'messageId'> & {
  readonly payload: Uint8Array
  readonly messageId: number
}

/**
 * A PUBLISH that nobody can be given: its topic is empty, has wildcards or is no text that MQTT carries, or what follows the
 * topic is malformed. Its identifier is known, so that it can be acknowledged and what is behind it can come.
 */
export interface Unusable {
  readonly cmd: 'unusable'
  readonly reason: Extract<DropReason, 'invalid-from-broker' | 'too-long'>
  readonly qos: 0 | 1 | 2
  /** 0 at QoS 0 */
  readonly messageId: number
  readonly detail: string
}

/** What a broker may send. */
export type FromBroker =
  | Acknowledgement
  | Granted
  | Published
  | Unusable
  | IConnackPacket
  | IDisconnectPacket
  | { readonly cmd: 'pingresp' }

/** packet types by their first four bits */
const ACKS = { 4: 'puback', 5: 'pubrec', 6: 'pubrel', 7: 'pubcomp' } as const
/** those that a broker sends; AUTH only to those who began with it */
const TYPES = new Set([2, 3, 4, 5, 6, 7, 9, 11, 13, 14])

const IMPOSSIBLE = 'invalid-from-broker'
const PINGRESP = { cmd: 'pingresp' } as const

/** Fed with one complete packet at a time, so that the parser keeps nothing from one to the next. */
export class Decoder {
  readonly #version: Version
  #parser: Parser
  #packet: unknown
  #error: Error | undefined

  constructor(version: Version) {
    this.#version = version
    this.#parser = this.#newParser()
  }

  /** Throws an Error for what the broker may not send. */
  decode(octets: Buffer): FromBroker {
    const first = octets[0] ?? 0
    const type = first >> 4
    // Most packets are short acknowledgements, which are read faster without the parser.
    if (octets[1] === 2 && (type === 4 || type === 5 || type === 6 || type === 7)) {
      if ((first & 0xf) === (type === 6 ? 2 : 0)) {
        return withId({ cmd: ACKS[type], messageId: octets.readUInt16BE(2), reasonCode: 0 })
      }
    }
    if (first === 0xd0 && octets[1] === 0) return PINGRESP
    if (!TYPES.has(type) || (type === 14 && this.#version === 4)) {
      throw new Error(`the broker sent a packet of type ${type}`)
    }
    if (type === 3) return this.#published(octets)
    const packet = this.#parse(octets) as FromBroker
    switch (packet.cmd) {
      case 'connack':
      case 'pingresp':
      case 'disconnect':
      case 'publish':
      case 'unusable':
        return packet
      default:
        return withId(packet)
    }
  }

  /** Throws an Error only where not even the identifier can be found. */
  #published(octets: Buffer): Published | Unusable {
    let packet: IPublishPacket
    try {
      packet = this.#parse(octets) as IPublishPacket
    } catch (error) {
      const found = unreadable(octets, String(error))
      if (found === undefined) throw error
      return found
    }
    const { messageId = 0, payload, topic, qos } = packet
    if (qos > 0 && !(messageId >= 1)) throw new Error('the broker sent PUBLISH without packet identifier')
    // Topic aliases were not allowed, so that a topic may not be empty. What is not UTF-8 was read as U+FFFD.
    const isPossible = topic !== '' && !hasWildcard(topic) && !topic.includes('\0')
    if (!isPossible || (topic.includes('\ufffd') && !isUtf8(topicOctets(octets)))) {
      return {
        cmd: 'unusable',
        reason: IMPOSSIBLE,
        qos,
        messageId,
        detail: 'a topic that no message can have',
      }
    }
    // A copy: it outlives the buffer that the network is read into.
    const copy = new Uint8Array(typeof payload === 'string' ? Buffer.from(payload) : payload)
    return { ...packet, messageId, payload: copy }
  }

  /**
   * Reads a PUBLISH that was too long to be taken: of its octets, those up to the packet identifier are there. Throws an Error
   * if they are not.
   */
  decodeHead(octets: Buffer, missing: number): Unusable {
    const found = unreadable(octets, `a message of ${octets.length + missing} octets`)
    if (found !== undefined) return { ...found, reason: 'too-long' }
    throw new Error('the broker sent a malformed packet: too long, and not even its beginning is there')
  }

  #parse(octets: Buffer): unknown {
    this.#packet = undefined
    this.#error = undefined
    try {
      const left = this.#parser.parse(octets)
      if (this.#error === undefined && left === 0 && this.#packet !== undefined) return this.#packet
    } catch (error) {
      this.#error = error instanceof Error ? error : new Error(String(error))
    }
    this.#parser = this.#newParser()
    throw new Error(`the broker sent a malformed packet: ${this.#error?.message ?? 'too short'}`)
  }

  #newParser(): Parser {
    const fresh = parser({ protocolVersion: this.#version })
    fresh.on('packet', (packet) => {
      this.#packet = packet
    })
    fresh.on('error', (error) => {
      this.#error ??= error
    })
    return fresh
  }
}

function withId<T extends Acknowledgement | Granted>(packet: T): T {
  if (!(packet.messageId >= 1)) throw new Error(`the broker sent ${packet.cmd} without packet identifier`)
  return packet
}

/** Where the topic of a PUBLISH begins: after the first octet and the length. */
function topicStart(octets: Buffer): number {
  let at = 1
  while ((octets[at] ?? 0) >= 0x80) at += 1
  return at + 1
}

function topicOctets(octets: Buffer): Buffer {
  const start = topicStart(octets)
  return octets.subarray(start + 2, start + 2 + octets.readUInt16BE(start))
}

/** What can be told of a PUBLISH that the parser gave up; undefined if its identifier is not there. */
function unreadable(octets: Buffer, detail: string): Unusable | undefined {
  const qos = ((octets[0] ?? 0) >> 1) & 3
  const start = topicStart(octets)
  if (qos === 3 || start + 2 > octets.length) return undefined
  const end = start + 2 + octets.readUInt16BE(start)
  if (qos === 0)
    return end > octets.length
      ? undefined
      : { cmd: 'unusable', reason: IMPOSSIBLE, qos, messageId: 0, detail }
  if (end + 2 > octets.length) return undefined
  const messageId = octets.readUInt16BE(end)
  return messageId === 0
    ? undefined
    : { cmd: 'unusable', reason: IMPOSSIBLE, qos: qos === 1 ? 1 : 2, messageId, detail }
}
