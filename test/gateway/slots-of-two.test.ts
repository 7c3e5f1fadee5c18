// Two gateways on one store, behind a balancer: slots go from one to the other while sensors speak.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, type TestContext } from 'vitest'
import { decodeFrame } from '../../src/codec/v1/frame.ts'
import { Gateway } from '../../src/gateway/gateway.ts'
import { createSlotOf, namingOf } from '../../src/gateway/rules/naming.ts'
import type { Leaving } from '../../src/sessions/ownership/let-go.ts'
import { allSlots } from '../../src/sessions/slots.ts'
import { openLmdbStore } from '../../src/store/lmdb/lmdb.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { type Store, StoreError } from '../../src/store/store.ts'
import { Balancer } from '../support/balancer.ts'
import { haveMosquitto, startMosquitto } from '../support/broker.ts'
import { aWhile, freshName, Office, TestSensor, testConfig, until } from '../support/gateway.ts'

const kinds = ['memory', 'lmdb'] as const

/** The same store, but for some of its methods. */
const changed = (store: Store, methods: Partial<Store>): Store =>
  new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(name in methods ? methods : target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })

/** Two gateways, the first of which has all slots; `kind`: of the store, which both of them use. */
async function pair(
  { onTestFinished }: TestContext,
  kind: (typeof kinds)[number] = 'memory',
  broker: object = {},
) {
  const mosquitto = await startMosquitto()
  onTestFinished(() => mosquitto.close())
  const folder = mkdtempSync(join(tmpdir(), 'mqttsn-state-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const config = testConfig(mosquitto, {
    listeners: [{ url: 'udp://127.0.0.1:0', name: 'sensors' }],
    store: { type: 'lmdb', path: folder },
    broker,
  })
  const slotOf = createSlotOf(namingOf(config))
  const inner =
    kind === 'memory' ? createMemoryStore({ slotOf }) : await openLmdbStore({ path: folder, slotOf })
  onTestFinished(() => inner.close())
  const start = async (clientId: string, slots: readonly number[], store = inner) => {
    const own = { ...config, broker: { ...config.broker, clientId: `${freshName()}-${clientId}` } }
    const gateway = new Gateway(own, { store: changed(store, { close: async () => {} }) })
    await gateway.prepare(slots)
    gateway.serve()
    onTestFinished(() => gateway.stop())
    await until(() => gateway.status().broker.healthy)
    return { gateway, port: Number(new URL(gateway.status().listeners[0]?.url ?? '').port) }
  }
  const [a, b] = [await start('a', allSlots), await start('b', [])]
  /** where the balancer sends each slot; all sensors of a test are in slots of their own */
  const owners = new Map<number, typeof a>()
  const slotOfSensor = new Map<number, number>()
  const balancer = await Balancer.open((sensor, bytes) => {
    const { packet } = decodeFrame(bytes)
    if (packet.type === 'connect') slotOfSensor.set(sensor, slotOf(packet.clientId))
    return (owners.get(slotOfSensor.get(sensor) ?? -1) ?? a).port
  })
  onTestFinished(() => balancer.close())
  const route = (slots: readonly number[], to: typeof a) => {
    for (const slot of slots) owners.set(slot, to)
  }
  const move = async (slots: readonly number[], from: typeof a, to: typeof a, how: Leaving = 'closing') => {
    const left = from.gateway.release(slots, how)
    route(slots, to)
    await left
    await to.gateway.adopt(slots)
  }
  const connected = async (options: object = {}) => {
    const sensor = new TestSensor({ gateway: balancer.url, clientId: freshName(), tRetry: 1000, ...options })
    onTestFinished(() => sensor.close())
    await sensor.connect()
    return sensor
  }
  const office = async (...filters: string[]) => {
    const one = await Office.at(mosquitto, ...filters)
    onTestFinished(() => one.close())
    return one
  }
  return { a, b, route, move, connected, office, slotOf, start, mosquitto, inner }
}

/** What it sends and receives from now on that it would not if nothing had happened. */
function surprises(sensor: TestSensor): string[] {
  const packets: string[] = []
  sensor.on('packet', (direction, { type }) => {
    if (/connect|register|subscribe|suback|connack|will/.test(type)) packets.push(`${direction} ${type}`)
  })
  return packets
}

