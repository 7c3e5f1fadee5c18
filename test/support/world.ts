// A virtual world for the session core: a clock, addresses, and a small model of a broker. What happens is written down
// as the specification draws it: `sensor → CONNECT`, `gateway → broker CONNECT`, ...

import { decodeFrame, encode, encodeFrame } from '../../src/codec/frame.ts'
import type { Packet, PacketType } from '../../src/codec/messages.ts'
import type {
  BrokerLimits,
  Effect,
  Event,
  Listener,
  Outcome,
  Peer,
  QueuedMessage,
  Roaming,
  Will,
} from '../../src/session/events.ts'
import { peerKey } from '../../src/session/peers.ts'
import { lastingRecord, type PeerRecord, progressRecord } from '../../src/session/record.ts'
import { restore } from '../../src/session/restore.ts'
import type { Session, Uplink } from '../../src/session/session.ts'
import { createSessions, dispatch, receive } from '../../src/session/sessions.ts'
import type {
  Limits,
  Policy,
  Predefined,
  QosMinusOne,
  QueuePolicy,
  Settings,
  SpoolPolicy,
  Timers,
  Turn,
} from '../../src/session/settings.ts'
import { matches } from '../../src/session/topics.ts'

export const noLimits: BrokerLimits = {
  maximumQos: 2,
  retainAvailable: true,
  maximumPacketSize: 268_435_460,
  wildcardAvailable: true,
}

export const predefinedOf = (topics: Record<number, string>): Predefined => ({
  byId: new Map(Object.entries(topics).map(([id, name]) => [Number(id), name])),
  byName: new Map(Object.entries(topics).map(([id, name]) => [name, Number(id)])),
})

const defaultTimers: Timers = {
  tRetry: 10_000,
  nRetry: 3,
  tWait: 300_000,
  connect: 4_000,
  answer: 8_000,
  awake: 30_000,
  inactivity: 0,
  keepSessions: 7 * 86_400_000,
  grace: 60_000,
  reconnectMin: 1_000,
  reconnectMax: 60_000,
}

/** Everything waits, within the limits of the sensor. */
export const queuePolicy: QueuePolicy = {
  messages: Number.POSITIVE_INFINITY,
  octets: Number.POSITIVE_INFINITY,
  age: Number.POSITIVE_INFINITY,
  overflow: 'drop-oldest',
  qos0: true,
}

export const spoolPolicy: SpoolPolicy = {
  messages: 100,
  octets: 65_536,
  age: Number.POSITIVE_INFINITY,
  qos0: false,
}

const defaultLimits: Limits = {
  sensors: 1000,
  clientIdLength: 23,
  topicsPerSensor: 256,
  subscriptionsPerSensor: 64,
  queuedMessages: 100,
  queuedOctets: 65_536,
  totalQueuedMessages: 100_000,
  totalQueuedOctets: 67_108_864,
  inflight: 10,
  connectsPerAddress: 1000,
  repliesPerAddress: 100,
  repliesPerPeer: 1,
}

export interface WorldOptions {
  timers?: Partial<Timers>
  limits?: Partial<Limits>
  qosMinusOne?: Partial<QosMinusOne>
  /** the global table of predefined topics */
  predefined?: Record<number, string>
  policy?: (clientId: string) => Partial<Policy>
  maxMessage?: number
  roaming?: Roaming
  /** 0 <= x < 1 */
  random?: () => number
}

/** What the core was called with. */
export type Cause = { packet: Packet; peer: Peer } | { session: Session; event: Event }

interface BrokerSession {
  subscriptions: Map<string, 0 | 1 | 2>
  queue: BrokerMessage[]
  /** tokens of QoS 2 publishes that it has and that were not released */
  unreleased: Set<number>
}

interface BrokerMessage {
  topic: string
  payload: Uint8Array
  qos: 0 | 1 | 2
  retain?: boolean
  expiresAt?: number
}

/** Text as octets. */
export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
/** Octets as text. */
export const text = (octets: Uint8Array): string => new TextDecoder().decode(octets)

/**
 * The broker, as far as sensors notice it. By default it accepts everything a millisecond later; tests set its fields to
 * make it slow, choosy or gone.
 */
