// Lives of sensors through the whole gateway, with every broker and road that is here: wills, sleep, moves, returns.

import { afterAll, beforeAll, describe, expect } from 'vitest'
import type { Packet } from '../../src/codec/v1/messages.ts'
import type { Broker } from '../support/broker.ts'
import type { Ability } from '../support/broker-abilities.ts'
import {
  BROKER_START,
  brokersUnderTest,
  needsOfQos,
  needsOfWills,
  qosLevels,
  storiesWith,
} from '../support/broker-table.ts'
import { openForwarder } from '../support/forwarder.ts'
import { aWhile, freshName, Office, seen, TestGateway, type TestSensor, until } from '../support/gateway.ts'
import type { UdpPeer } from '../support/sensor.ts'

/** Types of all messages that the sensor has got since this call. */
function listenIn(sensor: TestSensor): string[] {
  const types: string[] = []
  sensor.on('packet', (direction, { type }) => {
    if (direction === 'in') types.push(type)
  })
  return types
}

const connect = (clientId: string): Packet & { type: 'connect' } => ({
  type: 'connect',
  will: false,
  cleanSession: false,
  protocolId: 1,
  duration: 60,
  clientId,
})
const subscribe = (topicName: string): Packet => ({
  type: 'subscribe',
  dup: false,
  qos: 1,
  msgId: 1,
  topicIdType: 'normal',
  topicName,
})

