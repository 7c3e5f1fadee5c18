// The part of the API that lists live topics and dead letters.

import type { FastifyInstance } from 'fastify'
import type { DeadLetterQuery, OwnedDeadLetter } from '../contract/happenings.ts'
import type { LiveTopic, LiveTopicQuery } from '../contract/topics.ts'
import type { GatewayView } from '../view.ts'
import { deadLetter } from './schemas/sensor-schemas.ts'
import { listOf, object, optional, ref, type Schema, text, time, whole, yesNo } from './schemas/shapes.ts'
import { pageOf, pageQuery, query, told } from './told.ts'

const direction: Schema = {
  type: 'string',
  enum: ['up', 'down'],
  description: 'up: from sensors to the broker; down: from the broker to sensors',
}

/** What the description calls by name. */
export const topicSchemas: readonly (Schema & { readonly $id: string })[] = [
  { $id: 'OwnedDeadLetter', ...object<OwnedDeadLetter>({ clientId: text('whose it is'), ...deadLetter }) },
  {
    $id: 'LiveTopic',
    ...object<LiveTopic>({
      topic: text('topic name'),
      direction,
      times: whole('messages since recording began'),
      perMinute: optional({ type: 'number', minimum: 0, description: 'rate of these' }),
      firstAt: time('the first of these'),
      lastAt: time('the last'),
      clientId: optional(text('the sensor of the last one')),
      qos: { type: 'integer', enum: [-1, 0, 1, 2], description: 'of the last one' },
      retain: yesNo('the last one was retained'),
      octets: whole('length of the last one'),
      payload: optional(text('its first 256 octets in hexadecimal, where contents may be shown')),
    }),
  },
]

/** What live topics can be found and sorted by. */
export const topicFilters: Record<string, Schema> = {
  search: { type: 'string', description: 'part of the topic name, or a topic filter with wildcards' },
  direction,
  sort: { type: 'string', enum: ['topic', 'lastAt', 'times'], default: 'topic' },
  descending: { type: 'boolean', default: false },
}

const topicList: Schema = {
  type: 'object',
  required: ['since', 'payloads', 'unlisted', 'total', 'items'],
  properties: {
    since: time('when recording began'),
    payloads: yesNo('contents may be shown: log.payloads or console.payloads'),
    unlisted: whole('topics that made room for others'),
    total: whole('of all found'),
    items: listOf(ref('LiveTopic')),
  },
}

/** Adds the routes. */
export function serveTopics(app: FastifyInstance, view: GatewayView): void {
  app.get<{ Querystring: LiveTopicQuery }>(
    '/api/topics',
    told(
      'getLiveTopics',
      'The topics that messages pass on, with their last message',
      topicList,
      'recorded from the first request on, until nobody has asked for ten minutes',
      query({ ...topicFilters, ...pageQuery(1000) }),
    ),
    ({ query }) => view.topics(query),
  )
  app.get<{ Querystring: DeadLetterQuery }>(
    '/api/dead-letters',
    told(
      'getDeadLetters',
      'Acknowledged messages of all sensors that the broker will not have',
      pageOf('OwnedDeadLetter'),
      'by sensor, the oldest of each first',
      query({
        search: { type: 'string', description: 'part of the ClientId or topic' },
        ...pageQuery(1000),
      }),
    ),
    ({ query }) => view.deadLetters(query),
  )
}
