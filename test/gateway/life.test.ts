// A gateway as a whole: its connections to the broker, its listeners, its start and its end.

import { networkInterfaces } from 'node:os'
import type { IConnectPacket } from 'mqtt-packet'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Gateway } from '../../src/gateway/gateway.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { startAedes } from '../support/broker.ts'
import { openEndpoint } from '../support/endpoint.ts'
import { aWhile, freshName, Office, TestGateway, testConfig, until } from '../support/gateway.ts'
import { type ScriptedBroker, startScriptedBroker } from '../support/scripted.ts'

const haveIPv6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === '::1'),
)

const connect = { type: 'connect', will: false, cleanSession: true, protocolId: 1, duration: 60 } as const

async function scripted(): Promise<ScriptedBroker> {
  const broker = await startScriptedBroker()
  onTestFinished(() => broker.close())
  return broker
}

async function aedes() {
  const broker = await startAedes()
  onTestFinished(() => broker.close())
  return broker
}

async function start(...options: Parameters<typeof TestGateway.start>): Promise<TestGateway> {
  const test = await TestGateway.start(...options)
  onTestFinished(() => test.stop())
  return test
}

/** Sockets of this process, listening or connected. */
const openSockets = (): string[] =>
  process
    .getActiveResourcesInfo()
    .filter((name) => /^(?:TCP|UDP)/.test(name))
    .sort()

/** What the test runner itself has open. */
const atStart = openSockets()

/** Sockets of the test before may close a moment after it has ended. */
const quiet = () => until(() => openSockets().join() === atStart.join())

describe('connections to the broker', () => {
  it('are as many as connected sensors, and some of its own, of which others are for QoS -1 [SN-MODE-1, SN-QM1-4, SN-CONN-7] [SN-QM1-8 in part]', async () => {
    const broker = await scripted()
    const test = await start(broker, { broker: { clientId: 'own' }, predefined: { 1: 'anonymous' } })
    const sensors = await Promise.all(Array.from({ length: 20 }, () => test.connected()))
    const names = sensors.map(({ clientId }) => clientId)
    expect(broker.peers.map(({ clientId }) => clientId).sort()).toEqual(['own', ...names].sort())

    const button = test.sensor({ keepAlive: 0 })
    await button.publish({ predefined: 1 }, 'of nobody', { qos: -1 })
    await sensors[0]?.publish({ predefined: 1 }, 'of a sensor', { qos: -1 })
    const anonymous = await broker.saw(({ cmd }, { clientId }) => cmd === 'publish' && clientId === 'own-t')
    expect(anonymous.packet).toMatchObject({ topic: 'anonymous', payload: Buffer.from('of nobody'), qos: 0 })
    const known = await broker.saw(({ cmd }, { clientId }) => cmd === 'publish' && clientId === names[0])
    expect(known.packet).toMatchObject({ topic: 'anonymous', payload: Buffer.from('of a sensor'), qos: 0 })
    expect(broker.peers.map(({ clientId }) => clientId).sort()).toEqual(['own', 'own-t', ...names].sort())
  })

  it('are kept alive by the gateway while the sensor sleeps [SN-KA-9, SN-MAP-5, SN-SLP-19]', async () => {
    const broker = await scripted()
    const test = await start(broker, { broker: { keepAlive: '1s' } })
    const sensor = await test.connected({ keepAlive: 600 })
    await sensor.sleep(600)
    const heard = test.gateway.status().counters.receivedDatagrams
    const peer = broker.peers.find(({ clientId }) => clientId === sensor.clientId)
    const connect = peer?.packets.find(({ cmd }) => cmd === 'connect') as IConnectPacket | undefined
    expect(connect?.keepalive).toBe(1)
    await until(() => (peer?.packets.filter(({ cmd }) => cmd === 'pingreq').length ?? 0) >= 2)
    expect(test.gateway.status().counters.receivedDatagrams).toBe(heard)
    expect(test.stateOf(sensor)).toBe('asleep')
    await sensor.wake()
  })
})

