// A virtual world for the session core: a clock, addresses, and a small model of a broker. What happens is written down
// as the specification draws it: `sensor → CONNECT`, `gateway → broker CONNECT`, ...

import { decodeFrame, encode, encodeFrame } from '../../src/codec/v1/frame.ts'
import type { Packet, PacketType } from '../../src/codec/v1/messages.ts'
import { type CommitGate, createCommitGate } from '../../src/gateway/effects/commit-gate.ts'
import type { Effect, Event, UpstreamEvent } from '../../src/session/events.ts'
import { type Listener, type Peer, peerKey, type Roaming } from '../../src/session/peers.ts'
import type {
  Limits,
  Policy,
  Predefined,
  QosMinusOne,
  QueuePolicy,
  Settings,
  SpoolPolicy,
  Timers,
  Who,
} from '../../src/session/policy.ts'
import type { PeerRecord } from '../../src/session/record.ts'
import type { Session } from '../../src/session/session.ts'
import type { Turn } from '../../src/session/turn.ts'
import type { AdmissionAnswer } from '../../src/sessions/connect/admission.ts'
import { onAdmission } from '../../src/sessions/connect/takeover.ts'
import { dispatch } from '../../src/sessions/dispatch.ts'
import { receive } from '../../src/sessions/door.ts'
import { dueSessions } from '../../src/sessions/due.ts'
import { turnAway } from '../../src/sessions/overload.ts'
import { restore, spreadMending } from '../../src/sessions/restore.ts'
import { receiveWithoutStore } from '../../src/sessions/store-failure.ts'
import { createSessions } from '../../src/sessions/table.ts'
import { type BrokerMessage, VirtualBroker } from './virtual-broker.ts'
import { isWrite, VirtualStore } from './virtual-store.ts'

export { noLimits } from './virtual-broker.ts'

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
  sensorsPerAddress: 1000,
  clientIdLength: 23,
  topicsPerSensor: 256,
  subscriptionsPerSensor: 64,
  queuedMessages: 100,
  queuedOctets: 65_536,
  totalQueuedMessages: 100_000,
  totalQueuedOctets: 67_108_864,
  unprovenOctets: 4096,
  totalSpooledMessages: 1_000_000,
  totalSpooledOctets: 1_000_000_000,
  totalDeadLetters: 100_000,
  totalDeadLetterOctets: 1_000_000_000,
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
  /** the ClientId at the broker; that of the gateway itself is `the-gateway` */
  nameAtBroker?: (clientId: string) => string
  /** every CONNECT waits for `answerAdmission` */
  asksAdmission?: boolean
  maxMessage?: number
  roaming?: Roaming
  /** 0 <= x < 1 */
  random?: () => number
}

/** What the core was called with. */
export type Cause =
  | { admission: AdmissionAnswer }
  | { packet: Packet; peer: Peer }
  | { session: Session; event: Event }
  | { start: true }

/** Text as octets. */
export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
/** Octets as text. */
export const text = (octets: Uint8Array): string => new TextDecoder().decode(octets)

const reported: ReadonlySet<Event['type']> = new Set<UpstreamEvent['type']>([
  'connected', 'refused', 'closed', 'received', 'published', 'subscribed', 'unsubscribed', 'subscriptionEnded', 'message',
  'releasing', 'congestion',
]) // biome-ignore format: a list
/** Whether it comes from a connection to the broker. */
const isReported = ({ type }: Event): boolean => reported.has(type)

/** The gateway's core in a world without sockets. Time moves only by `advance`. */
export class World {
  now = 1_000_000
  /** of the gateway's present life */
  sessions = createSessions()
  readonly broker: VirtualBroker
  readonly store: VirtualStore
  readonly settings: Settings
  readonly totals = { queuedMessages: 0, queuedOctets: 0 }
  readonly spooled = { messages: 0, octets: 0 }
  readonly deadLetters = { messages: 0, octets: 0 }
  readonly listener: Listener
  /** everything, in order, one line each */
  readonly transcript: string[] = []
  readonly effects: Effect[] = []
  readonly #policies: (who: Who) => Policy
  readonly #random: () => number
  readonly #nameAtBroker: (clientId: string) => string
  /** Sees what came of every event, before it is performed. */
  watch: (cause: Cause, effects: readonly Effect[]) => void = () => {}
  /** how many effects are still performed until the gateway crashes */
  fuse = Number.POSITIVE_INFINITY
  /** milliseconds after which it starts again by itself */
  startsAfter = Number.POSITIVE_INFINITY
  /** milliseconds that its sessions take to be read then, in which nothing else happens */
  reading = 0
  /** listeners that the configuration does not have any more */
  readonly listenersGone = new Set<string>()
  /** the gateway has no time for what arrives */
  overloaded = false
  /** sessions of the gateway's former lives */
  readonly #dead = new WeakSet<Session>()
  #gate: CommitGate
  #isSafe = false
  #isRunning = true
  #agenda: { at: number; run: () => void }[] = []
  #busy = false

