// Who may be here at all: a list in a file, read again at a reload, and a service that is asked over real HTTP.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { readAllowedSensors } from '../../../src/gateway/admission/allowed-sensors.ts'
import { freshName, TestGateway, testConfig } from '../../support/gateway.ts'

const refused = (returnCode: number) => ({ code: 'rejected', returnCode })

async function start(overrides: Parameters<typeof testConfig>[1]) {
  const test = await TestGateway.start('embedded', overrides)
  onTestFinished(() => test.stop())
  return test
}

type Handler = (question: Record<string, unknown>, response: ServerResponse, request: IncomingMessage) => void

/** A service on a port of its own that answers as told, and what it was asked. */
async function startService(handle: Handler) {
  const asked: Record<string, unknown>[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      const question = JSON.parse(body)
      asked.push(question)
      handle(question, response, request)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/admit`, server }
}

const say =
  (answer: object): Handler =>
  (_question, response) =>
    response.end(JSON.stringify(answer))

describe('a list of sensors', () => {
  it('has ClientIds, patterns, rules and comments', () => {
    const find = readAllowedSensors('a\n# b\nmeter-*  special-*  # all meters\r\n\n x y\nc#1\n')
    expect(['a', 'b', 'meter-7', 'x', 'c#1', '', '#'].map((clientId) => find(clientId))).toEqual([
      { rule: undefined },
      undefined,
      { rule: 'special-*' },
      { rule: 'y' },
      { rule: undefined },
      undefined,
      undefined,
    ])
  })

  it('lets those in that it has, refuses others with 0x03, and a reload sends away whom it has no more', async () => {
    const [one, two, three] = [freshName(), freshName(), freshName()]
    const test = await start({ admission: { sensors: `${one}\n${two}\n` } })
    await test.connected({ clientId: one })
    const sentAway = await test.connected({ clientId: two })
    await expect(test.connected({ clientId: three })).rejects.toMatchObject(refused(3))
    expect(test.gateway.status().counters.refusals).toEqual({ 'not-admitted': 1 })
    const ended = new Promise<undefined>((resolve) => sentAway.once('disconnected', () => resolve(undefined)))
    const { admission } = testConfig('embedded', { admission: { sensors: `${one}\n${three}\n` } })
    const report = test.gateway.reload({ ...test.config, admission })
    expect(report).toEqual({ applied: ['admission.sensors'], waiting: [], ended: [two] })
    await ended
    await test.connected({ clientId: three })
  })
})

describe('a service that is asked', () => {
  it('is told who comes from where, with the token, and its answer holds for a while', async () => {
    const service = await startService((question, response, request) => {
      expect(request.headers.authorization).toBe('Bearer secret')
      response.end(JSON.stringify({ result: question['clientId'] === 'good' ? 'allow' : 'deny' }))
    })
    const test = await start({ admission: { http: { url: service.url, token: 'secret' } } })
    const good = await test.connected({ clientId: 'good' })
    await expect(test.connected({ clientId: 'bad' })).rejects.toMatchObject(refused(3))
    await good.disconnect()
    await test.connected({ clientId: 'good' })
    expect(service.asked).toMatchObject([
      { clientId: 'good', address: '127.0.0.1', port: expect.any(Number), listener: 'udp://127.0.0.1:0' },
      { clientId: 'bad', address: '127.0.0.1' },
    ])
  })

  it('names the rule that holds for a sensor', async () => {
    const service = await startService(say({ result: 'allow', rule: 'guest' }))
    const test = await start({
      admission: { http: { url: service.url } },
      sensors: [{ match: 'guest', publish: ['guests/#'] }, { match: '*' }],
    })
    const sensor = await test.connected({ clientId: freshName() })
    await sensor.publish('guests/a', 'x', { qos: 1 })
    await expect(sensor.publish('others', 'x', { qos: 1 })).rejects.toMatchObject(refused(3))
  })

  it('is not asked about sensors that the list has', async () => {
    const service = await startService(say({ result: 'deny' }))
    const test = await start({ admission: { sensors: 'listed', http: { url: service.url } } })
    await test.connected({ clientId: 'listed' })
    await expect(test.connected({ clientId: 'unlisted' })).rejects.toMatchObject(refused(3))
    expect(service.asked.map(({ clientId }) => clientId)).toEqual(['unlisted'])
  })

  const broken: [string, Handler][] = [
    ['says nothing in time', () => {}],
    ['answers 500', (_question, response) => response.writeHead(500).end()],
    ['does not know us', (_question, response) => response.writeHead(401).end()],
    ['answers no JSON', (_question, response) => response.end('<html>')],
    ['answers something else', say({ result: 'perhaps' })],
    ['names a rule that is not there', say({ result: 'allow', rule: 'nobody' })],
    ['never stops talking', (_question, response) => response.end('x'.repeat(100_000))],
    ['hangs up', (_question, response) => response.destroy()],
    ['sends us elsewhere', (_question, response) => response.writeHead(302, { location: '/' }).end()],
  ]
  it.each(broken)(
    'and %s: the sensor is told to try again with 0x01, and the next time it is asked again',
    async (_, handle) => {
      let isBroken = true
      const service = await startService((...all) => (isBroken ? handle : say({ result: 'allow' }))(...all))
      const test = await start({ admission: { http: { url: service.url, timeout: '300ms' } } })
      const clientId = freshName()
      await expect(test.connected({ clientId })).rejects.toMatchObject(refused(1))
      expect(test.gateway.status().counters.refusals).toEqual({ 'admission-unavailable': 1 })
      isBroken = false
      await test.connected({ clientId })
    },
  )

  it.each([
    ['allow', undefined],
    ['deny', 3],
  ] as const)('and cannot be reached: with onFailure %s the sensor gets %s', async (onFailure, code) => {
    const service = await startService(() => {})
    service.server.close()
    const test = await start({ admission: { http: { url: service.url, onFailure } } })
    const connected = test.connected({ clientId: freshName() })
    if (code === undefined) await connected
    else await expect(connected).rejects.toMatchObject(refused(code))
  })

  it('is asked so many questions at once, and no more', async () => {
    let [underWay, most] = [0, 0]
    const service = await startService((_question, response) => {
      underWay += 1
      most = Math.max(most, underWay)
      setTimeout(() => {
        underWay -= 1
        response.end('{"result":"allow"}')
      }, 20)
    })
    const test = await start({ admission: { http: { url: service.url, parallel: 3 } } })
    await Promise.all(Array.from({ length: 20 }, () => test.connected({ clientId: freshName() })))
    expect(most).toBe(3)
  })
})