describe('listeners', () => {
  it.skipIf(!haveIPv6)(
    'on IPv4 and IPv6 serve sensors at once, each with its own longest message [SN-LEN-6, SN-GPUB-9]',
    async () => {
      const broker = await aedes()
      const listeners = [
        { url: 'udp://127.0.0.1:0', maxMessageSize: 60 },
        { url: 'udp://[::1]:0', maxMessageSize: 1000 },
      ]
      const test = await start(broker, { listeners })
      const office = await Office.at(broker, 'up')
      onTestFinished(() => office.close())
      const narrow = await test.connected()
      const wide = await test.connected({ gateway: test.url(1) })
      for (const sensor of [narrow, wide]) await sensor.subscribe('down', 1)
      for (const size of [53, 54, 991, 992, 1]) await office.publish('down', Buffer.alloc(size))
      const sizes = async (sensor: typeof narrow, count: number) =>
        (await sensor.inbox.take(count)).map(({ payload }) => payload.length)
      expect(await sizes(narrow, 2)).toEqual([53, 1])
      expect(await sizes(wide, 4)).toEqual([53, 54, 991, 1])

      await narrow.publish('up', Buffer.alloc(54))
      await wide.publish('up', Buffer.alloc(54))
      await office.inbox.next()
      const { dropped } = test.gateway.status().counters
      expect(dropped.oversized).toBe(1)
      expect(office.inbox.all).toHaveLength(1)
    },
  )

  it.skipIf(process.platform !== 'linux')(
    'on all addresses answer sensors from the address that they speak to, over a restart and after it changed',
    async () => {
      const broker = await aedes()
      const test = await start(broker, { listeners: [{ url: 'udp://[::]:0' }] }, { durable: true })
      const office = await Office.at(broker)
      onTestFinished(() => office.close())
      const port = Number(/\d+$/.exec(test.url())?.[0])
      const hosts = ['127.0.0.1', '127.0.0.2', '127.0.0.3', ...(haveIPv6 ? ['[::1]'] : [])]
      const sensors = await Promise.all(
        hosts.map((host) => test.connected({ gateway: `udp://${host}:${port}`, cleanSession: false })),
      )
      for (const sensor of sensors) await sensor.subscribe('down', 1)
      await office.publish('down', 'before')
      for (const { inbox } of sensors) expect((await inbox.next()).text).toBe('before')
      const { byClientId } = test.gateway.sessions
      await until(() => [...byClientId.values()].every(({ downlink }) => downlink.queue.length === 0))
      await test.restart()
      await until(() => test.gateway.status().broker.connected === sensors.length)
      await office.publish('down', 'after') // before any of them has spoken
      for (const { inbox } of sensors) expect((await inbox.next()).text).toBe('after')

      const peer = await test.peer()
      peer.remote = { address: '127.0.0.1', port }
      peer.send({ ...connect, clientId: freshName() })
      await peer.next('connack')
      peer.remote = { address: '127.0.0.2', port }
      peer.send({ type: 'pingreq', clientId: null })
      await peer.next('pingresp')
      expect(peer.heard.map(({ from }) => from.address)).toEqual(['127.0.0.1', '127.0.0.2'])
    },
  )

  it('that cannot be had are a clear error, and nothing stays open', async () => {
    await quiet()
    const occupied = await openEndpoint('127.0.0.1')
    onTestFinished(() => occupied.close())
    const before = openSockets()
    const listeners = [
      { url: 'udp://127.0.0.1:0', name: 'free' },
      { url: `udp://127.0.0.1:${occupied.port}`, name: 'taken' },
    ]
    const gateway = new Gateway(testConfig('embedded', { listeners }))
    await expect(gateway.start()).rejects.toThrow(
      new RegExp(`cannot listen on udp://127\\.0\\.0\\.1:${occupied.port}: another program uses this port`),
    )
    await until(() => openSockets().join() === before.join())
  })
})

