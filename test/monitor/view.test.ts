// What the console is told about sensors in trouble: enough to see why one of them gets no messages.

import { describe, expect, it, onTestFinished } from 'vitest'
import { createView } from '../../src/monitor/view.ts'
import { haveMosquitto, startMosquitto } from '../support/broker.ts'
import { freshName, Office, TestGateway, testConfig, until } from '../support/gateway.ts'

async function start(overrides: Parameters<typeof testConfig>[1] = {}) {
  const test = await TestGateway.start('embedded', overrides)
  onTestFinished(() => test.stop())
  const view = createView(test.gateway, testConfig('embedded', overrides), '1.2.3')
  onTestFinished(() => view.close())
  const office = await Office.at({ url: test.gateway.status().broker.url })
  onTestFinished(() => office.close())
  return { test, view, office }
}

describe('the view of a gateway', () => {
  it('counts sensors by state, finds them by part of their name, and sorts them', async () => {
    const { test, view } = await start()
    const names = ['pump-b', 'pump-a', 'valve'].map((name) => `${name}-${freshName()}`)
    for (const clientId of names) await test.connected({ clientId })
    const sleeper = await test.connected({ clientId: names[2] ?? '' })
    await sleeper.sleep(60)
    expect(view.info().sensors).toMatchObject({ active: 2, asleep: 1 })
    const { total, items } = view.sensors({ search: 'PUMP', offset: 0, limit: 10, sort: 'clientId' })
    expect([total, ...items.map(({ clientId }) => clientId.slice(0, 6))]).toEqual([2, 'pump-a', 'pump-b'])
    expect(view.sensors({ state: 'asleep', offset: 0, limit: 10 }).total).toBe(1)
  })

  it('shows a sensor that sleeps, and how much waits for it', async () => {
    const { test, view, office } = await start()
    const sensor = await test.connected({ cleanSession: false })
    await sensor.subscribe('setpoint', 1)
    await sensor.sleep(600)
    await office.publish('setpoint', '21', { qos: 1 })
    await until(() => view.sensor(sensor.clientId)?.queued === 1)
    const detail = view.sensor(sensor.clientId)
    expect(detail).toMatchObject({
      state: 'asleep',
      sleep: 600,
      queue: [{ topic: 'setpoint', qos: 1, octets: 2 }],
      subscribed: [{ filter: 'setpoint', qos: 1 }],
    })
    expect(detail?.held).toMatch(/asleep/)
    expect(detail?.lostAt).toBeGreaterThan(Date.now() + 500_000)
  })

  it('shows a sensor that publishes to a topic id it never registered', async () => {
    const { test, view } = await start()
    const peer = await test.peer()
    const clientId = freshName()
    peer.send({
      type: 'connect',
      will: false,
      cleanSession: true,
      protocolId: 1,
      duration: 60,
      clientId,
    })
    await until(() => view.sensor(clientId)?.state === 'active')
    peer.send({
      type: 'publish',
      dup: false,
      qos: 1,
      retain: false,
      topicIdType: 'normal',
      topicId: 77,
      msgId: 5,
      data: new Uint8Array([1, 2]),
    })
    await until(() => view.sensor(clientId)?.recent.at(-1)?.type === 'PUBACK')
    expect(view.sensor(clientId)?.recent.slice(-2)).toMatchObject([
      { direction: 'received', type: 'PUBLISH', text: 'QoS 1 topic id 77, 2 octets' },
      { direction: 'sent', type: 'PUBACK', text: 'topic id 77, rejected: invalid topic id' },
    ])
  })

  it('tells the whole conversation of a sensor, from its first CONNECT on, with the names of topics', async () => {
    const { test, view } = await start()
    const sensor = await test.connected()
    await sensor.publish('hall/door', 'open', { qos: 1 })
    const told = view
      .sensor(sensor.clientId)
      ?.recent.map(({ direction, type, text }) => `${direction} ${type} ${text}`)
    expect(told).toEqual([
      'received CONNECT ',
      'sent CONNACK accepted',
      'received REGISTER hall/door',
      'sent REGACK hall/door, accepted',
      'received PUBLISH QoS 1 hall/door, 4 octets',
      'sent PUBACK hall/door, accepted',
    ])
  })

  it("gives a CONNECT from an address that was another sensor's to the one that it names", async () => {
    const { test, view } = await start()
    const peer = await test.peer()
    const [first, second] = [freshName(), freshName()]
    const connect = {
      type: 'connect',
      will: false,
      cleanSession: false,
      protocolId: 1,
      duration: 60,
    } as const
    for (const clientId of [first, second]) {
      peer.send({ ...connect, clientId })
      await until(() => view.sensor(clientId)?.state === 'active')
    }
    for (const clientId of [first, second]) {
      expect(view.sensor(clientId)?.recent.map(({ type }) => type)).toEqual(['CONNECT', 'CONNACK'])
    }
  })

  it('shows what overflowed', async () => {
    const { test, view, office } = await start({ limits: { queuedMessages: 2 } })
    const sensor = await test.connected({ cleanSession: false })
    await sensor.subscribe('many', 1)
    await sensor.sleep(600)
    for (const text of ['1', '2', '3', '4']) await office.publish('many', text, { qos: 1 })
    await until(() => view.sensor(sensor.clientId)?.dropped['queue-full'] === 2)
    expect(view.sensor(sensor.clientId)?.queue).toHaveLength(2)
  })

  it('acts: empties a queue, delivers a message, ends and forgets a sensor', async () => {
    const { test, view, office } = await start()
    const sensor = await test.connected({ cleanSession: false })
    const { clientId } = sensor
    await sensor.subscribe('news', 1)
    await sensor.sleep(600)
    await office.publish('news', 'old', { qos: 1 })
    await until(() => view.sensor(clientId)?.queued === 1)
    expect(view.act(clientId, { type: 'clearQueue' })).toBe(true)
    expect(view.sensor(clientId)?.queued).toBe(0)
    const payload = Buffer.from('fresh')
    expect(view.act(clientId, { type: 'publish', topic: 'news', payload, qos: 1, retain: false })).toBe(true)
    await sensor.wake()
    expect((await sensor.inbox.next()).text).toBe('fresh')
    expect(view.act(clientId, { type: 'disconnect' })).toBe(true)
    expect(view.sensor(clientId)?.state).toBe('disconnected')
    expect(view.act(clientId, { type: 'disconnect' })).toBe(false)
    expect(view.act(clientId, { type: 'forget' })).toBe(true)
    expect(test.gateway.status().sensors).toBe(0)
    expect(view.act(clientId, { type: 'forget' })).toBe(false)
  })

  it('reports the datagrams of one sensor while somebody watches, and state changes', async () => {
    const { test, view } = await start()
    const [watched, other] = [await test.connected({}), await test.connected({})]
    const seen: string[] = []
    const changes: string[] = []
    const stop = view.watch(watched.clientId, ({ direction, type, topic, lines }) =>
      seen.push(`${direction} ${type} ${topic ?? ''} ${lines.length > 1}`),
    )
    const stopChanges = view.onChange(({ clientId, to }) =>
      changes.push(`${clientId === watched.clientId} ${to}`),
    )
    await other.publish('a', 'x', { qos: 1 })
    await watched.publish('b', 'y', { qos: 1 })
    stop()
    await watched.publish('b', 'z', { qos: 1 })
    await watched.disconnect()
    stopChanges()
    expect(seen).toEqual([
      'received REGISTER b true',
      'sent REGACK b true',
      'received PUBLISH b true',
      'sent PUBACK b true',
    ])
    expect(changes).toEqual(['true disconnected'])
    expect(view.latency().count).toBe(3)
  })

  it.skipIf(!haveMosquitto)('remembers a sensor whose login the broker refused, and why', async () => {
    const auth = { username: 'pump', password: 'water' }
    const broker = await startMosquitto({ auth })
    onTestFinished(() => broker.close())
    const overrides = { broker: auth, sensors: [{ match: '*', username: 'pump', password: 'wine' }] }
    const test = await TestGateway.start(broker, overrides)
    onTestFinished(() => test.stop())
    const view = createView(test.gateway, testConfig(broker, overrides), '1.2.3')
    onTestFinished(() => view.close())
    const clientId = freshName()
    await expect(test.connected({ clientId })).rejects.toMatchObject({ returnCode: 3 })
    expect(view.sensor(clientId)).toMatchObject({ state: 'disconnected' })
    expect(view.sensor(clientId)?.lastError).toMatch(/not authori[sz]ed|user|refused/i)
    expect(view.sensors({ search: clientId, offset: 0, limit: 1 }).total).toBe(1)
  })
})