describe.skipIf(!haveMosquitto)('a slot that goes from one gateway to another', { concurrent: true }, () => {
  it.for(kinds)(
    'takes topic ids, subscriptions, waiting messages and sleep along: store in %s',
    async (kind, context) => {
      const { a, b, move, connected, office, slotOf } = await pair(context, kind)
      const topic = `two/${freshName()}`
      const [awake, sleeper] = [
        await connected({ cleanSession: false }),
        await connected({ cleanSession: false }),
      ]
      const someone = await office(topic)
      await awake.publish(topic, 'at a', { qos: 1 })
      for (const sensor of [awake, sleeper]) await sensor.subscribe(`${topic}/${sensor.clientId}`, 2)
      await sleeper.sleep(600)
      await someone.publish(`${topic}/${sleeper.clientId}`, 'before')
      const queue = ({ gateway }: typeof a) =>
        gateway.sessions.byClientId.get(sleeper.clientId)?.downlink.queue.length
      await until(() => queue(a) === 1)
      const seen = [awake, sleeper].map(surprises)
      await move([slotOf(awake.clientId), slotOf(sleeper.clientId)], a, b)
      expect([a.gateway.sessions.byClientId.size, b.gateway.sessions.byClientId.size]).toEqual([0, 2])
      await someone.publish(`${topic}/${sleeper.clientId}`, 'after', { qos: 2 })
      await someone.publish(`${topic}/${awake.clientId}`, 'down', { qos: 2 })
      for (const qos of [0, 1, 2] as const) await awake.publish(topic, `at b ${qos}`, { qos })
      expect((await awake.inbox.next()).text).toBe('down')
      await until(() => queue(b) === 2)
      await sleeper.wake()
      expect(sleeper.inbox.all.map(({ text }) => text)).toEqual(['before', 'after'])
      await until(() => someone.inbox.all.length === 4)
      expect(someone.inbox.all.map(({ text }) => text)).toEqual(['at a', 'at b 0', 'at b 1', 'at b 2'])
      expect(seen).toEqual([[], []])
    },
  )

  it('is not said goodbye to by one that was deposed: nothing is said, nothing written, and no will comes', async (context) => {
    const { a, b, move, connected, office, slotOf, inner } = await pair(context)
    const topic = `two/${freshName()}`
    const someone = await office(topic, `${topic}/will`)
    const sensor = await connected({ will: { topic: `${topic}/will`, message: 'gone' }, cleanSession: false })
    await sensor.publish(topic, 'at a', { qos: 1 })
    await someone.inbox.next()
    const heard = surprises(sensor)
    const { written } = inner
    const counted = { ...a.gateway.status().counters }
    const moved = move([slotOf(sensor.clientId)], a, b, 'deposed')
    expect(a.gateway.sessions.byClientId.size).toBe(0)
    expect([inner.written, a.gateway.status().counters.sentDatagrams]).toEqual([
      written,
      counted.sentDatagrams,
    ])
    await moved
    await sensor.publish(topic, 'at b', { qos: 2 })
    expect((await someone.inbox.next()).text).toBe('at b')
    await aWhile(500)
    expect([someone.inbox.all.length, heard]).toEqual([2, []])
  })

  it('is served where it comes to while it is loaded: what sensors say meanwhile is held, in order', async (context) => {
    const { a, route, connected, office, slotOf, inner, start } = await pair(context)
    const topic = `two/${freshName()}`
    const someone = await office(topic)
    let open = () => {}
    const opened = new Promise<void>((resolve) => {
      open = resolve
    })
    const slow = changed(inner, {
      async *load(slots) {
        await opened
        yield* inner.load(slots)
      },
    })
    const c = await start('c', [], slow)
    const sensor = await connected({ tRetry: 8000, cleanSession: false })
    await sensor.publish(topic, 'first', { qos: 1 })
    const slots = [slotOf(sensor.clientId)]
    const seen = surprises(sensor)
    await a.gateway.release(slots, 'closing')
    const loading = c.gateway.adopt(slots)
    route(slots, c)
    const saying = (async () => {
      await sensor.publish(topic, 'held 0', { qos: 0 })
      await sensor.publish(topic, 'held 1', { qos: 1 })
      await sensor.publish(topic, 'held 2', { qos: 2 })
    })()
    await aWhile(200)
    expect(c.gateway.status().counters.received).toEqual({})
    open()
    await Promise.all([loading, saying])
    await until(() => someone.inbox.all.length === 4)
    expect(someone.inbox.all.map(({ text }) => text)).toEqual(['first', 'held 0', 'held 1', 'held 2'])
    expect(c.gateway.status().counters.dropped).toEqual({})
    expect(seen).toEqual([])
  })

  it('of which nothing could be loaded is served by nobody, and may be tried again', async (context) => {
    const { a, connected, slotOf, inner, start } = await pair(context)
    let isBroken = true
    const broken = changed(inner, {
      async *load(slots) {
        yield* inner.load(slots)
        if (isBroken) throw new StoreError('the disk is broken')
      },
    })
    const c = await start('c', [], broken)
    const sensor = await connected({ cleanSession: false })
    const slots = [slotOf(sensor.clientId)]
    await a.gateway.release(slots, 'closing')
    await expect(c.gateway.adopt(slots)).rejects.toThrow('the disk is broken')
    expect([c.gateway.sessions.byClientId.size, c.gateway.sessions.byPeer.size]).toEqual([0, 0])
    isBroken = false
    await c.gateway.adopt(slots)
    expect(c.gateway.sessions.byClientId.get(sensor.clientId)?.state).toBe('active')
  })

  it('stays where it is if the store cannot write: its sensors are served on', async (context) => {
    const { connected, office, slotOf, inner, start, a, route } = await pair(context)
    let isBroken = false
    const broken = changed(inner, {
      get written() {
        return inner.written + (isBroken ? 1 : 0)
      },
      onDurable: (done) => inner.onDurable(() => done(isBroken ? new Error('the disk is full') : undefined)),
    })
    const c = await start('c', [], broken)
    const topic = `two/${freshName()}`
    const someone = await office(topic)
    const sensor = await connected({ cleanSession: false })
    await sensor.publish(topic, 'first', { qos: 1 })
    const slots = [slotOf(sensor.clientId)]
    await a.gateway.release(slots, 'closing')
    await c.gateway.adopt(slots)
    route(slots, c)
    const heard = surprises(sensor)
    isBroken = true
    await expect(c.gateway.release(slots, 'closing')).rejects.toThrow('cannot write')
    await sensor.publish(topic, 'still here', { qos: 1 })
    expect((await someone.inbox.take(2)).map(({ text }) => text)).toEqual(['first', 'still here'])
    isBroken = false
    await c.gateway.release(slots, 'closing')
    expect([c.gateway.sessions.byClientId.size, heard]).toEqual([0, []])
  })
})
