// JSON Schemas of what the API gives and takes: they check requests, write responses and make up the OpenAPI description.
// A schema names every property of its type in view.ts, or it does not compile: what is not named is not sent.

import type {
  BrokerInfo,
  GatewayInfo,
  ListenerInfo,
  QueueEntry,
  RecentEntry,
  SensorDetail,
  SensorState,
  SensorSummary,
  StoreInfo,
  SubscriptionEntry,
  TopicEntry,
} from './view.ts'

/** A JSON Schema, as data. */
export type Schema = Readonly<Record<string, unknown>>

interface Optional {
  readonly optional: Schema
}
type Properties<T> = { readonly [K in keyof T]-?: undefined extends T[K] ? Optional : Schema }

const isOptional = (property: Schema | Optional): property is Optional => 'optional' in property
const optional = (schema: Schema): Optional => ({ optional: schema })

function object<T>(properties: Properties<T>): Schema {
  const entries = Object.entries<Schema | Optional>(properties)
  return {
    type: 'object',
    properties: Object.fromEntries(
      entries.map(([name, one]) => [name, isOptional(one) ? one.optional : one]),
    ),
    required: entries.filter(([, one]) => !isOptional(one)).map(([name]) => name),
  }
}

const text = (description: string): Schema => ({ type: 'string', description })
const whole = (description: string): Schema => ({ type: 'integer', minimum: 0, description })
const yesNo = (description: string): Schema => ({ type: 'boolean', description })
const time = (description: string): Schema => ({
  type: 'number',
  description: `${description}, milliseconds since 1970`,
})
const counts = (description: string): Schema => ({
  type: 'object',
  additionalProperties: { type: 'integer' },
  description,
})
/** A list. */
export const listOf = (items: Schema): Schema => ({ type: 'array', items })
/** A reference to one of `components`. */
export const ref = (name: string): Schema => ({ $ref: `${name}#` })

const STATES: readonly SensorState[] = [
  'willtopic',
  'willmsg',
  'connecting',
  'active',
  'asleep',
  'awake',
  'disconnected',
  'lost',
]
/** The states of a sensor. */
export const state: Schema = { type: 'string', enum: STATES, description: 'as in figure 4 of MQTT-SN 1.2' }
/** A QoS that an MQTT message can have. */
export const qos: Schema = { type: 'integer', enum: [0, 1, 2] }

const summary: Properties<SensorSummary> = {
  clientId: text('its ClientId'),
  state,
  address: optional(text('where it is, with `/node` behind a forwarder')),
  listener: optional(text('the listener that it is heard on')),
  heardAt: optional(time('when its last message came')),
  topics: whole('registered topic names'),
  subscriptions: whole('its subscriptions'),
  queued: whole('messages that wait for it'),
  queuedOctets: whole('octets that wait for it'),
  upstream: { type: 'string', enum: ['closed', 'connecting', 'up', 'retrying'] },
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
      octets: whole('length of the message'),
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
      tries: whole('how often it was sent'),
    }),
  ),
  held: optional(text('why nothing is delivered to it right now')),
  recent: listOf(ref('RecentMessage')),
  dropped: counts('discarded messages, by reason'),
  refusedTopics: listOf(text('a topic name it refused')),
  lastError: optional(text('why its last connection setup failed')),
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
      spooledMessages: whole('acknowledged messages of sensors that wait for the broker'),
      spooledOctets: whole('octets of these'),
      counters: object<GatewayInfo['counters']>({
        receivedDatagrams: whole('from sensors'),
        receivedOctets: whole('from sensors'),
        sentDatagrams: whole('to sensors'),
        sentOctets: whole('to sensors'),
        published: whole('application messages to the broker'),
        delivered: whole('application messages from the broker'),
        retransmissions: whole('messages sent again after T_RETRY'),
        faults: whole('exceptions caught: each one is a bug'),
        received: counts('messages by type'),
        sent: counts('messages by type'),
        dropped: counts('what was discarded, by reason'),
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
      kernelDrops: optional(whole('datagrams lost to a full receive buffer')),
      sendErrors: whole('datagrams that could not be sent'),
    }),
  },
  {
    $id: 'Broker',
    ...object<BrokerInfo>({
      url: text('where it is'),
      healthy: yesNo("the gateway's own connection is up"),
      version: optional(text('MQTT version')),
      connected: whole('connections that are up'),
      connecting: whole('connections being made'),
      waiting: whole('connections waiting for their turn'),
      refused: whole('attempts that failed'),
      lost: whole('connections that broke'),
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