describe.concurrent.each(brokersUnderTest())('sensors, with $name', (row) => {
  const { version, start } = row
  const story = storiesWith(row)
  let broker: Broker
  let test: TestGateway
  let office: Office

  beforeAll(async () => {
    broker = await start()
    const listeners = [{ url: 'udp://127.0.0.1:0', forwarders: ['127.0.0.1'] }]
    test = await TestGateway.start(broker, { listeners, broker: { version } })
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

  /** Another sensor turns up at its address: whoever was there counts as lost, without waiting for its silence. */
  async function lose(sensor: TestSensor): Promise<void> {
    const { address, port } = test.gateway.sessions.byClientId.get(sensor.clientId)?.peer ?? {}
    if (address === undefined || port === undefined) throw new Error('it is not connected')
    sensor.close()
    const successor = await test.connected({ bind: { address, port } })
    await successor.disconnect()
  }

  story(
    'that fall silent have their will published, once [SN-WILL-6, SN-MAP-13] [SN-KA-2 in part]',
    ['retained wills', ...needsOfWills(row)],
    async () => {
      const clientId = freshName()
      const topic = `silent/${clientId}`
      const listener = await Office.at(broker, topic)
      const will = { topic, message: 'gone', qos: 1 as const, retain: true }
      const sensor = await test.connected({ clientId, will, keepAlive: 1, autoPing: false })
      const connectedAt = performance.now()
      sensor.close() // it would answer when it is asked whether it is there
      expect(seen(await listener.inbox.next())).toEqual({ topic, text: 'gone', qos: 1, retain: false })
      expect(performance.now() - connectedAt).toBeGreaterThan(1000)
      // a gateway that publishes the will itself keeps the session until the broker has it
      await until(() => test.stateOf(sensor) === undefined)
      const late = await Office.at(broker, topic)
      expect(await late.inbox.next()).toMatchObject({ text: 'gone', retain: true })
      await aWhile()
      expect(listener.inbox.all).toHaveLength(1)
      await Promise.all([listener.close(), late.close()])
    },
  )

  for (const qos of [1, 2] as const) {
    const changes = `may change their will to one of QoS ${qos}: the last one is published, once`
    story(
      `${changes} [SN-WILL-10, SN-CONN-12] [SN-WILL-8 in part]`,
      ['polite returns', ...needsOfWills(row), ...needsOfQos(qos)],
      async () => {
        const topic = `updated/${freshName()}`
        const listener = await Office.at(broker, `${topic}/#`)
        const sensor = await test.connected({ will: { topic: `${topic}/first`, message: 'first' } })
        await sensor.updateWillMessage('second')
        await sensor.deleteWill()
        await sensor.updateWillMessage('third')
        await sensor.updateWillTopic(`${topic}/last`, { qos })
        await sensor.publish(`${topic}/data`, 'alive', { qos: 1 })
        await lose(sensor)
        await listener.inbox.take(2)
        await aWhile()
        expect(listener.inbox.all.map(seen)).toEqual([
          { topic: `${topic}/data`, text: 'alive', qos: 1, retain: false },
          { topic: `${topic}/last`, text: 'third', qos, retain: false },
        ])
        await listener.close()
      },
    )
  }

  story(
    'that leave, sleep or delete their will have none published [SN-WILL-7, SN-WILL-9, SN-MAP-12]',
    ['polite returns'],
    async () => {
      const topic = `unwanted/${freshName()}`
      const listener = await Office.at(broker, topic)
      const will = { topic, message: 'gone' }
      const leaver = await test.connected({ will })
      await leaver.disconnect()
      const sleeper = await test.connected({ will })
      await sleeper.sleep(60)
      await sleeper.wake()
      await sleeper.connect()
      await sleeper.disconnect()
      const sobered = await test.connected({ will })
      await sobered.deleteWill()
      await lose(sobered)
      await aWhile()
      expect(listener.inbox.all).toEqual([])
      await listener.close()
    },
  )

  story(
    'that come back find what the broker kept for them, after CONNACK [SN-CONN-14, SN-SESS-9, SN-MAP-2] [SN-SESS-6, SN-GPUB-2 in part]',
    ['persistent sessions', 'prompt repetition'],
    async () => {
      const topic = `kept/${freshName()}`
      const sensor = await test.connected({ cleanSession: false })
      const topicIds: number[] = []
      sensor.on('packet', (_, packet) => {
        if (packet.type === 'register') topicIds.push(packet.topicId)
      })
      await sensor.subscribe(`${topic}/+`, 1)
      await office.publish(`${topic}/a`, '0')
      await sensor.inbox.next()
      await sensor.disconnect()
      for (const text of ['1', '2', '3']) await office.publish(`${topic}/a`, text)
      const came = listenIn(sensor)
      await sensor.connect()
      expect((await sensor.inbox.take(3)).map(({ text }) => text)).toEqual(['1', '2', '3'])
      expect(came).toEqual(['connack', 'register', 'publish', 'publish', 'publish'])
      expect(topicIds[1]).toBe(topicIds[0])
      await sensor.disconnect()
    },
  )

  story(
    'that want a clean session start without the old one [SN-SESS-2, SN-SESS-8 in part]',
    [],
    async () => {
      const topic = `clean/${freshName()}`
      const sensor = await test.connected({ cleanSession: false })
      const { topicId } = await sensor.subscribe(topic, 1)
      await sensor.disconnect()
      await office.publish(topic, 'missed')
      const peer = await test.peer()
      peer.send({ ...connect(sensor.clientId), cleanSession: true })
      await peer.next('connack')
      await office.publish(topic, 'no longer subscribed')
      peer.send({
        type: 'publish',
        dup: false,
        qos: 1,
        retain: false,
        topicIdType: 'normal',
        topicId,
        msgId: 9,
        data: Buffer.of(1),
      })
      expect(await peer.next()).toEqual({ type: 'puback', topicId, msgId: 9, returnCode: 2 })
      await aWhile()
      expect(peer.types()).toBe('connack puback')
      peer.send({ type: 'disconnect', duration: null })
      await peer.next('disconnect')
    },
  )

  for (const levels of [
    [1, 1],
    [0, 1],
    [0, 1, 2],
  ] as const) {
    const order: Ability[] = new Set<number>(levels).size > 1 ? ['order across QoS levels'] : []
    const hear = `that sleep hear nothing until they wake, then all of QoS ${levels} in order, then PINGRESP`
    story(
      `${hear} [SN-SLP-1, SN-SLP-3, SN-SLP-5, SN-SLP-6]`,
      [...order, ...levels.flatMap((qos) => needsOfQos(qos))],
      async () => {
        const sensor = await test.connected()
        const topic = `asleep/${sensor.clientId}`
        await sensor.subscribe(`${topic}/#`, 2)
        await sensor.sleep(60)
        const came = listenIn(sensor)
        for (const [index, qos] of levels.entries()) {
          await office.publish(`${topic}/a`, `${index} at QoS ${qos}`, { qos })
        }
        await until(
          () =>
            test.gateway.sessions.byClientId.get(sensor.clientId)?.downlink.queue.length === levels.length,
        )
        await aWhile()
        expect(came).toEqual([])
        expect(test.stateOf(sensor)).toBe('asleep')
        await sensor.wake()
        expect(sensor.inbox.all.map(({ text }) => text)).toEqual(
          levels.map((qos, index) => `${index} at QoS ${qos}`),
        )
        const parts = levels.flatMap((qos) => (qos === 2 ? ['publish', 'pubrel'] : ['publish']))
        expect(came).toEqual(['register', ...parts, 'pingresp'])
        expect(test.stateOf(sensor)).toBe('asleep')
        await sensor.wake()
        expect(came.slice(parts.length + 2)).toEqual(['pingresp'])
        await sensor.disconnect()
      },
    )
  }

  story(
    'that sleep may come back from another port, and get their messages there [SN-SLP-16]',
    [],
    async () => {
      const clientId = freshName()
      const answer = (peer: UdpPeer): void => {
        peer.script = (packet) =>
          packet.type === 'publish'
            ? [{ type: 'puback', topicId: packet.topicId, msgId: packet.msgId, returnCode: 0 }]
            : []
      }
      const before = await test.peer()
      before.send(connect(clientId))
      await before.next('connack')
      before.send(subscribe(`moved/${clientId}`))
      await before.next('suback')
      before.send({ type: 'disconnect', duration: 60 })
      await before.next('disconnect')
      await office.publish(`moved/${clientId}`, 'found you')
      await until(() => test.gateway.sessions.byClientId.get(clientId)?.downlink.queue.length === 1)
      const after = await test.peer()
      answer(after)
      after.send({ type: 'pingreq', clientId })
      expect(Buffer.from((await after.next('publish')).data).toString()).toBe('found you')
      await after.next('pingresp')
      expect(after.types()).toBe('publish pingresp')
      expect(before.types()).toBe('connack suback disconnect')
      after.send({ type: 'disconnect', duration: null })
      await after.next('disconnect')
    },
  )

  story(
    'that take over a ClientId get its messages; the old address is told [SN-CONN-11] [SN-PUB-15 in part]',
    ['takeover', 'persistent sessions'],
    async () => {
      const clientId = freshName()
      const old = await test.peer()
      old.send(connect(clientId))
      await old.next('connack')
      old.send(subscribe(`taken/${clientId}`))
      const { topicId } = await old.next('suback')
      const successor = test.sensor({ clientId, cleanSession: false })
      await successor.connect()
      await old.next('disconnect')
      await office.publish(`taken/${clientId}`, 'for the new one')
      expect((await successor.inbox.next()).text).toBe('for the new one')
      old.send({
        type: 'publish',
        dup: false,
        qos: 0,
        retain: false,
        topicIdType: 'normal',
        topicId,
        msgId: 0,
        data: Buffer.of(1),
      })
      await old.next('disconnect')
      expect(old.types()).toBe('connack suback disconnect disconnect')
      expect(successor.inbox.all).toHaveLength(1)
      await successor.disconnect()
    },
  )

  story('behind one forwarder do not mix, whatever they do [SN-FWD-3, SN-FWD-4]', [], async () => {
    const highest = qosLevels(row).at(-1) ?? 0
    const { transports, close } = await openForwarder(test.url(), 2)
    const nodes = transports.map((transport, index) =>
      test.sensor({ transport, nodeId: Uint8Array.of(0x12, 0x34 + index) }),
    )
    const [first, second] = nodes as [TestSensor, TestSensor]
    const topic = (node: TestSensor) => `node/${node.clientId}`
    const listener = await Office.at(broker, topic(first), topic(second))
    for (const node of nodes) {
      await node.connect()
      await node.subscribe(`${topic(node)}/down`, 1)
      await node.publish(topic(node), 'up', { qos: highest })
      expect((await listener.inbox.next()).topic).toBe(topic(node))
    }
    await first.sleep(60)
    for (const node of nodes) await office.publish(`${topic(node)}/down`, node.clientId)
    expect((await second.inbox.next()).text).toBe(second.clientId)
    await until(() => test.gateway.sessions.byClientId.get(first.clientId)?.downlink.queue.length === 1)
    expect(first.inbox.all).toEqual([])
    await first.wake()
    expect(first.inbox.all.map(({ text }) => text)).toEqual([first.clientId])
    expect(second.inbox.all).toHaveLength(1)
    await Promise.all(nodes.map((node) => node.disconnect()))
    close()
    await listener.close()
  })
})
