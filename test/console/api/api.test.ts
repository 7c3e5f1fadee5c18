// The API: everything the view shows comes out whole, actions go in, and its OpenAPI description is true.

import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { ask, openConsole, post } from '../client.ts'
import { button, meter, PAIR } from '../scripted-view.ts'

/** The part of OpenAPI 3.1 that the description uses. */
interface Operation {
  operationId: string
  summary: string
  parameters?: { in: 'path' | 'query'; name: string; required: boolean; example?: unknown; schema: object }[]
  requestBody?: { content: Record<string, { schema: object; example?: unknown }> }
  responses: Record<string, { description: string; content?: Record<string, { schema: object }> }>
}
interface Description {
  openapi: string
  info: { title: string; version: string }
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, object>; securitySchemes: object }
  security: object[]
}

const json = async (console: { url: string }, path: string) => JSON.parse((await ask(console, path)).text)

/** As JSON: what is undefined is not there. */
const plain = (value: unknown) => JSON.parse(JSON.stringify(value))

describe('what the API shows', () => {
  it('is all that the view has, under the same names', async () => {
    const console = await openConsole()
    const { view } = console
    expect(await json(console, '/api/gateway')).toEqual(plain(view.info()))
    expect(await json(console, '/api/listeners')).toEqual(plain(view.listeners()))
    expect(await json(console, '/api/broker')).toEqual(plain(view.broker()))
    expect(await json(console, '/api/store')).toEqual(plain(view.store()))
    expect(await json(console, '/api/refusals')).toEqual(plain(view.refusals()))
    expect(await json(console, '/api/predefined')).toEqual(plain(view.predefined()))
    expect(await json(console, '/api/config')).toEqual({ broker: { password: '***' } })
    expect(await json(console, '/api/sensors/meter-7')).toEqual(plain(meter))
  })

  it('finds a sensor by any ClientId, and leaves out what is not known of it', async () => {
    const console = await openConsole()
    const path = `/api/sensors/${encodeURIComponent('button/é 1')}`
    expect(await json(console, path)).toEqual(plain(button))
    expect(await json(console, `${path}/topics`)).toEqual({ registry: [], predefined: [] })
  })

  it('lists sensors as asked, 100 if nothing is asked', async () => {
    const console = await openConsole()
    const { total, items } = await json(console, '/api/sensors')
    expect([total, items.map(({ clientId }: { clientId: string }) => clientId)]).toEqual([
      2,
      ['button/é 1', 'meter-7'],
    ])
    await ask(console, '/api/sensors?search=7&state=asleep&sort=queued&descending=true&offset=1&limit=5')
    expect(console.view.queries).toEqual([
      { sort: 'clientId', descending: false, offset: 0, limit: 100 },
      { search: '7', state: 'asleep', sort: 'queued', descending: true, offset: 1, limit: 5 },
    ])
  })

  it('says what is wrong with a question', async () => {
    const console = await openConsole()
    const wrong = {
      '/api/sensors?limit=0': 'querystring.limit must be >= 1',
      '/api/sensors?limit=5001': 'querystring.limit must be <= 5000',
      '/api/sensors?offset=-1': 'querystring.offset must be >= 0',
      '/api/sensors?limit=few': 'querystring.limit must be integer',
      '/api/sensors?sort=age': 'querystring.sort must be equal to one of the allowed values',
      '/api/sensors?colour=red': 'querystring must NOT have additional properties: colour',
      '/api/events?sensor=': 'querystring.sensor must NOT have fewer than 1 characters',
    }
    for (const [path, message] of Object.entries(wrong)) {
      const { status, text } = await ask(console, path)
      expect([status, JSON.parse(text)], path).toEqual([400, { error: 'bad-request', message }])
    }
  })

  it('says that there is no such sensor', async () => {
    const console = await openConsole()
    for (const path of ['/api/sensors/x', '/api/sensors/x/topics', '/api/sensors/__proto__']) {
      const { status, text } = await ask(console, path)
      expect([status, JSON.parse(text).error], path).toEqual([404, 'no-such-sensor'])
    }
  })

  it('changes nothing, whatever is got', async () => {
    const console = await openConsole()
    for (const path of ['disconnect', 'forget', 'clear-queue', 'publish'])
      expect((await ask(console, `/api/sensors/meter-7/${path}`)).status).toBe(404)
    expect(console.view.actions).toEqual([])
  })
})

