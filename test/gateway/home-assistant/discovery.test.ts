// Sensors as devices in Home Assistant, at real brokers: announced, kept up to date, taken back.

import { readFileSync } from 'node:fs'
import { describe, expect, it, onTestFinished } from 'vitest'
import { loadConfig } from '../../../src/config/load.ts'
import { allSlots } from '../../../src/sessions/slots.ts'
import { type Broker, haveMosquitto, startAedes, startMosquitto } from '../../support/broker.ts'
import { aWhile, freshName, Office, TestGateway, type TestParts, until } from '../../support/gateway.ts'
import { type Discovery, devicesOf } from '../../support/home-assistant.ts'

const NODE = 'homeassistant/device/mqttsn-1'
const on = { homeAssistant: { discovery: true, refresh: '1s' } }

/** A gateway, and somebody who sees everything at its broker. */
async function site(broker: Broker, overrides: Record<string, unknown> = on, parts: TestParts = {}) {
  onTestFinished(() => broker.close())
  const office = await Office.as(broker, {}, '#')
  onTestFinished(() => office.close())
  const test = await TestGateway.start(broker, overrides, parts)
  onTestFinished(() => test.stop())
  const devices = () => devicesOf(office.inbox.all)
  const device = (clientId: string) => devices().get(`${NODE}/${clientId}/config`)
  const latest = (topic: string) => office.inbox.all.findLast((seen) => seen.topic === topic)?.text
  const status = (clientId: string) =>
    JSON.parse(latest(device(clientId)?.state_topic ?? `mqttsn/gateway/1/sensor/${clientId}`) || '{}')
  return { office, test, devices, device, latest, status }
}

/** What the broker has retained, as Home Assistant gets it when it starts. */
async function retained(broker: Broker, filter: string): Promise<Office['inbox']['all']> {
  const late = await Office.as(broker, {}, filter, 'end')
  await late.publish('end', 'end')
  await until(() => late.inbox.all.some((seen) => seen.topic === 'end'))
  await late.close()
  return late.inbox.all.filter(({ topic }) => topic !== 'end')
}

const partsOf = (device: Discovery | undefined) => Object.keys(device?.components ?? {}).sort()

const brokers: [string, boolean, () => Promise<Broker>][] = [
  ['Aedes', true, () => startAedes()],
  ['Mosquitto', haveMosquitto, () => startMosquitto()],
]

describe.each(brokers)('with discovery switched on, at %s', (_name, isHere, start) => {
  it.skipIf(!isHere)('every sensor is a device with connection, state, last seen and queue', async () => {
    const broker = await start()
    const { test, device, devices, status, latest, office } = await site(broker)
    const sensor = await test.connected({ clientId: 'pump-1' })
    await until(() => device('pump-1') !== undefined && status('pump-1').state === 'active')
    expect(device('pump-1')).toMatchObject({
      device: { name: 'pump-1', via_device: 'mqttsn-1' },
      availability: [{ topic: 'mqttsn/gateway/1/status' }],
      state_topic: 'mqttsn/gateway/1/sensor/pump-1',
    })
    expect(partsOf(device('pump-1'))).toEqual(['connection', 'last_seen', 'queue', 'state'])
    expect(devices().get(`${NODE}/config`)).toMatchObject({
      device: { identifiers: ['mqttsn-1'] },
      state_topic: 'mqttsn/gateway/1/status',
    })
    expect(JSON.parse(latest('mqttsn/gateway/1/status') ?? '').state).toBe('online')

    // without a change of state
    const { heardAt } = status('pump-1')
    expect(Math.abs(heardAt - Date.now())).toBeLessThan(10_000)
    await sensor.publish('t', 'x', { qos: 1 })
    await until(() => status('pump-1').heardAt > heardAt)
    await sensor.subscribe('down', 1)
    await sensor.sleep(100)
    await until(() => status('pump-1').state === 'asleep')
    expect(status('pump-1').queued).toBe(0)
    await office.publish('down', 'one')
    await office.publish('down', 'two')
    await until(() => status('pump-1').queued === 2)

    const kept = await retained(broker, 'homeassistant/#')
    expect([...devicesOf(kept).keys()].sort()).toEqual([`${NODE}/config`, `${NODE}/pump-1/config`])
    await test.stop()
    await until(() => latest('mqttsn/gateway/1/status') === '{"state":"offline"}')
  })

  it.skipIf(!isHere)(
    'a sensor that is forgotten is taken back; one whose session is kept stays',
    async () => {
      const broker = await start()
      const { test, device } = await site(broker)
      const passing = await test.connected({ clientId: 'passing' })
      const kept = await test.connected({ clientId: 'kept', cleanSession: false })
      await until(() => device('passing') !== undefined && device('kept') !== undefined)
      await passing.disconnect()
      await kept.disconnect()
      await until(() => device('passing') === undefined)
      const left = await retained(broker, '#')
      expect(left.map(({ topic }) => topic).filter((topic) => topic.includes('passing'))).toEqual([])
      expect([...devicesOf(left).keys()]).toContain(`${NODE}/kept/config`)
    },
  )

  it.skipIf(!isHere)(
    'everything is announced anew when Home Assistant has started, but not at once again',
    async () => {
      const broker = await start()
      const { test, office, device } = await site(broker)
      await test.connected({ clientId: 'pump-1' })
      await until(() => device('pump-1') !== undefined)
      const announced = () =>
        office.inbox.all.filter(
          ({ topic }) => topic === `${NODE}/pump-1/config` || topic === `${NODE}/config`,
        ).length
      const before = announced()
      await office.publish('homeassistant/status', 'offline')
      await office.publish('homeassistant/status', 'online')
      await until(() => announced() === before + 2)
      for (let i = 0; i < 20; i++) await office.publish('homeassistant/status', 'online')
      await test.connected({ clientId: 'pump-2' })
      await until(() => device('pump-2') !== undefined)
      expect(announced()).toBe(before + 2)
    },
  )
})

