// The part of the API that changes something: what an operator may do to one sensor.

import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Publication, SimpleAction } from '../contract/routes.ts'
import type { Action, GatewayView } from '../view.ts'
import { qos } from './schemas/sensor-schemas.ts'
import { ref, type Schema } from './schemas/shapes.ts'

/** The part of a pino logger that the console uses. */
export interface ConsoleLog {
  info(fields: object, message: string): void
  error(fields: object, message: string): void
}

const EXAMPLE = { topic: 'meter/7/interval', text: '60', qos: 1 }

export const publication: Schema = {
  type: 'object',
  description: 'Contents as hexadecimal octets (payload) or as text in UTF-8 (text).',
  additionalProperties: false,
  required: ['topic'],
  properties: {
    topic: { type: 'string', minLength: 1, maxLength: 65_535, pattern: '^[^+#\\u0000]+$' },
    payload: { type: 'string', pattern: '^(?:[0-9a-fA-F]{2})*$' },
    text: { type: 'string' },
    qos: { ...qos, default: 0 },
    retain: { type: 'boolean', default: false },
  },
  oneOf: [{ required: ['payload'] }, { required: ['text'] }],
  examples: [EXAMPLE],
}

/** The path parameter of everything about one sensor. */
export const sensorParams: Schema = {
  type: 'object',
  required: ['clientId'],
  properties: {
    clientId: { type: 'string', minLength: 1, description: 'ClientId of the sensor', examples: ['meter-7'] },
  },
}

/** The message that is asked for. */
export function messageOf(wanted: Publication): Extract<Action, { type: 'publish' }> {
  const { topic, qos = 0, retain = false } = wanted
  const bytes = 'text' in wanted ? Buffer.from(wanted.text) : Buffer.from(wanted.payload, 'hex')
  return { type: 'publish', topic, payload: new Uint8Array(bytes), qos, retain }
}

/** What can be done without further words. */
export const SIMPLE_ACTIONS: readonly SimpleAction[] = [
  'disconnect',
  'forget',
  'clearQueue',
  'discardDeadLetters',
  'resendDeadLetters',
  'endSecureSession',
]

const PATHS: Readonly<Record<Action['type'], string>> = {
  disconnect: 'disconnect',
  forget: 'forget',
  clearQueue: 'clear-queue',
  discardDeadLetters: 'dead-letters/discard',
  resendDeadLetters: 'dead-letters/resend',
  endSecureSession: 'secure-session/end',
  publish: 'publish',
}

/** Where an action is found, behind the address of its sensor. */
export const actionPath = (type: Action['type']): string => PATHS[type]

interface ForSensor {
  Params: { clientId: string }
}

/** 404, in the words that all routes about one sensor use. */
export function noSuchSensor(reply: FastifyReply): FastifyReply {
  return reply.code(404).send({ error: 'no-such-sensor', message: 'There is no sensor with this ClientId.' })
}

/** Adds the routes; every action that was done is logged. */
export function serveActions(app: FastifyInstance, view: GatewayView, log: ConsoleLog): void {
  async function perform(clientId: string, action: Action, reply: FastifyReply): Promise<FastifyReply> {
    if ((await view.sensor(clientId)) === undefined) return noSuchSensor(reply)
    if (!(await view.act(clientId, action)))
      return reply
        .code(409)
        .send({ error: 'wrong-state', message: `A sensor in this state cannot do "${action.type}".` })
    log.info({ clientId, action: action.type }, 'done by the console')
    return reply.code(204).send()
  }
  const schemaOf = (operationId: string, summary: string) => ({
    operationId,
    summary,
    tags: ['actions'],
    params: sensorParams,
    response: {
      204: { description: 'done', type: 'null' },
      400: { description: 'not understood', ...ref('Problem') },
      404: { description: 'no such sensor', ...ref('Problem') },
      409: { description: 'not possible in its state', ...ref('Problem') },
    },
  })
  const simple = [
    ['disconnect', 'Ends its connection with DISCONNECT; its session is kept'],
    ['forget', 'Ends its session: subscriptions, topic ids and waiting messages are gone'],
    ['clearQueue', 'Discards the messages that wait for it'],
    ['discardDeadLetters', 'Discards its messages that the broker will not have'],
    ['resendDeadLetters', 'Sends its messages again that the broker would not have'],
    [
      'endSecureSession',
      'Ends its DTLS session: it needs a handshake before it is heard again, and its MQTT-SN session stays',
    ],
  ] as const
  for (const [type, summary] of simple) {
    app.post<ForSensor>(
      `/api/sensors/:clientId/${actionPath(type)}`,
      { schema: schemaOf(type === 'disconnect' || type === 'forget' ? `${type}Sensor` : type, summary) },
      (request, reply) => perform(request.params.clientId, { type }, reply),
    )
  }
  app.post<ForSensor & { Body: Publication }>(
    '/api/sensors/:clientId/publish',
    {
      schema: {
        ...schemaOf('publishToSensor', 'Delivers a message to it, or queues it while it sleeps'),
        body: publication,
      },
    },
    ({ params, body }, reply) => {
      return perform(params.clientId, messageOf(body), reply)
    },
  )
}
