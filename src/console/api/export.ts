// Lists as files: CSV for spreadsheets, JSON for programs. What a spreadsheet would take for a formula is made text.

import type { FastifyInstance, FastifyReply } from 'fastify'
import type { DeadLetterQuery, HappeningQuery } from '../contract/happenings.ts'
import type { SensorQuery } from '../contract/sensors.ts'
import type { LiveTopicQuery } from '../contract/topics.ts'
import type { GatewayView } from '../view.ts'
import { happeningFilters } from './happening-routes.ts'
import type { Schema } from './schemas/shapes.ts'
import { sensorFilters } from './sensor-filters.ts'
import { query } from './told.ts'
import { topicFilters } from './topic-routes.ts'

/** Rows of one file. */
const MOST = 50_000

type Format = 'csv' | 'json'
type Row = Readonly<Record<string, unknown>>

const format: Schema = { type: 'string', enum: ['csv', 'json'], default: 'csv' }

/** One cell. A quote before a sign that begins a formula: spreadsheets show it as text. */
export function csvCell(value: unknown): string {
  if (value === undefined || value === null) return ''
  const text = Array.isArray(value) ? value.join(' ') : String(value)
  const safe = typeof value !== 'number' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n;]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** Times are written so that people and spreadsheets read them. */
const TIMES = new Set(['at', 'firstAt', 'lastAt', 'since', 'heardAt'])
const written = (name: string, value: unknown): unknown =>
  TIMES.has(name) && typeof value === 'number' ? new Date(value).toISOString() : value

/** A table with these columns, RFC 4180. */
export function toCsv(columns: readonly string[], rows: readonly Row[]): string {
  const lines = rows.map((row) => columns.map((name) => csvCell(written(name, row[name]))).join(','))
  return `${[columns.join(','), ...lines].join('\r\n')}\r\n`
}

function send(
  reply: FastifyReply,
  name: string,
  as: Format,
  columns: readonly string[],
  rows: readonly Row[],
): string {
  reply.header('content-disposition', `attachment; filename="${name}.${as}"`)
  if (as === 'json') {
    reply.type('application/json; charset=utf-8')
    return `${JSON.stringify(rows, undefined, 1)}\n`
  }
  reply.type('text/csv; charset=utf-8')
  return toCsv(columns, rows)
}

const SENSORS = [
  ...['clientId', 'name', 'tags', 'state', 'departed', 'since', 'why', 'address', 'listener', 'heardAt'],
  ...['topics', 'subscriptions', 'queued', 'queuedOctets', 'upstream'],
]
const HAPPENINGS = [
  ...['at', 'firstAt', 'times', 'kind', 'tone', 'text', 'clientId', 'address', 'reason', 'detail', 'key'],
]
const REFUSALS = [
  ...[
    'at',
    'firstAt',
    'times',
    'reason',
    'text',
    'key',
    'clientId',
    'address',
    'listener',
    'returnCode',
    'detail',
  ],
]
const LETTERS = ['clientId', 'token', 'topic', 'qos', 'retain', 'octets', 'at', 'why']
const TOPICS = [
  ...[
    'topic',
    'direction',
    'times',
    'perMinute',
    'firstAt',
    'lastAt',
    'clientId',
    'qos',
    'retain',
    'octets',
    'payload',
  ],
]

/** What narrows down the list itself. */
function filtersIn<Query extends { readonly format: Format }>(query: Query): Omit<Query, 'format'> {
  const { format: _, ...filters } = query
  return filters
}

/** Adds the routes. */
export function serveExports(app: FastifyInstance, view: GatewayView): void {
  const all = { offset: 0, limit: MOST }
  const described = (operationId: string, what: string, filters: Record<string, Schema> = {}) => ({
    schema: {
      operationId,
      summary: `${what} as a file`,
      tags: ['export'],
      querystring: query({ format, ...filters }),
      produces: ['text/csv'],
      response: {
        200: { description: `at most ${MOST} rows; with format=json a list of objects`, type: 'string' },
      },
    },
    exposeHeadRoute: false,
  })
  type Asked<Query> = { Querystring: Query & { format: Format } }
  app.get<Asked<SensorQuery>>(
    '/api/export/sensors',
    described('exportSensors', 'Sensors', sensorFilters),
    async ({ query }, reply) => {
      const { items } = await view.sensors({ ...filtersIn(query), ...all })
      return send(
        reply,
        'sensors',
        query.format,
        SENSORS,
        items.map((row) => ({ ...row })),
      )
    },
  )
  app.get<Asked<HappeningQuery>>(
    '/api/export/happenings',
    described('exportHappenings', 'What has happened', happeningFilters),
    async ({ query }, reply) => {
      const { items } = await view.happenings({ ...filtersIn(query), ...all })
      return send(
        reply,
        'happenings',
        query.format,
        HAPPENINGS,
        items.map((row) => ({ ...row })),
      )
    },
  )
  app.get<Asked<object>>(
    '/api/export/refusals',
    described('exportRefusals', 'Who was refused lately'),
    async ({ query }, reply) => {
      const rows = await view.refusals()
      return send(
        reply,
        'refusals',
        query.format,
        REFUSALS,
        rows.map((row) => ({ ...row })),
      )
    },
  )
  app.get<Asked<DeadLetterQuery>>(
    '/api/export/dead-letters',
    described('exportDeadLetters', 'Dead letters'),
    async ({ query }, reply) => {
      const { items } = await view.deadLetters(all)
      return send(
        reply,
        'dead-letters',
        query.format,
        LETTERS,
        items.map((row) => ({ ...row })),
      )
    },
  )
  app.get<Asked<LiveTopicQuery>>(
    '/api/export/topics',
    described('exportTopics', 'Live topics', topicFilters),
    async ({ query }, reply) => {
      const { items } = await view.topics({ ...filtersIn(query), ...all })
      return send(
        reply,
        'topics',
        query.format,
        TOPICS,
        items.map((row) => ({ ...row })),
      )
    },
  )
}
