// A gateway whose sensors share connections to the broker, all of them or some by their rules; on the disk, over restarts and reloads.

import { describe, expect, it, onTestFinished } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import type { Config } from '../../src/config/schema.ts'
import { haveMosquitto, type MosquittoOptions, startMosquitto } from '../support/broker.ts'
import { freshName, Office, TestGateway, until } from '../support/gateway.ts'
import { startStrictBroker } from '../support/strict-broker.ts'

async function mosquitto(options: MosquittoOptions = {}) {
  const broker = await startMosquitto(options)
  onTestFinished(() => broker.close())
  return broker
}

async function start(...options: Parameters<typeof TestGateway.start>): Promise<TestGateway> {
  const gateway = await TestGateway.start(...options)
  onTestFinished(() => gateway.stop())
  return gateway
}

async function officeAt(broker: Parameters<typeof Office.at>[0], ...filters: string[]): Promise<Office> {
  const office = await Office.at(broker, ...filters)
  onTestFinished(() => office.close())
  return office
}

const shared = (count: number) => ({ connections: { shared: count } })
const sharedOf = ({ gateway }: TestGateway) => gateway.status().broker.shared ?? []

describe.skipIf(!haveMosquitto)('sensors that share connections', { concurrent: false }, () => {
  it('are as many connections at the broker as their rules say, beside those that have their own [SN-MODE-1]', async () => {
    const broker = await mosquitto()
    const rules = [
      { match: 'alone-*', connections: 'perSensor' },
      { match: 'meter-*', ...shared(1) },
    ]
    const test = await start(broker, { sensors: rules, broker: shared(2) })
    const names = ['alone-1', 'alone-2', ...Array.from({ length: 6 }, (_, i) => `meter-${i}`)]
    for (let i = 0; i < 20; i++) names.push(`other-${i}`)
    const sensors = await Promise.all(names.map((clientId) => test.connected({ clientId })))
    expect(test.gateway.status().broker).toMatchObject({ connected: 2 + 1 + 2 })
    const counts = sharedOf(test).map(({ sensors: count }) => count)
    expect(counts.toSorted((a, b) => a - b)[0]).toBe(6)
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(26)
    const office = await officeAt(broker, 'up/#')
    await Promise.all(sensors.map((sensor) => sensor.publish(`up/${sensor.clientId}`, 'x', { qos: 2 })))
    await until(() => office.inbox.all.length === names.length)
    for (const sensor of sensors) await sensor.subscribe('to/all', 1)
    await office.publish('to/all', 'hello')
    for (const sensor of sensors) expect((await sensor.inbox.next()).text).toBe('hello')
    for (const sensor of sensors) await sensor.disconnect()
    await until(() => sharedOf(test).every(({ sensors: count, filters }) => count + filters === 0))
  })

  it.each(['3.1.1', '5'] as const)(
    'that are away get what came while the gateway was away, too, and wills of those that died meanwhile are published: MQTT %s [SN-SESS-10]',
    async (version) => {
      const broker = await mosquitto()
      const test = await start(broker, { broker: { ...shared(1), version } }, { durable: true })
      const office = await officeAt(broker, 'will/#')
      const kept = await test.connected({ cleanSession: false })
      await kept.subscribe('to/kept', 2)
      await kept.disconnect()
      const will = { topic: `will/${freshName()}`, message: 'gone', qos: 1 as const }
      const dying = await test.connected({ cleanSession: false, keepAlive: 1, autoPing: false, will })
      const living = await test.connected({ keepAlive: 60, will: { topic: 'will/living', message: 'no' } })
      await test.restart(async () => {
        dying.close()
        await office.publish('to/kept', 'QoS 1')
        await office.publish('to/kept', 'QoS 2', { qos: 2 })
      })
      expect((await office.inbox.next()).topic).toBe(will.topic)
      await living.ping()
      await kept.connect()
      expect([(await kept.inbox.next()).text, (await kept.inbox.next()).text]).toEqual(['QoS 1', 'QoS 2'])
      await living.disconnect()
      expect(office.inbox.all).toHaveLength(1)
    },
  )

  it('may go on with other connections after a restart, and what was used before is ended at the broker', async () => {
    const broker = await mosquitto()
    const test = await start(broker, { broker: shared(4) }, { durable: true })
    const sensors = await Promise.all(
      Array.from({ length: 8 }, () => test.connected({ cleanSession: false, keepAlive: 60 })),
    )
    for (const sensor of sensors) await sensor.subscribe('to/all', 1)
    const office = await officeAt(broker, 'up/#')
    test.config.broker.connections = { shared: 1 }
    await test.restart()
    await until(() => sharedOf(test).some(({ connected, filters }) => connected && filters === 1))
    await office.publish('to/all', 'once')
    for (const sensor of sensors) {
      expect((await sensor.inbox.next()).text).toBe('once')
      await sensor.publish('up/a', 'x', { qos: 1 })
      expect(sensor.inbox.all).toHaveLength(1)
    }
    expect(sharedOf(test).map(({ sensors: count }) => count)).toEqual([8])
  })

  it('are no matter of a reload: it waits for the restart, and logins with it', async () => {
    const broker = await mosquitto()
    const test = await start(broker, { broker: shared(1) })
    const sensor = await test.connected()
    const next: Config = loadConfig({
      env: {},
      overrides: {
        broker: {
          url: broker.url,
          clientId: test.config.broker.clientId,
          connections: 'perSensor',
          grace: '7s',
        },
        listeners: [{ url: 'udp://127.0.0.1:0' }],
        store: { type: 'memory' },
        limits: { queuedMessages: 7 },
      },
    }).config
    const { applied, waiting } = test.gateway.reload(next)
    expect(applied).toContain('limits.queuedMessages')
    expect(waiting).toEqual(expect.arrayContaining(['broker.connections', 'broker.grace']))
    await sensor.publish('a', 'x', { qos: 1 })
    expect(sharedOf(test)).toHaveLength(1)
  })

  it('change to a connection of their own and back, where an admission names another rule, and keep their subscriptions', async () => {
    const broker = await mosquitto()
    const rules = [
      { match: 'own', connections: 'perSensor' },
      { match: '*', ...shared(1) },
    ]
    const test = await start(broker, { sensors: rules })
    const sensor = await test.connected({ cleanSession: false })
    await sensor.subscribe('to/one', 1)
    const office = await officeAt(broker)
    const session = test.gateway.sessions.byClientId.get(sensor.clientId)
    for (const [rule, count] of [
      ['own', 0],
      [undefined, 1],
    ] as const) {
      if (session === undefined) throw new Error('there is no session')
      session.rule = rule
      session.policy = test.gateway.rules.env.policyFor(session)
      test.gateway.dispatch(session, { type: 'rules' })
      await until(
        () =>
          session.link.state === 'up' && session.link.restoring.size + session.link.toRestore.length === 0,
      )
      expect(sharedOf(test)[0]?.sensors).toBe(count)
      await until(() => sharedOf(test)[0]?.filters === count)
      await office.publish('to/one', `by ${rule}`)
      expect((await sensor.inbox.next()).text).toBe(`by ${rule}`)
    }
  })
})