class Broker {
  /** false: it takes requests and never answers */
  answers = true
  /** false: it cannot be reached, connections are lost */
  reachable = true
  /** how CONNECT is refused; undefined: accepted */
  refuses: 1 | 3 | undefined
  limits: BrokerLimits = noLimits
  grantedQos: 0 | 1 | 2 = 2
  subscribeOutcome: Outcome = 0
  publishOutcome: Outcome = 0
  latency = 1
  /** what arrived, at whoever subscribes to everything */
  readonly published: (BrokerMessage & { from: string })[] = []
  readonly wills: Will[] = []
  readonly connected = new Map<Session, { will: Will | undefined; clean: boolean }>()
  readonly stored = new Map<string, BrokerSession>()
  readonly retained = new Map<string, BrokerMessage>()
  readonly acknowledged: number[] = []
  /** MQTT CONNECTs taken */
  connects = 0
  nextAck = 1
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
        const qos = Math.min(effect.qos, this.grantedQos) as 0 | 1 | 2
        this.#reply(session, () => {
          if (this.subscribeOutcome === 0) this.sessionOf(session).subscriptions.set(filter, qos)
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
          this.sessionOf(session).subscriptions.delete(filter)
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

  sessionOf(session: Session): BrokerSession {
    let stored = this.stored.get(session.clientId)
    if (stored === undefined) {
      stored = { subscriptions: new Map(), queue: [], unreleased: new Set() }
      this.stored.set(session.clientId, stored)
    }
    return stored
  }

  #publish({ session, token, qos, topic, payload, retain }: Effect & { type: 'publish' }): void {
    if (!this.#reply(session, () => {})) return
    const outcome = this.publishOutcome
    const { unreleased } = this.sessionOf(session)
    if (outcome === 0 && !unreleased.has(token)) this.route({ topic, payload, qos, retain }, session.clientId)
    if (qos === 1 || (qos === 2 && outcome !== 0)) this.#reply(session, { type: 'published', token, outcome })
    else if (qos === 2) {
      unreleased.add(token)
      this.#reply(session, { type: 'received', token })
    }
  }

  #release({ session, token }: Effect & { type: 'release' }): void {
    this.#reply(session, () => {
      this.sessionOf(session).unreleased.delete(token)
      this.#world.happen(session, { type: 'published', token, outcome: 0 })
    })
  }

  /** QoS 2 messages that were not acknowledged, by ack */
  readonly #exactlyOnce = new Map<number, number>()

  #acknowledge({ session, ack }: Effect & { type: 'acknowledge' }): void {
    if (ack < 0) return // of the release
    this.acknowledged.push(ack)
    const packetId = this.#exactlyOnce.get(ack)
    if (packetId !== undefined) this.#reply(session, { type: 'releasing', packetId, ack: -ack })
  }

  /** A connection is over, and what was kept for it if that was clean. */
  #end(session: Session): { will: Will | undefined } | undefined {
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
        this.#world.happen(session, { type: 'refused', outcome, detail: 'refused by the broker' })
        return
      }
      if (clean) this.stored.delete(session.clientId)
      const sessionPresent = this.stored.has(session.clientId)
      const { queue } = this.sessionOf(session)
      this.connected.set(session, { will, clean })
      this.#world.happen(session, { type: 'connected', sessionPresent, limits: this.limits })
      for (const message of queue.splice(0)) this.#push(session, message, message.qos)
    })
  }

  /** Something a request leads to, if the broker is there and willing, and the connection lasts. */
  #reply(session: Session, event: Event | (() => void)): boolean {
    if (!this.reachable || !this.answers) return false
    const connection = this.connected.get(session)
    if (connection === undefined) return false
    this.#world.after(this.latency, () => {
      if (this.connected.get(session) !== connection) return
      if (typeof event === 'function') event()
      else this.#world.happen(session, event)
    })
    return true
  }

  #push(session: Session, message: BrokerMessage, qos: 0 | 1 | 2): void {
    const lower = Math.min(qos, message.qos) as 0 | 1 | 2
    const ack = lower > 0 ? this.nextAck++ : undefined
    const packetId = lower === 2 && ack !== undefined ? ack : 0
    if (ack !== undefined && packetId !== 0) this.#exactlyOnce.set(ack, packetId)
    const { topic, payload, retain = false, expiresAt } = message
    this.#world.happen(session, {
      type: 'message',
      message: { topic, payload, qos: lower, retain, expiresAt },
      ack,
      packetId,
    })
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

  /** All connections break: the broker publishes the wills. */
  crash(): void {
    this.reachable = false
    const broken = [...this.connected]
    for (const [session] of broken) this.#end(session)
    for (const [session, { will }] of broken) {
      if (will) this.#publishWill(will, session.clientId)
      this.#world.happen(session, { type: 'closed', why: 'lost', detail: 'connection lost' })
    }
  }
}

