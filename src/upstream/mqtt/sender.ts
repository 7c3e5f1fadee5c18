// Publishes and subscriptions of one sensor on one network connection, and the broker's answers to them.

import { generate, type Packet } from 'mqtt-packet'
import { hasWildcard, isShared, isTopicFilter, isTopicName } from '../../mqtt-topics.ts'
import type { UpstreamEvent } from '../../session/events.ts'
import type { Outcome } from '../../session/message.ts'
import { ackOutcome } from '../reason-codes.ts'
import { lowerQos } from './limits/abilities.ts'
import { type Flight, MAX_REQUESTS, Outbound, type Request } from './outbound.ts'
import type { Acknowledgement, Granted } from './packets/decoder.ts'
import { acknowledgement, PUBREL, publishPacket, pubrelForUnknown } from './packets/octets.ts'
import type { UnwantedRetained } from './retained.ts'
import type { BrokerSocket } from './socket.ts'

/** How events get to the session: at once, or after the call that causes them. */
export interface Report {
  now(event: UpstreamEvent): void
  later(event: UpstreamEvent): void
}

/** How often a request is repeated because the broker called its packet identifier in use. */
const COLLISIONS = 3
/** octets of a PUBLISH besides topic and payload: header, length, topic length, identifier, no properties */
const PUBLISH_OVERHEAD = 10

/** The sending side of one open connection. Its methods are those of `UpstreamConnection`. */
export class Sender {
  readonly #socket: BrokerSocket
  /** whether the broker may know what was sent on an earlier connection */
  readonly #resumed: boolean
  #made: Outbound | undefined
  readonly #unwanted: UnwantedRetained
  readonly #report: Report

  constructor(socket: BrokerSocket, resumed: boolean, unwanted: UnwantedRetained, report: Report) {
    this.#socket = socket
    this.#resumed = resumed
    this.#unwanted = unwanted
    this.#report = report
  }

  publish(
    token: number,
    topic: string,
    payload: Uint8Array,
    askedQos: 0 | 1 | 2,
    askedRetain: boolean,
    repeated: boolean,
  ): void {
    const { abilities, ability } = this.#socket
    const downgrades = abilities.downgrades || this.#socket.isOwn
    const { maximumQos, retainAvailable } = ability.limits
    const qos = downgrades ? lowerQos(askedQos, maximumQos) : askedQos
    const retain = askedRetain && (retainAvailable || !downgrades)
    const outcome = this.#refusal(topic, payload.length, qos, retain)
    if (outcome !== 0) return this.#report.later({ type: 'published', token, outcome })
    if (qos === 0) {
      this.#socket.write(publishPacket(this.#socket.version, { topic, payload, qos, retain }, 0, false))
      // Nothing more will be heard of it, although the session waits for an answer.
      if (askedQos > 0) this.#report.later({ type: 'published', token, outcome: 0 })
      return
    }
    const dup = repeated && this.#resumed
    this.#outbound.waiting.push({ token, topic, payload, qos, retain, dup, phase: 'sent', collisions: 0 })
    this.#sendDue()
  }

  release(token: number): void {
    this.#socket.write(acknowledgement(PUBREL, this.#outbound.release(token)))
  }