  constructor(options: WorldOptions = {}) {
    this.broker = new VirtualBroker(this)
    this.store = new VirtualStore(this)
    this.#gate = this.#createGate()
    const predefined = predefinedOf(options.predefined ?? {})
    this.settings = {
      timers: { ...defaultTimers, ...options.timers },
      limits: { ...defaultLimits, ...options.limits },
      qosMinusOne: {
        enabled: true,
        topics: ['#'],
        mayComeFrom: () => true,
        retain: true,
        perAddress: 10,
        ...options.qosMinusOne,
      },
      predefined,
      asksAdmission: options.asksAdmission ?? false,
    }
    this.listener = {
      name: 'virtual',
      maxMessage: options.maxMessage ?? 1472,
      roaming: options.roaming ?? 'port',
    }
    this.#random = options.random ?? (() => 0)
    this.#nameAtBroker = options.nameAtBroker ?? ((clientId) => clientId)
    this.#policies = ({ clientId }) => ({
      denied: false,
      mayComeFrom: () => true,
      mayBe: (identity) => identity === undefined || identity === clientId,
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

  get isRunning(): boolean {
    return this.#isRunning
  }

  /** The gateway is killed: what is not durable is lost, and its connections break. */
  crash(): void {
    if (!this.#isRunning || this.#isSafe) return
    this.#isRunning = false
    this.fuse = Number.POSITIVE_INFINITY
    for (const session of [...this.sessions.byClientId.values(), ...this.broker.connected.keys()]) {
      this.#dead.add(session)
    }
    this.sessions = createSessions()
    this.totals.queuedMessages = 0
    this.totals.queuedOctets = 0
    for (const sum of [this.spooled, this.deadLetters]) Object.assign(sum, { messages: 0, octets: 0 })
    this.store.crash()
    this.#gate = this.#createGate()
    this.broker.gatewayCrashed()
    this.note('gateway crashes')
    if (Number.isFinite(this.startsAfter)) this.after(this.startsAfter, () => this.start())
  }

  /** It starts again with what its store has. */
  start(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    this.note('gateway starts')
    const peerOf = ({ listener, address, port, nodeId }: PeerRecord): Peer | undefined => {
      if (this.listenersGone.has(listener)) return undefined
      return { key: peerKey(0, address, port, nodeId), listener: this.listener, address, port, nodeId }
    }
    const bearings = { peerOf, toMonotonic: (time: number) => time }
    const turn = this.#newTurn()
    for (const stored of this.store.load()) restore(this.sessions, stored, bearings, turn)
    this.now += this.reading
    spreadMending(this.sessions, { ...turn, now: this.now })
    this.watch({ start: true }, turn.out)
    this.#perform(turn.out)
  }

  /** From now on it crashes no more. */
  becomeSafe(): void {
    this.#isSafe = true
    this.fuse = Number.POSITIVE_INFINITY
  }

  /** It is killed, and starts again after so many milliseconds. */
  restart(pause = 0): void {
    this.crash()
    this.advance(pause)
    this.start()
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
    if (!this.#isRunning) return
    const step = this.overloaded ? turnAway : this.store.isFailing ? receiveWithoutStore : receive
    this.#turn({ packet, peer }, (turn) => step(this.sessions, packet, peer, turn))
  }

  /** The answer whether a sensor may be here arrives. */
  answerAdmission(answered: AdmissionAnswer): void {
    this.#turn({ admission: answered }, (turn) => onAdmission(this.sessions, answered, turn))
    this.advance(5)
  }

  /** Something happens to a session. */
  happen(session: Session, event: Event): void {
    if (this.#dead.has(session)) return
    if (isReported(event) && this.#gate.isClosing(session)) return
    if (event.type === 'closed') this.#gate.forgetConnection(session)
    this.#turn({ session, event }, (turn) => dispatch(this.sessions, session, event, turn))
  }

  #newTurn(): Turn {
    const env = {
      settings: this.settings,
      totals: this.totals,
      spooled: this.spooled,
      deadLetters: this.deadLetters,
      policyFor: this.#policies,
      nameAtBroker: ({ clientId }: Who) => this.#nameAtBroker(clientId),
      isOwnName: (name: string) => name === 'the-gateway',
      random: this.#random,
    }
    const readUplink: Turn['readUplink'] = (clientId, token) => this.store.readUplink(clientId, token)
    const leavesAtOnce = (session: Session): boolean =>
      !this.#gate.isHolding(session.clientId) && !this.broker.isBackedUp
    return { readUplink, leavesAtOnce, now: this.now, env, out: [] }
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
    this.#perform(turn.out)
  }

  #perform(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (this.fuse <= 0 && !isWrite(effect)) break // what is written at one time is one group
      if (!this.#gate.hold(effect)) this.#performNow(effect)
    }
    if (this.#gate.takeOverfull().length > 0) throw new Error('more waits for the store than may')
    if (this.fuse <= 0) this.crash()
  }

  /** The gateway's own, before the virtual store; what the one of a former life still holds is lost. */
  #createGate(): CommitGate {
    const gate = createCommitGate({
      store: this.store,
      release: (effect) => {
        if (gate === this.#gate) this.#release(effect)
      },
      onFailure: () => {
        throw new Error('a virtual store does not fail')
      },
    })
    return gate
  }

  #release(effect: Effect): void {
    if (this.fuse > 0) this.#performNow(effect)
    if (this.fuse <= 0) this.crash()
  }

  #performNow(effect: Effect): void {
    if (!this.#isRunning) return
    this.fuse -= 1
    this.effects.push(effect)
    this.#toOthers(effect)
    this.#gate.notePerformed(effect)
  }

  #toOthers(effect: Effect): void {
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
    this.store.perform(effect)
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
        if (!dueSessions(this.sessions, this.now).includes(due)) {
          throw new Error(`an overlooked deadline: ${due.clientId} ${due.state}`)
        }
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
