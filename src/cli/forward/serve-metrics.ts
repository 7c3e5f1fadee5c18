// Metrics and health of a forwarder over HTTP: three paths, nothing to change, nothing secret.

import { createServer, type Server } from 'node:http'
import { createForwarderMetrics } from '../../console/metrics/forwarder-metrics.ts'
import { boundConnections } from '../../console/security.ts'
import { version } from '../../version.ts'
import type { RunningForwarder } from './forwarder.ts'

/** A request takes no longer, milliseconds. */
const REQUEST_WITHIN = 10_000
const CONNECTIONS = { connections: 50, connectionsPerAddress: 25 }
const PLAIN = 'text/plain; version=0.0.4; charset=utf-8'

/** Where it is served, and how that ends. */
export interface ServedMetrics {
  readonly url: string
  close(): Promise<void>
}

/** Serves them; rejects with a clear error if the address cannot be had. */
export async function serveMetrics(url: string, forwarder: RunningForwarder): Promise<ServedMetrics> {
  const { core, way } = forwarder
  const metrics = createForwarderMetrics({
    version: version(),
    isServed: () => core.watch.standing === 'serving',
    gwId: () => core.watch.gwId,
    nodes: () => core.nodes,
    passed: () => ({ received: core.books.up, sent: core.books.down }),
    dropped: () => core.books.dropped,
    searches: () => core.books.searches,
    held: () => forwarder.held(),
    handshakes: () => ({ ...way.handshakes }),
    listeners: () => forwarder.listeners(),
  })
  const { hostname, port } = new URL(url)
  const host = hostname === 'localhost' ? '127.0.0.1' : hostname.replace(/^\[|\]$/g, '')
  const server = createServer({ requestTimeout: REQUEST_WITHIN, headersTimeout: REQUEST_WITHIN / 2 })
  boundConnections(server, CONNECTIONS)
  server.on('request', (request, response) => {
    const answer = (status: number, type: string, text: string): void => {
      response.writeHead(status, {
        'content-type': type,
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      })
      response.end(request.method === 'HEAD' ? undefined : text)
    }
    const json = (status: number, value: object): void =>
      answer(status, 'application/json', JSON.stringify(value))
    const path = request.url?.replace(/\?.*$/, '')
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return json(405, { error: 'method-not-allowed' })
    if (path === '/health/live') return json(200, { live: true })
    if (path === '/health/ready') {
      const { standing } = core.watch
      const reasons = standing === 'serving' ? [] : [`the gateway is ${standing}`]
      return json(reasons.length === 0 ? 200 : 503, { ready: reasons.length === 0, reasons })
    }
    if (path !== '/metrics')
      return json(404, { error: 'not-found', message: 'There are /metrics, /health/live and /health/ready.' })
    metrics.text().then(
      (text) => answer(200, PLAIN, text),
      () => json(500, { error: 'internal' }),
    )
  })
  await listen(server, host, Number(port || 80), url)
  const bound = server.address()
  const shown = host.includes(':') ? `[${host}]` : host
  return {
    url: `http://${shown}:${typeof bound === 'object' ? bound?.port : port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function listen(server: Server, host: string, port: number, url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        new Error(
          `metrics: cannot listen on ${url}: ${error.message}; set another address with metrics or --metrics`,
          {
            cause: error,
          },
        ),
      ),
    )
    server.listen(port, host, resolve)
  })
}
