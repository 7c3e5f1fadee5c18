// What the console may see of a gateway, and do to it: the contract between src/console/ and the gateway. Types only.

import type { ClusterInfo } from './contract/cluster.ts'
import type { BrokerInfo, GatewayInfo, HistogramInfo, ListenerInfo, StoreInfo } from './contract/gateway.ts'
import type {
  DeadLetterList,
  DeadLetterQuery,
  DropEntry,
  HappeningBatch,
  HappeningList,
  HappeningQuery,
  RefusalEntry,
} from './contract/happenings.ts'
import type { BrokerStep, StateChange, WatchedPacket, WireDatagram } from './contract/live.ts'
import type { SimpleAction } from './contract/routes.ts'
import type { SensorDetail, SensorLabel, SensorList, SensorQuery } from './contract/sensors.ts'
import type { LiveTopicList, LiveTopicQuery } from './contract/topics.ts'
import type { Nodes } from './nodes.ts'

/** What an operator may do to a sensor. */
export type Action =
  | { readonly type: SimpleAction }
  | {
      readonly type: 'publish'
      readonly topic: string
      readonly payload: Uint8Array
      readonly qos: 0 | 1 | 2
      readonly retain: boolean
    }

/** At once, or later where other threads have to be asked. */
export type Awaitable<T> = T | Promise<T>

/** A view that answers everything at once. */
export type Immediate<View> = {
  readonly [Name in keyof View]: View[Name] extends (...args: infer Args) => infer Result
    ? (...args: Args) => Exclude<Result, Promise<unknown>>
    : View[Name]
}

/** The gateway as the console sees it. All calls are cheap; watching costs only while it lasts. */
export interface GatewayView {
  info(): Awaitable<GatewayInfo>
  listeners(): readonly ListenerInfo[]
  broker(): Awaitable<BrokerInfo>
  store(): Awaitable<StoreInfo>
  /** the nodes that share a database; undefined where there are no others */
  cluster?(): ClusterInfo | undefined
  sensors(query: SensorQuery): Awaitable<SensorList>
  sensor(clientId: string): Awaitable<SensorDetail | undefined>
  /** who was refused lately, latest first; at most 200 */
  refusals(): Awaitable<readonly RefusalEntry[]>
  /** what has happened, latest first */
  happenings(query: HappeningQuery): Awaitable<HappeningList>
  /** Calls back for batches of what happens until the returned function is called. */
  onHappenings(listener: (batch: HappeningBatch) => void): () => void
  /** where what was dropped came from, latest first, at most 500; of this reason, or of all */
  drops(reason: string | undefined): Awaitable<readonly DropEntry[]>
  /** the topics that messages pass on; recorded from the first call on, while calls go on */
  topics(query: LiveTopicQuery): Awaitable<LiveTopicList>
  /** the dead letters of all sensors, oldest first of each */
  deadLetters(query: DeadLetterQuery): Awaitable<DeadLetterList>
  /** Sets what people call a sensor, or takes away what was set; false if there is no such sensor. */
  label(clientId: string, label: SensorLabel | undefined): Awaitable<boolean>
  /** the global table of predefined topic ids */
  predefined(): readonly { readonly topicId: number; readonly name: string }[]
  /** the effective configuration, secrets hidden */
  config(): object
  /** false if there is no such sensor, or the action cannot be done in its state */
  act(clientId: string, action: Action): Awaitable<boolean>
  /** Calls back for every state change until the returned function is called. */
  onChange(listener: (change: StateChange) => void): () => void
  /** Calls back for the changes of one sensor at other nodes until the returned function is called; undefined: there are none. */
  onChangeElsewhere?(clientId: string, listener: (change: StateChange) => void): () => void
  /** Calls back for every datagram of one sensor, or of all, until the returned function is called. */
  watch(clientId: string | undefined, listener: (packet: WatchedPacket) => void): () => void
  /** Calls back for every datagram of listeners with DTLS as it is on the wire, until the returned function is called. */
  watchWire(listener: (datagram: WireDatagram) => void): () => void
  /** Calls back for what passes between gateway and broker for one sensor, until the returned function is called. */
  watchBroker(clientId: string, listener: (step: BrokerStep) => void): () => void
  /** acknowledgement latency of QoS 1 and 2 publishes of sensors */
  latency(): Awaitable<HistogramInfo>
}

/** A gateway that may be one of several nodes, each of which serves its share of the sensors. */
export interface NodeView extends GatewayView {
  readonly nodes?: Nodes | undefined
  /** what all of them have, put together; undefined: this node has everything */
  readonly whole?: GatewayView | undefined
}
