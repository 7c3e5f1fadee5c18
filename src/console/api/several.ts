// The part of the API that acts on several sensors at once, and edits what people call them.

import type { FastifyInstance } from 'fastify'
import type { SeveralActions, SeveralAnswer } from '../contract/routes.ts'
import type { SensorLabel } from '../contract/sensors.ts'
import { NodeSilent } from '../nodes.ts'
import type { Action, GatewayView } from '../view.ts'
import {
  type ConsoleLog,
  messageOf,
  noSuchSensor,
  publication,
  SIMPLE_ACTIONS,
  sensorParams,
} from './actions.ts'
import { listOf, ref, type Schema } from './schemas/shapes.ts'

/** Sensors in one request. */
const MOST = 1000

/** Bounds of what people call a sensor. */
const word: Schema = { type: 'string', minLength: 1, maxLength: 32, pattern: '^[^\\u0000-\\u001f\\u007f]+$' }
const tags: Schema = { type: 'array', maxItems: 16, uniqueItems: true, items: word }
const label: Schema = {
  type: 'object',
  description: 'What people call a sensor; an empty object takes the label of the console away.',
  additionalProperties: false,
  properties: {
    name: { type: 'string', minLength: 1, maxLength: 64, pattern: '^[^\\u0000-\\u001f\\u007f]+$' },
    description: { type: 'string', minLength: 1, maxLength: 500 },
    tags,
  },
  examples: [{ name: 'Kitchen meter', tags: ['house'] }],
}

const several: Schema = {
  type: 'object',
  additionalProperties: false,
  required: ['clientIds', 'action'],
  properties: {
    clientIds: { type: 'array', minItems: 1, maxItems: MOST, items: { type: 'string', minLength: 1 } },
    action: { type: 'string', enum: [...SIMPLE_ACTIONS, 'publish', 'tag'] },
    message: publication,
    add: tags,
    remove: tags,
  },
  examples: [{ clientIds: ['meter-7'], action: 'disconnect' }],
}

const answer: Schema = {
  type: 'object',
  required: ['done', 'failed'],
  properties: {
    done: { type: 'integer', minimum: 0 },
    failed: listOf({
      type: 'object',
      required: ['clientId', 'error'],
      properties: { clientId: { type: 'string' }, error: { type: 'string' } },
    }),
  },
}

/** Nothing is left of it: then the rule's holds. */
const isEmpty = ({ name, description, tags }: SensorLabel): boolean =>
  name === undefined && description === undefined && tags.length === 0

/** Adds the routes. */
export function serveSeveral(app: FastifyInstance, view: GatewayView, log: ConsoleLog): void {
  async function perform(
    clientId: string,
    body: SeveralActions,
  ): Promise<SeveralAnswer['failed'][number] | undefined> {
    const sensor = await view.sensor(clientId)
    if (sensor === undefined) return { clientId, error: 'no-such-sensor' }
    if (body.action === 'tag') {
      const { name, description } = sensor
      const kept = sensor.tags.filter((one) => body.remove?.includes(one) !== true)
      const all = [...new Set([...kept, ...(body.add ?? [])])].slice(0, 16)
      const next = { name, description, tags: all }
      return (await view.label(clientId, isEmpty(next) ? undefined : next))
        ? undefined
        : { clientId, error: 'no-such-sensor' }
    }
    const action: Action = body.action === 'publish' ? messageOf(body.message) : { type: body.action }
    return (await view.act(clientId, action)) ? undefined : { clientId, error: 'wrong-state' }
  }

  app.post<{ Body: SeveralActions }>(
    '/api/actions',
    {
      schema: {
        operationId: 'actOnSeveral',
        summary: 'Does the same to several sensors: those that cannot are named, the others are done',
        tags: ['actions'],
        body: several,
        response: { 200: { description: 'what became of it', ...answer } },
      },
    },
    async ({ body }, reply) => {
      if (body.action === 'publish' && body.message === undefined)
        return reply
          .code(400)
          .serializer(JSON.stringify)
          .send({ error: 'bad-request', message: 'body.message is missing' })
      const clientIds = [...new Set(body.clientIds)]
      const failed: SeveralAnswer['failed'][number][] = []
      for (const clientId of clientIds) {
        const failure = await perform(clientId, body).catch((error: unknown) => {
          if (error instanceof NodeSilent) return { clientId, error: 'node-silent' as const }
          throw error
        })
        if (failure !== undefined) failed.push(failure)
      }
      const done = clientIds.length - failed.length
      log.info(
        { action: body.action, sensors: clientIds.slice(0, 20), done, failed: failed.length },
        'done by the console',
      )
      return { done, failed }
    },
  )

  app.put<{ Params: { clientId: string }; Body: Partial<SensorLabel> }>(
    '/api/sensors/:clientId/label',
    {
      schema: {
        operationId: 'labelSensor',
        summary: 'Sets name, description and tags of a sensor, which are kept beside its session',
        tags: ['actions'],
        params: sensorParams,
        body: label,
        response: {
          200: { description: 'as it is now', ...ref('Sensor') },
          404: { description: 'no such sensor', ...ref('Problem') },
        },
      },
    },
    async ({ params: { clientId }, body }, reply) => {
      const { name, description, tags = [] } = body
      const next = { name, description, tags }
      if (!(await view.label(clientId, isEmpty(next) ? undefined : next))) return noSuchSensor(reply)
      log.info({ clientId, action: 'label' }, 'done by the console')
      return (await view.sensor(clientId)) ?? noSuchSensor(reply)
    },
  )
}
