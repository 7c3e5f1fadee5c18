// Which worker a datagram goes to, what it is told of addresses, and its part of the configuration.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these variables are filled in by the gateway

import { describe, expect, it } from 'vitest'
import { encode, encodeFrame, type Packet } from '../../src/codec/v1/frame.ts'
import { loadConfig } from '../../src/config/load.ts'
import { createSlotOf, namingOf } from '../../src/gateway/rules/naming.ts'
import { createSensorRules } from '../../src/gateway/rules/sensor-rules.ts'
import { peerKey } from '../../src/session/peers.ts'
import { createSession } from '../../src/session/session.ts'
import { Changes } from '../../src/store/changes.ts'
import { divideConfig } from '../../src/workers/divide-config.ts'
import { PeerTable } from '../../src/workers/peer-table.ts'
import { Routes } from '../../src/workers/routes.ts'
import { createOwners, workerOfName } from '../support/workers.ts'

const connect = (clientId: string): Packet => ({
  type: 'connect',
  will: false,
  cleanSession: true,
  protocolId: 1,
  duration: 60,
  clientId,
})
const publish: Packet = {
  type: 'publish',
  dup: false,
  qos: 1,
  retain: false,
  topicIdType: 'normal',
  topicId: 1,
  msgId: 1,
  data: new Uint8Array(300),
}
const HERE = '10.0.0.1'
const at = (address: string, port: number) => ({ address, port })
const plain = namingOf(loadConfig({ env: {} }).config)

describe('the parts of workers', () => {
  it('are about equal, for names that differ in little', () => {
    for (const workers of [2, 3, 4, 7, 16]) {
      for (const name of ['sensor-%', 'load%', '%', 'aa:bb:cc:00:00:%']) {
        const sizes = new Array<number>(workers).fill(0)
        for (let i = 0; i < 10_000; i += 1) {
          const worker = workerOfName(name.replace('%', String(i)), workers)
          sizes[worker] = (sizes[worker] ?? 0) + 1
        }
        // what `limits.sensors` allows one worker to be larger than its part
        expect(Math.max(...sizes)).toBeLessThan((1.25 * 10_000) / workers)
        expect(Math.min(...sizes)).toBeGreaterThan((0.75 * 10_000) / workers)
      }
    }
  })

  it('bring sensors together that would be the same client of the broker, and spread all others', () => {
    const sensors = [
      { match: 'key*', clientId: 'key' },
      { match: 'door*', clientId: 'site-${clientId}' },
    ]
    const { config } = loadConfig({ env: {}, overrides: { sensors } })
    const ownerOf = createOwners(namingOf(config), 16)
    const keys = Array.from({ length: 100 }, (_, i) => ownerOf(`key${i}`))
    expect(new Set([...keys, ownerOf('key')]).size).toBe(1)
    const doors = Array.from({ length: 100 }, (_, i) => [ownerOf(`door${i}`), ownerOf(`site-door${i}`)])
    for (const [owner, other] of doors) expect(owner).toBe(other)
    expect(new Set(doors.map(([owner]) => owner)).size).toBe(16)
    const createPlain = createOwners(plain, 16)
    for (const name of ['a', 'door1', 'key']) expect(createPlain(name)).toBe(workerOfName(name, 16))
  })

  it('divide what holds for all sensors, and only the first takes part in discovery', () => {
    const overrides = {
      listeners: [{ discovery: { group: '239.1.2.3' } }],
      limits: { sensors: 1000, totalQueuedMessages: 10 },
      broker: { url: 'embedded', clientId: 'gw' },
    }
    const { config } = loadConfig({ env: {}, overrides })
    const parts = [0, 1, 2].map((index) => divideConfig(config, index, 3, { url: 'mqtt://127.0.0.1:7' }))
    expect(parts.map(({ limits }) => [limits.sensors, limits.totalQueuedMessages])).toEqual(
      new Array(3).fill([417, 4]),
    )
    expect(parts.map(({ broker }) => [broker.url, broker.version, broker.clientId])).toEqual([
      ['mqtt://127.0.0.1:7', '3.1.1', 'gw'],
      ['mqtt://127.0.0.1:7', '3.1.1', 'gw-2'],
      ['mqtt://127.0.0.1:7', '3.1.1', 'gw-3'],
    ])
    expect(parts.map(({ listeners }) => listeners[0]?.discovery?.group)).toEqual([
      '239.1.2.3',
      undefined,
      undefined,
    ])
  })

  it('number their sessions in the store without meeting each other, whoever had it before', () => {
    const numberOf = (changes: Changes, clientId: string) => {
      changes.keep(clientId, 'lasting', { clientId } as never, true)
      return changes.takeGroup().map(({ entry }) => entry.number)[0]
    }
    const [a, b, c] = [0, 1, 2].map((index) => new Changes({ index, count: 3 }))
    if (a === undefined || b === undefined || c === undefined) throw new Error('there are three')
    for (const one of [a, b, c]) one.passOverNumber(7)
    const numbers = [a, b, c].flatMap((one) => [numberOf(one, 'x'), numberOf(one, 'y')])
    expect(numbers).toEqual([9, 12, 10, 13, 11, 14])
    const alone = new Changes()
    expect([numberOf(alone, 'x'), numberOf(alone, 'y')]).toEqual([1, 2])
  })
})

