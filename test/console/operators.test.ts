// What operators do with the API of a whole gateway: names and tags, search by topic, live topics, several at once, files.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { csvCell, toCsv } from '../../src/console/api/export.ts'
import type { SeveralAnswer } from '../../src/console/contract/routes.ts'
import type { SensorDetail, SensorList } from '../../src/console/contract/sensors.ts'
import type { SettingsReport } from '../../src/console/contract/settings.ts'
import type { LiveTopicList } from '../../src/console/contract/topics.ts'
import { openLabels } from '../../src/store/beside/labels.ts'
import { directoryWith } from '../config/files.ts'
import { freshName, Office } from '../support/gateway.ts'
import { startWatched } from '../support/watched-gateway.ts'

// biome-ignore lint/suspicious/noTemplateCurlyInString: the gateway fills it in
const NAMED = 'Meter ${clientId}'

describe('names, descriptions and tags', () => {
  it('come from the rule, and are edited over it, found, sorted naturally, and taken back', async () => {
    const rules = [{ match: 'm-*', name: NAMED, tags: ['meters'] }]
    const { test, get, post } = await startWatched({ sensors: rules })
    for (const clientId of ['m-10', 'm-9', 'v-1']) await test.connected({ clientId })
    const list = async (query = '') => (await get<SensorList>(`/api/sensors${query}`)).items
    expect((await list()).map(({ clientId }) => clientId)).toEqual(['m-9', 'm-10', 'v-1'])
    expect((await list('?tag=meters')).map(({ name }) => name)).toEqual(['Meter m-9', 'Meter m-10'])
    const edited = { name: 'Kitchen', description: 'Behind the door', tags: ['house', 'ground floor'] }
    const answer = await post('/api/sensors/m-9/label', edited, 'PUT')
    expect(answer.status).toBe(200)
    expect(await answer.json()).toMatchObject({ ...edited, labelledBy: 'console' })
    expect((await list('?search=kitch')).map(({ clientId }) => clientId)).toEqual(['m-9'])
    expect((await list('?search=GROUND')).map(({ clientId }) => clientId)).toEqual(['m-9'])
    expect((await list('?sort=name')).map(({ clientId }) => clientId)).toEqual(['m-9', 'm-10', 'v-1'])
    await post('/api/sensors/m-9/label', {}, 'PUT')
    expect(await get<SensorDetail>('/api/sensors/m-9')).toMatchObject({
      name: 'Meter m-9',
      labelledBy: 'rule',
    })
    expect((await post('/api/sensors/nobody/label', edited, 'PUT')).status).toBe(404)
    expect((await post('/api/sensors/m-9/label', { name: 'x'.repeat(65) }, 'PUT')).status).toBe(400)
    expect((await post('/api/sensors/m-9/label', { name: 'a\nb' }, 'PUT')).status).toBe(400)
  })

  it('are kept beside the sessions, over restarts, and bounded', () => {
    const folder = directoryWith({})
    const label = { name: 'Kitchen', description: undefined, tags: ['house'] }
    openLabels(folder).put('m-9', label)
    expect([...openLabels(folder).all]).toEqual([['m-9', label]])
    openLabels(folder).put('m-9', undefined)
    expect(openLabels(folder).all.size).toBe(0)
    expect(JSON.parse(readFileSync(join(folder, 'labels.json'), 'utf8'))).toEqual({})
    expect(openLabels(directoryWith({ 'labels.json': 'no JSON' })).all.size).toBe(0)
    const full = openLabels(undefined)
    for (let i = 0; i < 20_000; i++) (full.all as Map<string, object>).set(`s${i}`, label)
    expect(() => full.put('one more', label)).toThrow(/no more than 20000/)
  })
})

it('finds sensors by a topic they have registered or subscribed to', async () => {
  const { test, get } = await startWatched()
  const [one, other] = [await test.connected(), await test.connected()]
  await one.publish('hall/1/celsius', '20', { qos: 1 })
  await other.subscribe('hall/2/set', 1)
  const found = async (topic: string) =>
    (await get<SensorList>(`/api/sensors?topic=${encodeURIComponent(topic)}`)).items.map(
      ({ clientId }) => clientId,
    )
  expect(await found('celsius')).toEqual([one.clientId])
  expect(await found('hall/+/set')).toEqual([other.clientId])
  expect((await found('hall/#')).sort()).toEqual([one.clientId, other.clientId].sort())
  expect(await found('garage')).toEqual([])
})

describe('live topics', () => {
  it('are recorded while somebody looks, either way, without contents unless these may be shown', async () => {
    const { test, get } = await startWatched()
    const office = await Office.at({ url: test.gateway.status().broker.url })
    onTestFinished(() => office.close())
    const sensor = await test.connected()
    await sensor.subscribe('set', 1)
    await sensor.publish('before', 'x', { qos: 1 })
    const topics = () => get<LiveTopicList>('/api/topics')
    expect(await topics()).toMatchObject({ total: 0, payloads: false })
    await sensor.publish('hall/celsius', '20.5', { qos: 1 })
    await sensor.publish('hall/celsius', '21', { qos: 1 })
    await office.publish('set', '60', { qos: 1 })
    await sensor.inbox.next()
    const { items } = await topics()
    expect(items).toMatchObject([
      { topic: 'hall/celsius', direction: 'up', times: 2, octets: 2, qos: 1, clientId: sensor.clientId },
      { topic: 'set', direction: 'down', times: 1, octets: 2, clientId: sensor.clientId },
    ])
    expect(items.every(({ payload }) => payload === undefined)).toBe(true)
    const up = await get<LiveTopicList>('/api/topics?search=hall/%2B&direction=up&sort=times&descending=true')
    expect(up.items.map(({ topic }) => topic)).toEqual(['hall/celsius'])
  })

  it('show the beginning of contents where console.payloads says so', async () => {
    const { test, get } = await startWatched({ console: { payloads: true } })
    const sensor = await test.connected()
    await get('/api/topics')
    await sensor.publish('long', 'a'.repeat(300), { qos: 1 })
    const { payloads, items } = await get<LiveTopicList>('/api/topics')
    expect([payloads, items[0]?.payload, items[0]?.octets]).toEqual([true, '61'.repeat(256), 300])
  })
})