it('what the broker hangs up at becomes a dead letter of its sensor, and whatever others send arrives', async () => {
  const broker = await startStrictBroker({ mayPublish: (_, topic) => topic !== 'forbidden' })
  onTestFinished(() => broker.close())
  const rules = [{ match: 'bad', ack: 'store' }, { match: '*' }]
  const test = await start(
    broker,
    { sensors: rules, broker: { ...shared(1), keepAlive: '60s' } },
    { durable: true },
  )
  const bad = await test.connected({ clientId: 'bad', keepAlive: 60 })
  const others = await Promise.all(Array.from({ length: 5 }, () => test.connected({ keepAlive: 60 })))
  const sent: Promise<unknown>[] = []
  for (let round = 0; round < 4; round++) {
    for (const sensor of others) sent.push(sensor.publish(`ok/${sensor.clientId}`, `${round}`, { qos: 1 }))
    if (round === 1) sent.push(bad.publish('forbidden', 'poison', { qos: 1 }))
    await Promise.all(sent)
  }
  const { deadLetters } = test.gateway.rules.env
  await until(() => deadLetters.messages === 1)
  const texts = (clientId: string) =>
    new Set(broker.of('publish').flatMap(({ topic, text }) => (topic === `ok/${clientId}` ? [text] : [])))
  for (const { clientId } of others) expect([...texts(clientId)].toSorted()).toEqual(['0', '1', '2', '3'])
  expect(others.map((sensor) => test.stateOf(sensor))).toEqual(others.map(() => 'active'))
  expect(sharedOf(test)[0]?.breaks).toBeLessThan(5)
  await bad.publish('fine', 'after', { qos: 1 })
  await until(() => broker.of('publish').some(({ topic }) => topic === 'fine'))
})
