// A gateway that is stopped and started again: its sensors cannot tell that it was gone [SN-SESS-10].

import { describe, expect, it, type TestContext } from 'vitest'
import { Gateway } from '../../src/gateway/gateway.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { type Store, StoreError } from '../../src/store/store.ts'
import { haveMosquitto, startAedes, startMosquitto } from '../support/broker.ts'
import {
  aWhile,
  freshName,
  Office,
  TestGateway,
  type TestSensor,
  testConfig,
  until,
} from '../support/gateway.ts'
import { UdpPeer } from '../support/sensor.ts'

const versions = ['3.1.1', '5'] as const

/** For tests that run at once, each of which says itself when it has finished. */
async function setUp(
  { onTestFinished }: TestContext,
  version: (typeof versions)[number] = '5',
  ...filters: string[]
) {
  const mosquitto = await startMosquitto()
  onTestFinished(() => mosquitto.close())
  const test = await TestGateway.start(mosquitto, { broker: { version } }, { durable: true })
  onTestFinished(() => test.stop())
  const office = await Office.at(mosquitto, ...filters)
  onTestFinished(() => office.close())
  return { mosquitto, test, office }
}

/** All that a sensor sends and receives from now on, except PINGREQ and PINGRESP of its keep-alive. */
function record(sensor: TestSensor): string[] {
  const packets: string[] = []
  sensor.on('packet', (direction, { type }) => {
    if (!type.startsWith('ping')) packets.push(`${direction} ${type}`)
  })
  return packets
}

describe.skipIf(!haveMosquitto)('after a restart', { concurrent: true }, () => {
  it.for(versions)(
    'an active sensor publishes at every QoS with its old topic id, as if nothing had happened: MQTT %s [SN-SESS-10 in part]',
    async (version, context) => {
      const topic = `restart/${freshName()}`
      const { test, office } = await setUp(context, version, topic)
      const sensor = await test.connected({ tRetry: 8000 })
      await sensor.publish(topic, 'before', { qos: 1 })
      const packets = record(sensor)
      await test.restart()
      for (const qos of [0, 1, 2] as const) await sensor.publish(topic, `after ${qos}`, { qos })
      const got = await office.inbox.take(4)
      expect(got.map(({ text }) => text)).toEqual(['before', 'after 0', 'after 1', 'after 2'])
      expect(packets).toEqual([
        'out publish',
        ...['out publish', 'in puback'],
        ...['out publish', 'in pubrec', 'out pubrel', 'in pubcomp'],
      ])
      expect(test.stateOf(sensor)).toBe('active')
    },
  )

  it.for(versions)(
    'a sleeping sensor gets what came while the gateway was away, and what waited before: MQTT %s [SN-SLP-7 in part] [SN-SESS-10 in part]',
    async (version, context) => {
      const { test, office } = await setUp(context, version)
      const sensor = await test.connected({ cleanSession: false, tRetry: 8000 })
      const topic = `restart/${sensor.clientId}`
      await sensor.subscribe(topic, 2)
      await sensor.sleep(600)
      await office.publish(topic, 'before', { qos: 1 })
      await until(() => test.gateway.sessions.byClientId.get(sensor.clientId)?.downlink.queue.length === 1)
      const packets = record(sensor)
      await test.restart(async () => {
        await office.publish(topic, 'meanwhile 1', { qos: 1 })
        await office.publish(topic, 'meanwhile 2', { qos: 2 })
      })
      expect(test.stateOf(sensor)).toBe('asleep')
      await until(() => test.gateway.sessions.byClientId.get(sensor.clientId)?.downlink.queue.length === 3)
      expect(packets).toEqual([])
      await sensor.wake()
      expect(sensor.inbox.all.map(({ text }) => text)).toEqual(['before', 'meanwhile 1', 'meanwhile 2'])
      expect(packets.filter((packet) => /connect|subscribe/.test(packet))).toEqual([])
    },
  )

  it.for([
    ['3.1.1', false],
    ['3.1.1', true],
    ['5', false],
    ['5', true],
  ] as const)(
    'subscriptions of an active sensor deliver: MQTT %s, CleanSession %s [SN-SESS-10 in part]',
    async ([version, cleanSession], context) => {
      const { test, office } = await setUp(context, version)
      const sensor = await test.connected({ cleanSession, tRetry: 8000 })
      const topic = `restart/${sensor.clientId}`
      await sensor.subscribe(topic, 1)
      const packets = record(sensor)
      const isKept = version === '5' || !cleanSession
      await test.restart(async () => {
        if (isKept) await office.publish(topic, 'meanwhile')
      })
      await until(() => test.gateway.sessions.byClientId.get(sensor.clientId)?.link.state === 'up')
      await until(() => test.gateway.sessions.byClientId.get(sensor.clientId)?.link.restoring.size === 0)
      await office.publish(topic, 'after')
      const expected = isKept ? ['meanwhile', 'after'] : ['after']
      const got = await sensor.inbox.take(expected.length)
      expect(got.map(({ text }) => text)).toEqual(expected)
      expect(packets.filter((packet) => /connect|subscribe|register/.test(packet))).toEqual([])
    },
  )

  it.for(versions)(
    'the will of a sensor that fell silent meanwhile is published, once: MQTT %s [SN-WILL-6 in part]',
    async (version, context) => {
      const clientId = freshName()
      const { test, office } = await setUp(context, version, `will/${clientId}`)
      const will = { topic: `will/${clientId}`, message: 'gone', qos: 1 } as const
      const sensor = await test.connected({ clientId, keepAlive: 1, autoPing: false, will })
      await test.restart(async () => {
        sensor.close()
        await aWhile(2000)
        expect(office.inbox.all).toEqual([])
      })
      expect((await office.inbox.next()).text).toBe('gone')
      await until(() => !test.gateway.sessions.byClientId.has(clientId))
      await aWhile(300)
      expect(office.inbox.all).toHaveLength(1)
    },
  )

  it.for(versions)(
    'no will was published for sensors that go on, and nobody was told: MQTT %s [SN-SESS-10 in part]',
    async (version, context) => {
      const { test, office } = await setUp(context, version, 'will/#')
      const sensors = await Promise.all(
        [true, false].map((cleanSession) => {
          const clientId = freshName()
          const will = { topic: `will/${clientId}`, message: 'gone' }
          return test.connected({ clientId, cleanSession, will, tRetry: 8000 })
        }),
      )
      const told = sensors.map(record)
      await test.restart(() => aWhile(500))
      await until(() =>
        [...test.gateway.sessions.byClientId.values()].every(({ link }) => link.state === 'up'),
      )
      await aWhile()
      expect(office.inbox.all).toEqual([])
      expect(told).toEqual([[], []])
      for (const sensor of sensors) {
        await sensor.ping()
        expect(test.stateOf(sensor)).toBe('active')
      }
    },
  )
})

