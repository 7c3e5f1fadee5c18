// One connection of the strict broker, and what all of them share.

import type { Socket } from 'node:net'
import {
  generate,
  type IConnectPacket,
  type IPublishPacket,
  type ISubscribePacket,
  type Packet,
  parser,
} from 'mqtt-packet'
import { matches } from '../../src/mqtt-topics.ts'
import {
  type Breach,
  breachOfConnect,
  breachOfPublish,
  breachOfSubscribe,
  type StrictRules,
} from './strict-rules.ts'

/** What happened, in order. */
export type StrictEvent =
  | { type: 'connect'; clientId: string; version: 4 | 5; clean: boolean; keepAlive: number }
  | {
      type: 'publish'
      clientId: string
      topic: string
      text: string
      qos: number
      retain: boolean
      dup: boolean
    }
  | { type: 'subscribe'; clientId: string; filters: string[] }
  /** the broker closed the connection, or refused it, for this reason */
  | { type: 'closed'; clientId: string; reason: string }
  /** the client ended it: with DISCONNECT, or without */
  | { type: 'ended'; clientId: string; politely: boolean }

/** A subscription; `asPublished` keeps Retain as it was. */
interface Subscription {
  readonly qos: 0 | 1
  readonly asPublished: boolean
}

/** What outlives a connection. */
interface StrictSession {
  readonly filters: Map<string, Subscription>
  readonly waiting: IPublishPacket[]
}

/** What the connections share: rules, records, sessions, retained messages. */
export class StrictState {
  readonly events: StrictEvent[] = []
  readonly connections = new Map<string, StrictConnection>()
  readonly sessions = new Map<string, StrictSession>()
  readonly retained = new Map<string, IPublishPacket>()
  rules: StrictRules
  readonly mqtt5: boolean
  readonly tellsLimits: boolean

  constructor(rules: StrictRules, mqtt5: boolean, tellsLimits: boolean) {
    this.rules = rules
    this.mqtt5 = mqtt5
    this.tellsLimits = tellsLimits
  }

  /** Hands a message to everybody who wants it; keeps it for sessions whose client is away. */
  route(message: IPublishPacket): void {
    const { topic, retain, payload } = message
    if (retain && payload.length > 0) this.retained.set(topic, message)
    else if (retain) this.retained.delete(topic)
    for (const [clientId, { filters, waiting }] of this.sessions) {
      const wanted = [...filters].filter(([filter]) => matches(filter, topic)).map(([, one]) => one)
      if (wanted.length === 0) continue
      const qos = Math.min(message.qos, Math.max(...wanted.map((one) => one.qos))) as 0 | 1
      const copy = { ...message, qos, retain: retain && wanted.some((one) => one.asPublished) }
      const connection = this.connections.get(clientId)
      if (connection !== undefined) connection.deliver(copy)
      else if (copy.qos === 1) waiting.push(copy)
    }
  }
}

/** Speaks MQTT with one client; it adds itself to the shared state when it accepts a CONNECT. */
export class StrictConnection {
  readonly #state: StrictState
  readonly #socket: Socket
  readonly #settings: { protocolVersion: 4 | 5 } = { protocolVersion: 4 }
  readonly #publishedAt: number[] = []
  readonly #unacknowledged = new Map<number, IPublishPacket>()
  #clientId = ''
  #connect: IConnectPacket | undefined
  #over = false
  #nextId = 0

