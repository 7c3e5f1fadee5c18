// Requests to the gateway that served this page; every failure becomes an error that a person can read.

import type { BrokerInfo, GatewayInfo, HistoryReport, ListenerInfo } from '../../contract/gateway.ts'
import type { RefusalEntry } from '../../contract/happenings.ts'
import type { SensorDetail, SensorList, SensorQuery } from '../../contract/sensors.ts'
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
  readonly qos: number
  readonly retain: boolean
}

async function request<T>(path: string, options: RequestInit = {}): Promise<T> {
  let response: Response
  try {
    response = await fetch(path, { ...options, headers: { accept: 'application/json', ...options.headers } })
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw new ApiError(0, 'The gateway does not answer.')
  }
  const isJson = response.headers.get('content-type')?.includes('json') === true
  const body: unknown = isJson ? await response.json().catch(() => undefined) : undefined
  if (response.ok) return body as T
  const { message = `The gateway answered ${response.status}.` } = (body ?? {}) as { message?: string }
  throw new ApiError(response.status, message)
}

const sensorPath = (clientId: string, rest = '') => `api/sensors/${encodeURIComponent(clientId)}${rest}`
const post = (path: string, body: object) =>
  request<void>(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

export const api = {
  gateway: () => request<GatewayInfo>('api/gateway'),
  listeners: () => request<readonly ListenerInfo[]>('api/listeners'),
  broker: () => request<BrokerInfo>('api/broker'),
  refusals: () => request<readonly RefusalEntry[]>('api/refusals'),
  history: () => request<HistoryReport>('api/history'),
  predefined: () => request<readonly { readonly topicId: number; readonly name: string }[]>('api/predefined'),
  config: () => request<object>('api/config'),
  sensors(query: SensorQuery, signal?: AbortSignal) {
    const parameters = new URLSearchParams()
    for (const [name, value] of Object.entries(query))
      if (value !== undefined && value !== '') parameters.set(name, String(value))
    return request<SensorList>(`api/sensors?${parameters}`, signal === undefined ? {} : { signal })
  },
  sensor: (clientId: string) => request<SensorDetail>(sensorPath(clientId)),
  disconnect: (clientId: string) => post(sensorPath(clientId, '/disconnect'), {}),
  forget: (clientId: string) => post(sensorPath(clientId, '/forget'), {}),
  clearQueue: (clientId: string) => post(sensorPath(clientId, '/clear-queue'), {}),
  discardDeadLetters: (clientId: string) => post(sensorPath(clientId, '/dead-letters/discard'), {}),
  resendDeadLetters: (clientId: string) => post(sensorPath(clientId, '/dead-letters/resend'), {}),
  publish: (clientId: string, { topic, payload, qos, retain }: OutgoingMessage) =>
    post(sensorPath(clientId, '/publish'), { topic, payload: toHex(payload), qos, retain }),
  captureUrl: (clientId: string) => `api/capture?sensor=${encodeURIComponent(clientId)}`,
}
