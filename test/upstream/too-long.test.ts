// Messages that are longer than anyone can be given: the broker is told so, and those that come anyway are skipped.

import { once } from 'node:events'
import { expect, it, onTestFinished } from 'vitest'
import type { UpstreamOptions } from '../../src/upstream/upstream.ts'
import { haveMosquitto, startMosquitto } from '../support/broker.ts'
import { TestGateway, until } from '../support/gateway.ts'
import { startScriptedBroker } from '../support/scripted.ts'
import { connectOptions, Rig, text, Witness } from './harness.ts'

const MIB = 1_048_576

async function scripted(changes: Partial<UpstreamOptions>) {
  const broker = await startScriptedBroker()
  onTestFinished(() => broker.close())
  const dropped: string[] = []
  const onDropped = (reason: string) => void dropped.push(reason)
  const rig = new Rig(broker, { maximumIncomingPacket: 2000, onDropped, ...changes })
  onTestFinished(() => rig.close())
  return { broker, rig, dropped }
}

it('CONNECT says in MQTT 5 how long a packet may be', async () => {
  const { broker, rig } = await scripted({ version: '5' })
  await rig.sensor().open('sensor')
  const { packet } = await broker.saw(({ cmd }, { clientId }) => cmd === 'connect' && clientId === 'sensor')
  expect(packet).toMatchObject({ properties: { maximumPacketSize: 2000 } })
})

it.each([
  ['3.1.1', 0],
  ['3.1.1', 1],
  ['3.1.1', 2],
  ['5', 1],
  ['5', 2],
] as const)(
  'MQTT %s, QoS %i: a message that is too long is acknowledged, dropped and counted, and the next one comes',
  async (version, qos) => {
    const { broker, rig, dropped } = await scripted({ version })
    const sensor = rig.sensor()
    await sensor.open('sensor')
    const peer = broker.peers.find(({ clientId }) => clientId === 'sensor')
    const message = { cmd: 'publish', topic: 'a/ä', qos, dup: false, retain: false } as const
    peer?.send({ ...message, messageId: 7, payload: Buffer.alloc(MIB) })
    if (qos === 2) {
      // PUBREC was answered with PUBREL
      await broker.saw(({ cmd, messageId }) => cmd === 'pubcomp' && messageId === 7)
    }
    peer?.send({ ...message, messageId: 8, payload: 'next' })
    expect(text((await sensor.next('message')).message.payload)).toBe('next')
    if (qos === 1) await broker.saw(({ cmd, messageId }) => cmd === 'puback' && messageId === 7)
    expect([sensor.count('message'), sensor.count('closed'), sensor.count('releasing')]).toEqual([1, 0, 0])
    expect(dropped).toEqual(['too-long'])
  },
)

it.each(['3.1.1', '5'] as const)(
  'MQTT %s: the longest message that MQTT knows is skipped while it comes, in flat memory, and the next one comes',
  async (version) => {
    const { broker, rig, dropped } = await scripted({ version })
    const sensor = rig.sensor()
    await sensor.open('sensor')
    const peer = broker.peers.find(({ clientId }) => clientId === 'sensor')
    if (peer === undefined) throw new Error('no connection')
    const before = process.memoryUsage()
    let most = 0
    const longest = 268_435_455
    const head = [0x32, 0xff, 0xff, 0xff, 0x7f, 0, 1, 0x61, 0, 7, ...(version === '5' ? [0] : [])]
    peer.socket.write(Buffer.from(head))
    const chunk = Buffer.alloc(MIB)
    for (let left = longest - (head.length - 5); left > 0; left -= chunk.length) {
      const goesOn = peer.socket.write(chunk.subarray(0, Math.min(left, chunk.length)))
      if (!goesOn) await once(peer.socket, 'drain')
      const { heapUsed, external } = process.memoryUsage()
      most = Math.max(most, heapUsed + external - before.heapUsed - before.external)
    }
    await broker.saw(({ cmd, messageId }) => cmd === 'puback' && messageId === 7)
    peer.send({
      cmd: 'publish',
      topic: 'a',
      qos: 1,
      dup: false,
      retain: false,
      messageId: 8,
      payload: 'next',
    })
    expect(text((await sensor.next('message')).message.payload)).toBe('next')
    expect([dropped, sensor.count('closed')]).toEqual([['too-long'], 0])
    expect(most).toBeLessThan(64 * MIB)
  },
  60_000,
)