describe('the start with a store', () => {
  it('handles what sensors say while the store is read, as soon as it is', async ({ onTestFinished }) => {
    let loaded = () => {}
    const reading = new Promise<void>((resolve) => {
      loaded = resolve
    })
    async function* read() {
      await reading
      yield []
    }
    const store = { ...createMemoryStore(), load: read }
    const gateway = new Gateway(testConfig('embedded', {}), { store })
    const starting = gateway.start()
    onTestFinished(() => gateway.stop())
    await until(() => gateway.status().listeners.length === 1)
    const peer = await UdpPeer.open()
    onTestFinished(() => peer.close())
    const { port } = new URL(gateway.status().listeners[0]?.url ?? '')
    peer.remote = { address: '127.0.0.1', port: Number(port) }
    peer.send({ type: 'pingreq', clientId: null })
    await aWhile()
    expect(peer.heard).toEqual([])
    loaded()
    await starting
    expect(await peer.next()).toMatchObject({ type: 'disconnect' }) // to a stranger
  })

  it('fails clearly, without a word to broker or sensors, while another gateway has it', async ({
    onTestFinished,
  }) => {
    const broker = await startAedes()
    onTestFinished(() => broker.close())
    const test = await TestGateway.start(broker, { broker: { clientId: 'own' } }, { durable: true })
    onTestFinished(() => test.stop())
    const { path } = test.config.store
    const clients = () => broker.aedes.connectedClients
    const second = new Gateway(testConfig(broker, { store: { path }, broker: { clientId: 'own' } }))
    await expect(second.start()).rejects.toThrow(StoreError)
    expect(second.status().listeners).toEqual([])
    expect([clients(), test.gateway.isHealthy()]).toEqual([1, true])
  })
})

describe('the stop with a store', () => {
  it('does not wait for ever for a disk that does not answer, and tells sensors nothing', async ({
    onTestFinished,
  }) => {
    const broker = await startAedes()
    onTestFinished(() => broker.close())
    let stuck = false
    const memory = createMemoryStore()
    const store: Store = {
      ...memory,
      get written() {
        return memory.written
      },
      get durable() {
        return stuck ? 0 : memory.written
      },
      onDurable: (done) => {
        if (!stuck) memory.onDurable(done)
      },
      close: () => new Promise(() => {}),
    }
    const test = await TestGateway.start(broker, { store: { type: 'lmdb' } }, { store })
    onTestFinished(() => test.stop())
    const sensor = await test.connected()
    const packets = record(sensor)
    stuck = true
    const before = performance.now()
    await test.stopGateway()
    expect(performance.now() - before).toBeLessThan(9000)
    expect(packets).toEqual([])
    expect(broker.aedes.connectedClients).toBe(0)
  })
})
