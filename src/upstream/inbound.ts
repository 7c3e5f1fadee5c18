// Messages from the broker to one sensor: handed over once, acknowledged when the session has them [SN-MAP-17, -24].

import type { IPublishPacket } from 'mqtt'
import type { Message } from '../session/events.ts'
import { UnwantedRetained } from './retained.ts'

/** Gets each message; `ack` is undefined at QoS 0. */
export type OnMessage = (message: Message, ack: number | undefined) => void

/** What waits for the session's acknowledgement. */
interface Unacknowledged {
  /** 0 = QoS 1 */
  readonly packetId: number
  /** lets MQTT.js send PUBACK or PUBREC; undefined when its connection is gone */
  done: (() => void) | undefined
}

/**
 * The receiving side of one sensor, for as long as its broker session lives. QoS 2 messages are handed over when their
 * PUBLISH arrives, PUBREC follows the session's acknowledgement, and until PUBREL only their identifiers are kept.
 */
export class Inbound {
  readonly #onMessage: OnMessage
  readonly #now: () => number
  #lastAck = 0
  readonly #unacknowledged = new Map<number, Unacknowledged>()
  /** QoS 2 identifiers between PUBLISH and PUBREL, with the ack that is still awaited, or 0 */
  readonly #exactlyOnce = new Map<number, number>()
  readonly unwanted: UnwantedRetained

  constructor(onMessage: OnMessage, now: () => number) {
    this.#onMessage = onMessage
    this.#now = now
    this.unwanted = new UnwantedRetained(now)
  }

  /** A QoS 0 or 1 message. `done` lets MQTT.js go on. */
  take(packet: IPublishPacket, done: () => void): void {
    if (this.#isUnwanted(packet)) return done()
    if (packet.qos !== 0) return this.#hand(packet, 0, done)
    this.#onMessage(this.#message(packet), undefined)
    done()
  }

  /** A QoS 2 message, perhaps one that came before. `done` lets MQTT.js send PUBREC. */
  takeOnce(packet: IPublishPacket, done: () => void): void {
    const packetId = packet.messageId ?? 0
    const ack = this.#exactlyOnce.get(packetId)
    if (ack === undefined && this.#isUnwanted(packet)) {
      this.#exactlyOnce.set(packetId, 0)
      return done()
    }
    if (ack === undefined) return this.#hand(packet, packetId, done)
    const unacknowledged = this.#unacknowledged.get(ack)
    if (unacknowledged === undefined) done()
    else unacknowledged.done = done
  }

  /** PUBREL came: the identifier may be used for another message. */
  release(packetId: number): void {
    const ack = this.#exactlyOnce.get(packetId)
    this.#exactlyOnce.delete(packetId)
    if (ack !== undefined) this.#unacknowledged.delete(ack)
  }

  /** The session has the message. */
  acknowledge(ack: number): void {
    const unacknowledged = this.#unacknowledged.get(ack)
    if (unacknowledged === undefined) return
    this.#unacknowledged.delete(ack)
    if (unacknowledged.packetId !== 0) this.#exactlyOnce.set(unacknowledged.packetId, 0)
    unacknowledged.done?.()
  }

  /** The connection is gone: the broker sends again what it has no acknowledgement for. */
  disconnected(): void {
    this.unwanted.clear()
    for (const [ack, unacknowledged] of this.#unacknowledged) {
      if (unacknowledged.packetId === 0) this.#unacknowledged.delete(ack)
      else unacknowledged.done = undefined
    }
  }

  /** The broker's session is a new one. */
  clear(): void {
    this.#unacknowledged.clear()
    this.#exactlyOnce.clear()
  }

  #isUnwanted(packet: IPublishPacket): boolean {
    return packet.retain && this.unwanted.has(packet.topic)
  }

  #hand(packet: IPublishPacket, packetId: number, done: () => void): void {
    this.#lastAck += 1
    const ack = this.#lastAck
    this.#unacknowledged.set(ack, { packetId, done })
    if (packetId !== 0) this.#exactlyOnce.set(packetId, ack)
    this.#onMessage(this.#message(packet), ack)
  }

  #message(packet: IPublishPacket): Message {
    const { topic, qos, retain } = packet
    // A copy: a view would keep the whole chunk that the socket read alive for as long as the message is queued.
    const payload = new Uint8Array(
      typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload,
    )
    const seconds = packet.properties?.messageExpiryInterval
    if (seconds === undefined) return { topic, payload, qos, retain }
    return { topic, payload, qos, retain, expiresAt: this.#now() + seconds * 1000 }
  }
}
