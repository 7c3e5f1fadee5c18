// Messages through the whole gateway, with every broker and road that is here: sensors on real UDP, the office on MQTT.

import { afterAll, beforeAll, describe, expect } from 'vitest'
import type { Topic } from '../../src/sensor/sensor.ts'
import type { Broker } from '../support/broker.ts'
import type { Ability } from '../support/broker-abilities.ts'
import {
  BROKER_START,
  brokersUnderTest,
  needsOfQos,
  qosLevels,
  storiesWith,
} from '../support/broker-table.ts'
import { freshName, Office, seen, TestGateway } from '../support/gateway.ts'

const octets = Uint8Array.from({ length: 256 }, (_, octet) => octet)

// Rows may share one broker and run beside each other: each has topics of its own, also short ones.
const rows = brokersUnderTest().map((row, index) => ({ ...row, letter: String.fromCharCode(0x61 + index) }))

describe.concurrent.each(rows)('messages, with $name', (row) => {
  const { broker: kind, version, start, letter } = row
  const global = `predefined/${freshName()}`
  const predefined = [
    { match: '*', topics: { 3: `${global}/button` } },
    { match: '*', topics: { 10: `${global}/0`, 11: `${global}/1`, 12: `${global}/2` } },
    { match: 'pump-*', topics: { 2: 'predefined/$' + '{clientId}' } },
  ]
  const story = storiesWith(row)
  let broker: Broker
  let test: TestGateway
  let office: Office

  beforeAll(async () => {
    broker = await start()
    // Aedes shows that `auto` falls back; Mosquitto would always take 5.
    const auto = version === '5' || kind === 'Aedes'
    test = await TestGateway.start(broker, { predefined, broker: { version: auto ? 'auto' : version } })
    office = await Office.at(broker)
  }, BROKER_START)

  afterAll(async () => {
    try {
      await test?.stop() // may find something wrong
    } finally {
      await office?.close()
      await broker?.close()
    }
  })

  story('finds the MQTT version that the broker speaks', [], async () => {
    const sensor = await test.connected()
    expect(test.gateway.status().broker).toMatchObject({ healthy: true, version })
    await sensor.disconnect()
  })

  // A story for each QoS, with topics of its own, because they run beside each other.
  for (const qos of [0, 1, 2] as const) {
    story(
      `arrive from a sensor at QoS ${qos}, to topics of every type [SN-PUB-1]`,
      needsOfQos(qos),
      async () => {
        const clientId = `pump-${freshName()}`
        const topics: [Topic, string][] = [
          [`up/${clientId}`, `up/${clientId}`],
          [{ predefined: 10 + qos }, `${global}/${qos}`],
          [{ predefined: 2 }, `predefined/${clientId}`],
          [{ short: `${letter}${qos}` }, `${letter}${qos}`],
        ]
        const listener = await Office.at(broker, ...topics.map(([, fullName]) => fullName))
        const sensor = await test.connected({ clientId })
        for (const [topic, fullName] of topics) {
          await sensor.publish(topic, `${clientId} ${qos}`, { qos })
          const sent = { topic: fullName, text: `${clientId} ${qos}`, qos, retain: false }
          expect(seen(await listener.inbox.next())).toEqual(sent)
        }
        expect(listener.inbox.all).toHaveLength(topics.length)
        await sensor.disconnect()
        await listener.close()
      },
    )
  }

  story(
    'arrive from a button that never connects, at QoS -1 [SN-QM1-1, SN-QM1-5] [SN-QM1-2 in part]',
    [],
    async () => {
      const listener = await Office.at(broker, `${global}/button`, `z${letter}`)
      const button = await test.peer()
      const stranger = { type: 'publish', dup: false, qos: -1, retain: false, msgId: 0 } as const
      for (const [topicIdType, topicId] of [['predefined', 3], ['short', 0x7a00 + letter.charCodeAt(0)]] as const) {
      button.send({ ...stranger, topicIdType, topicId, data: Buffer.from('pressed') })
    } // biome-ignore format: a table
      const pressed = (await listener.inbox.take(2)).map(seen)
      const rest = { text: 'pressed', qos: 0, retain: false }
      expect(pressed).toEqual([
        { topic: `${global}/button`, ...rest },
        { topic: `z${letter}`, ...rest },
      ])
      expect(button.heard).toEqual([])
      await listener.close()
    },
  )

  for (const qos of [0, 1, 2] as const) {
    story(`carry all 256 octet values both ways at QoS ${qos} [SN-FLD-4]`, needsOfQos(qos), async () => {
      const sensor = await test.connected()
      const topic = `octets/${sensor.clientId}`
      const listener = await Office.at(broker, `${topic}/up`)
      await sensor.subscribe(`${topic}/down`, 2)
      await sensor.publish(`${topic}/up`, octets, { qos })
      expect((await listener.inbox.next()).payload).toEqual(octets)
      await office.publish(`${topic}/down`, octets, { qos })
      expect(new Uint8Array((await sensor.inbox.next()).payload)).toEqual(octets)
      await sensor.disconnect()
      await listener.close()
    })
  }

  const retained: Ability[] = ['retained messages']
  story(
    'are kept by the broker if retained, until an empty one clears them [SN-PUB-9, SN-GPUB-15, SN-MAP-18]',
    retained,
    async () => {
      const sensor = await test.connected()
      const topic = `retained/${sensor.clientId}`
      await sensor.publish(topic, 'kept', { qos: 1, retain: true })
      await sensor.subscribe(topic, 1)
      expect(seen(await sensor.inbox.next())).toEqual({ topic, text: 'kept', qos: 1, retain: true })
      await sensor.publish(topic, 'live', { qos: 1, retain: true })
      expect(seen(await sensor.inbox.next())).toEqual({ topic, text: 'live', qos: 1, retain: false })
      await sensor.publish(topic, '', { qos: 1, retain: true })
      expect((await sensor.inbox.next()).text).toBe('')

      const late = await test.connected()
      await late.subscribe(topic, 1)
      await office.publish(topic, 'nothing was kept')
      expect((await late.inbox.next()).text).toBe('nothing was kept')
      await Promise.all([sensor.disconnect(), late.disconnect()])
    },
  )

  const every = 'reach subscribers of names, wildcards, predefined ids and short names, at the QoS they have'
  for (const qos of [0, 1, 2] as const) {
    story(
      `${every}: ${qos} [SN-GPUB-1, SN-SUB-2, SN-MAP-19] [SN-GPUB-12, SN-GPUB-14 in part]`,
      needsOfQos(qos),
      async () => {
        const clientId = `pump-${freshName()}`
        const sensor = await test.connected({ clientId, predefined: { 2: `predefined/${clientId}` } })
        const granted = [
          await sensor.subscribe(`down/${clientId}/name`, 2),
          await sensor.subscribe(`down/${clientId}/+/deep`, 2),
          await sensor.subscribe({ predefined: 2 }, 2),
          await sensor.subscribe({ short: `${letter.toUpperCase()}${qos}` }, 2),
        ]
        const highest = Math.max(...qosLevels(row))
        expect(granted.map((one) => one.qos)).toEqual([highest, highest, highest, highest])
        expect(granted[1]?.topicId).toBe(0)
        const names = [
          `down/${clientId}/name`,
          `down/${clientId}/a/deep`,
          `predefined/${clientId}`,
          `${letter.toUpperCase()}${qos}`,
        ]
        for (const topic of names) {
          await office.publish(topic, `${qos}`, { qos })
          expect(seen(await sensor.inbox.next())).toEqual({ topic, text: `${qos}`, qos, retain: false })
        }
        await sensor.disconnect()
      },
    )
  }

  story('do not reach a sensor that has unsubscribed [SN-UNS-5]', [], async () => {
    const sensor = await test.connected()
    const topic = `unsubscribed/${sensor.clientId}`
    await sensor.subscribe(`${topic}/+`, 1)
    await sensor.subscribe(`${topic}/b`, 1)
    await sensor.unsubscribe(`${topic}/+`)
    await office.publish(`${topic}/a`, 'not wanted')
    await office.publish(`${topic}/b`, 'wanted')
    expect((await sensor.inbox.next()).text).toBe('wanted')
    expect(sensor.inbox.all).toHaveLength(1)
    await sensor.disconnect()
  })
})
