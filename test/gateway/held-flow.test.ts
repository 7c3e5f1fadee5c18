// A burst for a sensor that answers at once: what its queue cannot hold waits at a real broker, and arrives [6.10].

import { describe, expect, it, type TestContext } from 'vitest'
import { haveMosquitto, startAedes, startMosquitto } from '../support/broker.ts'
import { Office, TestGateway, type TestSensor, until } from '../support/gateway.ts'

const COUNT = 250
const numbers = Array.from({ length: COUNT }, (_, i) => `${i}`)

async function setUp({ onTestFinished }: TestContext, broker: object) {
  const mosquitto = await startMosquitto({ persistence: true })
  onTestFinished(() => mosquitto.close())
  const test = await TestGateway.start(mosquitto, { broker })
  onTestFinished(() => test.stop())
  const office = await Office.at(mosquitto, 'nothing')
  onTestFinished(() => office.close())
  return { mosquitto, test, office }
}

async function receive(sensor: TestSensor, count: number): Promise<string[]> {
  const texts: string[] = []
  while (texts.length < count) texts.push((await sensor.inbox.next()).text)
  return texts
}

const drops = (test: TestGateway) => test.gateway.status().counters.dropped['queue-full'] ?? 0

describe.skipIf(!haveMosquitto)('with Mosquitto', { concurrent: true }, () => {
  it.for([
    ['5', 1, true],
    ['5', 1, false],
    ['5', 2, false],
    ['3.1.1', 1, true],
    ['3.1.1', 1, false],
    ['3.1.1', 2, false],
  ] as const)(
    'over MQTT %s at QoS %i, clean session %s, all of it arrives in order [AMB-28, SN-GPUB-11]',
    async ([version, qos, cleanSession], context) => {
      const { test, office } = await setUp(context, { version })
      const sensor = await test.connected({ cleanSession })
      const topic = `burst/${sensor.clientId}`
      await sensor.subscribe(topic, qos)
      // Mosquitto itself loses QoS 2 messages of a publisher that has more than 20 under way
      for (let first = 0; first < COUNT; first += 20) {
        await Promise.all(
          numbers.slice(first, first + 20).map((text) => office.publish(topic, text, { qos })),
        )
      }
      expect(await receive(sensor, COUNT)).toEqual(numbers)
      expect(drops(test)).toBe(0)
      const session = test.gateway.sessions.byClientId.get(sensor.clientId)
      await until(() => session?.downlink.withheld === undefined && session?.downlink.queue.length === 0)
    },
  )

  it.for(['5', '3.1.1'] as const)(
    'over MQTT %s, 200 retained messages under a wildcard arrive [SN-GPUB-2]',
    async (version, context) => {
      const { test, office } = await setUp(context, { version })
      const sensor = await test.connected()
      const topics = numbers.slice(0, 200).map((text) => `kept/${sensor.clientId}/${text}`)
      for (const topic of topics) await office.publish(topic, topic, { qos: 1, retain: true })
      await sensor.subscribe(`kept/${sensor.clientId}/+`, 1)
      expect(new Set(await receive(sensor, 200))).toEqual(new Set(topics))
      expect(drops(test)).toBe(0)
    },
  )

  it.for(['5', '3.1.1'] as const)(
    'over MQTT %s, what is withheld comes again after the connection broke [SN-MAP-17]',
    async (version, context) => {
      const { mosquitto, test, office } = await setUp(context, { version })
      const peer = await test.peer()
      const clientId = `bare-${version}`
      peer.send({ type: 'connect', will: false, cleanSession: false, protocolId: 1, duration: 600, clientId })
      await peer.next('connack')
      peer.send({
        type: 'subscribe',
        dup: false,
        qos: 1,
        msgId: 1,
        topicIdType: 'normal',
        topicName: 'broken',
      })
      await peer.next('suback')
      for (const text of numbers.slice(0, 80)) await office.publish('broken', text, { qos: 1 })
      const session = test.gateway.sessions.byClientId.get(clientId)
      await until(() => session?.downlink.withheld !== undefined)
      await mosquitto.stop('SIGTERM')
      await mosquitto.start()
      await until(() => session?.link.state === 'up' && session.downlink.withheld !== undefined)
      const texts: string[] = []
      const known = new Set<number>()
      while (!known.has(80) && new Set(texts).size < 80) {
        const { topicId, msgId, data } = await peer.next('publish')
        if (!known.has(msgId)) texts.push(Buffer.from(data).toString())
        known.add(msgId)
        peer.send({ type: 'puback', topicId, msgId, returnCode: 0 })
      }
      expect(new Set(texts)).toEqual(new Set(numbers.slice(0, 80)))
      expect(drops(test)).toBe(0)
    },
  )
})

it('with a broker that knows no window, all of it arrives too [AMB-28]', async ({ onTestFinished }) => {
  const aedes = await startAedes()
  onTestFinished(() => aedes.close())
  const test = await TestGateway.start(aedes, {})
  onTestFinished(() => test.stop())
  const office = await Office.at(aedes, 'nothing')
  onTestFinished(() => office.close())
  const sensor = await test.connected()
  await sensor.subscribe('burst', 1)
  await Promise.all(numbers.map((text) => office.publish('burst', text, { qos: 1 })))
  expect(await receive(sensor, COUNT)).toEqual(numbers)
})
