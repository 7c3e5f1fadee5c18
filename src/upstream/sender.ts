// What a sensor sends to the broker, and what becomes of it: publishes, subscriptions, their answers and repetitions.

import type { Packet } from 'mqtt'
import type { Outcome, UpstreamEvent } from '../session/events.ts'
import { ackOutcome } from './codes.ts'
import type { Link } from './link.ts'
import { type Flight, MAX_FLIGHTS, MAX_REQUESTS, Outbound, type Request } from './outbound.ts'
import type { UnwantedRetained } from './retained.ts'
import { hasWildcard, isTopicFilter, isTopicName } from './topics.ts'
import type { UpstreamLog, UpstreamOptions } from './upstream.ts'

/** How events get to the session: at once, or after the call that causes them. */
export interface Report {
  now(event: UpstreamEvent): void
  later(event: UpstreamEvent): void
}

/** How often a request is repeated because the broker called its packet identifier in use. */
const COLLISIONS = 3
/** octets of a PUBLISH besides topic and payload: header, length, topic length, identifier, no properties */
const PUBLISH_OVERHEAD = 10

/** The sending side of one sensor, over all its network connections. Its methods are those of `UpstreamConnection`. */
export class Sender {
  /** the connection in use; undefined while there is none */
  link: Link | undefined
  readonly #outbound: Outbound
  readonly #unwanted: UnwantedRetained
  readonly #report: Report
  readonly #log: UpstreamLog

  constructor({ random, log }: UpstreamOptions, unwanted: UnwantedRetained, report: Report) {
    this.#outbound = new Outbound(random ?? Math.random)
    this.#unwanted = unwanted
    this.#report = report
    this.#log = log
  }

