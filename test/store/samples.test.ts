// Stores that earlier editions have written open, and everything in them goes on. `samples/<version>/data.mdb.gz` is the data
// file of a gateway of that version with real sensors and Mosquitto: its broker was killed first, then it was stopped.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Packet, Publish } from '../../src/codec/v1/messages.ts'
import { openLmdbStore } from '../../src/store/lmdb/lmdb.ts'
import { type Broker, haveMosquitto, startAedes, startMosquitto } from '../support/broker.ts'
import { Office, TestGateway, until } from '../support/gateway.ts'
import type { UdpPeer } from '../support/sensor.ts'
import { durable } from './contract.ts'
import { loaded } from './sessions.ts'

/** When the sample of 0.1.0 was written. */
const WRITTEN = Date.parse('2026-11-28T17:54:45.177Z')
const NODE = Uint8Array.of(0xca, 0xfe)
/** the topic ids that the gateway gave, and sensors still use */
const IDS = { asleep: 46_987, active: 60_422, activeIn: 60_423, gone: 27_135, clean: 23_463, stored: 57_318 }
const octets = (text: string) => new Uint8Array(Buffer.from(text))

/** Unpacks a sample; the folder is removed at the end of the test. */
async function unpacked(version: string): Promise<string> {
  const base = await mkdtemp(join(tmpdir(), 'mqttsn-sample-'))
  onTestFinished(() => rm(base, { recursive: true, force: true }))
  const folder = join(base, 'state')
  mkdirSync(folder)
  const sample = new URL(`samples/${version}/data.mdb.gz`, import.meta.url)
  writeFileSync(join(folder, 'data.mdb'), gunzipSync(readFileSync(sample)))
  writeFileSync(join(folder, 'about.txt'), 'Sessions of sensors.\n')
  return folder
}

/** Sets the wall clock to a minute after the sample was written: no session, message or sleep in it is over. */
function setClockBack(): void {
  const now = Date.now
  const shift = WRITTEN + 60_000 - now()
  const clock = vi.spyOn(Date, 'now').mockImplementation(() => now() + shift)
  onTestFinished(() => clock.mockRestore())
}

/** A sensor that acknowledges all it gets, and learns every topic it is told. */
async function sensorOf(test: TestGateway, clientId: string, nodeId?: Uint8Array) {
  const peer: UdpPeer = await test.peer()
  const names = new Map<number, string>()
  peer.script = (packet) => {
    if (packet.type === 'pubrel') return [{ type: 'pubcomp', msgId: packet.msgId }]
    if (packet.type === 'register') {
      const { topicId, msgId, topicName } = packet
      names.set(topicId, topicName)
      return [{ type: 'regack', topicId, msgId, returnCode: 0 }]
    }
    if (packet.type !== 'publish' || packet.qos === 0) return []
    const { msgId, topicId, qos } = packet
    return [qos === 1 ? { type: 'puback', topicId, msgId, returnCode: 0 } : { type: 'pubrec', msgId }]
  }
  const send = (packet: Packet) => peer.send(packet, nodeId)
  return {
    peer,
    names,
    send,
    /** It wakes, or shows that it is there, from an address that the gateway does not know yet. */
    async ping(): Promise<void> {
      send({ type: 'pingreq', clientId })
      await peer.next('pingresp')
    },
    publish: (topicId: number, msgId: number, text: string) =>
      send({
        type: 'publish',
        dup: false,
        qos: 1,
        retain: false,
        topicIdType: 'normal',
        topicId,
        msgId,
        data: octets(text),
      }),
    /** texts of the messages it got so far, each with its QoS */
    got: () =>
      peer.heard
        .map(({ packet }) => packet)
        .filter((packet): packet is Publish => packet.type === 'publish')
        .map(({ data, qos }) => `${Buffer.from(data)}, QoS ${qos}`),
  }
}

/** A gateway of today on an unpacked sample, at a broker that knows nothing of its sensors. */
async function reopened(version: string, broker: Broker) {
  onTestFinished(() => broker.close())
  const folder = await unpacked(version)
  setClockBack()
  const office = await Office.at(broker, 'plant/#')
  onTestFinished(() => office.close())
  const test = await TestGateway.start(broker, {
    listeners: [{ name: 'field', url: 'udp://127.0.0.1:0', forwarders: ['127.0.0.1'], roaming: 'any' }],
    store: { type: 'lmdb', path: folder },
    sensors: [{ match: 'stored-*', ack: 'store' }, { match: '*' }],
    predefined: { '7': 'plant/alarm' },
  })
  onTestFinished(() => test.stop())
  return { test, office }
}

