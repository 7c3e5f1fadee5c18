// Messages from the broker to one sensor on one network connection. They are handed over in the order in which they come
// [SN-MAP-17, -24].

import type { Message } from '../../session/message.ts'
import type { UpstreamOptions } from '../upstream.ts'
import type { Published, Unusable } from './packets/decoder.ts'
import { acknowledgement, PUBACK, PUBCOMP, PUBREC } from './packets/octets.ts'
import { UnwantedRetained } from './retained.ts'
import type { Report } from './sender.ts'
import type { BrokerSocket } from './socket.ts'

/** An ack is a number made of the connection's own, this many bits for what is to be written, and the identifier. */
const TYPES = [PUBACK, PUBREC, PUBCOMP]
const CONNECTION = 4 * 0x10000

/** Keeps no message that it hands over: the session keeps it, and the broker repeats what was not acknowledged. */
export class Inbound {
  readonly unwanted: UnwantedRetained
  readonly #connection: number
  readonly #socket: Pick<BrokerSocket, 'write'>
  readonly #report: Report
  readonly #now: () => number
  readonly #isOfMany: boolean
  /** identifiers of QoS 2 messages that were not handed over */
  #discarded: Set<number> | undefined

  /** `connection`: differs between all connections of a sensor; `isOfMany`: whoever hands it on is told how a message came. */
  constructor(
    connection: number,
    socket: Pick<BrokerSocket, 'write'>,
    report: Report,
    now: () => number,
    isOfMany = false,
  ) {
    this.#connection = connection
    this.#socket = socket
    this.#report = report
    this.#now = now
    this.#isOfMany = isOfMany
    this.unwanted = new UnwantedRetained(now)
  }

  /** PUBLISH came. */
  take(packet: Published): void {
    const { qos, messageId } = packet
    this.#discarded?.delete(messageId)
    const type = qos === 1 ? PUBACK : PUBREC
    if (packet.retain && !this.#isOfMany && this.unwanted.has(packet.topic)) return this.discard(packet)
    const ack = qos === 0 ? undefined : this.#ack(type, messageId)
    const packetId = qos === 2 ? messageId : 0
    const message = this.#message(packet)
    // the connection is that of one sensor: nobody else waits for an acknowledgement
    if (!this.#isOfMany) return this.#report.now({ type: 'message', message, ack, packetId, patient: true })
    const origin = { dup: packet.dup, identifiers: identifiersOf(packet) }
    this.#report.now({ type: 'message', message, ack, packetId, origin })
  }

  /** It is not handed over, but the broker is told that it came: what is behind it must not wait. */
  discard({ qos, messageId }: Published | Unusable): void {
    if (qos === 0) return
    if (qos === 2) {
      this.#discarded ??= new Set()
      this.#discarded.add(messageId)
    }
    this.#socket.write(acknowledgement(qos === 1 ? PUBACK : PUBREC, messageId))
  }

  /** Nobody can be given what came. */
  refuse(packet: Unusable, { onDropped, log }: UpstreamOptions): void {
    this.discard(packet)
    onDropped?.(packet.reason)
    log.debug(
      { qos: packet.qos, detail: packet.detail },
      'the broker sent a message that nobody can be given',
    )
  }

  /** PUBREL came: the identifier may be used for another message. */
  release(packetId: number): void {
    if (this.#discarded?.delete(packetId)) this.#socket.write(acknowledgement(PUBCOMP, packetId))
    else this.#report.now({ type: 'releasing', packetId, ack: this.#ack(PUBCOMP, packetId) })
  }

  /** The session has the message, or knows that it was released. An ack of another connection is ignored. */
  acknowledge(ack: number): void {
    if (Math.floor(ack / CONNECTION) !== this.#connection) return
    const type = TYPES[Math.floor(ack / 0x10000) % 4]
    if (type !== undefined) this.#socket.write(acknowledgement(type, ack % 0x10000))
  }

  #ack(type: number, packetId: number): number {
    return this.#connection * CONNECTION + TYPES.indexOf(type) * 0x10000 + packetId
  }

  #message({ topic, payload, qos, retain, properties }: Published): Message {
    const seconds = properties?.messageExpiryInterval
    if (typeof seconds !== 'number' || seconds < 0) return { topic, payload, qos, retain }
    return { topic, payload, qos, retain, expiresAt: this.#now() + seconds * 1000 }
  }
}

const none: readonly number[] = []

/** Of the subscriptions that a message comes for: one property, or several. */
function identifiersOf({ properties }: Published): readonly number[] {
  const said: unknown = properties?.subscriptionIdentifier
  if (said === undefined) return none
  return (Array.isArray(said) ? said : [said]).filter((one): one is number => typeof one === 'number')
}
