// From sensors that share a connection to the broker: packet identifiers, and who is told of which answer.

import type { UpstreamEvent } from '../../session/events.ts'
import type { Outcome } from '../../session/message.ts'
import type { UpstreamDrop } from '../upstream.ts'
import type { LowerConnection } from './connection-parts.ts'
import { createFlight, type Flight } from './flight.ts'
import type { Member } from './port.ts'
import type { ConnectionKeeper, ConnectionRecords } from './records.ts'
import type { ClosingRefusals } from './routing/closing-refusals.ts'
import type { Doubts } from './routing/doubts.ts'
import { Exchanges } from './routing/exchanges.ts'
import { Offenders } from './routing/offenders.ts'
import type { Turnstile } from './turnstile.ts'

const IDS = 0xffff

/** What publishing works with. */
export interface PublishingParts {
  readonly lower: LowerConnection
  readonly turnstile: Turnstile
  readonly doubts: Doubts<Member>
  readonly refusals: ClosingRefusals<Member>
  readonly keeper: ConnectionKeeper
  readonly now: () => number
  onDropped(reason: UpstreamDrop): void
}

type Published = Extract<UpstreamEvent, { type: 'published' }>

/** One per shared connection, over all its network connections. */
export class Publishing {
  /** requests for which there was no room */
  refused = 0
  readonly offenders = new Offenders()
  readonly #parts: PublishingParts
  readonly #exchanges: Exchanges
  #lastId = 0

  constructor(parts: PublishingParts) {
    this.#parts = parts
    this.#exchanges = new Exchanges((ordinal, record) => parts.keeper.keepExchange(ordinal, record))
  }

  restore({ exchanges }: ConnectionRecords): void {
    for (const [ordinal, record] of exchanges) this.#exchanges.restore(ordinal, record)
  }

  /** Like `UpstreamConnection.publish`, for one that is connected. */
  publish(
    member: Member,
    token: number,
    topic: string,
    payload: Uint8Array,
    qos: 0 | 1 | 2,
    retain: boolean,
    repeated: boolean,
  ): void {
    const { turnstile, lower, doubts, refusals, now } = this.#parts
    if (qos === 0 && refusals.isEmpty && this.offenders.isEmpty && turnstile.isFree) {
      doubts.noteSent(member, topic, retain, payload.length, now())
      return lower.publish(0, topic, payload, 0, retain, false)
    }
    // written field by field, since most of what a sensor sends comes here
    const flight: Flight = {
      kind: 'publish',
      member,
      to: member,
      token,
      topic,
      payload,
      qos,
      retain,
      repeated,
      packetId: 0,
      phase: 'waiting',
      mark: 0,
      entry: undefined,
    }
    if (refusals.isBarred(flight, now())) this.#refuse(flight, 3)
    else if (this.offenders.hasToWait(member.sensor.clientId, now())) this.#refuse(flight, 1)
    else if (qos === 2) this.#publishOnce(flight, member)
    else this.#submit(flight)
  }