/** The same at Aedes. `subscribed` waits until the gateway has subscribed to these filters again. */
async function reopenedAtAedes(version: string) {
  const broker = await startAedes()
  const filters = new Set<string>()
  broker.aedes.on('subscribe', (subscriptions) => {
    for (const { topic } of subscriptions) filters.add(topic)
  })
  const subscribed = (...wanted: string[]) => until(() => wanted.every((filter) => filters.has(filter)))
  return { ...(await reopened(version, broker)), subscribed }
}

describe('a store written by 0.1.0 opens and goes on', () => {
  it('with every record as it was written [SN-SESS-10 in part]', async () => {
    setClockBack()
    const store = await openLmdbStore({ path: await unpacked('0.1.0') })
    onTestFinished(() => store.close())
    const sessions = new Map((await loaded(store)).map((one) => [one.record.lasting.clientId, one]))
    expect([...sessions.keys()].sort()).toEqual(['active', 'asleep', 'clean', 'gone', 'stored-1'])
    expect(sessions.get('active')?.record).toMatchObject({
      lasting: {
        cleanSession: false,
        keepAlive: 65_535,
        will: {
          topic: { name: 'plant/will/active', qos: 1, retain: true },
          message: octets('gone ✓'),
        },
        topics: {
          names: [
            [IDS.active, 'plant/active/out'],
            [IDS.activeIn, 'plant/active/in'],
            [60_424, 'plant/refused/x'],
          ],
          confirmed: [IDS.active, IDS.activeIn],
          learned: [IDS.active, IDS.activeIn],
          suppressed: ['plant/refused/x'],
          next: 60_425,
        },
        subscriptions: [
          ['plant/active/in', { qos: 2, topicIdType: 'normal', topicId: IDS.activeIn }],
          ['plant/alarm', { qos: 1, topicIdType: 'predefined', topicId: 7 }],
          ['plant/refused/+', { qos: 1, topicIdType: 'normal', topicId: 0 }],
        ],
      },
      progress: {
        state: 'active',
        established: true,
        peer: { listener: 'field', address: '127.0.0.1', port: 41_743, nodeId: NODE },
        releasing: 2,
        received: [40_000],
        nextToken: 4,
        nextMessage: 3,
      },
    })
    expect(sessions.get('asleep')?.record).toMatchObject({
      lasting: { will: { topic: { name: 'plant/will/asleep', qos: 1, retain: true } } },
      progress: { state: 'asleep', sleep: 65_535, nextMessage: 6 },
    })
    expect(sessions.get('gone')?.record.progress).toMatchObject({ state: 'disconnected', peer: undefined })
    expect(sessions.get('clean')?.record.lasting).toMatchObject({ cleanSession: true })
    for (const { record } of sessions.values()) {
      expect(WRITTEN - record.progress.heardAt).toBeGreaterThan(0)
      expect(WRITTEN - record.progress.heardAt).toBeLessThan(5000)
    }
    const messages = sessions.get('asleep')?.messages ?? []
    expect(messages.map(({ payload, qos }) => `${Buffer.from(payload)}, QoS ${qos}`)).toEqual([
      'queued at 1, QoS 1',
      'queued at 2, QoS 2',
      'queued under a wildcard, QoS 1',
      'queued for ten days, QoS 1',
    ])
    const left = messages.map(({ expiresAt }) => expiresAt && (expiresAt - performance.now()) / 86_400_000)
    expect(left).toEqual([undefined, undefined, undefined, expect.closeTo(10, 2)])
  })

  it('with the changes that are written to it now', async () => {
    const path = await unpacked('0.1.0')
    setClockBack()
    const before = await openLmdbStore({ path })
    await loaded(before)
    before.forget('gone')
    before.dropMessage('asleep', 2)
    before.dropUplink('stored-1', 1)
    await durable(before)
    await before.close()
    const after = await openLmdbStore({ path })
    onTestFinished(() => after.close())
    const sessions = await loaded(after)
    expect(sessions.map(({ record }) => record.lasting.clientId)).toEqual([
      'asleep',
      'active',
      'clean',
      'stored-1',
    ])
    expect(sessions.map(({ messages, uplinks }) => [messages.length, uplinks.length])).toEqual([
      [3, 0],
      [0, 0],
      [0, 0],
      [0, 2],
    ])
  })

  it.skipIf(!haveMosquitto)(
    'the broker gets what was acknowledged before, once and in order, and QoS 2 comes to its end [SN-SESS-10 in part]',
    async () => {
      const { test, office } = await reopened('0.1.0', await startMosquitto())
      const got = await office.inbox.take(3)
      expect(got.map(({ topic, text, qos }) => [topic, text, qos])).toEqual([
        ['plant/stored/out', 'spooled at 1', 1],
        ['plant/stored/out', 'spooled at 2, released', 2],
        ['plant/stored/out', 'spooled at 2, half-way', 2],
      ])
      const sensor = await sensorOf(test, 'stored-1')
      await sensor.ping()
      sensor.send({ type: 'pubrel', msgId: 13 })
      expect(await sensor.peer.next('pubcomp')).toMatchObject({ msgId: 13 })
      await test.restart()
      sensor.publish(IDS.stored, 14, 'after')
      expect(await sensor.peer.next('puback')).toMatchObject({ msgId: 14, returnCode: 0 })
      expect((await office.inbox.next()).text).toBe('after')
      expect(office.inbox.all).toHaveLength(4)
    },
  )

  it('a sleeping sensor finds its messages when it wakes, and what comes later [SN-SLP-5] [SN-SESS-10 in part]', async () => {
    const { test, office, subscribed } = await reopenedAtAedes('0.1.0')
    expect(test.stateOf({ clientId: 'asleep' })).toBe('asleep')
    const sensor = await sensorOf(test, 'asleep')
    await sensor.ping()
    const queued = [
      'queued at 1, QoS 1',
      'queued at 2, QoS 2',
      'queued under a wildcard, QoS 1',
      'queued for ten days, QoS 1',
    ]
    expect(sensor.got()).toEqual(queued)
    expect([...sensor.names.values()]).toEqual(['plant/asleep/any/1'])
    await subscribed('plant/asleep/in', 'plant/asleep/any/#', 'xy')
    await test.restart()
    await office.publish('plant/asleep/in', 'later')
    const later = [...queued, 'later, QoS 1']
    while (sensor.got().length < later.length) await sensor.ping()
    expect(sensor.got()).toEqual(later)
  })

  it('an active sensor behind a forwarder uses its topic ids in both directions [SN-REG-8] [SN-FWD-4] [SN-SESS-10 in part]', async () => {
    const { test, office, subscribed } = await reopenedAtAedes('0.1.0')
    expect(test.stateOf({ clientId: 'active' })).toBe('active')
    const sensor = await sensorOf(test, 'active', NODE)
    await sensor.ping()
    expect(await sensor.peer.next('pubrel')).toMatchObject({ msgId: 2 }) // of the message that was half-way down
    sensor.publish(IDS.active, 21, 'upwards')
    expect(await sensor.peer.next('puback')).toMatchObject({ topicId: IDS.active, msgId: 21, returnCode: 0 })
    await until(() =>
      office.inbox.all.some(({ topic, text }) => `${topic} ${text}` === 'plant/active/out upwards'),
    )
    await subscribed('plant/active/in', 'plant/alarm', 'plant/refused/+')
    await office.publish('plant/refused/x', 'still unwanted')
    await office.publish('plant/active/in', 'downwards', { qos: 2 })
    await office.publish('plant/alarm', 'fire')
    expect(await sensor.peer.next('publish')).toMatchObject({ topicId: IDS.activeIn, qos: 2 })
    expect(await sensor.peer.next('publish')).toMatchObject({ topicId: 7, topicIdType: 'predefined' })
    expect(sensor.got()).toEqual(['downwards, QoS 2', 'fire, QoS 1'])
  })

  it('an active sensor of a clean session hears its topic, without a word of its own [SN-SESS-10 in part]', async () => {
    const { test, office, subscribed } = await reopenedAtAedes('0.1.0')
    const sensor = await sensorOf(test, 'clean')
    await sensor.ping()
    await subscribed('plant/clean/in')
    await office.publish('plant/clean/in', 'hello')
    expect(await sensor.peer.next('publish')).toMatchObject({ topicId: IDS.clean, qos: 0 })
    expect(sensor.got()).toEqual(['hello, QoS 0'])
  })

  it('a sensor that was away finds its subscription and its topic id when it connects [SN-SESS-10 in part]', async () => {
    const { test, office, subscribed } = await reopenedAtAedes('0.1.0')
    const sensor = await sensorOf(test, 'gone')
    sensor.send({
      type: 'connect',
      will: false,
      cleanSession: false,
      protocolId: 1,
      duration: 60,
      clientId: 'gone',
    })
    expect(await sensor.peer.next('connack')).toMatchObject({ returnCode: 0 })
    await subscribed('plant/gone/in')
    await office.publish('plant/gone/in', 'welcome back')
    expect(await sensor.peer.next('publish')).toMatchObject({ topicId: IDS.gone, qos: 1 })
    expect(sensor.got()).toEqual(['welcome back, QoS 1'])
  })
})
