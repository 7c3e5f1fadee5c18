// A small model of the broker, as far as sensors notice it, in virtual time.

import { matches } from '../../src/mqtt-topics.ts'
import type { BrokerLimits } from '../../src/session/broker/limits.ts'
import type { Effect, Event } from '../../src/session/events.ts'
import type { Outcome, Will } from '../../src/session/message.ts'
import type { Session } from '../../src/session/session.ts'
import type { World } from './world.ts'

export const noLimits: BrokerLimits = {
  maximumQos: 2,
  retainAvailable: true,
  maximumPacketSize: 268_435_460,
  wildcardAvailable: true,
}

export interface BrokerMessage {
  topic: string
  payload: Uint8Array
  qos: 0 | 1 | 2
  retain?: boolean
  expiresAt?: number
}

/** What outlives a connection, unless that was clean. */
interface BrokerSession {
  subscriptions: Map<string, 0 | 1 | 2>
  /** what came while there was no connection */
  queue: BrokerMessage[]
  /** what was sent and not acknowledged, by packet identifier; `released`: at QoS 2, PUBREC has come */
  inflight: Map<number, { message: BrokerMessage; released: boolean }>
  /** QoS 2 publishes that it has and that were not released, by packet identifier; undefined: it has handed them on already */
  unreleased: Map<number, BrokerMessage | undefined>
}

interface Connection {
  readonly will: Will | undefined
  readonly clean: boolean
}

const packetIdOf = (token: number): number => 1 + ((token - 1) % 0xffff)

/**
 * By default it accepts everything a millisecond later; tests set its fields to make it slow, choosy or gone. It repeats to
 * a new connection what was not acknowledged on an earlier one.
 */
export class VirtualBroker {
  /** false: it takes requests and never answers */
  answers = true
  /** false: it cannot be reached, connections are lost */
  reachable = true
  /** its connections take nothing: what the gateway says waits in its process until that is over, and ends with it */
  isBackedUp = false
  /** how CONNECT is refused; undefined: accepted */
  refuses: 1 | 3 | undefined
  limits: BrokerLimits = noLimits
  /** messages of QoS 1 and 2 that it sends to one session before it has acknowledgements; the others wait */
  window = Number.POSITIVE_INFINITY
  grantedQos: 0 | 1 | 2 = 2
  subscribeOutcome: Outcome = 0
  publishOutcome: Outcome = 0
  latency = 1
  /** hands on a QoS 2 publish when it is released, as Mosquitto does, and not when it comes */
  deliversAtRelease = false
  /** topics and filters at which it closes the connection instead of answering */
  hangsUpAt: (topicOrFilter: string) => boolean = () => false
  /** 'unexplained': others are served on */
  closeLooksLike: 'lost' | 'unexplained' = 'lost'
  /** topics at which it refuses a publish, and closes the connection then */
  closesAfterRefusing: (topic: string) => boolean = () => false
  /** false: it waits with wills until a gateway that crashed has had time to come back (MQTT 5) */
  willsAtCrash = false
  /** what arrived, at whoever subscribes to everything */
  readonly published: (BrokerMessage & { from: string })[] = []
  readonly wills: Will[] = []
  readonly connected = new Map<Session, Connection>()
  readonly stored = new Map<string, BrokerSession>()
  readonly retained = new Map<string, BrokerMessage>()
  /** of messages, not of their release */
  readonly acknowledged: number[] = []
  /** connections that it closed instead of answering */
  hangUps = 0
  readonly #doomed = new WeakSet<Connection>()
  /** MQTT CONNECTs taken */
  connects = 0
  #nextAck = 1
  /** what an acknowledgement leads to, on the connection it belongs to */
  readonly #acks = new Map<number, { connection: Connection | undefined; done: () => void }>()
  /** the running attempt of each session; another `connect` or `close` ends it */
  readonly #attempts = new Map<Session, number>()
  readonly #world: World
  constructor(world: World) {
    this.#world = world
  }