  constructor(state: StrictState, socket: Socket) {
    this.#state = state
    this.#socket = socket
    const parse = parser(this.#settings)
    parse.on('packet', (packet) => {
      if (!this.#over) this.#handle(packet)
    })
    parse.on('error', (error) => this.close({ reason: `malformed: ${error.message}`, code: 0x81 }))
    socket.on('data', (chunk: Buffer) => parse.parse(chunk))
    socket.on('close', () => this.#ended(false))
    socket.on('error', () => undefined)
  }

  /** Sends a message; one of QoS 1 waits for the next connection if the client does not acknowledge it. */
  deliver({ topic, payload, qos, retain }: IPublishPacket): void {
    const message: IPublishPacket = { cmd: 'publish', topic, payload, qos, retain, dup: false }
    if (qos === 0) return this.#send(message)
    this.#nextId = (this.#nextId % 0xffff) + 1
    this.#unacknowledged.set(this.#nextId, message)
    this.#send({ ...message, messageId: this.#nextId })
  }

  #handle(packet: Packet): void {
    if (packet.cmd === 'connect') return this.#open(packet)
    if (this.#connect === undefined) return this.close({ reason: 'no CONNECT', code: 0x82 })
    const { messageId } = packet
    if (packet.cmd === 'publish') this.#publish(packet)
    else if (packet.cmd === 'pingreq') this.#send({ cmd: 'pingresp' })
    else if (packet.cmd === 'disconnect') this.#leave(packet.reasonCode === 0x04)
    else if (packet.cmd === 'puback') this.#unacknowledged.delete(messageId ?? 0)
    else if (packet.cmd === 'subscribe') this.#subscribe(packet)
    else if (packet.cmd === 'unsubscribe') {
      for (const filter of packet.unsubscriptions) {
        this.#state.sessions.get(this.#clientId)?.filters.delete(filter)
      }
      this.#send({ cmd: 'unsuback', messageId: messageId ?? 0, granted: packet.unsubscriptions.map(() => 0) })
    }
  }

  #subscribe(packet: ISubscribePacket): void {
    const { messageId, subscriptions } = packet
    const clientId = this.#clientId
    this.#state.events.push({ type: 'subscribe', clientId, filters: subscriptions.map(({ topic }) => topic) })
    const breach = breachOfSubscribe(this.#state.rules, clientId, packet)
    if (breach !== undefined) return this.close(breach)
    const filters = this.#state.sessions.get(clientId)?.filters
    const wanted = subscriptions.filter(({ topic, rh = 0 }) => rh === 0 || (rh === 1 && !filters?.has(topic)))
    const granted = subscriptions.map(({ topic, qos, rap = false }) => {
      const most = Math.min(qos, this.#state.rules.maximumQos) as 0 | 1
      filters?.set(topic, { qos: most, asPublished: rap })
      return most
    })
    this.#send({ cmd: 'suback', messageId: messageId ?? 0, granted })
    for (const [topic, message] of this.#state.retained) {
      const most = subscriptions.findIndex((one) => wanted.includes(one) && matches(one.topic, topic))
      const qos = Math.min(message.qos, granted[most] ?? 0) as 0 | 1
      if (most >= 0) this.deliver({ ...message, qos, retain: true })
    }
  }

  #open(packet: IConnectPacket): void {
    const { clientId, clean = true, keepalive: keepAlive = 0, protocolVersion } = packet
    const { events, rules, sessions, connections, mqtt5, tellsLimits } = this.#state
    const version = protocolVersion === 5 ? 5 : 4
    this.#clientId = clientId
    events.push({ type: 'connect', clientId, version, clean, keepAlive })
    if (version === 5 && !mqtt5) {
      this.#send({ cmd: 'connack', returnCode: 1, sessionPresent: false })
      return this.close({ reason: 'MQTT 5', code: 0x84 })
    }
    this.#settings.protocolVersion = version
    const breach = breachOfConnect(rules, packet)
    if (breach !== undefined) {
      // In MQTT 3.1.1 a cloud's broker closes the connection without CONNACK.
      if (version === 5) this.#send({ cmd: 'connack', reasonCode: breach.code, sessionPresent: false })
      return this.close(breach)
    }
    connections.get(clientId)?.close({ reason: 'taken over', code: 0x8e })
    if (clean) sessions.delete(clientId)
    const sessionPresent = sessions.has(clientId)
    const session = sessions.get(clientId) ?? { filters: new Map(), waiting: [] }
    sessions.set(clientId, session)
    this.#connect = packet
    connections.set(clientId, this)
    const limits = {
      retainAvailable: rules.retain,
      maximumQoS: rules.maximumQos,
      ...(rules.packetSize !== undefined && { maximumPacketSize: rules.packetSize }),
    }
    const properties = version === 5 && tellsLimits ? { properties: limits } : {}
    this.#send({ cmd: 'connack', returnCode: 0, reasonCode: 0, sessionPresent, ...properties })
    for (const message of session.waiting.splice(0)) this.deliver(message)
  }

  #publish(packet: IPublishPacket): void {
    const { topic, qos, retain, dup, payload, messageId } = packet
    const clientId = this.#clientId
    this.#state.events.push({ type: 'publish', clientId, topic, text: payload.toString(), qos, retain, dup })
    const breach = breachOfPublish(this.#state.rules, clientId, packet) ?? this.#breachOfRate()
    if (breach !== undefined) return this.close(breach)
    this.#state.route(packet)
    if (qos === 1) this.#send({ cmd: 'puback', messageId: messageId ?? 0, reasonCode: 0 })
  }

  #breachOfRate(): Breach | undefined {
    const { publishesPerSecond: most = Number.POSITIVE_INFINITY } = this.#state.rules
    const now = performance.now()
    while ((this.#publishedAt[0] ?? now) < now - 1000) this.#publishedAt.shift()
    this.#publishedAt.push(now)
    return this.#publishedAt.length > most ? { reason: 'publish rate', code: 0x96 } : undefined
  }

  #send(packet: Packet): void {
    if (this.#socket.writable) this.#socket.write(generate(packet, this.#settings))
  }

  /** The broker ends it; MQTT 5 tells why. The will is published as after any loss. */
  close({ reason, code }: Breach): void {
    if (this.#over) return
    this.#state.events.push({ type: 'closed', clientId: this.#clientId, reason })
    if (this.#settings.protocolVersion === 5 && this.#connect !== undefined) {
      this.#send({ cmd: 'disconnect', reasonCode: code })
    }
    this.#forget(true)
    this.#socket.end()
  }

  #leave(withWill: boolean): void {
    this.#state.events.push({ type: 'ended', clientId: this.#clientId, politely: true })
    this.#forget(withWill)
    this.#socket.end()
  }

  #ended(politely: boolean): void {
    if (this.#over) return
    this.#state.events.push({ type: 'ended', clientId: this.#clientId, politely })
    this.#forget(true)
  }

  #forget(withWill: boolean): void {
    this.#over = true
    const { connections, sessions } = this.#state
    if (connections.get(this.#clientId) === this) {
      connections.delete(this.#clientId)
      if (this.#connect === undefined || !outlives(this.#connect)) sessions.delete(this.#clientId)
      sessions.get(this.#clientId)?.waiting.unshift(...this.#unacknowledged.values())
    }
    const will = this.#connect?.will
    if (!withWill || will === undefined) return
    const { topic, payload, qos = 0, retain = false } = will
    this.#state.route({ cmd: 'publish', topic, payload, qos, retain, dup: false })
  }
}

/** Whether a session outlives its connection. */
function outlives({ clean, protocolVersion, properties }: IConnectPacket): boolean {
  return protocolVersion === 5 ? (properties?.sessionExpiryInterval ?? 0) > 0 : clean === false
}
