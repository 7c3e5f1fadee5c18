// Schemas of routes become code with the first request: what they say holds, and those that nobody needs cost nothing.

import { fastify } from 'fastify'
import { expect, it } from 'vitest'
import { lazyCompilers } from '../../src/console/api/schemas/lazy-schemas.ts'

function serve() {
  const app = fastify({ schemaController: { compilersFactory: lazyCompilers } })
  const body = { type: 'object', required: ['qos'], properties: { qos: { type: 'integer', maximum: 2 } } }
  const answer = { 200: { type: 'object', properties: { said: { type: 'integer' } } } }
  app.post<{ Body: { qos: number } }>('/sound', { schema: { body, response: answer } }, ({ body }) => ({
    said: body.qos,
    secret: 'not in the schema',
  }))
  app.post('/broken', { schema: { body: { type: 'no such type' } } }, () => 'never')
  return app
}

it('checks what comes and shapes what goes', async () => {
  const app = serve()
  const ask = (payload: object) => app.inject({ method: 'POST', url: '/sound', payload })
  expect([(await ask({ qos: 1 })).json(), (await ask({ qos: 2 })).json()]).toEqual([{ said: 1 }, { said: 2 }])
  const wrong = await ask({ qos: 3 })
  expect([wrong.statusCode, wrong.json().message]).toEqual([400, 'body/qos must be <= 2'])
  expect((await ask({})).json().message).toBe("body must have required property 'qos'")
})

it('makes code of the schema of a route that is asked for, and of no other', async () => {
  const app = serve()
  await app.ready()
  expect((await app.inject({ method: 'POST', url: '/broken', payload: {} })).statusCode).toBe(500)
})
