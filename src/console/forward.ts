// Requests that another node is to answer, and requests of other nodes: over the links between them.

import type { FastifyInstance, FastifyReply } from 'fastify'
import {
  type AnswerNode,
  type LookAt,
  missingNodes,
  NodeSilent,
  type Nodes,
  type SeenKind,
  type SeenOf,
  whileAnswering,
} from './nodes.ts'
import type { GatewayView } from './view.ts'

/** The header that names the nodes whose part an answer does not have. */
export const MISSING_HEADER = 'mqttsn-missing-nodes'

/** What goes on until the reader leaves: it is for the node itself only. */
const STREAMS = new Set(['/api/events', '/api/capture'])

const pathOf = (url: string): string => url.split('?')[0] ?? ''

/** Nodes look at each other, and act on sensors; the configuration of each is its own. */
const isForNodes = (method: string, path: string): boolean =>
  path.startsWith('/api/') &&
  !STREAMS.has(path) &&
  (method === 'GET' || path.startsWith('/api/sensors/') || path === '/api/actions')

/** Path and query without the name of the node. */
function withoutNode(url: string): string {
  const [path = '', search = ''] = url.split('?')
  const parameters = new URLSearchParams(search)
  for (const name of ['node', 'token']) parameters.delete(name)
  const rest = parameters.toString()
  return rest === '' ? path : `${path}?${rest}`
}

/** Answers with what one node knows: its routes, without looking who asks. */
export function answersOf(routes: FastifyInstance): AnswerNode {
  return async ({ method, url, body }) => {
    if (!isForNodes(method, pathOf(url)))
      return problem(403, 'not-for-nodes', 'Ask that node itself: this is not done for other nodes.')
    const headers = body === undefined ? {} : { 'content-type': 'application/json' }
    const {
      statusCode,
      headers: sent,
      payload,
    } = await routes.inject({
      ...{ method: method as 'GET', url, headers },
      ...(body !== undefined && { payload: body }),
    })
    return { status: statusCode, type: String(sent['content-type'] ?? 'application/json'), body: payload }
  }
}

/** What this gateway sees itself, for other nodes. */
export const lookAt =
  (view: Pick<GatewayView, 'watch' | 'watchBroker' | 'onChange'>): LookAt =>
  (kind, clientId, seen) => {
    const tell = seen as (what: SeenOf[SeenKind]) => void
    if (kind === 'packet') return view.watch(clientId, tell)
    if (kind === 'broker') return view.watchBroker(clientId, tell)
    return view.onChange((change) => {
      if (change.clientId === clientId) tell(change)
    })
  }

const problem = (status: number, error: string, message: string) => ({
  status,
  type: 'application/json',
  body: JSON.stringify({ error, message }),
})

/** `?node=` asks one node; all other answers name the nodes that they are without. `own`: undefined where there are no others. */
export function serveNodes(
  app: FastifyInstance,
  nodes: Nodes | undefined,
  own: AnswerNode | undefined,
): void {
  app.addHook('onRequest', (_request, _reply, done) => whileAnswering(done))
  app.addHook('onSend', async (_request, reply, payload) => {
    const missing = missingNodes()
    if (missing.length > 0) reply.header(MISSING_HEADER, missing.join(', '))
    return payload
  })
  app.addHook('preValidation', async (request, reply) => {
    const { node } = request.query as { node?: unknown }
    if (node === undefined || !request.url.startsWith('/api/')) return
    const { status, type, body } = await answerOf(String(node), request)
    // as octets, so that it goes out as it came
    return (reply as FastifyReply).code(status).type(type).send(Buffer.from(body))
  })

  async function answerOf(
    node: string,
    { method, url, body }: { method: string; url: string; body: unknown },
  ) {
    if (nodes === undefined || own === undefined)
      return problem(404, 'no-such-node', 'This gateway is no part of a cluster whose nodes can be asked.')
    if (!nodes.members().includes(node))
      return problem(404, 'no-such-node', `There is no node ${node} now: ${nodes.members().join(', ')}.`)
    const forwarded = {
      ...{ method, url: withoutNode(url) },
      body: body === undefined || body === null ? undefined : JSON.stringify(body),
    }
    try {
      return await (node === nodes.self ? own(forwarded) : nodes.ask(node, forwarded))
    } catch (error) {
      if (error instanceof NodeSilent) return problem(503, 'node-silent', error.message)
      throw error
    }
  }
}
