// The part of the API that tells what has happened: events, refusals, and where dropped messages came from.

import type { FastifyInstance } from 'fastify'
import type { HappeningQuery } from '../contract/happenings.ts'
import type { GatewayView } from '../view.ts'
import { KINDS } from './happenings.ts'
import { listOf, ref, type Schema } from './schemas/shapes.ts'
import { moment, pageOf, pageQuery, query, told } from './told.ts'

/** What events can be found by. */
export const happeningFilters: Record<string, Schema> = {
  kind: { type: 'string', enum: KINDS },
  sensor: { type: 'string', minLength: 1, description: 'ClientId', examples: ['meter-7'] },
  search: { type: 'string', description: 'part of ClientId, address or text' },
  since: { ...moment, description: 'not older, milliseconds since 1970' },
  until: { ...moment, description: 'not younger' },
}

/** Adds the routes. */
export function serveHappenings(app: FastifyInstance, view: GatewayView): void {
  app.get<{ Querystring: HappeningQuery }>(
    '/api/happenings',
    told(
      'getHappenings',
      'What has happened: losses, refusals, the broker, reloads, dead letters',
      pageOf('Happening'),
      'latest first; total is of all found',
      query({ ...happeningFilters, ...pageQuery(1000) }),
    ),
    ({ query }) => view.happenings(query),
  )
  const latest = 'latest first, at most 200'
  app.get(
    '/api/refusals',
    told('getRefusals', 'Who was refused lately, and why', listOf(ref('Refusal')), latest),
    () => view.refusals(),
  )
  app.get<{ Querystring: { reason?: string } }>(
    '/api/drops',
    told(
      'getDrops',
      'Where dropped datagrams and messages came from',
      listOf(ref('Drop')),
      'latest first, at most 500',
      query({ reason: { type: 'string', examples: ['not-allowed'] } }),
    ),
    ({ query }) => view.drops(query.reason),
  )
}
