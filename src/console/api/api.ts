// The part of the API that only looks: gateway, listeners, broker, sensors, configuration, events and captures.

import type { FastifyInstance, FastifyReply } from 'fastify'
import { recordDatagrams } from '../capture/recording.ts'
import type { SensorQuery } from '../contract/sensors.ts'
import type { Events } from '../events.ts'
import type { History } from '../history.ts'
import type { Limits, Streams } from '../streams.ts'
import type { GatewayView } from '../view.ts'
import { noSuchSensor, sensorParams } from './actions.ts'
import { serveCluster } from './cluster/cluster-route.ts'
import { serveExports } from './export.ts'
import { serveHappenings } from './happening-routes.ts'
import { listOf, ref, type Schema } from './schemas/shapes.ts'
import { sensorFilters } from './sensor-filters.ts'
import { pageOf, pageQuery, query, told } from './told.ts'
import { serveTopics } from './topic-routes.ts'

/** What the routes work with. */
export interface ApiParts {
  readonly view: GatewayView
  readonly events: Events
  readonly history: History
  readonly streams: Streams
  readonly limits: Limits
}

const streamed = (
  operationId: string,
  summary: string,
  description: string,
  produces: string,
  further: Parameters<typeof query>[0] = {},
) => ({
  schema: {
    operationId,
    summary,
    description,
    tags: ['live'],
    querystring: query({ ...ofOne, ...further }),
    produces: [produces],
    response: { 200: { description: 'goes on until the client leaves', type: 'string' } },
  },
  config: { tokenInQuery: true },
  exposeHeadRoute: false,
})

const ofOne = {
  sensor: { type: 'string', minLength: 1, description: 'ClientId of one sensor', examples: ['meter-7'] },
  token: { type: 'string', description: 'instead of the header Authorization' },
}

const records = {
  link: {
    type: 'boolean',
    default: false,
    description: 'with records of DTLS as they are on the wire, and what was in them beside them',
  },
}

interface Streamed {
  Querystring: { sensor?: string; link?: boolean }
}

function tooMany(reply: FastifyReply): FastifyReply {
  const message = 'Too many event streams and captures are open already.'
  return reply.code(503).send({ error: 'too-many-streams', message })
}

/** Adds the routes. */
export function serveApi(app: FastifyInstance, { view, events, history, streams, limits }: ApiParts): void {
  app.get('/api/gateway', told('getGateway', 'The gateway, with its counters', ref('Gateway')), () =>
    view.info(),
  )
  app.get('/api/listeners', told('getListeners', 'Where sensors are heard', listOf(ref('Listener'))), () =>
    view.listeners(),
  )
  app.get('/api/broker', told('getBroker', 'The way to the broker', ref('Broker')), () => view.broker())
  app.get('/api/store', told('getStore', 'Where sessions are kept', ref('Store')), () => view.store())
  serveCluster(app, view)
  const steps: Schema = { type: 'string', enum: ['second', 'minute'], default: 'second' }
  app.get<{ Querystring: { step: 'second' | 'minute' } }>(
    '/api/history',
    told(
      'getHistory',
      'The last five minutes, or the last day minute by minute, for plots',
      ref('History'),
      'totals; rates are their differences',
      query({ step: steps }),
    ),
    (request) => history.report(request.query.step),
  )
  const pair: Schema = {
    type: 'object',
    properties: { topicId: { type: 'integer' }, name: { type: 'string' } },
    required: ['topicId', 'name'],
  }
  app.get('/api/predefined', told('getPredefined', 'Predefined topic ids for everyone', listOf(pair)), () =>
    view.predefined(),
  )
  const free: Schema = { type: 'object', additionalProperties: true }
  app.get('/api/config', told('getConfig', 'The effective configuration, secrets hidden', free), () =>
    view.config(),
  )

  app.get<{ Querystring: SensorQuery }>(
    '/api/sensors',
    told(
      'getSensors',
      'Sensors, found and sorted',
      pageOf('SensorSummary'),
      'those from offset on; total is of all found',
      query({ ...sensorFilters, ...pageQuery(5000) }),
    ),
    (request) => view.sensors(request.query),
  )
  const ofSensor = (operationId: string, summary: string, schema: Schema) => {
    const { response, ...rest } = told(operationId, summary, schema).schema
    const unknown = { description: 'no such sensor', ...ref('Problem') }
    return { schema: { ...rest, params: sensorParams, response: { ...response, 404: unknown } } }
  }
  app.get<{ Params: { clientId: string } }>(
    '/api/sensors/:clientId',
    ofSensor('getSensor', 'One sensor, in depth', ref('Sensor')),
    async (request, reply) => (await view.sensor(request.params.clientId)) ?? noSuchSensor(reply),
  )
  const topics: Schema = {
    type: 'object',
    properties: { registry: listOf(ref('Topic')), predefined: listOf(ref('Topic')) },
    required: ['registry', 'predefined'],
  }
  app.get<{ Params: { clientId: string } }>(
    '/api/sensors/:clientId/topics',
    ofSensor('getTopics', 'The topic ids that it may use', topics),
    async (request, reply) => {
      const sensor = await view.sensor(request.params.clientId)
      if (sensor === undefined) return noSuchSensor(reply)
      return { registry: sensor.registry, predefined: sensor.predefined }
    },
  )

  const eventsText =
    'Server-sent events: "gateway" (as of /api/gateway, of this node) every second, "state" for each change of state of a sensor (at most ' +
    '500 in half a second; "more" counts the others), "happenings" for what is in /api/happenings, and with ?sensor "broker" for each step between gateway and broker, and "packet" ' +
    'for each of its datagrams, octets in hexadecimal.'
  app.get<Streamed>(
    '/api/events',
    streamed('getEvents', 'What happens, live', eventsText, 'text/event-stream'),
    async (request, reply) => {
      if (!(await events.send(reply, request.query.sensor))) tooMany(reply)
      return reply
    },
  )
  const captureText =
    'A pcapng file of the datagrams of one sensor, or of all, from now on. It ends after 64 MiB or an hour.'
  app.get<Streamed>(
    '/api/capture',
    streamed('getCapture', 'Datagrams as a capture', captureText, 'application/x-pcapng', records),
    ({ query: { sensor, link = false } }, reply) => {
      if (!recordDatagrams(view, streams, limits, reply, { sensor, link })) tooMany(reply)
    },
  )
  serveHappenings(app, view)
  serveTopics(app, view)
  serveExports(app, view)
  app.get('/api/openapi.json', { schema: { hide: true } }, () => app.swagger())
}