/** The gateway's core in a world without sockets. Time moves only by `advance`. */
export class World {
  now = 1_000_000
  readonly sessions = createSessions()
  readonly broker: Broker
  readonly settings: Settings
  readonly totals = { queuedMessages: 0, queuedOctets: 0 }
  readonly listener: Listener
  /** everything, in order, one line each */
  readonly transcript: string[] = []
  readonly effects: Effect[] = []
  readonly #policies: (clientId: string) => Policy
  readonly #random: () => number
  /** Sees what came of every event, before it is performed. */
  watch: (cause: Cause, effects: readonly Effect[]) => void = () => {}
  #agenda: { at: number; run: () => void }[] = []
  #busy = false

  constructor(options: WorldOptions = {}) {
    this.broker = new Broker(this)
    const predefined = predefinedOf(options.predefined ?? {})
    this.settings = {
      timers: { ...defaultTimers, ...options.timers },
      limits: { ...defaultLimits, ...options.limits },
      qosMinusOne: { enabled: true, topics: ['#'], retain: true, perAddress: 10, ...options.qosMinusOne },
      predefined,
    }
    this.listener = {
      name: 'virtual',
      maxMessage: options.maxMessage ?? 1472,
      roaming: options.roaming ?? 'port',
    }
    this.#random = options.random ?? (() => 0)
    this.#policies = (clientId) => ({
      denied: false,
      mayComeFrom: () => true,
      asleepConnect: 'strict',
      reRegister: 'ifUnconfirmed',
      predefined,
      queueFor: () => queuePolicy,
      messagesPerWake: 100,
      ack: 'broker',
      spool: spoolPolicy,
      ...options.policy?.(clientId),
    })
  }

  /** An address for a sensor to speak from. */
  sensor(address = '10.0.0.1', port = 5000, nodeId?: Uint8Array): VirtualSensor {
    const key = peerKey(0, address, port, nodeId)
    return new VirtualSensor(this, { key, listener: this.listener, address, port, nodeId })
  }

  /** The session of a ClientId; fails if there is none. */
  session(clientId: string): Session {
    const session = this.sessions.byClientId.get(clientId)
    if (session === undefined) throw new Error(`no session of ${clientId}`)
    return session
  }

  /** The gateway has started, and its store knows this session. */
  restore(
    session: Session,
    messages: readonly QueuedMessage[] = [],
    uplinks: readonly Uplink[] = [...session.outgoing.values()],
  ): void {
    const record = { lasting: lastingRecord(session), progress: progressRecord(session, (time) => time) }
    const peerOf = ({ address, port, nodeId }: PeerRecord): Peer => this.sensor(address, port, nodeId).peer
    const toMonotonic = (time: number) => time
    const turn = this.#newTurn()
    restore(this.sessions, { record, messages, uplinks }, { peerOf, toMonotonic }, turn)
    for (const effect of turn.out) this.#perform(effect)
  }

  /** A message published by somebody else. */
  publish(
    topic: string,
    payload: string | Uint8Array,
    qos: 0 | 1 | 2 = 0,
    more: Partial<BrokerMessage> = {},
  ): void {
    this.broker.route(
      { topic, payload: typeof payload === 'string' ? bytes(payload) : payload, qos, ...more },
      'other',
    )
    this.advance(this.broker.latency)
  }

  /** A datagram reaches the gateway. */
  receive(packet: Packet, peer: Peer): void {
    this.note(`${nameOf(peer)} → ${describe(packet)}`)
    this.#turn({ packet, peer }, (turn) => receive(this.sessions, packet, peer, turn))
  }

  /** Something happens to a session. */
  happen(session: Session, event: Event): void {
    this.#turn({ session, event }, (turn) => dispatch(this.sessions, session, event, turn))
  }

  #newTurn(): Turn {
    const env = {
      settings: this.settings,
      totals: this.totals,
      policyFor: this.#policies,
      random: this.#random,
    }
    return { now: this.now, env, out: [] }
  }

  #turn(cause: Cause, step: (turn: Turn) => void): void {
    if (this.#busy) throw new Error('an event within an event')
    this.#busy = true
    const turn = this.#newTurn()
    try {
      step(turn)
    } finally {
      this.#busy = false
    }
    this.watch(cause, turn.out)
    for (const effect of turn.out) this.#perform(effect)
  }

  #perform(effect: Effect): void {
    this.effects.push(effect)
    if (effect.type === 'send') {
      // through the real codec, so that what cannot be encoded shows
      const { packet } = decodeFrame(encodeFrame(effect.packet, effect.peer.nodeId))
      if (packet.type === 'malformed') throw new Error(`sent a malformed ${effect.packet.type}`)
      this.note(`${nameOf(effect.peer)} ← ${describe(packet)}`)
      const hear = this.ears.get(effect.peer.key)
      if (hear !== undefined) hear(packet)
      else this.inboxes.get(effect.peer.key)?.push(packet)
      return
    }
    const line = describeEffect(effect)
    if (line !== undefined) this.note(line)
    this.broker.perform(effect)
  }

  readonly inboxes = new Map<Peer['key'], Packet[]>()
  /** who takes messages the moment they are sent, in place of an inbox */
  readonly ears = new Map<Peer['key'], (packet: Packet) => void>()

  note(line: string): void {
    this.transcript.push(line)
  }

  /** Plans something for later. */
  after(ms: number, run: () => void): void {
    this.#agenda.push({ at: this.now + ms, run })
  }

  /** Lets time pass: deadlines and plans come in order. */
  advance(ms: number): void {
    const end = this.now + ms
    for (;;) {
      const plan = this.#agenda.reduce<number>((at, item) => Math.min(at, item.at), Number.POSITIVE_INFINITY)
      let due: Session | undefined
      for (const session of this.sessions.byClientId.values()) {
        if (session.wakeAt < (due?.wakeAt ?? Number.POSITIVE_INFINITY)) due = session
      }
      const wake = due?.wakeAt ?? Number.POSITIVE_INFINITY
      const next = Math.min(plan, wake)
      if (next > end) break
      this.now = Math.max(this.now, next)
      if (plan <= wake) {
        const index = this.#agenda.findIndex(({ at }) => at === plan)
        const [item] = this.#agenda.splice(index, 1)
        item?.run()
      } else if (due !== undefined) {
        const before = due.wakeAt
        this.happen(due, { type: 'deadline' })
        if (due.wakeAt === before && this.sessions.byClientId.get(due.clientId) === due) {
          throw new Error(`a deadline that does not pass: ${due.clientId} ${due.state}`)
        }
      }
    }
    this.now = end
  }

  /** Transcript lines since the last call. */
  happened(): string[] {
    return this.transcript.splice(0)
  }

  /** Reasons of all drops so far. */
  drops(): string[] {
    return this.effects.flatMap((effect) => (effect.type === 'drop' ? [effect.reason] : []))
  }
}

