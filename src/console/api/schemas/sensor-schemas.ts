// JSON Schemas of sensors: rows, and one in depth. What is not named is not sent.

import type { DeadLetterEntry } from '../../contract/happenings.ts'
import type {
  Finding,
  QueueEntry,
  RecentEntry,
  SensorDetail,
  SensorSummary,
  Waiting,
} from '../../contract/sensors.ts'
import type { SubscriptionEntry, TopicEntry, TopicUse } from '../../contract/topics.ts'
import { STATES } from '../../states.ts'
import { sensorSecurity } from './secure-schemas.ts'
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
  node: optional(text('the node of a cluster that serves it')),
  name: optional(text('what people call it')),
  tags: listOf(text('a word that people have put on it')),
  state,
  departed: yesNo('it has no session any more, and is only remembered'),
  since: optional(time('when it came into this state')),
  why: optional(text('why it came into this state')),
  address: optional(text('where it is, with `/node` behind a forwarder; where it was, if it has departed')),
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
  secure: optional(sensorSecurity),
  description: optional(text('what people say of it')),
  labelledBy: optional({ type: 'string', enum: ['rule', 'console'], description: 'who says so' }),
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
  waiting: listOf(ref('Waiting')),
  published: listOf(ref('TopicUse')),
  delivered: listOf(ref('TopicUse')),
  findings: listOf(ref('Finding')),
  refusals: listOf(ref('Refusal')),
  recent: listOf(ref('RecentMessage')),
  dropped: counts('messages to or from it that were discarded since the console started, by reason'),
  refusedTopics: listOf(text('a topic name it refused')),
  deadLetters: listOf(ref('DeadLetter')),
  lastError: optional(text('why its last connection setup failed, until one succeeds')),
}

/** How much something matters. */
export const tone: Schema = { type: 'string', enum: ['bad', 'warn', 'note', 'good'] }

const lastQos: Schema = { type: 'integer', enum: [-1, 0, 1, 2], description: 'of the last message' }

/** A dead letter, but for whose it is. */
export const deadLetter: Properties<DeadLetterEntry> = {
  token: whole('what names it within the sensor'),
  topic: text('topic name'),
  qos,
  retain: yesNo('retained'),
  octets: whole('length of its contents'),
  at: time('when it came from the sensor'),
  why: text('hung-up: the broker closes the connection at it; refused: it refuses it for good'),
}

/** What the description calls by name. */
export const sensorSchemas: readonly (Schema & { readonly $id: string })[] = [
  { $id: 'DeadLetter', ...object(deadLetter) },
  {
    $id: 'Waiting',
    ...object<Waiting>({
      direction: { type: 'string', enum: ['toSensor', 'toBroker'] },
      why: text('why, for programs'),
      text: text('why, for people'),
      messages: whole('how many'),
      octets: whole('their octets'),
    }),
  },
  {
    $id: 'Finding',
    ...object<Finding>({
      id: text('what was found, for programs'),
      tone,
      text: text('what was found'),
      next: text('what to do'),
      key: optional(text('keys of the configuration that decide')),
      docs: optional(text('path of the page that explains it')),
    }),
  },
  {
    $id: 'TopicUse',
    ...object<TopicUse>({
      topic: text('topic name, or its id where no name is known'),
      times: whole('messages among the last 200 of the sensor'),
      firstAt: time('the first of these'),
      lastAt: time('the last'),
      perMinute: optional({ type: 'number', minimum: 0, description: 'rate of these' }),
      octets: whole('length of the last one'),
      qos: lastQos,
      refused: whole('how many of them were refused'),
      lastCode: optional(whole('the last return code that refused')),
      lastRefusal: optional(text('the same in words')),
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
      refused: optional(whole('the return code that refuses')),
    }),
  },
]
