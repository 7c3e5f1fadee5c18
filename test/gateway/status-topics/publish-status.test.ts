// Status topics at the broker: what others can know of gateway and sensors without asking.

import { describe, expect, it, onTestFinished } from 'vitest'
import { type Broker, startAedes } from '../../support/broker.ts'
import { Office, TestGateway, until } from '../../support/gateway.ts'

it('publishes the states of gateway and sensors, retained, and says so when it stops', async () => {
  const broker = await startAedes()
  onTestFinished(() => broker.close())
  const office = await Office.as(broker, {}, 'fleet/#')
  onTestFinished(() => office.close())
  const heard = (topic: string) =>
    JSON.parse(office.inbox.all.findLast((seen) => seen.topic === topic)?.text ?? '{}')

  const test = await TestGateway.start(broker, {
    status: { enabled: true, prefix: 'fleet' },
    gateway: { id: 7 },
  })
  onTestFinished(() => test.stop())
  await until(() => heard('fleet/gateway/7/status').state === 'online')
  const sensor = await test.connected({ clientId: 'pump-1' })
  const topic = 'fleet/gateway/7/sensor/pump-1'
  await until(() => heard(topic).state === 'active')
  await sensor.sleep(100)
  await until(() => heard(topic).state === 'asleep')
  expect(heard(topic).asleepUntil).toBeGreaterThan(Date.now() + 90_000)
  await test.stop()
  await until(() => heard('fleet/gateway/7/status').state === 'offline')
})

describe('the topic of a sensor that is forgotten', () => {
  const topic = (clientId: string) => `mqttsn/gateway/1/sensor/${clientId}`
  const overrides = { status: { enabled: true } }

  /** What the broker has retained about a sensor, as somebody sees it who comes now. */
  async function retained(broker: Broker, clientId: string): Promise<string[]> {
    const late = await Office.as(broker, {}, topic(clientId), 'end')
    await late.publish('end', 'end')
    await until(() => late.inbox.all.some((seen) => seen.topic === 'end'))
    late.close()
    return late.inbox.all.filter((seen) => seen.topic !== 'end').map(({ text }) => JSON.parse(text).state)
  }

  it('is cleared at the broker; that of a session that is kept is not', async () => {
    const broker = await startAedes()
    onTestFinished(() => broker.close())
    const test = await TestGateway.start(broker, overrides)
    onTestFinished(() => test.stop())
    const office = await Office.as(broker, {}, 'mqttsn/#')
    onTestFinished(() => office.close())
    const states = (clientId: string) =>
      office.inbox.all.filter((seen) => seen.topic === topic(clientId)).map(({ text }) => text)
    await until(() => office.inbox.all.length > 0) // the gateway says that it is online
    const kept = await test.connected({ cleanSession: false })
    const passing = await test.connected()
    for (const sensor of [kept, passing]) await sensor.disconnect()
    await until(() => states(passing.clientId).at(-1) === '')
    expect(await retained(broker, passing.clientId)).toEqual([])
    expect(await retained(broker, kept.clientId)).toEqual(['disconnected'])
  })

  it('is cleared after an outage if it was forgotten meanwhile', async () => {
    let broker = await startAedes()
    onTestFinished(() => broker.close())
    const test = await TestGateway.start(broker, overrides)
    onTestFinished(() => test.stop())
    const published: string[] = []
    const listenIn = () =>
      broker.aedes.on('publish', ({ topic, payload }) => published.push(`${topic} ${payload}`))
    listenIn()
    const sensor = await test.connected()
    const about = `${topic(sensor.clientId)} `
    await until(() => published.some((line) => line.startsWith(about)))
    await broker.close()
    await until(() => !test.gateway.isHealthy())
    await sensor.disconnect()
    await until(() => test.stateOf(sensor) === undefined)
    expect(published.filter((line) => line === about)).toEqual([])
    broker = await startAedes(broker.port)
    listenIn()
    await until(() => published.includes(about))
  })
})

it('counts a QoS -1 message as published only if the broker can be reached', async () => {
  const broker = await startAedes()
  onTestFinished(() => broker.close())
  const test = await TestGateway.start(broker)
  onTestFinished(() => test.stop())
  const peer = await test.peer()
  const { counters } = test.gateway.status()
  const press = () =>
    peer.send({
      ...{ type: 'publish', dup: false, qos: -1, retain: false, topicIdType: 'short', msgId: 0 },
      ...{ topicId: 0x6162, data: new Uint8Array(1) },
    })
  press()
  await until(() => counters.published === 1)
  await broker.close()
  await until(() => !test.gateway.isHealthy())
  press()
  await until(() => counters.dropped['upstream-down'] === 1)
  expect(counters.published).toBe(1)
})
