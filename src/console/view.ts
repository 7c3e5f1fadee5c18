// What the console may see of a gateway, and do to it: the contract between src/console/ and the gateway. Types only.

import type { BrokerInfo, GatewayInfo, ListenerInfo, StoreInfo } from './infos.ts'
import type { SensorState } from './states.ts'

export type { BrokerInfo, GatewayInfo, ListenerInfo, SensorState, StoreInfo }

/** A sensor in a list. Times are milliseconds since 1970. */
export interface SensorSummary {
  readonly clientId: string
  readonly state: SensorState
  /** `127.0.0.1:5000`, with `/node` behind a forwarder; undefined while it is disconnected or lost */
  readonly address: string | undefined
  readonly listener: string | undefined
  /** when its last message came; undefined if none has since the start */
  readonly heardAt: number | undefined
  /** registered topic names */
  readonly topics: number
  readonly subscriptions: number
  /** messages waiting for it, and their octets */
  readonly queued: number
  readonly queuedOctets: number
  /** its connection to the broker; `retrying` while that is away */
  readonly upstream: 'closed' | 'connecting' | 'up' | 'retrying'
}

/** One sensor, in depth. */
export interface SensorDetail extends SensorSummary {
  readonly cleanSession: boolean
  /** seconds; 0 = not supervised */
  readonly keepAlive: number
  /** when silence makes it lost; undefined if it is not supervised */
  readonly lostAt: number | undefined
  /** seconds of the present sleep, while it is asleep or awake */
  readonly sleep: number | undefined
  readonly will:
    | {
        readonly topic: string
        readonly qos: 0 | 1 | 2
        readonly retain: boolean
        /** octets of its message */
        readonly octets: number
      }
    | undefined
  readonly registry: readonly TopicEntry[]
  readonly predefined: readonly TopicEntry[]
  readonly subscribed: readonly SubscriptionEntry[]
  /** the messages that wait for it, oldest first; at most 100 */
  readonly queue: readonly QueueEntry[]
  /** what the gateway waits for from it */
  readonly outstanding:
    | {
        readonly kind: string
        readonly msgId: number
        /** repetitions so far */
        readonly tries: number
      }
    | undefined
  /** why nothing is delivered to it right now, in words; undefined if nothing is in the way */
  readonly held: string | undefined
  /** the last messages either way, newest last; at most 16, without their contents */
  readonly recent: readonly RecentEntry[]
  /** messages to or from it that were discarded since the console started, by reason */
  readonly dropped: Readonly<Record<string, number>>
  /** topic names that it refused to be told about, so that their messages are dropped */
  readonly refusedTopics: readonly string[]
  /** its acknowledged messages that the broker will not have, oldest first; at most 100 */
  readonly deadLetters: readonly {
    readonly token: number
    readonly topic: string
    readonly qos: 0 | 1 | 2
    readonly retain: boolean
    readonly octets: number
    readonly at: number
    readonly why: string
  }[]
  /** why the last broker connection or setup failed, if it did */
  readonly lastError: string | undefined
}

export interface TopicEntry {
  readonly topicId: number
  readonly name: string
  /** the sensor knows this id in its present connection */
  readonly confirmed: boolean
}

export interface SubscriptionEntry {
  readonly filter: string
  readonly qos: 0 | 1 | 2
  readonly topicIdType: 'normal' | 'predefined' | 'short'
  readonly topicId: number
}

export interface QueueEntry {
  readonly id: number
  readonly topic: string
  readonly qos: 0 | 1 | 2
  readonly retain: boolean
  readonly octets: number
  readonly at: number
}

export interface RecentEntry {
  readonly at: number
  readonly direction: 'received' | 'sent'
  readonly type: string
  /** what matters, in a few words, such as `QoS 1 thermometer/1/celsius, 4 octets` */
  readonly text: string
}