  perform(effect: Effect): void {
    switch (effect.type) {
      case 'connect':
        return this.#connect(effect)
      case 'publish':
        return this.#publish(effect)
      case 'release':
        return this.#release(effect)
      case 'publishAnonymous':
        return this.route(
          { topic: effect.topic, payload: effect.payload, qos: 0, retain: effect.retain },
          'gateway',
        )
      case 'subscribe': {
        const { session, token, filter, replay } = effect
        if (this.hangsUpAt(filter)) return this.hangUp(session)
        const qos = Math.min(effect.qos, this.grantedQos) as 0 | 1 | 2
        this.#reply(session, () => {
          if (this.subscribeOutcome === 0) this.sessionOf(session.clientId).subscriptions.set(filter, qos)
          this.#world.happen(session, { type: 'subscribed', token, outcome: this.subscribeOutcome, qos })
          if (!replay || this.subscribeOutcome !== 0) return
          for (const message of this.retained.values()) {
            if (matches(filter, message.topic)) this.#push(session, { ...message, retain: true }, qos)
          }
        })
        return
      }
      case 'unsubscribe': {
        const { session, token, filter } = effect
        this.#reply(session, () => {
          this.sessionOf(session.clientId).subscriptions.delete(filter)
          this.#world.happen(session, { type: 'unsubscribed', token })
        })
        return
      }
      case 'acknowledge':
        return this.#acknowledge(effect)
      case 'close': {
        const connection = this.#end(effect.session)
        this.#attempts.delete(effect.session)
        if (effect.publishWill && connection?.will)
          this.#publishWill(connection.will, effect.session.clientId)
        return
      }
    }
  }

  /** What it keeps of this ClientId; a new one if there is nothing. */
  sessionOf(clientId: string): BrokerSession {
    let stored = this.stored.get(clientId)
    if (stored === undefined) {
      stored = { subscriptions: new Map(), queue: [], inflight: new Map(), unreleased: new Map() }
      this.stored.set(clientId, stored)
    }
    return stored
  }

  #publish({ session, token, qos, topic, payload, retain }: Effect & { type: 'publish' }): void {
    if (!this.#reply(session, () => {})) return
    if (this.hangsUpAt(topic)) return this.hangUp(session)
    if (this.closesAfterRefusing(topic)) {
      this.#reply(session, { type: 'published', token, outcome: 3, reason: 0x87 })
      return this.hangUp(session, 3 * this.latency)
    }
    const outcome = this.publishOutcome
    const { unreleased } = this.sessionOf(session.clientId)
    const isKnown = qos === 2 && unreleased.has(packetIdOf(token))
    const message = { topic, payload, qos, retain }
    const later = qos === 2 && this.deliversAtRelease
    if (outcome === 0 && !isKnown && !later) this.route(message, session.clientId)
    if (qos === 1 || (qos === 2 && outcome !== 0)) this.#reply(session, { type: 'published', token, outcome })
    else if (qos === 2) {
      if (!isKnown) unreleased.set(packetIdOf(token), later ? message : undefined)
      this.#reply(session, { type: 'received', token })
    }
  }

  #release({ session, token }: Effect & { type: 'release' }): void {
    this.#reply(session, () => {
      const { unreleased } = this.sessionOf(session.clientId)
      const message = unreleased.get(packetIdOf(token))
      unreleased.delete(packetIdOf(token))
      if (message !== undefined) this.route(message, session.clientId)
      this.#world.happen(session, { type: 'published', token, outcome: 0 })
    })
  }

  #acknowledge({ session, ack }: Effect & { type: 'acknowledge' }): void {
    if (ack > 0) this.acknowledged.push(ack)
    const waiting = this.#acks.get(ack)
    this.#acks.delete(ack)
    if (waiting !== undefined && waiting.connection === this.connected.get(session)) waiting.done()
  }

  /** A connection is over, and what was kept for it if that was clean. */
  #end(session: Session): Connection | undefined {
    const connection = this.connected.get(session)
    this.connected.delete(session)
    if (connection?.clean) this.stored.delete(session.clientId)
    return connection
  }

  #connect({ session, clean, will }: Effect & { type: 'connect' }): void {
    this.#end(session)
    this.connects += 1
    const attempt = this.connects
    this.#attempts.set(session, attempt)
    this.#world.after(this.latency, () => {
      if (!this.answers || this.#attempts.get(session) !== attempt) return
      if (!this.reachable || this.refuses !== undefined) {
        const outcome = this.reachable ? (this.refuses ?? 1) : 1
        const unreachable = !this.reachable
        this.#world.happen(session, {
          type: 'refused',
          outcome,
          detail: 'refused by the broker',
          unreachable,
        })
        return
      }
      if (clean) this.stored.delete(session.clientId)
      const sessionPresent = this.stored.has(session.clientId)
      const { queue, inflight } = this.sessionOf(session.clientId)
      // of a sensor that shares its connection the broker has no will
      const connection = { will: session.link.pool === undefined ? will : undefined, clean }
      this.connected.set(session, connection)
      this.#world.happen(session, { type: 'connected', sessionPresent, limits: this.limits })
      for (const packetId of [...inflight.keys()]) this.#offer(session, packetId)
      for (const message of queue.splice(0)) this.#push(session, message, message.qos)
    })
  }

  /** Something a request leads to, if the broker is there and willing, and the connection lasts. */
  #reply(session: Session, event: Event | (() => void)): boolean {
    if (!this.reachable || !this.answers) return false
    const connection = this.connected.get(session)
    if (connection === undefined || this.#doomed.has(connection)) return false
    this.#world.after(this.latency, () => {
      if (this.connected.get(session) !== connection) return
      if (typeof event === 'function') event()
      else this.#world.happen(session, event)
    })
    return true
  }

  /** Gives a message to a session: at once if it is connected. */
  #push(session: Session, message: BrokerMessage, qos: 0 | 1 | 2): void {
    const lower = Math.min(qos, message.qos) as 0 | 1 | 2
    const copy = { ...message, qos: lower }
    if (lower === 0) return this.#deliver(session, copy, undefined, 0)
    const stored = this.sessionOf(session.clientId)
    if (!this.connected.has(session) || stored.inflight.size >= this.window)
      return void stored.queue.push(copy)
    let packetId = 1
    while (stored.inflight.has(packetId)) packetId += 1
    stored.inflight.set(packetId, { message: copy, released: false })
    this.#offer(session, packetId)
  }

  /** Sends what has not been acknowledged, or released and not completed, under this identifier. */
  #offer(session: Session, packetId: number): void {
    const { inflight } = this.sessionOf(session.clientId)
    const entry = inflight.get(packetId)
    if (entry === undefined || !this.connected.has(session)) return
    const connection = this.connected.get(session)
    const { message, released } = entry
    const ack = this.#nextAck++
    if (released) {
      this.#acks.set(-ack, { connection, done: () => this.#finish(session, packetId) })
      return this.#world.happen(session, { type: 'releasing', packetId, ack: -ack })
    }
    const done = () => {
      if (message.qos === 1) return this.#finish(session, packetId)
      entry.released = true
      this.#reply(session, () => this.#offer(session, packetId))
    }
    this.#acks.set(ack, { connection, done })
    this.#deliver(session, message, ack, message.qos === 2 ? packetId : 0)
  }

  /** The window has room for the next one. */
  #finish(session: Session, packetId: number): void {
    const { inflight, queue } = this.sessionOf(session.clientId)
    inflight.delete(packetId)
    this.#reply(session, () => {
      const next = inflight.size < this.window ? queue.shift() : undefined
      if (next !== undefined) this.#push(session, next, next.qos)
    })
  }

  #deliver(session: Session, message: BrokerMessage, ack: number | undefined, packetId: number): void {
    const { topic, payload, qos, retain = false, expiresAt } = message
    const event = {
      type: 'message',
      patient: true,
      message: { topic, payload, qos, retain, expiresAt },
      ack,
      packetId,
    } as const
    this.#world.happen(session, event)
  }

  #publishWill(will: Will, from: string): void {
    this.wills.push(will)
    this.route({ topic: will.topic, payload: will.message, qos: will.qos, retain: will.retain }, from)
  }

  /** A message from anywhere goes to everyone who subscribed. */
  route(message: BrokerMessage, from: string): void {
    this.published.push({ ...message, from })
    if (message.retain) {
      if (message.payload.length === 0) this.retained.delete(message.topic)
      else this.retained.set(message.topic, message)
    }
    for (const [clientId, { subscriptions, queue }] of this.stored) {
      const best = [...subscriptions]
        .filter(([filter]) => matches(filter, message.topic))
        .map(([, qos]) => qos)
      if (best.length === 0) continue
      const qos = Math.max(...best) as 0 | 1 | 2
      const session = [...this.connected.keys()].find((connected) => connected.clientId === clientId)
      const copy = { ...message, retain: false }
      if (session !== undefined) this.#world.after(this.latency, () => this.#push(session, copy, qos))
      else if (Math.min(qos, message.qos) > 0)
        queue.push({ ...copy, qos: Math.min(qos, message.qos) as 1 | 2 })
    }
  }

  /** Closes one connection without a word, and publishes its will. */
  hangUp(session: Session, pause = this.latency): void {
    const connection = this.connected.get(session)
    if (connection === undefined || this.#doomed.has(connection)) return
    this.#doomed.add(connection) // it reads nothing more
    this.hangUps += 1
    this.#world.after(pause, () => {
      if (this.connected.get(session) !== connection) return
      this.#end(session)
      if (connection.will) this.#publishWill(connection.will, session.clientId)
      this.#world.happen(session, {
        type: 'closed',
        why: this.closeLooksLike,
        detail: 'the broker closed the connection',
      })
    })
  }

  /** All connections break: the broker publishes the wills. */
  crash(): void {
    this.#goAway(true)
  }

  /** It is killed, and has no time to publish wills; its sessions are on its disk. */
  kill(): void {
    this.#goAway(false)
  }

  #goAway(publishesWills: boolean): void {
    this.reachable = false
    for (const session of this.#breakAll(publishesWills)) {
      this.#world.happen(session, { type: 'closed', why: 'lost', detail: 'connection lost' })
    }
  }

  /** The gateway is gone, and with it the other end of all connections. */
  gatewayCrashed(): void {
    this.#attempts.clear()
    this.#breakAll(this.willsAtCrash)
  }

  #breakAll(publishesWills: boolean): Session[] {
    const broken = [...this.connected]
    for (const [session] of broken) this.#end(session)
    for (const [session, { will }] of broken) {
      if (will && publishesWills) this.#publishWill(will, session.clientId)
    }
    return broken.map(([session]) => session)
  }
}
