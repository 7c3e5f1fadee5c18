// A gateway that only exists for the console: any number of sensors whose states change, without sockets or a broker.

import { describeFrame } from '../../src/codec/v1/describe.ts'
import { encodeFrame } from '../../src/codec/v1/frame.ts'
import type { Packet } from '../../src/codec/v1/messages.ts'
import type { ClusterInfo } from '../../src/console/contract/cluster.ts'
import type {
  DeadLetterList,
  DeadLetterQuery,
  DropEntry,
  Happening,
  HappeningBatch,
  HappeningList,
  HappeningQuery,
  RefusalEntry,
} from '../../src/console/contract/happenings.ts'
import type { StateChange, WatchedPacket } from '../../src/console/contract/live.ts'
import type {
  SensorDetail,
  SensorLabel,
  SensorQuery,
  SensorSummary,
} from '../../src/console/contract/sensors.ts'
import type { LiveTopic, LiveTopicList } from '../../src/console/contract/topics.ts'
import type { SensorState } from '../../src/console/states.ts'
import { noSensors } from '../../src/console/states.ts'
import type { Action, GatewayView } from '../../src/console/view.ts'

type Sensor = { -readonly [K in keyof SensorDetail]: SensorDetail[K] }

const KINDS = ['meter', 'valve', 'door', 'thermo', 'button'] as const
const REASONS = ['queue-full', 'unknown-sender', 'unasked', 'malformed: length', 'upstream-down']