  subscribe(token: number, filter: string, asked: 0 | 1 | 2, replay: boolean, identifier?: number): void {
    const { maximumQos, wildcardAvailable, sharedAvailable } = this.#socket.ability.limits
    const qos = lowerQos(asked, maximumQos)
    const answer = (outcome: Outcome) => this.#report.later({ type: 'subscribed', token, outcome, qos })
    if (this.#socket.congested) return answer(1)
    if (!isTopicFilter(filter)) return answer(3)
    if (hasWildcard(filter) && !wildcardAvailable) return answer(3)
    if (isShared(filter) && sharedAvailable === false) return answer(3)
    this.#request({ token, filter, qos, replay, identifier, collisions: 0 })
  }

  unsubscribe(token: number, filter: string): void {
    if (this.#socket.congested) return
    if (!isTopicFilter(filter)) return this.#report.later({ type: 'unsubscribed', token })
    this.#request({ token, filter, qos: undefined, replay: true, collisions: 0 })
  }

  /** A packet identifier for something of the connection's own. */
  unused(): number {
    return this.#outbound.newId(0)
  }

  /** The connection is gone, and its subscriptions with it. */
  disconnected(): void {
    if (this.#made === undefined) return
    const { requests, later } = this.#made
    for (const { token, qos } of [...requests.values(), ...later]) {
      if (qos !== undefined) this.#report.later({ type: 'subscribed', token, outcome: 1, qos })
    }
  }

  /** PUBACK, PUBREC or PUBCOMP came. Throws an Error if it does not answer what was sent. */
  acknowledged({ cmd, messageId, reasonCode = 0 }: Acknowledgement): void {
    const flight = this.#outbound.flights.get(messageId)
    if (flight === undefined) {
      if (this.#outbound.requests.has(messageId)) throw wrongAnswer(cmd)
      if (cmd === 'pubrec' && ackOutcome(reasonCode) === 0) {
        this.#socket.write(pubrelForUnknown(this.#socket.version, messageId))
      }
      return
    }
    // RabbitMQ takes QoS 2 for QoS 1: the message has arrived, once or more often, and nothing else will be heard of it.
    if (cmd === 'puback' && flight.qos === 2 && flight.phase === 'sent') this.#socket.abilities.showsNoQos2()
    else if ((cmd === 'puback') !== (flight.qos === 1)) throw wrongAnswer(cmd)
    // PUBCOMP has one failure, `identifier not found`: the broker is done with it.
    const outcome = cmd === 'pubcomp' ? 0 : ackOutcome(reasonCode)
    if (cmd === 'pubrec' && outcome === 0) this.#received(messageId, flight)
    else this.#finished(messageId, flight, outcome, reasonCode)
  }

  /** SUBACK or UNSUBACK came. Throws an Error if it does not answer what was sent. */
  granted({ cmd, messageId, granted }: Granted): void {
    const request = this.#outbound.requests.get(messageId)
    if (request === undefined) {
      if (this.#outbound.flights.has(messageId)) throw wrongAnswer(cmd)
      return
    }
    if ((request.qos === undefined) !== (cmd === 'unsuback')) throw wrongAnswer(cmd)
    this.#outbound.requests.delete(messageId)
    const code = granted?.[0]
    this.#requestAnswered(request, typeof code === 'number' ? code : 0x80)
    const { later, requests } = this.#outbound
    while (later.length > 0 && requests.size < MAX_REQUESTS) {
      const next = later.shift()
      if (next !== undefined) this.#request(next)
    }
  }

  /** Made at the first need, since most sensors send little, and many only at QoS 0. */
  get #outbound(): Outbound {
    this.#made ??= new Outbound(this.#socket.window)
    return this.#made
  }

  /** Why a publish is not sent, or 0: the broker would end the connection for what it does not allow [SN-MAP-9]. */
  #refusal(topic: string, size: number, qos: 0 | 1 | 2, retain: boolean): Outcome {
    if (!isTopicName(topic)) return 3
    const { congested, ability } = this.#socket
    if (congested) return 1
    const { maximumQos, retainAvailable, maximumPacketSize } = ability.limits
    if (qos > maximumQos || (retain && !retainAvailable)) return 3
    if (size + Buffer.byteLength(topic) + PUBLISH_OVERHEAD > maximumPacketSize) return 3
    return qos > 0 && this.#outbound.full ? 1 : 0
  }

  #request(request: Request): void {
    const { requests, later } = this.#outbound
    if (requests.size >= MAX_REQUESTS) {
      later.push(request)
      return
    }
    const { filter, qos, replay, token, identifier, collisions } = request
    const { version } = this.#socket
    const messageId = this.#outbound.newId(token, collisions)
    const protocol = { protocolVersion: version }
    if (qos === undefined) {
      requests.set(messageId, request)
      const unsubscribe: Packet = { cmd: 'unsubscribe', messageId, unsubscriptions: [filter] }
      this.#socket.write(generate(unsubscribe, protocol))
      return
    }
    // Retain Handling 2 exists in MQTT 5 only, see `retained.ts` for the other [SN-MAP-3, -8].
    const options = { topic: filter, qos, nl: false, rap: false, rh: replay ? 0 : 2 }
    const named =
      identifier !== undefined && this.#socket.identifiers
        ? { properties: { subscriptionIdentifier: identifier } }
        : {}
    const packet = generate({ cmd: 'subscribe', messageId, subscriptions: [options], ...named }, protocol)
    if (packet.length > this.#socket.ability.limits.maximumPacketSize) {
      return this.#report.later({ type: 'subscribed', token, outcome: 3, qos }) // the broker would hang up
    }
    requests.set(messageId, request)
    if (version === 4) this.#unwanted.subscribing(filter, replay)
    this.#socket.write(packet)
  }

  #sendDue(): void {
    for (let flight = this.#outbound.due(); flight !== undefined; flight = this.#outbound.due()) {
      this.#send(flight)
    }
  }

  #send(flight: Flight): void {
    const packetId = this.#outbound.newId(flight.token, flight.collisions)
    this.#outbound.flights.set(packetId, flight)
    this.#socket.write(publishPacket(this.#socket.version, flight, packetId, flight.dup))
  }

  /** PUBREC came. The session hears of the first one and releases it; a further one means that PUBREL was lost. */
  #received(packetId: number, flight: Flight): void {
    if (flight.phase === 'released') this.#socket.write(acknowledgement(PUBREL, packetId))
    if (flight.phase !== 'sent') return
    flight.phase = 'received'
    flight.payload = new Uint8Array(0)
    this.#report.now({ type: 'received', token: flight.token })
  }

  #finished(packetId: number, flight: Flight, outcome: Outcome | 'again', reason: number): void {
    const { token } = flight
    this.#outbound.flights.delete(packetId)
    if (outcome === 'again' && flight.collisions < COLLISIONS && flight.phase === 'sent') {
      flight.collisions += 1
      flight.dup = false
      return this.#send(flight)
    }
    if (outcome === 0) this.#report.now({ type: 'published', token, outcome })
    else this.#report.now({ type: 'published', token, outcome: outcome === 'again' ? 1 : outcome, reason })
    this.#sendDue()
  }

  #requestAnswered(request: Request, code: number): void {
    const { token, qos, filter } = request
    const outcome = ackOutcome(code)
    if (outcome === 'again' && request.collisions < COLLISIONS) {
      request.collisions += 1
      return this.#request(request)
    }
    if (qos === undefined) return this.#report.now({ type: 'unsubscribed', token })
    this.#unwanted.subscribed(filter)
    const granted = code === 1 || code === 2 ? code : 0
    this.#report.now({ type: 'subscribed', token, outcome: outcome === 'again' ? 1 : outcome, qos: granted })
  }
}

function wrongAnswer(cmd: string): Error {
  return new Error(`the broker answered with ${cmd} what it does not answer`)
}