it('a message of which not even the identifier is there ends the connection', async () => {
  const { broker, rig } = await scripted({ version: '3.1.1' })
  const sensor = rig.sensor()
  sensor.connection.connect(connectOptions('sensor'))
  await sensor.next('connected')
  const peer = broker.peers.find(({ clientId }) => clientId === 'sensor')
  // a topic that is longer than the packet
  peer?.socket.write(Buffer.concat([Buffer.of(0x32, 0xb8, 0x17, 0xff, 0xff), Buffer.alloc(2998, 0x61)]))
  expect((await sensor.next('closed')).detail).toContain('malformed')
})

it.skipIf(!haveMosquitto).each(['3.1.1', '5'] as const)(
  'MQTT %s: a message of 17 MiB, at any QoS or retained, costs a sensor of a Mosquitto nothing but that message',
  async (version) => {
    const broker = await startMosquitto()
    onTestFinished(() => broker.close())
    const gateway = await TestGateway.start(broker, { broker: { version } })
    onTestFinished(() => gateway.stop())
    const office = await Witness.at(broker)
    onTestFinished(() => office.close())
    const huge = Buffer.alloc(17 * MIB)
    await office.client.publishAsync('big/kept', huge, { qos: 1, retain: true })
    const sensor = await gateway.connected()
    await sensor.subscribe('big/#', 2)
    for (const qos of [0, 1, 2] as const) await office.client.publishAsync('big/now', huge, { qos })
    await office.client.publishAsync('big/now', 'next', { qos: 1 })
    expect((await sensor.inbox.next()).text).toBe('next')
    const { dropped } = gateway.gateway.status().counters
    // a broker of MQTT 5 keeps to what it was told, and sends none of them
    expect(dropped['too-long'] ?? 0).toBe(version === '5' ? 0 : 4)
    expect(gateway.gateway.status().broker.lost).toBe(0)
    await sensor.publish('up', 'still here', { qos: 1 })
  },
  60_000,
)

it.skipIf(!haveMosquitto)(
  '60 sensors at a Mosquitto, each sent 15 MiB: memory stays flat, and the next message reaches all',
  async () => {
    const broker = await startMosquitto()
    onTestFinished(() => broker.close())
    const gateway = await TestGateway.start(broker, { broker: { version: '3.1.1' } })
    onTestFinished(() => gateway.stop())
    const sensors = await Promise.all(Array.from({ length: 60 }, () => gateway.connected()))
    await Promise.all(sensors.map((sensor) => sensor.subscribe('big', 1)))
    const office = await Witness.at(broker)
    onTestFinished(() => office.close())
    let most = 0
    const watch = setInterval(() => {
      const { heapUsed, external } = process.memoryUsage()
      most = Math.max(most, heapUsed + external)
    }, 20)
    onTestFinished(() => clearInterval(watch))
    const { heapUsed, external } = process.memoryUsage()
    await office.client.publishAsync('big', Buffer.alloc(15 * MIB), { qos: 1 })
    await until(() => gateway.gateway.status().counters.dropped['too-long'] === 60, 30_000)
    await office.client.publishAsync('big', 'next', { qos: 1 })
    for (const sensor of sensors) expect((await sensor.inbox.next()).text).toBe('next')
    // the office itself holds the message a few times
    expect(most - heapUsed - external).toBeLessThan(120 * MIB)
    expect(gateway.gateway.status().broker.lost).toBe(0)
  },
  60_000,
)
