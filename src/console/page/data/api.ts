// Requests to the gateway that served this page, typed by its contract; every failure becomes an error that a person can read.

import type { Publication, Routes, SeveralActions, SimpleAction } from '../../contract/routes.ts'
import type { SensorLabel } from '../../contract/sensors.ts'
import { toHex } from '../parts/format.ts'

export class ApiError extends Error {
  /** of HTTP; 0: no answer at all */
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** What a person sends to a sensor. */
export interface OutgoingMessage {
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: 0 | 1 | 2
  readonly retain: boolean
}

type Route = keyof Routes
type AnswerOf<R extends Route> = Routes[R]['answer']
type QueryOf<R extends Route> = Routes[R] extends { query: infer Query } ? Query & object : never
/** What an export can be narrowed down by. */
export type ExportKind = 'sensors' | 'happenings' | 'refusals' | 'dead-letters' | 'topics'

/** Nodes of the cluster whose part the last answer about the whole does not have. */
export const missingNodes = { names: '' }

async function request(path: string, options: RequestInit = {}): Promise<unknown> {
  let response: Response
  try {
    response = await fetch(path, { ...options, headers: { accept: 'application/json', ...options.headers } })
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw new ApiError(0, 'The gateway does not answer.')
  }
  const isJson = response.headers.get('content-type')?.includes('json') === true
  const body: unknown = isJson ? await response.json().catch(() => undefined) : undefined
  if (path === 'api/gateway') missingNodes.names = response.headers.get('mqttsn-missing-nodes') ?? ''
  if (response.ok) return body
  const { message = `The gateway answered ${response.status}.` } = (body ?? {}) as { message?: string }
  throw new ApiError(response.status, message)
}

/** The part of an address behind "?", without what is not asked for. */
function searchOf(query: object | undefined): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query ?? {}))
    if (value !== undefined && value !== '') parameters.set(name, String(value))
  const text = parameters.toString()
  return text === '' ? '' : `?${text}`
}

/** `GET /api/sensors/:clientId` with this ClientId: relative, since a proxy may serve the page below another path. */
const pathOf = (route: Route, clientId = '') =>
  route.slice(route.indexOf('/') + 1).replace(':clientId', encodeURIComponent(clientId))

const look = <R extends Route>(route: R, query?: QueryOf<R>, signal?: AbortSignal) =>
  request(
    pathOf(route) + searchOf(query as object | undefined),
    signal === undefined ? {} : { signal },
  ) as Promise<AnswerOf<R>>

const send = <R extends Route>(route: R, body: object, clientId?: string) =>
  request(pathOf(route, clientId), {
    method: route.slice(0, route.indexOf(' ')),
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  }) as Promise<AnswerOf<R>>

export const api = {
  gateway: () => look('GET /api/gateway'),
  listeners: () => look('GET /api/listeners'),
  broker: () => look('GET /api/broker'),
  cluster: () => look('GET /api/cluster'),
  refusals: () => look('GET /api/refusals'),
  drops: () => look('GET /api/drops'),
  history: () => look('GET /api/history'),
  happenings: (query: QueryOf<'GET /api/happenings'>) => look('GET /api/happenings', query),
  deadLetters: (query: QueryOf<'GET /api/dead-letters'>) => look('GET /api/dead-letters', query),
  topics: (query: QueryOf<'GET /api/topics'>) => look('GET /api/topics', query),
  predefined: () => look('GET /api/predefined'),
  config: () => look('GET /api/config'),
  settings: () => look('GET /api/settings'),
  checkSettings: () => send('POST /api/settings/check', {}),
  reloadSettings: () => send('POST /api/settings/reload', {}),
  sensors: (query: QueryOf<'GET /api/sensors'>, signal?: AbortSignal) =>
    look('GET /api/sensors', query, signal),
  sensor: (clientId: string) =>
    request(pathOf('GET /api/sensors/:clientId', clientId)) as Promise<
      AnswerOf<'GET /api/sensors/:clientId'>
    >,
  label: (clientId: string, label: Partial<SensorLabel>) =>
    send('PUT /api/sensors/:clientId/label', label, clientId),
  disconnect: (clientId: string) => send('POST /api/sensors/:clientId/disconnect', {}, clientId),
  forget: (clientId: string) => send('POST /api/sensors/:clientId/forget', {}, clientId),
  clearQueue: (clientId: string) => send('POST /api/sensors/:clientId/clear-queue', {}, clientId),
  discardDeadLetters: (clientId: string) =>
    send('POST /api/sensors/:clientId/dead-letters/discard', {}, clientId),
  resendDeadLetters: (clientId: string) =>
    send('POST /api/sensors/:clientId/dead-letters/resend', {}, clientId),
  endSecureSession: (clientId: string) =>
    send('POST /api/sensors/:clientId/secure-session/end', {}, clientId),
  publish: (clientId: string, { payload, ...message }: OutgoingMessage) => {
    const publication: Publication = { ...message, payload: toHex(payload) }
    return send('POST /api/sensors/:clientId/publish', publication, clientId)
  },
  actOnSeveral: (clientIds: readonly string[], action: SimpleAction) =>
    send('POST /api/actions', { clientIds, action } satisfies SeveralActions),
  tagSeveral: (
    clientIds: readonly string[],
    changes: { add?: readonly string[]; remove?: readonly string[] },
  ) => send('POST /api/actions', { clientIds, action: 'tag', ...changes } satisfies SeveralActions),
  signIn: (token: string) => send('POST /sign-in', { token }),
  captureUrl: (clientId: string) => `api/capture?sensor=${encodeURIComponent(clientId)}`,
  exportUrl: (kind: ExportKind, format: 'csv' | 'json', query: object = {}) =>
    `api/export/${kind}${searchOf({ ...query, format })}`,
}