  /** The broker would refuse it, or perhaps hang up at it, and close the connection of all. */
  #refuse({ to, token, qos }: Flight, outcome: 1 | 3): void {
    if (qos === 0) this.#parts.onDropped('suspended-topic')
    else to?.later({ type: 'published', token, outcome })
  }

  /** Its identifier is durable before the broker hears of it; one that it may know is used again. */
  #publishOnce(flight: Flight, member: Member): void {
    const { clientId } = member.sensor
    const { turnstile, keeper } = this.#parts
    const known = this.#exchanges.packetIdOf(clientId, flight.token)
    if (known === 0) return this.#tellFinished(member, flight.token)
    const underWay = known === undefined ? undefined : turnstile.flights.get(known)
    if (underWay !== undefined) {
      underWay.to = member
      if (underWay.phase === 'received') member.later({ type: 'received', token: flight.token })
      return
    }
    flight.packetId = known ?? this.newId()
    if (known !== undefined) return this.#submit(flight)
    this.#exchanges.begin(clientId, flight.token, flight.packetId)
    const { life } = member
    keeper.whenDurable(() => {
      if (member.isOpen && member.life === life) this.#submit(flight)
    })
  }

  #submit(flight: Flight): void {
    if (this.#parts.turnstile.submit(flight)) return
    this.refused += 1
    if (flight.qos === 0) this.#parts.onDropped('congestion')
    else flight.to?.later({ type: 'published', token: flight.token, outcome: 1 })
  }

  /** Lets the broker complete the publish of this token. */
  release(member: Member, token: number): void {
    const { turnstile, lower } = this.#parts
    const packetId = this.#exchanges.packetIdOf(member.sensor.clientId, token)
    if (packetId === undefined || packetId === 0) return this.#tellFinished(member, token)
    let flight = turnstile.flights.get(packetId)
    if (flight === undefined) {
      flight = createFlight({ member, token, topic: '', qos: 2, packetId })
      turnstile.flights.set(packetId, flight)
    }
    flight.to = member
    if (flight.phase === 'released') return
    flight.phase = 'released'
    lower.release(packetId)
  }

  /** The broker has forgotten it, or has finished it while nobody listened: it has it. */
  #tellFinished(member: Member, token: number): void {
    this.#exchanges.settle(member.sensor.clientId, token)
    member.later({ type: 'published', token, outcome: 0 })
  }

  /** Publishes for the connection itself. */
  publishWill(topic: string, payload: Uint8Array, qos: 0 | 1 | 2, retain: boolean): void {
    this.#parts.turnstile.submit(createFlight({ member: undefined, topic, payload, qos, retain }))
  }

  /** What the turnstile lets through. */
  send(flight: Flight): void {
    const { lower, turnstile, doubts, now } = this.#parts
    const { member, topic, payload, qos, retain, repeated } = flight
    if (qos === 0) {
      if (member !== undefined) doubts.noteSent(member, topic, retain, payload.length, now())
      return lower.publish(0, topic, payload, 0, retain, false)
    }
    if (flight.packetId === 0) flight.packetId = this.newId()
    turnstile.flights.set(flight.packetId, flight)
    lower.publish(flight.packetId, topic, payload, qos, retain, repeated)
  }

  /** An identifier that nothing has. */
  newId(): number {
    do this.#lastId = (this.#lastId % IDS) + 1
    while (this.#parts.turnstile.flights.has(this.#lastId) || this.#exchanges.has(this.#lastId))
    return this.#lastId
  }

  /** PUBREC. */
  received(packetId: number): void {
    const { turnstile } = this.#parts
    const flight = turnstile.flights.get(packetId)
    if (flight === undefined || flight.phase === 'released') return
    flight.phase = 'received'
    turnstile.prove(flight)
    if (flight.to === undefined) this.#complete(flight)
    else flight.to.tell({ type: 'received', token: flight.token })
    turnstile.pump()
  }

  /** PUBACK, PUBCOMP, or a refusal. */
  published({ token: packetId, outcome, reason }: Published): void {
    const { turnstile } = this.#parts
    const flight = turnstile.flights.get(packetId)
    if (flight === undefined || flight.kind !== 'publish') return
    const { to, token, qos } = flight
    if (outcome !== 0) this.#parts.refusals.noteRefused(flight, this.#parts.now())
    if (qos === 2) this.#exchanges.finish(packetId, to !== undefined || outcome !== 0)
    turnstile.settle(flight)
    to?.tell(answerOf(token, outcome, reason))
  }

  /** A sensor has gone: the broker completes what it has of it, and nobody is told. `isFinal`: nobody will ask. */
  leave(member: Member, isFinal: boolean): void {
    const { turnstile } = this.#parts
    turnstile.leave(member)
    for (const flight of turnstile.flights.values()) {
      if (flight.to !== member) continue
      flight.to = undefined
      if (flight.phase === 'received') this.#complete(flight)
    }
    if (isFinal) this.#exchanges.disown(member.sensor.clientId, () => false)
  }

  /** A sensor is connected: what its session has given up meanwhile is only brought to its end. */
  greet({ sensor }: Member): void {
    this.#exchanges.disown(sensor.clientId, (token) => sensor.needs(token))
  }

  /** A connection is there. `isPresent`: the broker has kept what it knew. */
  connected(isPresent: boolean): void {
    if (!isPresent) this.#exchanges.clear()
    for (const packetId of this.#exchanges.orphans) {
      const flight = createFlight({ member: undefined, topic: '', qos: 2, packetId })
      this.#parts.turnstile.flights.set(packetId, flight)
      this.#complete(flight)
    }
  }

  #complete(flight: Flight): void {
    flight.phase = 'released'
    this.#parts.lower.release(flight.packetId)
  }
}

const answerOf = (token: number, outcome: Outcome, reason: number | undefined): Published =>
  reason === undefined ? { type: 'published', token, outcome } : { type: 'published', token, outcome, reason }