it('sensors with the oddest ClientIds are devices of their own, with a status of their own', async () => {
  const { test, devices, latest } = await site(await startAedes())
  const names = [
    'a/b',
    'a_2fb',
    'a b',
    'a+b',
    '#',
    '%a%2Fb',
    'ä😀',
    '../config',
    'status',
    '{{ 7 * 7 }}',
    'x'.repeat(64),
  ]
  for (const clientId of names) await test.connected({ clientId, cleanSession: false })
  await until(() => devices().size === names.length + 1)
  const topics = [...devices().values()].map(({ state_topic }) => state_topic)
  expect(new Set(topics).size).toBe(topics.length)
  await until(() => topics.every((topic) => latest(topic) !== undefined))
  const ids = [...devices().values()].flatMap(({ device }) => device.identifiers)
  expect(new Set(ids).size).toBe(names.length + 1)
})

it('a sensor that goes while the gateway is away from the broker is taken back later', async () => {
  let broker = await startAedes()
  onTestFinished(() => broker.close())
  const test = await TestGateway.start(broker, on)
  onTestFinished(() => test.stop())
  const seen: { topic: string; text: string }[] = []
  const listenIn = () =>
    broker.aedes.on('publish', ({ topic, payload }) => seen.push({ topic, text: payload.toString() }))
  listenIn()
  const sensor = await test.connected({ clientId: 'pump-1' })
  const device = () => devicesOf(seen).get(`${NODE}/pump-1/config`)
  await until(() => device() !== undefined)
  await broker.close()
  await until(() => !test.gateway.isHealthy())
  await sensor.disconnect()
  await until(() => test.stateOf(sensor) === undefined)
  broker = await startAedes(broker.port)
  listenIn()
  await until(() => device() === undefined)
})

it('a sensor of the store that is forgotten after a restart is taken back', async () => {
  const { test, device } = await site(await startAedes(), on, { durable: true })
  const clientId = freshName()
  const sensor = await test.connected({ clientId, cleanSession: false })
  await until(() => device(clientId) !== undefined)
  await test.restart()
  await sensor.disconnect()
  const session = test.gateway.sessions.byClientId.get(clientId)
  if (session === undefined) throw new Error('not in the store')
  test.gateway.dispatch(session, { type: 'command', command: 'forget' })
  await until(() => device(clientId) === undefined)
})