/** Asked in one step. */
class TestRoutes extends Routes {
  workerFor(...datagram: Parameters<Routes['slotFor']>): number {
    return this.workerOf(this.slotFor(...datagram))
  }
}

describe('a datagram goes', () => {
  const workers = 5
  const named = (worker: number) => {
    for (let i = 0; ; i += 1) if (workerOfName(`s${i}`, workers) === worker) return `s${i}`
  }
  const node = Uint8Array.of(1, 2)

  it('by ClientId where it carries one: CONNECT and PINGREQ, from wherever they come [SN-CONN-11, SN-SLP-16 in part]', () => {
    const routes = new TestRoutes(workers, createSlotOf(plain))
    for (let worker = 0; worker < workers; worker += 1) {
      const clientId = named(worker)
      for (const packet of [connect(clientId), { type: 'pingreq', clientId } as const]) {
        expect(routes.workerFor(0, encode(packet), at(HERE, worker))).toBe(worker)
        expect(routes.workerFor(3, encodeFrame(packet, node), at('::1', 7))).toBe(worker)
      }
    }
  })

  it('by address otherwise, as long as a sensor is there; each node behind a forwarder for itself [SN-FWD-4 in part]', () => {
    const routes = new TestRoutes(workers, createSlotOf(plain))
    const stranger = routes.workerFor(0, encode(publish), at(HERE, 7))
    const elsewhere = (stranger + 1) % workers
    const third = (stranger + 2) % workers
    expect(routes.bind(peerKey(0, HERE, 7, undefined), elsewhere)).toBeUndefined()
    expect(routes.bind(peerKey(0, HERE, 7, node), third)).toBeUndefined()
    expect(routes.workerFor(0, encode(publish), at(HERE, 7))).toBe(elsewhere)
    expect(routes.workerFor(0, encodeFrame(publish, node), at(HERE, 7))).toBe(third)
    expect(routes.workerFor(0, encode({ type: 'pingreq', clientId: null }), at(HERE, 7))).toBe(elsewhere)
    expect(routes.workerFor(1, encode(publish), at(HERE, 7))).toBe(stranger)
    expect(routes.workerFor(0, encode(publish), at(HERE, 8))).toBe(stranger)
    // another worker's sensor takes the address: whoever had it is named, and cannot give it away any more
    expect(routes.bind(peerKey(0, HERE, 7, undefined), third)).toBe(elsewhere)
    routes.unbind(peerKey(0, HERE, 7, undefined), elsewhere)
    expect(routes.workerFor(0, encode(publish), at(HERE, 7))).toBe(third)
    routes.unbind(peerKey(0, HERE, 7, undefined), third)
    expect(routes.workerFor(0, encode(publish), at(HERE, 7))).toBe(stranger)
  })

  it('to the worker of a sensor that has just named itself, before that has answered [SN-SLP-16 in part]', () => {
    const routes = new TestRoutes(workers, createSlotOf(plain))
    const stranger = routes.workerFor(0, encode(publish), at(HERE, 7))
    const worker = (stranger + 1) % workers
    routes.workerFor(0, encode({ type: 'pingreq', clientId: named(worker) }), at(HERE, 7))
    expect(routes.workerFor(0, encode(publish), at(HERE, 7))).toBe(worker)
    expect(routes.workerFor(0, encode(publish), at(HERE, 8))).toBe(stranger)
    // nobody can make it remember more than it wants
    for (let port = 1000; port < 10_000; port += 1)
      routes.workerFor(0, encode(connect(named(0))), at('10.0.0.2', port))
    expect(routes.workerFor(0, encode(publish), at(HERE, 7))).toBe(stranger)
  })

  it('to the first worker where it is about the gateway, and somewhere even when it is nonsense', () => {
    const routes = new TestRoutes(workers, createSlotOf(plain))
    const about: Packet[] = [
      { type: 'searchgw', radius: 1 },
      { type: 'advertise', gwId: 1, duration: 900 },
      { type: 'gwinfo', gwId: 1, gwAdd: new Uint8Array() },
    ]
    for (let port = 0; port < 20; port += 1) {
      for (const packet of about) {
        expect(routes.workerFor(0, encode(packet), at(`10.0.0.${port}`, port))).toBe(0)
        expect(routes.workerFor(0, encodeFrame(packet, node), at(`10.0.0.${port}`, port))).toBe(0)
      }
    }
    for (const hex of ['', '00', '01', '0100', '03fe', '04fe0001', '0204', '0304ff', '05fe000000']) {
      const worker = routes.workerFor(0, Buffer.from(hex, 'hex'), at(HERE, 7))
      expect(worker).toBeGreaterThanOrEqual(0)
      expect(worker).toBeLessThan(workers)
    }
  })
})