describe('what the API does', () => {
  it('passes actions on to the sensor that is named, and logs them', async () => {
    const lines: object[] = []
    const log = { info: (fields: object) => void lines.push(fields), error() {} }
    const console = await openConsole({ log })
    const sensor = `/api/sensors/${encodeURIComponent('button/é 1')}`
    for (const path of ['disconnect', 'forget', 'clear-queue', 'secure-session/end']) {
      const { status, text } = await ask(console, `${sensor}/${path}`, { method: 'POST' })
      expect([status, text]).toEqual([204, ''])
    }
    const clientId = 'button/é 1'
    const types = ['disconnect', 'forget', 'clearQueue', 'endSecureSession'] as const
    expect(console.view.actions).toEqual(types.map((type) => ({ clientId, action: { type } })))
    expect(lines).toEqual(types.map((action) => ({ clientId, action })))
  })

  it('publishes octets given in hexadecimal, or text', async () => {
    const console = await openConsole()
    const path = '/api/sensors/meter-7/publish'
    await post(console, path, { topic: 'a/b', payload: '00ffAB', qos: 2, retain: true })
    await post(console, path, { topic: 'a/b', text: 'é' })
    await post(console, path, { topic: 'a/b', payload: '' })
    const publication = { type: 'publish', topic: 'a/b', qos: 0, retain: false }
    expect(console.view.actions.map(({ action }) => action)).toEqual([
      { ...publication, payload: Uint8Array.of(0, 255, 0xab), qos: 2, retain: true },
      { ...publication, payload: Uint8Array.of(0xc3, 0xa9) },
      { ...publication, payload: new Uint8Array() },
    ])
  })

  it.each([
    ['no topic', { text: 'x' }],
    ['an empty topic', { topic: '', text: 'x' }],
    ['a wildcard', { topic: 'a/+', text: 'x' }],
    ['a NUL', { topic: 'a\u0000', text: 'x' }],
    ['no contents', { topic: 'a' }],
    ['contents twice', { topic: 'a', text: 'x', payload: '00' }],
    ['half an octet', { topic: 'a', payload: '0' }],
    ['a QoS of 3', { topic: 'a', text: 'x', qos: 3 }],
    ['an unknown key', { topic: 'a', text: 'x', ttl: 1 }],
    ['a list', []],
  ])('refuses to publish %s', async (_, body) => {
    const console = await openConsole()
    expect((await post(console, '/api/sensors/meter-7/publish', body)).status).toBe(400)
    expect(console.view.actions).toEqual([])
  })

  it('takes JSON only', async () => {
    const console = await openConsole()
    const path = '/api/sensors/meter-7/publish'
    const body = '{"topic":"a","text":"x"}'
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
      const headers = { 'content-type': type }
      expect((await ask(console, path, { method: 'POST', headers, body })).status, type).toBe(415)
    }
    const broken = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{' }
    expect((await ask(console, path, broken)).status).toBe(400)
    expect(console.view.actions).toEqual([])
  })

  it('says that a sensor is unknown, or that its state forbids the action', async () => {
    const console = await openConsole()
    expect((await post(console, '/api/sensors/x/disconnect', {})).status).toBe(404)
    console.view.now.acts = false
    const { status, text } = await post(console, '/api/sensors/meter-7/disconnect', {})
    expect([status, JSON.parse(text).error]).toEqual([409, 'wrong-state'])
  })
})

