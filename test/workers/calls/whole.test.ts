// Three nodes with a console each, whose links are calls in memory: what one of them answers for all, and for one.

import { describe, expect, it, onTestFinished } from 'vitest'
import type { SensorList } from '../../../src/console/contract/sensors.ts'
import { MISSING_HEADER } from '../../../src/console/forward.ts'
import { NodeSilent } from '../../../src/console/nodes.ts'
import { startConsole } from '../../../src/console/server.ts'
import type { GatewayView } from '../../../src/console/view.ts'
import { NodeCalls } from '../../../src/workers/calls/node-calls.ts'
import { wholeView } from '../../../src/workers/calls/whole-view.ts'
import { type Answer, ask, post } from '../../console/client.ts'
import { FakeView } from '../../console/fake-view.ts'
import { NAMES, ownerOf, SENSORS, severalNodes, type TestNode } from '../../console/several-nodes.ts'

const json = <T>({ text }: Answer): T => JSON.parse(text) as T
const look = async <T>({ console }: TestNode, path: string): Promise<T> => json<T>(await ask(console, path))

describe('a node of a cluster answers', () => {
  it('for all of them: sensors in one order, with the node that serves each, page by page', async () => {
    const { at } = await severalNodes()
    for (const name of NAMES) {
      const { total, items } = await look<SensorList>(at(name), '/api/sensors?limit=100')
      expect(total).toBe(SENSORS)
      expect(items.map(({ node }) => node)).toEqual(items.map(({ clientId }) => ownerOf(clientId)))
      const pages: string[] = []
      for (let offset = 0; offset < SENSORS; offset += 7) {
        const page = await look<SensorList>(at(name), `/api/sensors?limit=7&offset=${offset}`)
        expect(page.total).toBe(SENSORS)
        pages.push(...page.items.map(({ clientId }) => clientId))
      }
      expect(pages).toEqual(items.map(({ clientId }) => clientId))
      const queues = await look<SensorList>(at(name), '/api/sensors?sort=queued&descending=true&limit=100')
      const queued = queues.items.map((one) => one.queued)
      expect(queued).toEqual([...queued].sort((a, b) => b - a))
    }
    const { sensors } = await look<{ sensors: Record<string, number> }>(at('gw-2'), '/api/gateway')
    expect(Object.values(sensors).reduce((sum, one) => sum + one, 0)).toBe(SENSORS)
  })

  it('for each sensor, whichever node serves it, and acts on it there', async () => {
    const { at } = await severalNodes()
    const { console } = at('gw-1')
    const path = '/api/sensors/valve-0001'
    expect(json(await ask(console, path))).toMatchObject({ clientId: 'valve-0001', node: 'gw-2' })
    expect((await ask(console, '/api/sensors/meter-0099')).status).toBe(404)
    const message = { topic: 'a/b', payload: '00ff', qos: 1 }
    expect((await post(console, `${path}/publish`, message)).status).toBe(204)
    const payload = new Uint8Array([0, 255])
    const action = { type: 'publish', topic: 'a/b', payload, qos: 1, retain: false }
    expect(at('gw-2').view.acts).toEqual([{ clientId: 'valve-0001', action }])
    const label = { name: 'Cellar', tags: ['wet'] }
    const put = { method: 'PUT', headers: { 'content-type': 'application/json' } }
    const labelled = await ask(console, `${path}/label`, { ...put, body: JSON.stringify(label) })
    expect(json(labelled)).toMatchObject({ name: 'Cellar', node: 'gw-2' })
    const clientIds = ['meter-0000', 'valve-0001', 'door-0002', 'meter-0999']
    const several = await post(console, '/api/actions', { clientIds, action: 'clearQueue' })
    expect(json(several)).toEqual({ done: 3, failed: [{ clientId: 'meter-0999', error: 'no-such-sensor' }] })
  })

  it('for a sensor that has just left with a word to try again, not that it cannot do that', async () => {
    const view = new FakeView(3)
    const left: GatewayView = Object.create(view, {
      act: { value: (clientId: string) => !view.act(clientId, { type: 'forget' }) },
      sensor: { value: (clientId: string) => view.sensor(clientId) },
    })
    const gone = { status: 404, type: 'application/json', body: '{}' }
    for (const owner of ['gw-1', 'gw-2']) {
      const nodes = { self: 'gw-1', members: () => NAMES, ownerOf: () => owner, ask: async () => gone }
      const whole = wholeView(left, { ...nodes, watch: () => () => {}, serve: () => {} })
      await expect(whole.act('meter-0000', { type: 'clearQueue' })).rejects.toThrow(NodeSilent)
    }
  })

  it('for one of them that is named, with its own words, errors included', async () => {
    const { at } = await severalNodes()
    for (const node of NAMES) {
      const { total, items } = await look<SensorList>(at('gw-1'), `/api/sensors?limit=100&node=${node}`)
      expect(total).toBe(SENSORS / 3)
      expect(items.every(({ clientId }) => ownerOf(clientId) === node)).toBe(true)
    }
    const { console } = at('gw-1')
    const wrong = await ask(console, '/api/sensors?limit=0&node=gw-3')
    expect(wrong).toMatchObject({ status: 400, text: expect.stringContaining('limit') })
    expect(await ask(console, '/api/sensors?node=gw-9')).toMatchObject({
      status: 404,
      text: expect.stringContaining('gw-1, gw-2, gw-3'),
    })
    for (const path of ['/api/events', '/api/capture'])
      expect((await ask(console, `${path}?node=gw-2`)).status).toBe(403)
    expect((await post(console, '/api/settings/reload?node=gw-2', {})).status).toBe(403)
    const clientIds = ['meter-0000', 'valve-0001']
    expect(
      json(await post(console, '/api/actions?node=gw-2', { clientIds, action: 'clearQueue' })),
    ).toMatchObject({ done: 1, failed: [{ clientId: 'meter-0000' }] })
    const csv = await ask(console, '/api/export/sensors?node=gw-2')
    expect(csv.headers['content-type']).toContain('text/csv')
    expect(csv.text.trim().split('\n')).toHaveLength(SENSORS / 3 + 1)
    const whole = await ask(console, '/api/export/sensors')
    expect(whole.text.trim().split('\n')).toHaveLength(SENSORS + 1)
  })

  it('without those that cannot be asked, and names them', async () => {
    const { at, cut, frozen } = await severalNodes({ patience: 200 })
    const { console } = at('gw-1')
    cut.add('gw-2')
    frozen.add('gw-3')
    for (const path of ['/api/sensors', '/api/gateway', '/api/refusals', '/api/dead-letters']) {
      const answer = await ask(console, path)
      expect(answer).toMatchObject({ status: 200, headers: { [MISSING_HEADER]: 'gw-2, gw-3' } })
    }
    expect(json<SensorList>(await ask(console, '/api/sensors')).total).toBe(SENSORS / 3)
    const silent = [
      ['/api/sensors/valve-0001', /Node gw-2 does not answer: there is no link to it/],
      ['/api/sensors/door-0002', /Node gw-3 does not answer: nothing came for 0.2 s/],
      ['/api/sensors/nobodys', /No node serves this sensor now/],
      ['/api/gateway?node=gw-3', /Node gw-3 does not answer/],
    ] as const
    for (const [path, text] of silent)
      expect(await ask(console, path)).toMatchObject({ status: 503, text: expect.stringMatching(text) })
    const clientIds = ['meter-0000', 'valve-0001']
    expect(json(await post(console, '/api/actions', { clientIds, action: 'clearQueue' }))).toEqual({
      done: 1,
      failed: [{ clientId: 'valve-0001', error: 'node-silent' }],
    })
    cut.clear()
    frozen.clear()
    expect((await ask(console, '/api/sensors')).headers[MISSING_HEADER]).toBeUndefined()
  })

  it('nothing for a node whose console is off, and says so', async () => {
    const { at } = await severalNodes()
    await at('gw-2').console.close()
    const answer = await ask(at('gw-1').console, '/api/sensors?node=gw-2')
    expect(answer).toMatchObject({
      status: 503,
      text: expect.stringContaining('console of that node is off'),
    })
    expect((await ask(at('gw-1').console, '/api/sensors')).headers[MISSING_HEADER]).toBe('gw-2')
  })

  it('with lists of thousands in pieces that each are bounded, down to a depth that it names', async () => {
    const { at } = await severalNodes({ sensors: 9000 })
    const page = await look<SensorList>(at('gw-1'), '/api/sensors?offset=8990&limit=10')
    expect(page.total).toBe(9000)
    expect(page.items.at(-1)?.clientId).toBe('valve-8996')
    expect(await ask(at('gw-1').console, '/api/sensors?offset=60000')).toMatchObject({
      status: 400,
      text: expect.stringContaining('?node='),
    })
  })
})