it('acts on several sensors at once: those that cannot are named, the others are done', async () => {
  const { test, get, post } = await startWatched()
  const [one, two] = [await test.connected(), await test.connected()]
  const clientIds = [one.clientId, two.clientId, 'nobody']
  const act = async (body: object) => {
    const answer = await post('/api/actions', body)
    return [answer.status, (await answer.json()) as SeveralAnswer]
  }
  const nobody = { clientId: 'nobody', error: 'no-such-sensor' }
  expect(await act({ clientIds, action: 'tag', add: ['hall'] })).toEqual([200, { done: 2, failed: [nobody] }])
  expect((await get<SensorList>('/api/sensors?tag=hall')).total).toBe(2)
  expect(await act({ clientIds, action: 'tag', remove: ['hall'] })).toEqual([
    200,
    { done: 2, failed: [nobody] },
  ])
  expect((await get<SensorDetail>(`/api/sensors/${one.clientId}`)).labelledBy).toBeUndefined()
  const message = { topic: 'all', text: 'hello', qos: 1 }
  expect(await act({ clientIds, action: 'publish', message })).toEqual([200, { done: 2, failed: [nobody] }])
  expect((await one.inbox.next()).text).toBe('hello')
  expect((await act({ clientIds, action: 'publish' }))[0]).toBe(400)
  expect(await act({ clientIds, action: 'disconnect' })).toEqual([200, { done: 2, failed: [nobody] }])
  const gone = await act({ clientIds: [one.clientId], action: 'disconnect' })
  expect(gone).toMatchObject([200, { done: 0, failed: [{ clientId: one.clientId }] }])
  expect((await act({ clientIds: Array(1001).fill('x'), action: 'forget' }))[0]).toBe(400)
})

describe('files', () => {
  it('have no formula that a spreadsheet would take for one, and no line that breaks', () => {
    expect(csvCell('=1+1')).toBe("'=1+1")
    expect(csvCell('@SUM(A1)')).toBe("'@SUM(A1)")
    expect(csvCell(-5)).toBe('-5')
    expect(csvCell('a,"b"\nc')).toBe('"a,""b""\nc"')
    expect(toCsv(['at', 'text'], [{ at: 0, text: undefined }])).toBe(
      'at,text\r\n1970-01-01T00:00:00.000Z,\r\n',
    )
  })

  it('have the rows of the list that was asked for, as CSV or JSON', async () => {
    const { test, url } = await startWatched({ limits: { clientIdLength: 30 } })
    const clientId = `=cmd|${freshName()}`
    await test.connected({ clientId })
    await test.connected()
    const csv = await fetch(`${url}/api/export/sensors?search=%3Dcmd`)
    expect(csv.headers.get('content-type')).toContain('text/csv')
    expect(csv.headers.get('content-disposition')).toBe('attachment; filename="sensors.csv"')
    const lines = (await csv.text()).split('\r\n')
    expect([lines.length, lines[0]?.startsWith('clientId,name,tags,state')]).toEqual([3, true])
    expect(lines[1]?.startsWith(`'${clientId},`)).toBe(true)
    const json = await fetch(`${url}/api/export/sensors?format=json&state=active`)
    expect(((await json.json()) as object[]).length).toBe(2)
    for (const what of ['happenings', 'refusals', 'dead-letters', 'topics'])
      expect((await fetch(`${url}/api/export/${what}`)).status, what).toBe(200)
  })
})

it('tells every key with its text, what differs from the default, and hides secrets', async () => {
  const broker = { username: 'pump', password: 'a secret of mine' }
  const { get, post } = await startWatched({ broker, limits: { sensors: 77 }, timers: { tWait: '5m' } })
  const { settings, reloadable } = await get<SettingsReport>('/api/settings')
  const at = (path: string) => settings.find((one) => one.path === path)
  expect(at('limits.sensors')).toMatchObject({ value: 77, default: 10_000, changed: true, restart: false })
  expect(at('limits.sensors')?.text).toContain('Sessions')
  expect(at('timers.tWait')).toMatchObject({ changed: false })
  expect(at('timers.nRetry')).toMatchObject({ changed: false, restart: false })
  expect(at('broker.password')).toMatchObject({ value: '***', changed: true })
  expect(at('store.path')).toMatchObject({ restart: true })
  expect(at('listeners[0].url')).toMatchObject({ changed: true, restart: true })
  expect(at('sensors[0].deny')).toMatchObject({ value: false, changed: false })
  expect(JSON.stringify(settings)).not.toContain('a secret of mine')
  expect(reloadable).toBe(false)
  expect((await post('/api/settings/reload')).status).toBe(409)
})

it('serves the page of the docs, with the anchors that findings link to', async () => {
  const { url } = await startWatched()
  const page = await fetch(`${url}/docs/operation`)
  expect(page.headers.get('content-type')).toContain('text/html')
  const text = await page.text()
  expect(text).toContain('<a id="sensor-lost"></a>')
  expect(text).toContain('id="reload"')
  expect(text).not.toContain('href="brokers.md"')
})
