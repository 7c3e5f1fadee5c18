// What a sensor's upstream connection does, against every broker and road that is here.

import { afterAll, beforeAll, describe, expect } from 'vitest'
import type { Broker } from '../support/broker.ts'
import { hasAbility } from '../support/broker-abilities.ts'
import {
  BROKER_START,
  brokersUnderTest,
  needsOfQos,
  needsOfWills,
  qosLevels,
  startAhead,
  storiesWith,
} from '../support/broker-table.ts'
import { bytes, connectOptions, type Mode, pause, Rig, text, Witness } from './harness.ts'

const will = (topic: string) => ({ topic, message: bytes('gone'), qos: 1 as const, retain: false })

const modes: { readonly name: string; readonly mode: Mode }[] = [
  { name: 'a connection for each sensor', mode: 'perSensor' },
  // no faster than the strict broker takes
  { name: 'shared connections', mode: { shared: 2, publishesPerSecond: 50 } },
]

const rows = brokersUnderTest().flatMap((row) =>
  modes.map(({ name, mode }) => ({ ...row, name: `${row.name}, ${name}`, mode })),
)

const started = startAhead(rows)

describe.each(rows)('upstream with $name', (row) => {
  const { version, mode } = row
  const isOwn = mode === 'perSensor'
  const story = storiesWith(row, { concurrent: true })
  const serial = storiesWith(row)
  const highest = qosLevels(row).at(-1) ?? 0
  let broker: Broker
  let rig: Rig

  beforeAll(async () => {
    broker = await started(row)
    rig = new Rig(broker, { version }, mode)
  }, BROKER_START)

  afterAll(async () => {
    await rig.close()
    await broker.close()
  })

  story(
    'connects under the sensor`s client id and tells no limits that the broker has not [SN-MAP-1]',
    [],
    async () => {
      const sensor = rig.sensor()
      const connected = await sensor.open('connects')
      expect(connected.sessionPresent).toBe(false)
      const told = version === '5' ? highest : 2 // MQTT 3.1.1 has no words for it
      expect(connected.limits).toMatchObject({
        maximumQos: told,
        retainAvailable: true,
        wildcardAvailable: true,
      })
      expect(rig.upstream.stats().version).toBe(version)
      sensor.connection.close(false, false)
    },
  )

  for (const qos of [0, 1, 2] as const)
    story(`publishes at QoS ${qos}, octet for octet [SN-FLD-4]`, needsOfQos(qos), async () => {
      const topic = `publish/${qos}`
      const witness = await Witness.at(broker)
      const payloads: Uint8Array[] = []
      witness.client.on('message', (_topic, payload) => payloads.push(new Uint8Array(payload)))
      await witness.client.subscribeAsync(topic, { qos: 2 })
      const sensor = rig.sensor()
      await sensor.open(`publishes-${qos}`)
      const all = Uint8Array.from({ length: 256 }, (_, octet) => octet)
      sensor.connection.publish(7, topic, all, qos, false, false)
      if (qos === 2) {
        expect(await sensor.next('received')).toEqual({ type: 'received', token: 7 })
        sensor.connection.release(7)
      }
      if (qos > 0) {
        expect(await sensor.next('published')).toEqual({ type: 'published', token: 7, outcome: 0 })
      }
      await witness.saw(1)
      expect(payloads).toEqual([all])
      expect(witness.messages[0]).toMatchObject({ topic, qos, retain: false })
      expect(sensor.count('received')).toBe(qos === 2 ? 1 : 0)
      await witness.close()
      sensor.connection.close(false, false)
    })

  story('passes Retain on in both directions [SN-MAP-18]', ['retained messages'], async () => {
    const sensor = rig.sensor()
    await sensor.open('retains')
    sensor.connection.publish(1, 'retained/a', bytes('kept'), 1, true, false)
    await sensor.next('published')
    sensor.connection.subscribe(2, 'retained/a', 1, true)
    expect(await sensor.next('subscribed')).toEqual({ type: 'subscribed', token: 2, outcome: 0, qos: 1 })
    const { message, ack } = await sensor.next('message')
    expect({ ...message, payload: text(message.payload) }).toMatchObject({
      topic: 'retained/a',
      payload: 'kept',
      retain: true,
    })
    if (ack !== undefined) sensor.connection.acknowledge(ack)
    sensor.connection.close(false, false)
  })

  story(
    'drops the retained messages of a repeated subscription and nothing else [SN-MAP-3]',
    ['retained messages', 'retained messages for wildcards'],
    async () => {
      const witness = await Witness.at(broker)
      await witness.client.publishAsync('unwanted/a', 'old', { qos: 1, retain: true })
      const sensor = rig.sensor()
      await sensor.open('resubscribes')
      sensor.connection.subscribe(1, 'unwanted/+', 1, false)
      await sensor.next('subscribed')
      await witness.client.publishAsync('unwanted/a', 'new', { qos: 1, retain: true })
      expect(text((await sensor.next('message')).message.payload)).toBe('new')
      expect(sensor.count('message')).toBe(1)
      await witness.close()
      sensor.connection.close(false, false)
    },
  )

  for (const qos of [0, 1, 2] as const) {
    story(`hands over messages of QoS ${qos} as they were sent [SN-MAP-19]`, needsOfQos(qos), async () => {
      const topic = `deliver/${qos}`
      const witness = await Witness.at(broker)
      const sensor = rig.sensor()
      await sensor.open(`delivers-${qos}`)
      sensor.connection.subscribe(1, topic, 2, true)
      expect(await sensor.next('subscribed')).toMatchObject({ outcome: 0, qos: highest })
      await witness.client.publishAsync(topic, 'one', { qos })
      const first = await sensor.next('message')
      expect(first.message.qos).toBe(qos)
      expect(first.ack === undefined).toBe(qos === 0)
      if (first.ack !== undefined) sensor.connection.acknowledge(first.ack)
      if (qos === 2) {
        const { packetId, ack } = await sensor.next('releasing')
        expect(packetId).toBe(first.packetId)
        sensor.connection.acknowledge(ack)
      }
      await witness.client.publishAsync(topic, 'two', { qos })
      const second = await sensor.next('message')
      expect(text(second.message.payload)).toBe('two')
      expect(sensor.count('message')).toBe(2)
      await witness.close()
      sensor.connection.close(false, false)
    })
  }

  story('takes no message after UNSUBSCRIBE', [], async () => {
    const witness = await Witness.at(broker)
    const sensor = rig.sensor()
    await sensor.open('unsubscribes')
    sensor.connection.subscribe(1, 'unsubscribe/a', 0, true)
    sensor.connection.subscribe(2, 'unsubscribe/b', 0, true)
    await sensor.next('subscribed')
    await sensor.next('subscribed')
    sensor.connection.unsubscribe(3, 'unsubscribe/a')
    expect(await sensor.next('unsubscribed')).toEqual({ type: 'unsubscribed', token: 3 })
    await witness.client.publishAsync('unsubscribe/a', 'no')
    await witness.client.publishAsync('unsubscribe/b', 'yes')
    expect((await sensor.next('message')).message.topic).toBe('unsubscribe/b')
    expect(sensor.count('message')).toBe(1)
    await witness.close()
    sensor.connection.close(false, false)
  })

  story(
    'lets the broker publish the will only if asked to [SN-MAP-11, SN-MAP-12, SN-MAP-13]',
    needsOfWills(row),
    async () => {
      const witness = await Witness.at(broker, 'will/#')
      const polite = rig.sensor()
      const lost = rig.sensor()
      await polite.open('will-polite', { will: will('will/polite') })
      await lost.open('will-lost', { will: will('will/lost') })
      polite.connection.close(false, false)
      lost.connection.close(true, false)
      await witness.saw(1)
      await witness.settled('will/settled', highest)
      expect(witness.messages).toEqual([{ topic: 'will/lost', text: 'gone', qos: 1, retain: false }])
      await witness.close()
    },
  )

  story('sends what was published just before the end, with and without will', [], async () => {
    const witness = await Witness.at(broker, 'last/#')
    for (const publishWill of [false, true]) {
      const sensor = rig.sensor()
      await sensor.open(`last-${publishWill}`)
      sensor.connection.publish(1, `last/${publishWill}`, bytes('words'), 0, false, false)
      sensor.connection.close(publishWill, false)
    }
    await witness.saw(2)
    await witness.close()
  })

  story(
    'publishes no will when one CONNECT supersedes another [SN-MAP-14]',
    ['quick returns', 'polite returns'],
    async () => {
      const witness = await Witness.at(broker, 'superseded/#')
      const sensor = rig.sensor()
      await sensor.open('supersedes', { will: will('superseded/old') })
      for (let round = 0; round < 3; round++) {
        await sensor.open('supersedes', { clean: false, will: will('superseded/new') })
      }
      // one that is superseded while it is being made
      sensor.connection.connect(connectOptions('supersedes', { will: will('superseded/midway') }))
      await pause(1)
      await sensor.open('supersedes')
      await witness.settled('superseded/settled', highest)
      expect(witness.messages).toEqual([])
      expect(sensor.count('closed') + sensor.count('refused')).toBe(0)
      await witness.close()
      sensor.connection.close(false, false)
    },
  )

  story(
    'lets another session of the same client id wait until the first has ended',
    ['polite returns'],
    async () => {
      const witness = await Witness.at(broker, 'handover/#')
      const first = rig.sensor()
      const second = rig.sensor()
      await first.open('handover', { will: will('handover/first') })
      first.connection.close(false, false)
      await second.open('handover', { will: will('handover/second') })
      await witness.settled('handover/settled', highest)
      expect(witness.messages).toEqual([])
      await witness.close()
      second.connection.close(false, false)
    },
  )

  story(
    'keeps the broker`s session and its messages when clean is not set [SN-MAP-2]',
    ['persistent sessions'],
    async () => {
      const witness = await Witness.at(broker)
      const sensor = rig.sensor()
      await sensor.open('persists', { clean: true })
      sensor.connection.close(false, false)
      expect((await sensor.open('persists', { clean: false })).sessionPresent).toBe(false)
      sensor.connection.subscribe(1, 'persists/a', 1, true)
      await sensor.next('subscribed')
      sensor.connection.close(false, false)
      await pause(20)
      await witness.client.publishAsync('persists/a', 'meanwhile', { qos: 1 })
      expect((await sensor.open('persists', { clean: false })).sessionPresent).toBe(true)
      const { message, ack } = await sensor.next('message')
      expect(text(message.payload)).toBe('meanwhile')
      sensor.connection.acknowledge(ack ?? 0)
      expect((await sensor.open('persists', { clean: true })).sessionPresent).toBe(false)
      await witness.close()
      sensor.connection.close(false, false)
    },
  )

  const ownStory = isOwn ? story : () => undefined
  ownStory(
    'reports a connection that the broker gave to somebody else [SN-MAP-37]',
    ['takeover'],
    async () => {
      const sensor = rig.sensor()
      const rival = rig.sensor()
      await sensor.open('taken')
      await rival.open('taken')
      const why = version === '5' && hasAbility(row.broker, 'takeover told') ? 'taken-over' : 'unexplained'
      expect((await sensor.next('closed')).why).toBe(why)
      rival.connection.close(false, false)
      sensor.connection.close(false, false)
    },
  )

  const count = isOwn ? 'one MQTT connection for each' : 'two MQTT connections for all'
  serial(`connects 200 sensors at once, ${count} [SN-MODE-1]`, [], async () => {
    const sensors = Array.from({ length: 200 }, () => rig.sensor())
    await Promise.all(sensors.map((sensor, index) => sensor.open(`many-${index}`)))
    expect(rig.upstream.stats()).toMatchObject({ connected: isOwn ? 200 : 2, connecting: 0, waiting: 0 })
    const witness = await Witness.at(broker, 'many/+')
    for (const [index, { connection }] of sensors.entries()) {
      connection.publish(index, `many/${index}`, bytes('x'), 1, false, false)
    }
    const answers = await Promise.all(sensors.map((sensor) => sensor.next('published')))
    expect(answers.map(({ token }) => token)).toEqual(sensors.map((_, index) => index))
    await witness.saw(200)
    for (const { connection } of sensors) connection.close(false, false)
    expect(rig.upstream.stats().connected).toBe(isOwn ? 0 : 2)
    await witness.close()
  })

  serial('publishes for sensors without connection on its own [SN-QM1-4, SN-QM1-5]', [], async () => {
    const witness = await Witness.at(broker, 'anonymous/+')
    while (!rig.upstream.healthy) await pause(5)
    expect(rig.upstream.publishAnonymous('anonymous/a', bytes('21.5'), false)).toBe(true)
    await witness.saw(1)
    expect(witness.messages).toEqual([{ topic: 'anonymous/a', text: '21.5', qos: 0, retain: false }])
    await witness.close()
  })
})
