// A gateway as the console sees it, without a gateway: the test says what there is to see, and what happens.

import type { ClusterInfo } from '../../src/console/contract/cluster.ts'
import type { BrokerInfo, GatewayInfo, ListenerInfo, StoreInfo } from '../../src/console/contract/gateway.ts'
import type {
  DeadLetterEntry,
  DropEntry,
  Happening,
  HappeningBatch,
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
import type { LiveTopic, TopicUse } from '../../src/console/contract/topics.ts'
import { noSensors } from '../../src/console/states.ts'
import type { Action, GatewayView } from '../../src/console/view.ts'

const AT = 1_790_000_000_000

const use: TopicUse = {
  topic: 'meter/7/power',
  times: 3,
  firstAt: AT - 120_000,
  lastAt: AT,
  perMinute: 1,
  octets: 4,
  qos: 1,
  refused: 1,
  lastCode: 2,
  lastRefusal: 'rejected: invalid topic id',
}

const flow = { underWay: 3, mostUnderWay: 16_384 }

/** Nodes of a cluster, of which the one that is asked serves. */
export const PAIR: ClusterInfo = {
  node: 'gw-1',
  state: 'active',
  hindrance: undefined,
  lease: 5000,
  leaseLeft: 4500,
  takeovers: 1,
  shared: false,
  slots: 1024,
  arriving: 0,
  leaving: 0,
  engine: { host: 'db1:5432', up: true, trouble: undefined, latency: 2, answeredAgo: 300 },
  members: (['active', 'standby'] as const).map((state, i) => ({
    node: `gw-${i + 1}`,
    incarnation: 7 + i,
    state,
    address: `tcp://10.0.0.${11 + i}:41000`,
    link: undefined,
    version: '1.0.0',
    leaseLeft: 4700,
    slots: state === 'active' ? 1024 : 0,
    isSelf: state === 'active',
    lasting: 60_000,
    differs: false,
    differences: [],
  })),
  owners: new Array<number>(1024).fill(0),
  links: {
    nodes: [
      { node: 'gw-2', isUp: true, lasting: 60_000, why: undefined, trip: 0.2, ...flow },
      {
        ...{ node: 'gw-3', isUp: false, lasting: 2000, why: 'connect ECONNREFUSED 10.0.0.13:1886' },
        ...{ trip: undefined, ...flow },
      },
    ],
    ...{ forwarded: 5, answered: 4, asked: 3, held: 2, holding: 0, refused: 1 },
    calls: [{ node: 'gw-2', failed: 1, times: { bounds: [0.1], counts: [2], sum: 0.3, count: 3 } }],
    unshown: 4,
    lastRefused: { ago: 9000, address: '10.0.0.99', node: undefined, why: 'it does not know the secret' },
  },
}

/** What it said and heard, and what is wrong. */
const traffic: Pick<SensorDetail, 'published' | 'delivered' | 'waiting' | 'findings' | 'refusals'> = {
  published: [use],
  delivered: [{ ...use, perMinute: undefined, refused: 0, lastCode: undefined, lastRefusal: undefined }],
  waiting: [{ direction: 'toSensor', why: 'asleep', text: 'It is asleep.', messages: 1, octets: 27 }],
  findings: [
    {
      id: 'x',
      tone: 'bad',
      text: 'It is lost.',
      next: 'Look.',
      key: 'timers.tRetry',
      docs: '/docs/operation#x',
    },
    { id: 'y', tone: 'note', text: 'It sleeps.', next: '', key: undefined, docs: undefined },
  ],
  refusals: [],
}

const dead: DeadLetterEntry = {
  token: 5,
  topic: 'meter/7/x',
  qos: 1,
  retain: false,
  octets: 4,
  at: AT,
  why: 'hung-up',
}

/** A sensor with a bit of everything. */
export const meter: SensorDetail = {
  clientId: 'meter-7',
  name: 'Kitchen meter',
  description: 'Behind the door',
  tags: ['meters', 'house'],
  labelledBy: 'rule',
  departed: false,
  since: AT - 60_000,
  why: 'DISCONNECT for 3600 s',
  state: 'asleep',
  address: '127.0.0.1:5007/0a01',
  listener: 'field',
  heardAt: AT + 0.25,
  topics: 1,
  subscriptions: 1,
  queued: 1,
  queuedOctets: 27,
  upstream: 'up',
  secure: {
    identity: 'meter-7',
    kind: 'psk',
    session: 3,
    open: {
      suite: 'TLS_PSK_WITH_AES_128_CCM_8',
      resumed: true,
      extendedMasterSecret: true,
      connectionId: true,
      openedAt: AT - 60_000,
      received: 5,
      sent: 6,
      moves: 1,
      movedAt: AT - 1000,
    },
  },
  cleanSession: false,
  keepAlive: 60,
  lostAt: AT + 90_000,
  sleep: 3600,
  will: { topic: 'meter/7/gone', qos: 1, retain: true, octets: 3 },
  registry: [{ topicId: 1, name: 'meter/7/power', confirmed: true }],
  predefined: [{ topicId: 10, name: 'meter/time', confirmed: true }],
  subscribed: [{ filter: 'meter/7/interval', qos: 1, topicIdType: 'normal', topicId: 2 }],
  queue: [{ id: 4, topic: 'meter/7/interval', qos: 1, retain: false, octets: 2, at: AT }],
  outstanding: { kind: 'PUBACK', msgId: 9, tries: 2 },
  held: 'It is asleep.',
  recent: [
    {
      at: AT,
      direction: 'received',
      type: 'PUBLISH',
      text: 'QoS 1 meter/7/power, 4 octets',
      refused: undefined,
    },
  ],
  ...traffic,
  dropped: { 'out-of-state': 1 },
  refusedTopics: ['meter/7/odd'],
  deadLetters: [dead],
  lastError: 'the broker refused it',
}

/** One about which little is known: everything that may be absent is. */
export const button: SensorDetail = {
  ...meter,
  clientId: 'button/é 1',
  name: undefined,
  description: undefined,
  tags: [],
  labelledBy: undefined,
  departed: true,
  since: undefined,
  why: undefined,
  published: [],
  delivered: [],
  waiting: [],
  findings: [],
  state: 'lost',
  address: undefined,
  listener: undefined,
  heardAt: undefined,
  upstream: 'closed',
  lostAt: undefined,
  secure: undefined,
  sleep: undefined,
  will: undefined,
  registry: [],
  predefined: [],
  subscribed: [],
  queue: [],
  queued: 0,
  queuedOctets: 0,
  outstanding: undefined,
  held: undefined,
  recent: [],
  dropped: {},
  refusedTopics: [],
  deadLetters: [],
  lastError: undefined,
}

/** A PUBLISH of the meter. */
export const publish: WatchedPacket = {
  at: AT + 0.125,
  direction: 'received',
  clientId: 'meter-7',
  address: '127.0.0.1',
  port: 5007,
  listener: 'field',
  bytes: Uint8Array.of(8, 0x0c, 0x20, 0, 1, 0, 9, 0x2a),
  type: 'PUBLISH',
  topic: 'meter/7/power',
  text: 'QoS 1 meter/7/power, 1 octet',
  refused: undefined,
  lines: ['PUBLISH'],
  repeated: false,
}

export const refusal: RefusalEntry = {
  at: AT,
  firstAt: AT - 60_000,
  times: 3,
  reason: 'client-id-too-long',
  text: 'its ClientId is longer than allowed',
  next: 'Give the device a shorter ClientId, or raise the limit.',
  key: 'limits.clientIdLength',
  address: '127.0.0.1:5009',
  listener: 'field',
  clientId: 'x'.repeat(65),
  returnCode: 3,
  detail: undefined,
  docs: '/docs/operation#client-id-refused',
}

const liveTopic: LiveTopic = {
  topic: '=meter/7/power',
  direction: 'up',
  times: 3,
  perMinute: 1.5,
  firstAt: AT - 1000,
  lastAt: AT,
  clientId: 'meter-7',
  qos: -1,
  retain: false,
  octets: 2,
  payload: '2a2b',
}

export const happening: Happening = {
  id: '1-7',
  at: AT,
  firstAt: AT - 1000,
  times: 2,
  kind: 'refused',
  tone: 'warn',
  text: 'Refused: its ClientId is longer than allowed.',
  clientId: 'x'.repeat(65),
  address: '127.0.0.1:5009',
  reason: 'client-id-too-long',
  detail: undefined,
  key: 'limits.clientIdLength',
  docs: '/docs/operation#client-id-refused',
}

export const drop: DropEntry = {
  reason: 'not-allowed',
  at: AT,
  firstAt: AT - 1000,
  times: 4,
  address: '127.0.0.1:5010',
  listener: 'field',
  clientId: undefined,
}

export const change: StateChange = {
  at: AT,
  clientId: 'button/é 1',
  from: 'active',
  to: 'lost',
  why: 'silence',
  address: '127.0.0.1:5008',
}

const INFO: GatewayInfo = {
  version: '1.2.3',
  gwId: 1,
  node: 'v20.19.0',
  clusterNode: undefined,
  startedAt: AT,
  sensors: { ...noSensors(), asleep: 1, lost: 1 },
  departed: 1,
  forgotten: 0,
  queuedMessages: 1,
  queuedOctets: 27,
  queuesFull: false,
  spooledMessages: 2,
  spooledOctets: 31,
  deadLetters: 3,
  deadLetterOctets: 12,
  counters: {
    receivedDatagrams: 12,
    receivedOctets: 345,
    sentDatagrams: 9,
    sentOctets: 210,
    published: 5,
    delivered: 3,
    retransmissions: 2,
    faults: 0,
    received: { CONNECT: 2, PUBLISH: 6 },
    sent: { CONNACK: 2, PUBLISH: 3 },
    dropped: { 'malformed: bad-length': 1, 'queue-full': 4 },
    refusals: { 'client-id-too-long': 3 },
    losses: { clean: 1, kept: 0 },
  },
}

const LISTENER: ListenerInfo = {
  name: 'field',
  url: 'udp://127.0.0.1:1884',
  receiveBuffer: 425_984,
  receiveBufferAsked: 4_194_304,
  kernelDrops: 7,
  sendErrors: 1,
  secure: {
    sessions: 4,
    halfOpen: 1,
    limits: { sessions: 12_500, halfOpen: 1000 },
    handshakes: { full: 5, 'wrong-key': 1 },
    failures: [{ at: AT, address: '192.0.2.7:5000', identity: 'meter-8', cause: 'wrong-key' }],
    handshakeTimes: {
      psk: { bounds: [0.1, 1], counts: [3, 4], sum: 2.5, count: 4 },
      certificate: { bounds: [0.1, 1], counts: [0, 1], sum: 0.5, count: 1 },
    },
    moves: 3,
    helloVerifies: 9,
    keyLog: false,
    credentials: {
      identities: 12,
      pskFile: 'changed',
      trouble: undefined,
      certificates: { cert: 1_800_000_000_000 },
    },
  },
}

const LINE: ListenerInfo = {
  name: 'bench',
  url: 'serial:///dev/ttyS0?framing=slip',
  receiveBuffer: 0,
  receiveBufferAsked: 0,
  kernelDrops: undefined,
  sendErrors: 3,
  link: {
    up: true,
    octets: { received: 1200, sent: 800 },
    frames: { received: 60, sent: 40 },
    errors: { noise: 2, full: 3 },
    queue: 1,
    noise: 'boot',
    unconfirmed: 1,
    signal: { rssi: -61 },
    unreachable: { count: 2, some: ['xbee/0013a20012345678', 'xbee/0013a20012345679'] },
    connections: { open: 3, refused: 1 },
  },
}

const BROKER: BrokerInfo = {
  url: 'mqtt://127.0.0.1:1883',
  healthy: true,
  version: '5',
  openings: 1,
  connected: 1,
  connecting: 2,
  waiting: 3,
  refused: 4,
  lost: 5,
  portless: 6,
  shared: [
    {
      clientId: 'gateway-s1',
      connected: true,
      sensors: 3,
      filters: 2,
      waiting: 4,
      waitingSensors: 2,
      underWay: 5,
      handingOut: 1,
      breaks: 2,
      refused: 1,
    },
  ],
}

const STORE: StoreInfo = {
  type: 'postgres',
  error: undefined,
  groups: 40,
  seconds: 0.5,
  failures: 3,
  octets: 65_536,
  held: 6,
  engine: { host: 'db1:5432', up: true, replicated: false, warnings: ['it has no synchronous standby'] },
}

/** What a test may change, look at, and let happen. */
export interface ScriptedView extends GatewayView {
  now: {
    info: GatewayInfo
    listeners: ListenerInfo[]
    broker: BrokerInfo
    store: StoreInfo
    /** the nodes that share a database; undefined: there are no others */
    cluster: ClusterInfo | undefined
    /** what an action answers */
    acts: boolean
    latency: ReturnType<GatewayView['latency']>
  }
  readonly actions: { clientId: string; action: Action }[]
  readonly queries: SensorQuery[]
  /** how many are watching or waiting for changes */
  readonly watchers: ReadonlyMap<(packet: WatchedPacket) => void, string | undefined>
  readonly changeListeners: ReadonlySet<(change: StateChange) => void>
  readonly happeningQueries: HappeningQuery[]
  readonly labels: { clientId: string; label: SensorLabel | undefined }[]
  happen(batch: HappeningBatch): void
  change(change: StateChange): void
  packet(packet: WatchedPacket): void
}

/** A view with two sensors. */
export function scriptedView(): ScriptedView {
  const sensors = [button, meter]
  const watchers = new Map<(packet: WatchedPacket) => void, string | undefined>()
  const changeListeners = new Set<(change: StateChange) => void>()
  const happeningListeners = new Set<(batch: HappeningBatch) => void>()
  const view: ScriptedView = {
    now: {
      info: INFO,
      listeners: [LISTENER, LINE],
      broker: BROKER,
      store: STORE,
      cluster: undefined,
      acts: true,
      latency: { bounds: [0.01, 0.1, 1], counts: [1, 3, 4], sum: 2.5, count: 5 },
    },
    actions: [],
    queries: [],
    happeningQueries: [],
    labels: [],
    watchers,
    changeListeners,
    info: () => view.now.info,
    listeners: () => view.now.listeners,
    broker: () => view.now.broker,
    store: () => view.now.store,
    cluster: () => view.now.cluster,
    sensors(query) {
      view.queries.push(query)
      const items: SensorSummary[] = sensors.filter(({ clientId }) => clientId.includes(query.search ?? ''))
      return { total: items.length, items: items.slice(query.offset, query.offset + query.limit) }
    },
    refusals: () => [refusal],
    happenings(query) {
      view.happeningQueries.push(query)
      return { total: 1, items: [happening] }
    },
    onHappenings(listener) {
      happeningListeners.add(listener)
      return () => void happeningListeners.delete(listener)
    },
    topics(query) {
      const items = [liveTopic].slice(query.offset, query.offset + query.limit)
      return { since: AT, payloads: true, unlisted: 0, total: 1, items }
    },
    deadLetters: () => ({ total: 1, items: [{ clientId: 'meter-7', ...dead }] }),
    label(clientId, label) {
      view.labels.push({ clientId, label })
      return sensors.some((one) => one.clientId === clientId)
    },
    drops: (reason) => [drop].filter((one) => reason === undefined || one.reason === reason),
    sensor: (wanted) => sensors.find(({ clientId }) => clientId === wanted),
    predefined: () => [{ topicId: 10, name: 'meter/time' }],
    config: () => ({ broker: { password: '***' } }),
    act(clientId, action) {
      view.actions.push({ clientId, action })
      return view.now.acts
    },
    onChange(listener) {
      changeListeners.add(listener)
      return () => void changeListeners.delete(listener)
    },
    watch(clientId, listener) {
      watchers.set(listener, clientId)
      return () => void watchers.delete(listener)
    },
    watchWire: () => () => {},
    watchBroker: () => () => {},
    latency: () => view.now.latency,
    happen(batch) {
      for (const listener of happeningListeners) listener(batch)
    },
    change(one) {
      for (const listener of changeListeners) listener(one)
    },
    packet(one) {
      for (const [listener, wanted] of watchers) if ((wanted ?? one.clientId) === one.clientId) listener(one)
    },
  }
  return view
}