/** A sensor's voice: sends messages, and collects what comes back. It does nothing by itself. */
export class VirtualSensor {
  readonly inbox: Packet[] = []
  readonly world: World
  readonly peer: Peer
  #msgId = 0

  constructor(world: World, peer: Peer) {
    this.world = world
    this.peer = peer
    world.inboxes.set(peer.key, this.inbox)
  }

  /** Sends, lets the broker answer, and returns what came back. */
  send(packet: Packet): Packet[] {
    this.inbox.length = 0
    this.world.receive(packet, this.peer)
    this.world.advance(5)
    return this.take()
  }

  /** Sends the octets of a datagram. */
  sendHex(hex: string): Packet[] {
    const frame = decodeFrame(Uint8Array.from(hex.match(/../g) ?? [], (octet) => Number.parseInt(octet, 16)))
    if (frame.packet.type === 'malformed') throw new Error(`malformed: ${frame.packet.reason}`)
    return this.send(frame.packet)
  }

  /** Sends the octets of a datagram and returns those of the answers. */
  exchange(hex: string): string[] {
    return this.sendHex(hex).map((packet) => Buffer.from(encode(packet)).toString('hex'))
  }

  /** What came since the last look. */
  take(): Packet[] {
    return this.inbox.splice(0)
  }

  /** Types of what came since the last look. */
  types(): PacketType[] {
    return this.take().map(({ type }) => type)
  }

  connect(clientId: string, options: Partial<Extract<Packet, { type: 'connect' }>> = {}): Packet[] {
    return this.send({
      type: 'connect',
      will: false,
      cleanSession: true,
      protocolId: 1,
      duration: 60,
      clientId,
      ...options,
    })
  }