it('a gateway that is alone knows no nodes', async () => {
  const console = await startConsole(new FakeView(3), { url: 'http://127.0.0.1:0', metrics: async () => '' })
  onTestFinished(() => console.close())
  const answer = await ask(console, '/api/sensors?node=gw-1')
  expect(answer).toMatchObject({ status: 404, text: expect.stringContaining('no part of a cluster') })
})

describe('calls between nodes', () => {
  const request = { method: 'GET', url: '/api/gateway' }

  it('end when the link goes, and forget what comes late or from somebody else', async () => {
    const calls = new NodeCalls({ send: () => true })
    const asked = calls.ask('gw-2', request)
    const told = { type: 'told', id: 1, status: 200, media: 'application/json', part: '{}', last: true }
    expect(calls.take('gw-3', told)).toBe(true)
    calls.lose('gw-2')
    await expect(asked).rejects.toThrow('Node gw-2 does not answer: the link to it is gone.')
    expect(calls.take('gw-2', told)).toBe(true)
  })

  it('are refused where an answer or a request is longer than any may be', async () => {
    const calls: NodeCalls = new NodeCalls({ send: (node, message) => calls.take(node, message) })
    calls.serve(async () => ({ status: 200, type: 'text/plain', body: 'x'.repeat(5_000_000) }))
    expect(await calls.ask('gw-2', request)).toMatchObject({
      status: 503,
      body: expect.stringContaining('too long'),
    })
    const body = 'x'.repeat(200_000)
    await expect(calls.ask('gw-2', { ...request, body })).rejects.toBeInstanceOf(NodeSilent)
    const flood = new NodeCalls({ send: () => true })
    const part = 'x'.repeat(131_072)
    const asked = flood.ask('gw-2', request)
    for (let i = 0; i < 40; i++)
      flood.take('gw-2', { type: 'told', id: 1, status: 200, media: '', part, last: false })
    await expect(asked).rejects.toThrow('its answer is too long')
  })

  it('take an answer of many parts as one', async () => {
    const calls: NodeCalls = new NodeCalls({ send: (node, message) => calls.take(node, message) })
    const body = 'äöü€'.repeat(100_000)
    calls.serve(async ({ url }) => ({ status: 201, type: 'text/plain', body: url + body }))
    const answer = await calls.ask('gw-2', request)
    expect(answer).toEqual({ status: 201, type: 'text/plain', body: `/api/gateway${body}` })
  })

  it('of one node are not answered without bound at a time', async () => {
    const calls: NodeCalls = new NodeCalls({ send: (node, message) => calls.take(node, message) })
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    calls.serve(async () => {
      await held
      return { status: 200, type: '', body: '' }
    })
    const asked = Array.from({ length: 40 }, () => calls.ask('gw-2', request))
    release()
    const answers = await Promise.all(asked)
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(32)
    expect(answers.filter(({ status }) => status === 503)).toHaveLength(8)
  })

  it.each([
    null,
    7,
    {},
    { type: 'call', id: 1.5, method: 'GET', url: '/' },
    { type: 'call', id: 1, method: 'GET' },
    { type: 'call', id: 1, method: 'GET', url: '/', body: {} },
    { type: 'told', id: 1, status: '200', media: '', part: '', last: true },
    { type: 'told', id: 1, status: 200, media: '', part: 5, last: true },
    { type: 'look' },
  ])('are nothing else that comes over a link: %j', (message) => {
    expect(new NodeCalls({ send: () => true }).take('gw-2', message)).toBe(false)
  })
})

