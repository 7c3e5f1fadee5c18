// The console's HTTP server: the one place where its parts meet. It listens on loopback unless it is told otherwise.

import swagger from '@fastify/swagger'
import { type FastifyError, type FastifyInstance, type FastifyReply, fastify } from 'fastify'
import { type ConsoleLog, serveActions } from './api/actions.ts'
import { serveApi } from './api/api.ts'
import { lazyCompilers } from './api/schemas/lazy-schemas.ts'
import { components } from './api/schemas/schemas.ts'
import { type SettingsDoor, serveSettings } from './api/settings-routes.ts'
import { serveSeveral } from './api/several.ts'
import { serveDocs } from './docs.ts'
import { createEvents } from './events.ts'
import { answersOf, lookAt, MISSING_HEADER, serveNodes } from './forward.ts'
import { serveHealth } from './health.ts'
import { createHistory } from './history.ts'
import { NodeSilent } from './nodes.ts'
import { ownPage, servePage } from './page.ts'
import {
  boundConnections,
  type ConsoleAddress,
  checkToken,
  createGuard,
  type Guard,
  HEADERS,
  parseConsoleUrl,
} from './security.ts'
import { serveSignIn, signInPage } from './sign-in.ts'
import { createStreams, defaultLimits, type Limits } from './streams.ts'
import type { GatewayView, NodeView } from './view.ts'

/** What a console needs to know. */
export interface ConsoleOptions {
  /** `http://address:port`; port 0 takes any free one */
  readonly url: string
  /** who knows it may look and act; needed as soon as others than this machine can reach the address */
  readonly token?: string | undefined
  /** further host names that requests may use, for example of a proxy in front */
  readonly hosts?: readonly string[] | undefined
  /** addresses of proxies that let nobody through who has not signed in with them: no token is asked of what they bring */
  readonly trustedProxies?: readonly string[] | undefined
  /** gives metrics as text for Prometheus */
  metrics(): Promise<string>
  /** folder of the page; the gateway's own if absent */
  readonly page?: string | undefined
  /** the configuration, key by key; absent: there is nothing to tell */
  readonly settings?: SettingsDoor | undefined
  readonly log?: ConsoleLog | undefined
  /** for tests */
  readonly limits?: Partial<Limits> | undefined
}

/** A console that is being served. */
export interface Console {
  /** with the real port */
  readonly url: string
  /** Ends all connections and frees the port. */
  close(): Promise<void>
}

const DESCRIPTION =
  'What the gateway sees and does. Octets are hexadecimal, times milliseconds since 1970. Of several nodes that share the sensors ' +
  `each answers for all; the header ${MISSING_HEADER} names those that have not answered, and ?node= asks one of them for itself alone.`

const MOST_BODY = 64 * 1024
/** Octets of a ClientId in a url: every one may be written with three characters. */
const LONGEST_PARAMETER = 4096
/** Characters of an error message, which may repeat what was sent. */
const MOST_MESSAGE = 300

const noSettings: SettingsDoor = {
  report: () => ({ file: undefined, reloadable: false, settings: [] }),
  check: () => unchecked,
  reload: async () => ({ ...unchecked, ended: [] }),
}

const unchecked = { valid: false, problems: [], warnings: [], applied: [], waiting: [] }

const silent: ConsoleLog = { info() {}, error() {} }

const ERRORS: Readonly<Record<number, string>> = {
  400: 'bad-request',
  413: 'too-large',
  414: 'too-long',
  415: 'unsupported-media-type',
}

/** Serves the console; rejects with a clear error if the url, the token or the page is not in order, or the port is taken. */
export async function startConsole(view: NodeView, options: ConsoleOptions): Promise<Console> {
  const { token, hosts = [], trustedProxies = [], log = silent } = options
  const address = parseConsoleUrl(options.url)
  checkToken(address, token)
  const limits = { ...defaultLimits, ...options.limits }
  const guard = createGuard(address, { token, hosts, trustedProxies })
  const app = createServer(limits)
  const streams = createStreams(limits)
  const fail = (err: unknown) => log.error({ err }, 'the console cannot answer')

  const { nodes, whole = view } = view
  protect(app, guard)
  answerErrors(app, fail)
  const ownRoutes = nodes && createServer(limits)
  const own = ownRoutes && answersOf(ownRoutes)
  serveNodes(app, nodes, own)
  await describe(app, (await view.info()).version, token !== undefined)
  const events = createEvents(view, whole, streams, limits.summaryInterval, fail)
  const history = createHistory(view, limits.summaryInterval, fail)
  serveHealth(app, view, options.metrics)
  const serveRoutes = (to: FastifyInstance, shown: GatewayView): void => {
    serveApi(to, { view: shown, events, history, streams, limits })
    serveActions(to, shown, log)
    serveSeveral(to, shown, log)
    serveSettings(to, options.settings ?? noSettings, log)
  }
  serveRoutes(app, whole)
  if (ownRoutes !== undefined) {
    answerErrors(ownRoutes, fail)
    for (const schema of components) ownRoutes.addSchema(schema)
    serveRoutes(ownRoutes, view)
    await ownRoutes.ready()
    nodes?.serve(own, lookAt(view))
  }
  serveDocs(app)
  serveSignIn(app, guard)
  servePage(app, options.page ?? ownPage, guard)

  const url = await listen(app, address)
  history.start()
  return {
    url,
    async close() {
      nodes?.serve(undefined)
      history.close()
      streams.close()
      await ownRoutes?.close()
      await app.close()
    },
  }
}

