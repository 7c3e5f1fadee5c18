// What becomes of a message that a broker does not take: brokers without QoS 2, or that hang up on a topic.

import { afterAll, beforeAll, describe, expect } from 'vitest'
import type { Packet } from '../../src/codec/v1/messages.ts'
import type { Broker } from '../support/broker.ts'
import { BROKER_START, brokersUnderTest, qosLevels, storiesWith } from '../support/broker-table.ts'
import { aWhile, freshName, Office, TestGateway } from '../support/gateway.ts'
import type { UdpPeer } from '../support/sensor.ts'

/** Milliseconds for an answer to a sensor: less than its Tretry times Nretry, after which it would give up. */
const PATIENCE = 5000

/** Topics on which these brokers hang up. */
const refused: Readonly<Record<string, string>> = { NATS: 'refused.topic', Strict: '1/2/3/4/5/6/7/8/9' }

const message = (topicId: number, msgId: number, qos: 1 | 2): Packet => ({
  type: 'publish',
  dup: false,
  qos,
  retain: false,
  topicIdType: 'normal',
  topicId,
  msgId,
  data: Buffer.from(`message ${msgId}`),
})

// One after another: they count the connections that were lost.
describe.each(brokersUnderTest().filter((row) => !qosLevels(row).includes(2)))(
  'a broker that does not take everything: $name',
  (row) => {
    const story = storiesWith(row)
    let broker: Broker
    let test: TestGateway

    beforeAll(async () => {
      broker = await row.start()
      test = await TestGateway.start(broker, { broker: { version: row.version } })
    }, BROKER_START)

    afterAll(async () => {
      try {
        await test?.stop() // may find something wrong
      } finally {
        await broker?.close()
      }
    })

    /** A connected sensor that knows the ids of these topics. */
    const sensorWith = (...topics: string[]) => sensorAt(test, ...topics)

    async function sensorAt(
      gateway: TestGateway,
      ...topics: string[]
    ): Promise<{ sensor: UdpPeer; topicIds: number[] }> {
      const sensor = await gateway.peer()
      const clientId = freshName()
      sensor.send({ type: 'connect', will: false, cleanSession: true, protocolId: 1, duration: 60, clientId })
      await sensor.next('connack')
      const topicIds: number[] = []
      for (const [index, topicName] of topics.entries()) {
        sensor.send({ type: 'register', topicId: 0, msgId: index + 1, topicName })
        topicIds.push((await sensor.next('regack')).topicId)
      }
      return { sensor, topicIds }
    }

    /** The sensor's next message arrives, and the gateway does not try the refused one forever. */
    async function goesOn(sensor: UdpPeer, topicId: number, listener: Office): Promise<void> {
      sensor.send(message(topicId, 20, 1))
      expect(await sensor.next('puback', PATIENCE)).toMatchObject({ msgId: 20, returnCode: 0 })
      await aWhile()
      const { lost } = test.gateway.status().broker
      await aWhile(1000)
      expect(test.gateway.status().broker.lost).toBe(lost)
      const texts = listener.inbox.all.map(({ text }) => text)
      expect(texts.filter((text) => text === 'message 20')).toHaveLength(1)
      expect(texts.filter((text) => text === 'message 10').length).toBeLessThanOrEqual(1)
    }

    story('a message of QoS 2 is answered, and does not keep back the next one', [], async () => {
      const topic = `two/${freshName()}`
      const listener = await Office.at(broker, `${topic}/+`)
      const { sensor, topicIds } = await sensorWith(`${topic}/a`, `${topic}/b`)
      const [a = 0, b = 0] = topicIds
      sensor.script = ({ type }) => (type === 'pubrec' ? [{ type: 'pubrel', msgId: 10 }] : [])
      sensor.send(message(a, 10, 2))
      const answer = await sensor.next(undefined, PATIENCE)
      expect(['pubrec', 'puback']).toContain(answer.type)
      if (answer.type === 'pubrec') await sensor.next('pubcomp', PATIENCE)
      await goesOn(sensor, b, listener)
      await listener.close()
    })

    story(
      'a message of QoS 2 arrives where the configuration says that the broker has QoS 1',
      [],
      async () => {
        const told = await TestGateway.start(broker, { broker: { version: row.version, maximumQos: 1 } })
        try {
          const topic = `told/${freshName()}`
          const listener = await Office.at(broker, topic)
          const { sensor, topicIds } = await sensorAt(told, topic)
          sensor.script = ({ type }) => (type === 'pubrec' ? [{ type: 'pubrel', msgId: 10 }] : [])
          sensor.send(message(topicIds[0] ?? 0, 10, 2))
          await sensor.next('pubrec', PATIENCE)
          await sensor.next('pubcomp', PATIENCE)
          expect((await listener.inbox.next()).text).toBe('message 10')
          expect(told.gateway.status().broker.lost).toBe(0)
          await listener.close()
        } finally {
          await told.stop()
        }
      },
    )

    const topic = refused[row.broker]
    if (topic !== undefined) {
      story('a message to a topic that the broker refuses does not keep back the next one', [], async () => {
        const free = `free/${freshName()}`
        const listener = await Office.at(broker, free)
        const { sensor, topicIds } = await sensorWith(topic, free)
        const [a = 0, b = 0] = topicIds
        sensor.send(message(a, 10, 1))
        expect(await sensor.next('puback', PATIENCE)).toMatchObject({ msgId: 10 })
        await goesOn(sensor, b, listener)
        await listener.close()
      })
    }
  },
)