  /** A full CONNECT with will. */
  connectWithWill(
    clientId: string,
    will: { topic: string; message: string; qos?: 0 | 1 | 2; retain?: boolean },
    options: Partial<Extract<Packet, { type: 'connect' }>> = {},
  ): Packet[] {
    this.connect(clientId, { will: true, ...options })
    this.send({ type: 'willtopic', qos: will.qos ?? 0, retain: will.retain ?? false, willTopic: will.topic })
    return this.send({ type: 'willmsg', willMsg: bytes(will.message) })
  }

  register(topicName: string): number {
    this.#msgId += 1
    const [answer] = this.send({ type: 'register', topicId: 0, msgId: this.#msgId, topicName })
    if (answer?.type !== 'regack' || answer.returnCode !== 0) throw new Error('not registered')
    return answer.topicId
  }

  subscribe(topicName: string, qos: 0 | 1 | 2 = 0): Packet[] {
    this.#msgId += 1
    return this.send({
      type: 'subscribe',
      dup: false,
      qos,
      msgId: this.#msgId,
      topicIdType: 'normal',
      topicName,
    })
  }

  publish(
    topicId: number,
    data: string,
    options: Partial<Extract<Packet, { type: 'publish' }>> = {},
  ): Packet[] {
    return this.send({
      type: 'publish',
      dup: false,
      qos: 0,
      retain: false,
      topicIdType: 'normal',
      topicId,
      msgId: 0,
      data: bytes(data),
      ...options,
    })
  }

  sleep(duration: number): Packet[] {
    return this.send({ type: 'disconnect', duration })
  }

  /** PINGREQ with the ClientId of a sleeping sensor. */
  wake(clientId: string): Packet[] {
    return this.send({ type: 'pingreq', clientId })
  }
}

const nameOf = ({ port, nodeId }: Peer): string =>
  nodeId === undefined ? `sensor${port === 5000 ? '' : ` ${port}`}` : 'node'

const codes = ['accepted', 'congestion', 'invalid topic id', 'not supported']

/** A message in one line, with what matters to a reader. */
export function describe(packet: Packet): string {
  const name = packet.type.toUpperCase()
  switch (packet.type) {
    case 'connect':
      return `${name} ${packet.clientId}${packet.cleanSession ? ' clean' : ''}${packet.will ? ' will' : ''}`
    case 'connack':
    case 'willtopicresp':
    case 'willmsgresp':
      return `${name} ${codes[packet.returnCode]}`
    case 'publish': {
      const flags = `${packet.dup ? ' dup' : ''}${packet.retain ? ' retain' : ''}`
      return `${name} qos ${packet.qos}${flags} ${packet.topicIdType} topic, "${text(packet.data)}"`
    }
    case 'regack':
    case 'puback':
    case 'suback':
      return `${name} ${codes[packet.returnCode]}`
    case 'register':
      return `${name} ${packet.topicName}`
    case 'subscribe':
    case 'unsubscribe':
      return `${name} ${packet.topicIdType === 'normal' ? packet.topicName : packet.topicId}`
    case 'disconnect':
      return packet.duration === null ? name : `${name} ${packet.duration} s`
    case 'pingreq':
      return packet.clientId === null ? name : `${name} ${packet.clientId}`
    case 'willtopic':
    case 'willtopicupd':
      return `${name} ${packet.willTopic ?? 'empty'}`
    default:
      return name
  }
}

function describeEffect(effect: Effect): string | undefined {
  switch (effect.type) {
    case 'connect':
      return `gateway → broker CONNECT${effect.clean ? ' clean' : ''}${effect.will ? ` will ${effect.will.topic}` : ''}`
    case 'publish':
      return `gateway → broker PUBLISH ${effect.topic} qos ${effect.qos} "${text(effect.payload)}"`
    case 'publishAnonymous':
      return `gateway → broker (own connection) PUBLISH ${effect.topic} "${text(effect.payload)}"`
    case 'subscribe':
      return `gateway → broker SUBSCRIBE ${effect.filter} qos ${effect.qos}`
    case 'unsubscribe':
      return `gateway → broker UNSUBSCRIBE ${effect.filter}`
    case 'close':
      return effect.publishWill ? 'gateway → broker closes, will wanted' : 'gateway → broker DISCONNECT'
    case 'acknowledge':
      return 'gateway → broker acknowledges'
    case 'gwinfo':
      return 'gateway → all GWINFO'
    default:
      return undefined
  }
}