  publish(token: number, topic: string, payload: Uint8Array, qos: 0 | 1 | 2, retain: boolean): void {
    const outcome = this.#refusal(topic, payload.length, qos, retain)
    if (outcome !== 0) return this.#report.later({ type: 'published', token, outcome })
    const data = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)
    if (qos === 0) {
      this.#guard((link) => link.publish(0, { topic, payload: data, qos, retain, dup: false }))
      return
    }
    const state = { phase: 'waiting', dup: false, received: false, collisions: 0 } as const
    this.#outbound.flights.set(this.#outbound.newId(), { token, topic, payload: data, qos, retain, ...state })
    this.#sendDue()
  }

  subscribe(token: number, filter: string, qos: 0 | 1 | 2, replay: boolean): void {
    const answer = (outcome: Outcome) => this.#report.later({ type: 'subscribed', token, outcome, qos })
    if (!this.#mayRequest()) return answer(1)
    const wildcards = this.link?.limits.wildcardAvailable === true
    if (!isTopicFilter(filter) || (hasWildcard(filter) && !wildcards)) return answer(3)
    this.#request({ token, filter, qos, replay, collisions: 0 })
  }

  unsubscribe(token: number, filter: string): void {
    if (!this.#mayRequest()) return
    if (!isTopicFilter(filter)) return this.#report.later({ type: 'unsubscribed', token })
    this.#request({ token, filter, qos: undefined, replay: true, collisions: 0 })
  }

  /** A connection was accepted: sends what is unfinished. */
  resume(link: Link, sessionPresent: boolean): void {
    this.link = link
    for (const { token } of this.#outbound.resume(sessionPresent)) {
      this.#report.later({ type: 'published', token, outcome: 0 })
    }
    for (const [packetId, { phase }] of this.#outbound.flights) {
      if (phase === 'released') link.release(packetId)
    }
    this.#sendDue()
  }

  /** The connection is gone. Subscriptions end with it, publishes wait for the next. */
  disconnected(): void {
    this.link = undefined
    for (const { token, qos } of this.#outbound.takeRequests()) {
      if (qos !== undefined) this.#report.later({ type: 'subscribed', token, outcome: 1, qos })
    }
  }

  /** Drops everything. */
  clear(): void {
    this.#outbound.clear()
  }

  /** An answer of the broker, before MQTT.js acts on it. */
  answered(packet: Packet): void {
    const packetId = packet.messageId ?? 0
    if (packet.cmd === 'puback' || packet.cmd === 'pubrec' || packet.cmd === 'pubcomp') {
      const flight = this.#outbound.flights.get(packetId)
      if (flight !== undefined) this.#publishAnswered(packet.cmd, packetId, flight, packet.reasonCode ?? 0)
    } else if (packet.cmd === 'suback' || packet.cmd === 'unsuback') {
      const request = this.#outbound.requests.get(packetId)
      if (request === undefined || (request.qos === undefined) !== (packet.cmd === 'unsuback')) return
      this.#outbound.requests.delete(packetId)
      const code = packet.granted?.[0]
      this.#requestAnswered(request, typeof code === 'number' ? code : 0x80)
      const next = this.#outbound.later.shift()
      if (next !== undefined) this.#request(next)
    }
  }

  /** The outcome of a publish that is not made, or 0: anything that would make the broker hang up stays here [SN-MAP-9]. */
  #refusal(topic: string, size: number, qos: 0 | 1 | 2, retain: boolean): Outcome {
    if (!isTopicName(topic)) return 3
    const link = this.link
    if (link?.open !== true || link.congested) return 1
    const { maximumQos, retainAvailable, maximumPacketSize } = link.limits
    if (qos > maximumQos || (retain && !retainAvailable)) return 3
    if (size + Buffer.byteLength(topic) + PUBLISH_OVERHEAD > maximumPacketSize) return 3
    return qos > 0 && this.#outbound.flights.size >= MAX_FLIGHTS ? 1 : 0
  }

  #mayRequest(): boolean {
    const link = this.link
    return link?.open === true && !link.congested
  }

  #request(request: Request): void {
    if (this.#outbound.requests.size >= MAX_REQUESTS) {
      this.#outbound.later.push(request)
      return
    }
    const packetId = this.#outbound.newId()
    this.#outbound.requests.set(packetId, request)
    if (request.qos !== undefined && this.link?.version === 4) {
      this.#unwanted.subscribing(request.filter, request.replay)
    }
    this.#guard((link) => link.request(packetId, request))
  }

  #sendDue(): void {
    const link = this.link
    if (link?.open !== true) return
    for (const [packetId, flight] of this.#outbound.due(link.window)) {
      this.#guard((open) => open.publish(packetId, flight))
    }
  }

  #publishAnswered(
    by: 'puback' | 'pubrec' | 'pubcomp',
    packetId: number,
    flight: Flight,
    code: number,
  ): void {
    if ((by === 'puback') !== (flight.qos === 1)) return
    // PUBCOMP has one failure, `identifier not found`: the broker is done with it.
    const outcome = by === 'pubcomp' ? 0 : ackOutcome(code)
    if (by === 'pubrec' && outcome === 0) {
      if (this.#outbound.release(flight)) this.#report.now({ type: 'received', token: flight.token })
      return
    }
    this.#outbound.flights.delete(packetId)
    if (outcome === 'again' && flight.collisions < COLLISIONS && flight.phase === 'sent') {
      flight.collisions += 1
      flight.phase = 'waiting'
      flight.dup = false
      this.#outbound.flights.set(this.#outbound.newId(), flight)
    } else
      this.#report.now({ type: 'published', token: flight.token, outcome: outcome === 'again' ? 1 : outcome })
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

  /** Nothing that MQTT.js throws leaves here; such a connection is not used any more. */
  #guard(send: (link: Link) => void): void {
    const link = this.link
    if (link === undefined) return
    try {
      send(link)
    } catch (error) {
      this.#log.error({ err: error }, 'sending to the broker failed')
      link.abandon('sending failed')
    }
  }
}
