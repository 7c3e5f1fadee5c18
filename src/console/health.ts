// Health, for whoever starts and stops gateways, and metrics, for Prometheus.

import type { FastifyInstance } from 'fastify'
import type { Schema } from './api/schemas/shapes.ts'
import type { GatewayView } from './view.ts'

const live: Schema = { type: 'object', properties: { live: { type: 'boolean' } }, required: ['live'] }
const ready: Schema = {
  type: 'object',
  properties: { ready: { type: 'boolean' }, reasons: { type: 'array', items: { type: 'string' } } },
  required: ['ready', 'reasons'],
}

/** Why sensors cannot be served now; nothing that is secret, since everyone may ask. */
async function hindrances(view: GatewayView): Promise<string[]> {
  const reasons: string[] = []
  const cluster = view.cluster?.()
  // what follows is of no interest to whoever looks for the node that serves
  if (cluster?.hindrance !== undefined) return [cluster.hindrance]
  if (view.listeners().length === 0) reasons.push('no listener is bound')
  const { healthy, trouble } = await view.broker()
  if (!healthy) {
    reasons.push(
      trouble === undefined ? 'the broker cannot be reached' : 'the broker does not accept the gateway',
    )
  }
  if ((await view.info()).queuesFull) reasons.push('more messages wait for sensors than may')
  // the error itself names places on the disk
  // without the engine a node goes on as well as any other could
  if (cluster === undefined && (await view.store()).error !== undefined)
    reasons.push('the store cannot write')
  return reasons
}

/** Adds the routes; `metrics` gives text in the format of Prometheus. */
export function serveHealth(app: FastifyInstance, view: GatewayView, metrics: () => Promise<string>): void {
  const tags = ['health']
  app.get(
    '/health/live',
    {
      schema: {
        operationId: 'getLive',
        summary: 'The process works; restart it if not',
        tags,
        security: [],
        response: { 200: { description: 'it works', ...live } },
      },
      config: { open: true },
    },
    () => ({ live: true }),
  )
  app.get(
    '/health/ready',
    {
      schema: {
        operationId: 'getReady',
        summary: 'Sensors can be served',
        tags,
        security: [],
        response: {
          200: { description: 'they can', ...ready },
          503: { description: 'they cannot', ...ready },
        },
      },
      config: { open: true },
    },
    async (_request, reply) => {
      const reasons = await hindrances(view)
      return reply.code(reasons.length === 0 ? 200 : 503).send({ ready: reasons.length === 0, reasons })
    },
  )
  app.get(
    '/metrics',
    {
      schema: {
        operationId: 'getMetrics',
        summary: 'Metrics for Prometheus',
        tags,
        produces: ['text/plain'],
        response: { 200: { description: 'text exposition format, version 0.0.4', type: 'string' } },
      },
    },
    async (_request, reply) => reply.type('text/plain; version=0.0.4; charset=utf-8').send(await metrics()),
  )
}