describe('the OpenAPI description', () => {
  const describeApi = async (options = {}) => {
    const console = await openConsole(options)
    const description: Description = await json(console, '/api/openapi.json')
    const operations = Object.entries(description.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
    )
    return { console, description, operations }
  }

  it('is complete: every operation has a name of its own, a summary, its parameters and its responses', async () => {
    const { description, operations } = await describeApi()
    expect(description).toMatchObject({
      openapi: '3.1.0',
      info: { title: 'MQTT-SN gateway', version: '1.2.3' },
    })
    expect(operations).toHaveLength(40)
    expect(new Set(operations.map(({ operation }) => operation.operationId)).size).toBe(operations.length)
    for (const { path, method, operation } of operations) {
      expect(operation.summary, path).toMatch(/^[A-Z].+/)
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
      const described = (operation.parameters ?? []).filter((one) => one.in === 'path')
      expect(
        described.map(({ name }) => name),
        path,
      ).toEqual(inPath)
      expect(described.every(({ required }) => required)).toBe(true)
      expect(['get', 'post', 'put']).toContain(method)
      for (const [status, { description, content }] of Object.entries(operation.responses)) {
        expect(status).toMatch(/^[2-5]\d\d$/)
        expect(description).not.toBe('')
        expect(status === '204' ? content : Object.keys(content ?? {}).length).toBe(
          status === '204' ? undefined : 1,
        )
      }
    }
  })

  it('refers only to what it describes, and describes nothing in vain', async () => {
    const { description } = await describeApi()
    const text = JSON.stringify(description)
    const used = new Set(
      [...text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name),
    )
    expect([...used].sort()).toEqual(Object.keys(description.components.schemas).sort())
    expect(text.match(/"\$ref":"(?!#\/components\/schemas\/)/)).toBeNull()
  })

  it('asks for a token where one is needed', async () => {
    const token = 'a long enough token'
    const console = await openConsole({ token })
    const { text } = await ask(console, '/api/openapi.json', {
      headers: { authorization: `Bearer ${token}` },
    })
    const { components, security, paths } = JSON.parse(text)
    expect([components.securitySchemes, security]).toEqual([
      { token: { type: 'http', scheme: 'bearer' } },
      [{ token: [] }],
    ])
    expect(paths['/health/live'].get.security).toEqual([])
    expect((await describeApi()).description.security).toEqual([])
  })

  it('tells the truth: its examples work, and the answers are as described', async () => {
    const { console, description, operations } = await describeApi()
    console.view.now.cluster = PAIR
    const tried: string[] = []
    for (const { path, method, operation } of operations) {
      if (path === '/api/events' || path === '/api/capture') continue // they go on: see events.test.ts
      const examples = (place: string) =>
        (operation.parameters ?? []).filter((one) => one.in === place && one.example !== undefined)
      const query = examples('query').map(({ name, example }) => `${name}=${example}`)
      const filled = examples('path').reduce(
        (url, one) => url.replace(`{${one.name}}`, `${one.example}`),
        path,
      )
      const example = operation.requestBody?.content['application/json']?.example
      const { status, headers, text } = await ask(console, `${filled}?${query.join('&')}`, {
        method: method.toUpperCase(),
        ...(example === undefined
          ? {}
          : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(example) }),
      })
      const response = operation.responses[status]
      expect(response, `${operation.operationId} answers ${status}: ${text}`).toBeDefined()
      expect(status, operation.operationId).toBeLessThan(300)
      for (const [type, { schema }] of Object.entries(response?.content ?? {})) {
        expect(headers['content-type']).toContain(type)
        const { components } = description
        const validator = z.fromJSONSchema(
          resolved(schema, components.schemas) as z.core.JSONSchema.BaseSchema,
        )
        const value = type === 'application/json' ? JSON.parse(text) : text
        expect(validator.safeParse(value), operation.operationId).toMatchObject({ success: true })
      }
      tried.push(operation.operationId)
    }
    expect(tried).toHaveLength(38)
    expect(console.view.actions.map(({ action }) => action.type)).toEqual([
      'disconnect',
      'forget',
      'clearQueue',
      'discardDeadLetters',
      'resendDeadLetters',
      'endSecureSession',
      'publish',
      'disconnect', // of several
    ])
  })

  it('shows what the history looks like by an example that is as described', async () => {
    const { description } = await describeApi()
    const { schemas } = description.components
    const { History: history } = schemas as { History: { examples?: unknown[] } }
    const validator = z.fromJSONSchema(resolved(history, schemas) as z.core.JSONSchema.BaseSchema)
    expect(history.examples).toHaveLength(1)
    expect(validator.safeParse(history.examples?.[0])).toMatchObject({ success: true })
  })

  it('would notice an answer that is not as described', async () => {
    const { description } = await describeApi()
    const schema = resolved({ $ref: '#/components/schemas/Sensor' }, description.components.schemas)
    const validator = z.fromJSONSchema(schema as z.core.JSONSchema.BaseSchema)
    expect(validator.safeParse(plain(meter)).success).toBe(true)
    expect(validator.safeParse({ ...plain(meter), queue: [{ id: 1 }] }).success).toBe(false)
    expect(validator.safeParse({ ...plain(meter), state: 'dozing' }).success).toBe(false)
  })
})

/** A schema with everything it refers to put in its place. */
function resolved(schema: unknown, schemas: Record<string, object>): unknown {
  if (Array.isArray(schema)) return schema.map((one) => resolved(one, schemas))
  if (typeof schema !== 'object' || schema === null) return schema
  const reference = '$ref' in schema ? String(schema.$ref).split('/').at(-1) : undefined
  if (reference !== undefined) return resolved(schemas[reference], schemas)
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, resolved(value, schemas)]))
}