describe('what nodes ask of each other is counted', () => {
  it('with the time that answers took, and a line in the log for the first of many that are missing', async () => {
    const lines: object[] = []
    let isThere = true
    const calls: NodeCalls = new NodeCalls({
      send(node, message) {
        if (isThere && 'id' in message)
          setImmediate(() => {
            const status = node === 'gw-3' ? 503 : 200
            const answer = {
              type: 'told',
              id: message.id,
              status,
              media: 'text/plain',
              part: 'busy',
              last: true,
            }
            calls.take(node, answer)
          })
        return isThere
      },
      log: { warn: (about, text) => void lines.push({ ...about, text }) },
    })
    await calls.ask('gw-2', { method: 'GET', url: '/api/sensors' })
    await calls.ask('gw-3', { method: 'GET', url: '/api/sensors' })
    isThere = false
    for (let i = 0; i < 3; i += 1)
      await expect(calls.ask('gw-2', { method: 'GET', url: '/api/sensors' })).rejects.toThrow(NodeSilent)
    expect(calls.counts).toMatchObject([
      { node: 'gw-2', failed: 3, times: { count: 1 } },
      { node: 'gw-3', failed: 1, times: { count: 0 } },
    ])
    expect(lines).toEqual([
      { node: 'gw-3', why: 'busy', failed: 1, text: expect.stringContaining('another node does not answer') },
      {
        node: 'gw-2',
        why: 'Node gw-2 does not answer: there is no link to it.',
        failed: 1,
        text: expect.anything(),
      },
    ])
  })
})
