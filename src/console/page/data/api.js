// Requests to the gateway that served this page; every failure becomes an error that a person can read.

import { toHex } from '../parts/format.js'

export class ApiError extends Error {
  /** `status` 0: no answer at all */
  constructor(status, message) {
    super(message)
    this.status = status
  }
}

async function request(path, options) {
  let response
  try {
    response = await fetch(path, { ...options, headers: { accept: 'application/json', ...options?.headers } })
  } catch (error) {
    if (error.name === 'AbortError') throw error
    throw new ApiError(0, 'The gateway does not answer.')
  }
  const isJson = response.headers.get('content-type')?.includes('json')
  const body = isJson ? await response.json().catch(() => undefined) : undefined
  if (!response.ok)
    throw new ApiError(response.status, body?.message ?? `The gateway answered ${response.status}.`)
  return body
}

const sensorPath = (clientId, rest = '') => `/api/sensors/${encodeURIComponent(clientId)}${rest}`
const post = (path, body) =>
  request(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

export const api = {
  gateway: () => request('/api/gateway'),
  listeners: () => request('/api/listeners'),
  broker: () => request('/api/broker'),
  refusals: () => request('/api/refusals'),
  history: () => request('/api/history'),
  predefined: () => request('/api/predefined'),
  config: () => request('/api/config'),
  sensors(query, signal) {
    const parameters = new URLSearchParams()
    for (const [name, value] of Object.entries(query))
      if (value !== undefined && value !== '') parameters.set(name, value)
    return request(`/api/sensors?${parameters}`, { signal })
  },
  sensor: (clientId) => request(sensorPath(clientId)),
  disconnect: (clientId) => post(sensorPath(clientId, '/disconnect'), {}),
  forget: (clientId) => post(sensorPath(clientId, '/forget'), {}),
  clearQueue: (clientId) => post(sensorPath(clientId, '/clear-queue'), {}),
  discardDeadLetters: (clientId) => post(sensorPath(clientId, '/dead-letters/discard'), {}),
  resendDeadLetters: (clientId) => post(sensorPath(clientId, '/dead-letters/resend'), {}),
  publish: (clientId, { topic, payload, qos, retain }) =>
    post(sensorPath(clientId, '/publish'), { topic, payload: toHex(payload), qos, retain }),
  captureUrl: (clientId) => `/api/capture?sensor=${encodeURIComponent(clientId)}`,
}