describe('a table of addresses', () => {
  it('tells who has come and gone, once, so that gone before come gives the truth', () => {
    const { env } = createSensorRules(loadConfig({ env: {} }).config, Math.random)
    const [a, b] = ['a', 'b'].map((clientId) => createSession(clientId, env))
    if (a === undefined || b === undefined) throw new Error('there are two')
    const table = new PeerTable(() => 7)
    let told = 0
    table.onChange = () => {
      told += 1
    }
    table.set(1, a)
    table.set(1, a)
    table.set(2, a)
    table.delete(2)
    table.delete(3)
    table.delete(1)
    table.set(1, b)
    expect(table.take()).toEqual({ unbound: [2, 1], bound: [{ key: 1, clientId: 'b', slot: 7 }] })
    expect(told).toBe(5)
    expect(table.take()).toEqual({ unbound: [], bound: [] })
  })

  it('tells that a sensor has gone when that is durable, and not if another one is there by then', () => {
    const { env } = createSensorRules(loadConfig({ env: {} }).config, Math.random)
    const [a, b] = ['a', 'b'].map((clientId) => createSession(clientId, env))
    if (a === undefined || b === undefined) throw new Error('there are two')
    const table = new PeerTable(() => 7)
    const waiting: (() => void)[] = []
    const writing = { isDurable: false, whenDurable: (done: () => void) => void waiting.push(done) }
    const settle = () => waiting.shift()?.()
    table.writing = writing
    let told = 0
    table.onChange = () => {
      told += 1
    }
    for (const key of [1, 2, 3]) table.set(key, a)
    table.take()
    for (const key of [1, 2, 3]) table.delete(key)
    expect(table.take().unbound).toEqual([])
    table.set(2, b)
    table.set(3, b)
    table.delete(3)
    expect(table.take()).toEqual({ unbound: [], bound: [{ key: 2, clientId: 'b', slot: 7 }] })
    expect(told).toBe(9)
    settle() // what the first sensor has left behind
    expect(told).toBe(10)
    expect(table.take().unbound).toEqual([1])
    settle()
    expect(table.take().unbound).toEqual([3])
    writing.isDurable = true
    table.delete(2)
    expect(table.take().unbound).toEqual([2])
  })
})
