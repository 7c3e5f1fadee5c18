// Reads packets from the broker, with the parser of mqtt-packet. One per version of MQTT serves all connections.

import {
  type IConnackPacket,
  type IDisconnectPacket,
  type IPublishPacket,
  type Parser,
  parser,
} from 'mqtt-packet'
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

/** What a broker may send. */
export type FromBroker =
  | Acknowledgement
  | Granted
  | Published
  | IConnackPacket
  | IDisconnectPacket
  | { readonly cmd: 'pingresp' }

/** packet types by their first four bits */
const ACKS = { 4: 'puback', 5: 'pubrec', 6: 'pubrel', 7: 'pubcomp' } as const
/** those that a broker sends; AUTH only to those who began with it */
const TYPES = new Set([2, 3, 4, 5, 6, 7, 9, 11, 13, 14])

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
    const packet = this.#parse(octets) as FromBroker | (IPublishPacket & { messageId?: number })
    switch (packet.cmd) {
      case 'connack':
      case 'pingresp':
      case 'disconnect':
        return packet
      case 'publish':
        return published(packet as IPublishPacket)
      default:
        return withId(packet)
    }
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

function published(packet: IPublishPacket): Published {
  const { messageId = 0, payload, topic, qos } = packet
  if (qos > 0 && !(messageId >= 1)) throw new Error('the broker sent PUBLISH without packet identifier')
  // Topic aliases were not allowed, so that a topic may not be empty.
  if (topic === '' || topic.includes('#') || topic.includes('+')) {
    throw new Error('the broker sent PUBLISH with an impossible topic')
  }
  // A copy: it outlives the buffer that the network is read into.
  const copy = new Uint8Array(typeof payload === 'string' ? Buffer.from(payload) : payload)
  return { ...packet, messageId, payload: copy }
}