describe('the end', () => {
  it('is told to sensors and to the broker, which publishes no will [SN-ROB-5, SN-MAP-14 in part]', async () => {
    await quiet()
    const broker = await aedes()
    const office = await Office.at(broker, 'will/#')
    onTestFinished(() => office.close())
    const before = openSockets()
    const test = await start(broker)
    const options = () => {
      const clientId = freshName()
      return { clientId, will: { topic: `will/${clientId}`, message: 'gone' } }
    }
    const active = await test.connected(options())
    const sleeper = await test.connected(options())
    await sleeper.sleep(60)
    const heard: string[] = []
    for (const sensor of [active, sleeper]) {
      sensor.on('packet', (_, { type }) => heard.push(`${sensor.clientId} ${type}`))
    }
    const told = new Promise((resolve) => active.once('disconnected', resolve))
    await test.stopGateway()
    expect(await told).toBe('gateway')
    expect(heard).toEqual([`${active.clientId} disconnect`])
    await until(() => broker.aedes.connectedClients === 1)
    await aWhile()
    expect(office.inbox.all).toEqual([])
    for (const sensor of [active, sleeper]) sensor.close()
    await until(() => openSockets().join() === before.join())
  })

  it('says MQTT DISCONNECT on every connection [SN-ROB-5, SN-MAP-14 in part]', async () => {
    const broker = await scripted()
    const test = await start(broker)
    await Promise.all([test.connected(), test.connected(), test.connected()])
    await test.stopGateway()
    await until(() => broker.peers.every(({ packets }) => packets.at(-1)?.cmd === 'disconnect'))
    expect(broker.peers).toHaveLength(4)
  })

  it('is not the end of kept sessions: the next gateway knows their ids, wills and messages [SN-SESS-4] [SN-SESS-10, SN-ROB-5 in part]', async () => {
    const broker = await aedes()
    const store = createMemoryStore()
    const first = await start(broker, {}, { store })
    const clientId = freshName()
    const topic = `restart/${clientId}`
    const office = await Office.at(broker, `${topic}/up`, `${topic}/will`)
    onTestFinished(() => office.close())
    const will = { topic: `${topic}/will`, message: 'gone' }
    const sensor = await first.connected({ clientId, cleanSession: false, will })
    const topicId = await sensor.register(`${topic}/up`)
    await sensor.subscribe(`${topic}/down`, 1)
    await sensor.sleep(60)
    await office.publish(`${topic}/down`, 'while asleep')
    await until(() => first.gateway.sessions.byClientId.get(clientId)?.downlink.queue.length === 1)
    const url = first.url()
    await first.stopGateway()
    await office.publish(`${topic}/down`, 'while away')

    const second = await start(broker, { listeners: [{ url }] }, { store })
    const peer = await second.peer()
    const publish = (msgId: number) =>
      peer.send({
        type: 'publish',
        dup: false,
        qos: 1,
        retain: false,
        topicIdType: 'normal',
        topicId,
        msgId,
        data: Buffer.from('up'),
      })
    publish(1)
    await peer.next('disconnect')
    peer.script = (packet) => {
      if (packet.type === 'register') return [{ ...packet, type: 'regack', returnCode: 0 }]
      return packet.type === 'publish' ? [{ ...packet, type: 'puback', returnCode: 0 }] : []
    }
    peer.send({ type: 'connect', will: false, cleanSession: false, protocolId: 1, duration: 1, clientId })
    await peer.next('connack')
    const delivered = [await peer.next('publish'), await peer.next('publish')]
    expect(delivered.map(({ data }) => Buffer.from(data).toString())).toEqual(['while asleep', 'while away'])
    publish(2)
    expect(await peer.next('puback')).toMatchObject({ topicId, returnCode: 0 })
    expect(await office.inbox.next()).toMatchObject({ topic: `${topic}/up`, text: 'up' })
    // It falls silent, and the will that it gave to the first gateway is published.
    expect(await office.inbox.next()).toMatchObject({ topic: `${topic}/will`, text: 'gone' })
  })
})