it('a sensor that comes from another node is kept up to date and taken back, and one that goes to another is left to it', async () => {
  const broker = await startAedes()
  const { test, device, status, latest, office } = await site(broker, on, { durable: true })
  const sensor = await test.connected({ clientId: 'pump-1' })
  await until(() => device('pump-1') !== undefined && status('pump-1').state === 'active')
  const said = () => office.inbox.all.filter(({ topic }) => topic.endsWith('/pump-1')).length
  await test.gateway.release(allSlots, 'closing')
  const before = said()
  // longer than a look at changes
  await aWhile(1700)
  expect(said()).toBe(before)
  expect(status('pump-1').state).toBe('active')

  // what the other one has still had to say is said
  await office.publish(device('pump-1')?.state_topic ?? '', '{"state":"stale"}', { retain: true })
  await until(() => status('pump-1').state === 'stale')
  await test.gateway.adopt(allSlots)
  await until(() => status('pump-1').state === 'active')
  const { heardAt } = status('pump-1')
  await sensor.publish('t', 'x', { qos: 1 })
  await until(() => status('pump-1').heardAt > heardAt)
  await test.gateway.release(allSlots, 'closing')
  await test.gateway.adopt(allSlots)
  // nobody has said anything of it since then
  await sensor.disconnect()
  await until(() => latest(`${NODE}/pump-1/config`) === '')
  expect(await retained(broker, 'homeassistant/device/mqttsn-1/pump-1/#')).toEqual([])
})

it('under another prefix and GwId everything stands there', async () => {
  const { test, office } = await site(await startAedes(), {
    homeAssistant: { discovery: true, prefix: 'ha/discovery' },
    status: { prefix: 'field/1' },
    gateway: { id: 7 },
  })
  await test.connected({ clientId: 'pump-1' })
  const topic = 'ha/discovery/device/field_2f1-7/pump-1/config'
  await until(() => devicesOf(office.inbox.all, 'ha/discovery').has(topic))
  expect(devicesOf(office.inbox.all, 'ha/discovery').get(topic)).toMatchObject({
    state_topic: 'field/1/gateway/7/sensor/pump-1',
    availability: [{ topic: 'field/1/gateway/7/status' }],
  })
})

it('with discovery switched off nothing is announced, and nobody is listened to', async () => {
  const broker = await startAedes()
  const filters: string[] = []
  broker.aedes.on('subscribe', (subscriptions) => filters.push(...subscriptions.map(({ topic }) => topic)))
  const { test, office } = await site(broker, { status: { enabled: true } })
  const sensor = await test.connected({ clientId: 'pump-1' })
  await office.publish('homeassistant/status', 'online')
  await sensor.publish('end', 'x', { qos: 1 })
  await until(() => office.inbox.all.some(({ topic }) => topic === 'end'))
  await until(() => office.inbox.all.some(({ topic }) => topic === 'mqttsn/gateway/1/sensor/pump-1'))
  expect(office.inbox.all.filter(({ topic }) => topic.startsWith('homeassistant/device'))).toEqual([])
  expect(filters).toEqual(['#'])
})

it('hundreds of sensors are announced at the configured rate, and what changes meanwhile is summed', async () => {
  const { test, office, devices } = await site(await startAedes(), {
    homeAssistant: { discovery: true, refresh: '1s' },
    status: { perSecond: 400 },
  })
  const sensors = []
  for (let i = 0; i < 300; i++) sensors.push(test.connected({ cleanSession: false }))
  await Promise.all(sensors)
  const since = performance.now()
  const before = office.inbox.all.length
  await until(() => devices().size === 301, 20_000)
  const seconds = (performance.now() - since) / 1000
  expect(office.inbox.all.length - before).toBeLessThanOrEqual(400 * (seconds + 1) + 1)
})

it('what docs/home-assistant.md shows is what is published', async () => {
  const { test, office, device } = await site(await startAedes())
  const page = readFileSync('docs/home-assistant.md', 'utf8')
  const blocks = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map(([, text = '']) => JSON.parse(text))
  const [configuration, announced, status] = blocks
  await test.connected({ clientId: 'pump-1' })
  await until(() => device('pump-1') !== undefined)
  const { origin, ...shown } = announced
  expect(device('pump-1')).toMatchObject(shown)
  expect(Object.keys(device('pump-1') ?? {})).toEqual(Object.keys(announced))
  expect(origin.name).toBe(device('pump-1')?.origin.name)
  const said = JSON.parse(
    office.inbox.all.findLast(({ topic }) => topic.endsWith('/sensor/pump-1'))?.text ?? '{}',
  )
  expect(Object.keys(status)).toEqual(expect.arrayContaining(Object.keys(said)))
  expect(() => loadConfig({ env: { BROKER_PASSWORD: 'x' }, overrides: configuration })).not.toThrow()
})