function createServer(limits: Limits): FastifyInstance {
  const { requestTime } = limits
  const app = fastify({
    bodyLimit: MOST_BODY,
    requestTimeout: requestTime,
    keepAliveTimeout: requestTime,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: LONGEST_PARAMETER },
    http: { headersTimeout: requestTime / 2, connectionsCheckingInterval: Math.min(requestTime / 4, 1000) },
    schemaController: { compilersFactory: lazyCompilers },
    // What is not known is an error, not silently dropped.
    ajv: { customOptions: { removeAdditional: false } },
    schemaErrorFormatter(errors, where) {
      const [first] = errors
      const at = `${where}${first?.instancePath.replaceAll('/', '.') ?? ''}`
      const { additionalProperty: extra } = first?.params ?? {}
      return new Error(`${at} ${first?.message ?? 'is wrong'}${extra === undefined ? '' : `: ${extra}`}`)
    },
    frameworkErrors: (error, _request, reply) => sendError(reply.headers(HEADERS), error),
  })
  boundConnections(app.server, limits)
  app.removeContentTypeParser('text/plain')
  return app
}

/** Headers on every response, and no request further than this that may not. */
function protect(app: FastifyInstance, guard: Guard): void {
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(guard.headers(request))
    const refusal = guard.refusal(request)
    if (refusal === undefined) return done()
    const { status, error, message } = refusal
    reply.code(status)
    if (status === 401) reply.header('www-authenticate', 'Bearer realm="mqttsn"')
    const { token } = request.query as { token?: unknown }
    if (status === 401 && request.routeOptions.url === '/')
      reply.type('text/html; charset=utf-8').send(signInPage(token === undefined ? undefined : 'wrong'))
    else reply.send({ error, message })
  })
}

function sendError(reply: FastifyReply, { statusCode = 400, message }: FastifyError): void {
  const error = ERRORS[statusCode] ?? 'bad-request'
  reply.code(statusCode).send({ error, message: message.slice(0, MOST_MESSAGE) })
}

/** Errors as JSON. What went wrong inside goes to the log, not out. */
function answerErrors(app: FastifyInstance, fail: (error: unknown) => void): void {
  app.setErrorHandler((error: FastifyError, _request, reply) => {
    if (error instanceof NodeSilent)
      return void reply.code(503).send({ error: 'node-silent', message: error.message })
    if ((error.statusCode ?? 500) < 500) return sendError(reply, error)
    fail(error)
    reply.code(500).send({ error: 'internal', message: 'The gateway could not answer; its log says why.' })
  })
  app.setNotFoundHandler((request, reply) => {
    const message = `There is no ${request.method} ${request.url.split('?')[0]}.`
    reply.code(404).send({ error: 'not-found', message })
  })
}

/** What is needed for the OpenAPI description; routes come after it. */
async function describe(app: FastifyInstance, version: string, secured: boolean): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'MQTT-SN gateway',
        version,
        description: DESCRIPTION,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/' }],
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
      security: secured ? [{ token: [] }] : [],
    },
    refResolver: {
      buildLocalReference: ({ $id }, _base, _fragment, index) =>
        typeof $id === 'string' ? $id : `schema${index}`,
    },
  })
  for (const schema of components) app.addSchema(schema)
}

async function listen(app: FastifyInstance, { host, port }: ConsoleAddress): Promise<string> {
  const shown = host.includes(':') ? `[${host}]` : host
  try {
    await app.listen({ host, port })
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    const advice = 'set another address with console.url or --console, or serve none with --no-console'
    throw new Error(`console: cannot listen on http://${shown}:${port}: ${why}; ${advice}`, { cause: error })
  }
  const bound = app.server.address()
  return `http://${shown}:${typeof bound === 'object' ? (bound?.port ?? port) : port}`
}