/** Somebody who was refused lately, each with one reason. Times are milliseconds since 1970. */
export interface RefusalEntry {
  /** the last time, and the first */
  readonly at: number
  readonly firstAt: number
  readonly times: number
  readonly reason: string
  /** the reason in words */
  readonly text: string
  /** the keys of the configuration that decide; undefined where none does */
  readonly key: string | undefined
  /** of the last time, with `/node` behind a forwarder */
  readonly address: string
  readonly listener: string
  /** undefined where the sender did not name itself */
  readonly clientId: string | undefined
  /** what was answered; undefined: nothing, or DISCONNECT */
  readonly returnCode: number | undefined
  /** what the broker said, where it refused */
  readonly detail: string | undefined
}

export interface SensorQuery {
  /** part of the ClientId or address, without regard to case */
  readonly search?: string | undefined
  readonly state?: SensorState | undefined
  readonly sort?: 'clientId' | 'state' | 'heardAt' | 'queued' | 'topics' | undefined
  readonly descending?: boolean | undefined
  readonly offset: number
  /** at most 5000 */
  readonly limit: number
}

/** One datagram of a watched sensor. */
export interface WatchedPacket {
  /** milliseconds since 1970, with fractions */
  readonly at: number
  readonly direction: 'received' | 'sent'
  readonly clientId: string | undefined
  /** the sensor's side */
  readonly address: string
  readonly port: number
  readonly listener: string
  /** the whole datagram, encapsulation included */
  readonly bytes: Uint8Array
  /** MQTT-SN message type, such as PUBLISH */
  readonly type: string
  /** the topic name that the topic id stands for, where the message has one */
  readonly topic: string | undefined
  /** the datagram as a readable tree, one line per field */
  readonly lines: readonly string[]
  /** it was sent before: DUP, or a repetition after T_RETRY */
  readonly repeated: boolean
}

/** A sensor went from one state to another. */
export interface StateChange {
  readonly at: number
  readonly clientId: string
  readonly from: SensorState
  readonly to: SensorState
  readonly why: string
  readonly address: string | undefined
}

export type Action =
  | { readonly type: 'disconnect' }
  | { readonly type: 'forget' }
  | { readonly type: 'clearQueue' }
  | { readonly type: 'discardDeadLetters' }
  | { readonly type: 'resendDeadLetters' }
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

/** Sensors that were found: the wanted part of them, and how many there are in all. */
export interface SensorList {
  readonly total: number
  readonly items: readonly SensorSummary[]
}

/** Upper bounds in seconds, counts below each, sum, count. */
export interface LatencyInfo {
  readonly bounds: readonly number[]
  readonly counts: readonly number[]
  readonly sum: number
  readonly count: number
}

/** The gateway as the console sees it. All calls are cheap; watching costs only while it lasts. */
export interface GatewayView {
  info(): Awaitable<GatewayInfo>
  listeners(): readonly ListenerInfo[]
  broker(): Awaitable<BrokerInfo>
  store(): Awaitable<StoreInfo>
  sensors(query: SensorQuery): Awaitable<SensorList>
  sensor(clientId: string): Awaitable<SensorDetail | undefined>
  /** who was refused lately, latest first; at most 200 */
  refusals(): Awaitable<readonly RefusalEntry[]>
  /** the global table of predefined topic ids */
  predefined(): readonly { readonly topicId: number; readonly name: string }[]
  /** the effective configuration, secrets hidden */
  config(): object
  /** false if there is no such sensor, or the action cannot be done in its state */
  act(clientId: string, action: Action): Awaitable<boolean>
  /** Calls back for every state change until the returned function is called. */
  onChange(listener: (change: StateChange) => void): () => void
  /** Calls back for every datagram of one sensor, or of all, until the returned function is called. */
  watch(clientId: string | undefined, listener: (packet: WatchedPacket) => void): () => void
  /** acknowledgement latency of QoS 1 and 2 publishes of sensors */
  latency(): Awaitable<LatencyInfo>
}