/** Numbers that look random and are the same in every run. */
function chance(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

export class FakeView implements GatewayView {
  healthy = true
  /** the nodes that share a database; undefined: there are no others */
  clusterInfo: ClusterInfo | undefined
  readonly liveTopics: LiveTopic[] = []
  /** what was done to sensors */
  readonly acts: { clientId: string; action: Action }[] = []
  readonly #random = chance(7)
  readonly #sensors = new Map<string, Sensor>()
  readonly #listeners = new Set<(change: StateChange) => void>()
  readonly #watchers = new Set<{ clientId: string | undefined; listener: (packet: WatchedPacket) => void }>()
  readonly #startedAt = Date.now() - 93_784_000
  readonly #counters = {
    receivedDatagrams: 8_412_331,
    receivedOctets: 193_214_991,
    sentDatagrams: 7_900_412,
    sentOctets: 98_123_441,
    published: 5_213_009,
    delivered: 812_331,
    retransmissions: 4_211,
    faults: 0,
  }
  readonly #dropped: Record<string, number> = {}
  #timer: NodeJS.Timeout | undefined
  /** what has happened, latest first */
  readonly happened: Happening[] = []
  readonly #happeningListeners = new Set<(batch: HappeningBatch) => void>()

  constructor(sensors: number) {
    for (let i = 0; i < sensors; i++) this.#add(i)
    if (sensors > 0) for (const [i, reason] of REASONS.entries()) this.#dropped[reason] = 12 + i * 977
  }

  #add(i: number): void {
    const r = this.#random()
    const state: SensorState =
      r < 0.55 ? 'active' : r < 0.86 ? 'asleep' : r < 0.88 ? 'awake' : r < 0.95 ? 'disconnected' : 'lost'
    const clientId = `${KINDS[i % KINDS.length]}-${String(i).padStart(4, '0')}`
    const queued = state === 'asleep' ? Math.floor(this.#random() * 6) : 0
    const now = Date.now()
    const gone = state === 'lost' || state === 'disconnected'
    this.#sensors.set(clientId, {
      clientId,
      name: i % 5 === 0 ? `Room ${i / 5}` : undefined,
      description: i % 5 === 0 ? 'On the wall, beside the door' : undefined,
      tags: i % 2 === 0 ? ['hall', KINDS[i % KINDS.length] ?? 'meter'] : [],
      labelledBy: i % 2 === 0 ? 'rule' : undefined,
      departed: gone && i % 2 === 0,
      since: now - 100_000,
      why: gone ? 'silence' : 'accepted by the broker',
      published: [],
      delivered: [],
      waiting: [],
      findings: [],
      refusals: [],
      state,
      address: gone ? undefined : `10.0.${i >> 8}.${i & 255}:${5000 + (i % 900)}`,
      listener: gone ? undefined : 'udp-1',
      heardAt: now - Math.floor(this.#random() * 290_000),
      topics: 1 + (i % 4),
      subscriptions: i % 3,
      queued,
      queuedOctets: queued * 23,
      upstream: gone ? 'closed' : 'up',
      secure: undefined,
      cleanSession: i % 2 === 0,
      keepAlive: 60,
      lostAt: gone ? undefined : now + 245_000,
      sleep: state === 'asleep' ? 300 : undefined,
      will: i % 3 === 0 ? { topic: `status/${clientId}`, qos: 1, retain: true, octets: 4 } : undefined,
      registry: Array.from({ length: 1 + (i % 4) }, (_, n) => ({
        topicId: n + 1,
        name: `hall/${clientId}/${['celsius', 'humidity', 'battery', 'set'][n]}`,
        confirmed: n !== 3,
      })),
      predefined: [],
      subscribed: Array.from({ length: i % 3 }, (_, n) => ({
        filter: n === 0 ? `hall/${clientId}/set` : 'hall/all/#',
        qos: 1,
        topicIdType: 'normal',
        topicId: n === 0 ? 4 : 0,
      })),
      queue: Array.from({ length: queued }, (_, n) => ({
        id: n + 1,
        topic: `hall/${clientId}/set`,
        qos: 1,
        retain: false,
        octets: 4 + n,
        at: now - 60_000 + n * 9_000,
      })),
      outstanding: undefined,
      held:
        state === 'asleep' ? 'It is asleep: messages wait until it wakes up and asks for them.' : undefined,
      recent: [
        {
          at: now - 70_000,
          direction: 'received',
          type: 'CONNECT',
          text: `CONNECT duration 60 s, clientId "${clientId}"`,
          refused: undefined,
        },
        {
          at: now - 69_950,
          direction: 'sent',
          type: 'CONNACK',
          text: 'CONNACK returnCode 0 (accepted)',
          refused: undefined,
        },
      ],
      dropped: i % 7 === 0 ? { 'queue-full': 4 } : {},
      refusedTopics: [],
      deadLetters: [],
      lastError: i % 50 === 49 && gone ? 'the broker refused the login (not authorized)' : undefined,
    })
  }

  /** Lets sensors live: some change their state, all figures grow. `stop` ends it. */
  run(interval = 200): void {
    this.#timer = setInterval(() => this.#step(interval), interval)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #step(interval: number): void {
    const all = [...this.#sensors.values()]
    const load = (all.length / 20) * (interval / 1000) * (0.8 + 0.4 * this.#random())
    const swing = 1 + 0.35 * Math.sin(Date.now() / 40_000)
    this.#counters.receivedDatagrams += Math.round(load * 2.1 * swing)
    this.#counters.sentDatagrams += Math.round(load * 1.7 * swing)
    this.#counters.published += Math.round(load * swing)
    this.#counters.delivered += Math.round(load * 0.3)
    const reason = REASONS[Math.floor(this.#random() * REASONS.length)]
    if (reason !== undefined && all.length > 0 && this.#random() < 0.2) {
      this.#dropped[reason] = (this.#dropped[reason] ?? 0) + 1
    }
    for (let n = 0; n < all.length / 1000; n++) {
      const sensor = all[Math.floor(this.#random() * all.length)]
      if (sensor?.state === 'active') this.change(sensor.clientId, 'asleep', 'DISCONNECT for 300 s')
      else if (sensor?.state === 'asleep') this.change(sensor.clientId, 'awake', 'PINGREQ')
      else if (sensor?.state === 'awake') this.change(sensor.clientId, 'asleep', 'no more messages')
      else if (sensor !== undefined) this.change(sensor.clientId, 'active', 'accepted by the broker')
    }
  }

  change(clientId: string, to: SensorState, why: string): void {
    const sensor = this.#sensors.get(clientId)
    if (sensor === undefined) return
    const from = sensor.state
    sensor.state = to
    sensor.heardAt = Date.now()
    for (const listener of this.#listeners) {
      listener({ at: Date.now(), clientId, from, to, why, address: sensor.address })
    }
  }

  /** One datagram of a sensor, either way. */
  say(
    clientId: string,
    direction: 'received' | 'sent',
    packet: Packet,
    topic?: string,
    repeated = false,
  ): void {
    const bytes = encodeFrame(packet).slice()
    const [address = '', port = ''] = this.#sensors.get(clientId)?.address?.split(':') ?? []
    for (const watcher of this.#watchers) {
      if (watcher.clientId !== undefined && watcher.clientId !== clientId) continue
      watcher.listener({
        at: Date.now(),
        direction,
        clientId,
        address,
        port: Number(port),
        listener: 'udp-1',
        bytes,
        type: packet.type.toUpperCase(),
        topic,
        text: topic ?? '',
        refused: 'returnCode' in packet && packet.returnCode > 0 ? packet.returnCode : undefined,
        lines: describeFrame(bytes),
        repeated,
      })
    }
  }

  get watched(): number {
    return this.#watchers.size
  }

  info() {
    const sensors = noSensors()
    let queuedMessages = 0
    let queuedOctets = 0
    for (const sensor of this.#sensors.values()) {
      sensors[sensor.state] += 1
      queuedMessages += sensor.queued
      queuedOctets += sensor.queuedOctets
    }
    return {
      version: '0.0.0-fake',
      gwId: 1,
      node: process.version,
      clusterNode: this.clusterInfo?.node,
      startedAt: this.#startedAt,
      sensors,
      departed: [...this.#sensors.values()].filter(({ departed }) => departed).length,
      forgotten: 0,
      queuedMessages,
      queuedOctets,
      queuesFull: false,
      spooledMessages: 0,
      spooledOctets: 0,
      deadLetters: 0,
      deadLetterOctets: 0,
      counters: {
        ...this.#counters,
        received: {
          CONNECT: 5_100,
          PUBLISH: 5_213_009,
          PINGREQ: 2_190_002,
          REGISTER: 12_013,
          PUBACK: 400_112,
        },
        sent: { CONNACK: 5_100, PUBLISH: 812_331, PUBACK: 4_900_001, PINGRESP: 2_190_000, REGACK: 12_013 },
        dropped: { ...this.#dropped },
        refusals: { denied: 12 },
        losses: { clean: 3, kept: 1 },
      },
    }
  }

  listeners() {
    return [
      {
        name: 'udp-1',
        url: 'udp://0.0.0.0:1884',
        receiveBuffer: 425_984,
        receiveBufferAsked: 4_194_304,
        kernelDrops: 0,
        sendErrors: 0,
      },
    ]
  }

  broker() {
    const connected = this.healthy ? this.#sensors.size : 0
    return {
      url: 'mqtt://broker.example:1883',
      healthy: this.healthy,
      version: '5',
      openings: 1,
      connected,
      connecting: 0,
      waiting: this.healthy ? 0 : this.#sensors.size,
      refused: 3,
      lost: 41,
      portless: 0,
      shared: [],
    }
  }

  store() {
    const held = this.healthy ? 3 : 0
    return {
      type: 'lmdb',
      error: undefined,
      groups: 91_240,
      seconds: 211.5,
      failures: 0,
      octets: 8_392_704,
      held,
    } as const
  }

  cluster(): ClusterInfo | undefined {
    return this.clusterInfo
  }

  sensors({ search, state, topic, tag, sort = 'clientId', descending = false, offset, limit }: SensorQuery) {
    const wanted = search?.toLowerCase() ?? ''
    const sign = descending ? -1 : 1
    const found = [...this.#sensors.values()]
      .filter((sensor) => state === undefined || sensor.state === state)
      .filter(({ tags }) => tag === undefined || tags.includes(tag))
      .filter(({ registry }) => topic === undefined || registry.some(({ name }) => name.includes(topic)))
      .filter(({ clientId, address }) => clientId.includes(wanted) || address?.includes(wanted))
      .sort((a, b) => {
        const [x = 0, y = 0] = [a[sort], b[sort]]
        if (x === y) return a.clientId < b.clientId ? -1 : 1
        return x < y ? -sign : sign
      })
    const items: SensorSummary[] = found.slice(offset, offset + limit)
    return { total: found.length, items }
  }

  refusals(): RefusalEntry[] {
    return [
      {
        at: Date.now() - 2000,
        firstAt: this.#startedAt,
        times: 12,
        reason: 'denied',
        text: 'a rule denies its ClientId',
        next: undefined,
        key: 'sensors[].deny',
        address: '10.0.0.99:5000',
        listener: 'udp-1',
        clientId: 'visitor',
        returnCode: 3,
        detail: undefined,
        docs: '/docs/operation#not-admitted',
      },
    ]
  }

  happenings({ offset, limit }: HappeningQuery): HappeningList {
    const items = this.happened.slice(offset, offset + limit)
    return { total: this.happened.length, items }
  }

  onHappenings(listener: (batch: HappeningBatch) => void): () => void {
    this.#happeningListeners.add(listener)
    return () => void this.#happeningListeners.delete(listener)
  }

  /** Something happens, and is told. */
  happen(...items: Happening[]): void {
    this.happened.unshift(...items)
    for (const listener of this.#happeningListeners) listener({ items, more: 0 })
  }

  watchWire(): () => void {
    return () => {}
  }

  watchBroker(): () => void {
    return () => {}
  }

  topics(): LiveTopicList {
    const { length: total } = this.liveTopics
    return { since: this.#startedAt, payloads: true, unlisted: 0, total, items: this.liveTopics }
  }

  deadLetters({ search = '', offset, limit }: DeadLetterQuery): DeadLetterList {
    const found = [...this.#sensors.values()]
      .flatMap(({ clientId, deadLetters }) => deadLetters.map((letter) => ({ clientId, ...letter })))
      .filter(({ clientId, topic }) => `${clientId} ${topic}`.includes(search))
    return { total: found.length, items: found.slice(offset, offset + limit) }
  }

  /** Something about a sensor is different from now on. */
  alter(clientId: string, changed: Partial<Sensor>): void {
    Object.assign(this.#sensors.get(clientId) ?? {}, changed)
  }

  label(clientId: string, label: SensorLabel | undefined): boolean {
    const sensor = this.#sensors.get(clientId)
    if (sensor === undefined) return false
    Object.assign(sensor, label ?? { name: undefined, description: undefined, tags: [] })
    return true
  }

  drops(): DropEntry[] {
    const now = Date.now()
    const from = { address: '10.0.0.99:5000', listener: 'udp-1', clientId: undefined }
    return [{ reason: 'not-allowed', at: now - 900, firstAt: now - 90_000, times: 12, ...from }]
  }

  sensor(clientId: string): SensorDetail | undefined {
    return this.#sensors.get(clientId)
  }

  predefined() {
    return [
      { topicId: 1, name: 'home/button' },
      { topicId: 2, name: 'home/door' },
    ]
  }

  config() {
    return {
      gateway: { id: 1 },
      listeners: [{ url: 'udp://0.0.0.0:1884', allow: ['10.0.0.0/8'] }],
      broker: { url: 'mqtt://broker.example:1883', password: '***', connectsPerSecond: 100 },
      qosMinusOne: true,
    }
  }

  act(clientId: string, action: Action): boolean {
    const sensor = this.#sensors.get(clientId)
    if (sensor === undefined) return false
    if (action.type === 'disconnect' && sensor.state === 'lost') return false
    this.acts.push({ clientId, action })
    if (action.type === 'disconnect') this.change(clientId, 'disconnected', 'by the console')
    if (action.type === 'forget') this.#sensors.delete(clientId)
    if (action.type === 'discardDeadLetters') sensor.deadLetters = []
    if (action.type === 'clearQueue') Object.assign(sensor, { queue: [], queued: 0, queuedOctets: 0 })
    return true
  }

  onChange(listener: (change: StateChange) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  watch(clientId: string | undefined, listener: (packet: WatchedPacket) => void): () => void {
    const watcher = { clientId, listener }
    this.#watchers.add(watcher)
    return () => void this.#watchers.delete(watcher)
  }

  latency() {
    return { bounds: [], counts: [], sum: 0, count: 0 }
  }
}
