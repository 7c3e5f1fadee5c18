// JSON Schemas of the API: what is not named is not sent. They name every property of the types in view.ts, or do not compile.

import { STATES } from '../states.ts'
import type {
  BrokerInfo,
  GatewayInfo,
  ListenerInfo,
  QueueEntry,
  RecentEntry,
  SensorDetail,
  SensorSummary,
  StoreInfo,
  SubscriptionEntry,
  TopicEntry,
} from '../view.ts'
import { happenings } from './happenings.ts'
import {
  counts,
  listOf,
  object,
  optional,
  type Properties,
  ref,
  type Schema,
  text,
  time,
  whole,
  yesNo,
} from './shapes.ts'

/** The states of a sensor. */
export const state: Schema = { type: 'string', enum: STATES, description: 'as in figure 4 of MQTT-SN 1.2' }
/** A QoS that an MQTT message can have. */
export const qos: Schema = { type: 'integer', enum: [0, 1, 2] }

const summary: Properties<SensorSummary> = {
  clientId: text('its ClientId'),
  state,
  address: optional(text('where it is, with `/node` behind a forwarder')),
  listener: optional(text('name of the listener that it is heard on')),
  heardAt: optional(time('when its last message came')),
  topics: whole('topic names that have a topic id in its session'),
  subscriptions: whole('its subscriptions'),
  queued: whole('messages that wait for it'),
  queuedOctets: whole('octets that wait for it'),
  upstream: {
    type: 'string',
    enum: ['closed', 'connecting', 'up', 'retrying'],
    description: 'its connection to the broker; retrying while that is away',
  },
}

const detail: Properties<SensorDetail> = {
  ...summary,
  cleanSession: yesNo('it asked for a clean session'),
  keepAlive: whole('seconds; 0 = not supervised'),
  lostAt: optional(time('when silence makes it lost')),
  sleep: optional(whole('seconds of the present sleep')),
  will: optional(
    object<NonNullable<SensorDetail['will']>>({
      topic: text('topic name'),
      qos,
      retain: yesNo('retained'),
      octets: whole('length of its message'),
    }),
  ),
  registry: listOf(ref('Topic')),
  predefined: listOf(ref('Topic')),
  subscribed: listOf(ref('Subscription')),
  queue: listOf(ref('QueuedMessage')),
  outstanding: optional(
    object<NonNullable<SensorDetail['outstanding']>>({
      kind: text('the message it has to answer'),
      msgId: whole('MsgId'),
      tries: whole('repetitions so far, besides the first time'),
    }),
  ),
  held: optional(text('why nothing is delivered to it right now')),
  recent: listOf(ref('RecentMessage')),
  dropped: counts('messages to or from it that were discarded since the console started, by reason'),
  refusedTopics: listOf(text('a topic name it refused')),
  deadLetters: listOf(
    object<SensorDetail['deadLetters'][number]>({
      token: whole('what names it within the sensor'),
      topic: text('topic name'),
      qos,
      retain: yesNo('retained'),
      octets: whole('length of its contents'),
      at: time('when it came from the sensor'),
      why: text('hung-up: the broker closes the connection at it; refused: it refuses it for good'),
    }),
  ),
  lastError: optional(text('why its last connection setup failed, until one succeeds')),
}

/** What the description calls by name. */
export const components: readonly (Schema & { readonly $id: string })[] = [
  {
    $id: 'Gateway',
    ...object<GatewayInfo>({
      version: text('of the gateway'),
      gwId: whole('GwId'),
      node: text('version of Node.js'),
      startedAt: time('start'),
      sensors: counts('sensors by state'),
      queuedMessages: whole('messages that wait for sensors'),
      queuedOctets: whole('octets that wait for sensors'),
      queuesFull: yesNo('the limit on what waits for all sensors was reached within the last minute'),
      spooledMessages: whole('acknowledged messages of sensors that wait for the broker'),
      spooledOctets: whole('octets of these'),
      deadLetters: whole('acknowledged messages of sensors that the broker will not have'),
      deadLetterOctets: whole('octets of these'),
      counters: object<GatewayInfo['counters']>({
        receivedDatagrams: whole('datagrams that arrived, from whomever'),
        receivedOctets: whole('octets of these datagrams'),
        sentDatagrams: whole('datagrams that were sent, to sensors and groups'),
        sentOctets: whole('octets of these datagrams'),
        published: whole('application messages to the broker'),
        delivered: whole('application messages from the broker'),
        retransmissions: whole('messages sent again because a sensor did not answer'),
        faults: whole('exceptions caught: each one is a bug'),
        received: counts('messages from sensors by type'),
        sent: counts('messages to sensors by type'),
        dropped: counts('what was discarded, by reason'),
        refusals: counts('how often somebody was refused, by reason'),
      }),
    }),
  },
  {
    $id: 'Listener',
    ...object<ListenerInfo>({
      name: text('as configured'),
      url: text('where it is bound'),
      receiveBuffer: whole('octets granted by the system'),
      receiveBufferAsked: whole('octets asked for'),
      kernelDrops: optional(whole('datagrams lost to a full receive buffer, up to a second ago')),
      sendErrors: whole('datagrams that could not be sent, and other errors of the socket'),
    }),
  },
  {
    $id: 'Broker',
    ...object<BrokerInfo>({
      url: text('where it is'),
      healthy: yesNo("the gateway's own connection is up"),
      trouble: optional(text('why the broker does not accept the gateway, if it can be reached')),
      version: optional(text('MQTT version, once it is known')),
      connected: whole('connections of sensors that are up'),
      connecting: whole('connections of sensors being made'),
      waiting: whole('connections of sensors that wait for their turn'),
      refused: whole('attempts to connect a sensor that failed'),
      lost: whole('connections of sensors that broke'),
    }),
  },
  {
    $id: 'Store',
    ...object<StoreInfo>({
      type: { type: 'string', enum: ['lmdb', 'memory'] },
      error: optional(text('why the last write failed')),
      groups: whole('writes, each of many changes'),
      seconds: { type: 'number', minimum: 0, description: 'time these took' },
      failures: whole('writes that failed while something waited for them'),
      octets: whole('size on disk'),
      held: whole('answers to sensors and broker that wait for a write'),
    }),
  },
  ...happenings,
  { $id: 'SensorSummary', ...object(summary) },
  { $id: 'Sensor', ...object(detail) },
  {
    $id: 'Topic',
    ...object<TopicEntry>({
      topicId: whole('topic id'),
      name: text('topic name'),
      confirmed: yesNo('the sensor knows the id in its present connection'),
    }),
  },
  {
    $id: 'Subscription',
    ...object<SubscriptionEntry>({
      filter: text('topic filter'),
      qos,
      topicIdType: { type: 'string', enum: ['normal', 'predefined', 'short'] },
      topicId: whole('topic id, 0 where there is none'),
    }),
  },
  {
    $id: 'QueuedMessage',
    ...object<QueueEntry>({
      id: whole('grows within a sensor'),
      topic: text('topic name'),
      qos,
      retain: yesNo('retained'),
      octets: whole('length of its contents'),
      at: time('when it came'),
    }),
  },
  {
    $id: 'RecentMessage',
    ...object<RecentEntry>({
      at: time('when it came or went'),
      direction: { type: 'string', enum: ['received', 'sent'] },
      type: text('MQTT-SN message type'),
      text: text('what matters, in a few words'),
    }),
  },
  {
    $id: 'Problem',
    ...object<{ error: string; message: string }>({
      error: text('what went wrong, for programs'),
      message: text('what went wrong, for people'),
    }),
  },
]
