// Sensors behind a forwarder: the address is forwarder and wireless node id together [5.5].

import { describe, expect, it } from 'vitest'
import { decodeFrame, encodeFrame, type Packet } from '../../src/codec/v1/frame.ts'
import { peerKey, roomFor, sourceOf } from '../../src/session/peers.ts'
import { fromHex, toHex } from '../codec/vectors.ts'
import { World, type WorldOptions } from '../support/world.ts'

const connack: Packet = { type: 'connack', returnCode: 0 }
const disconnect: Packet = { type: 'disconnect', duration: null }
const node = (hex: string): Uint8Array => fromHex(hex)

/** What the gateway sends in answer to one datagram of a forwarder, as octets. */
function exchange(world: World, hex: string, forwarder = '10.0.0.1'): string[] {
  const { packet, nodeId } = decodeFrame(fromHex(hex))
  if (packet.type === 'malformed') throw new Error(packet.reason)
  const start = world.effects.length
  world.sensor(forwarder, 5000, nodeId).send(packet)
  return world.effects
    .slice(start)
    .flatMap((effect) =>
      effect.type === 'send' ? [toHex(encodeFrame(effect.packet, effect.peer.nodeId))] : [],
    )
}

it('answers in an encapsulation for the same node [SN-FWD-3]', () => {
  const world = new World()
  expect(exchange(world, '05fe00123408040401003c6e31')).toEqual(['05fe001234030500'])
  expect(exchange(world, '05fe0012340216')).toEqual(['05fe0012340217'])
  expect(exchange(world, '05fe0012350216')).toEqual(['05fe0012350218'])
})

it('delivers in an encapsulation, to the node that subscribed [SN-FWD-3]', () => {
  const world = new World()
  const sensor = world.sensor('10.0.0.1', 5000, node('1234'))
  sensor.connect('n1')
  sensor.subscribe('d/a')
  world.publish('d/a', 'm')
  expect(world.effects.findLast(({ type }) => type === 'send')).toMatchObject({
    peer: { address: '10.0.0.1', nodeId: node('1234') },
    packet: { type: 'publish' },
  })
})

describe('the address of a node', () => {
  const places = [
    ['10.0.0.1', '1234'],
    ['10.0.0.1', '1235'],
    ['10.0.0.2', '1234'],
    ['10.0.0.1', '123400'],
    ['10.0.0.1', '12'],
  ] as const

  it('is forwarder and node id: two of either are two sensors [SN-FWD-4]', () => {
    const world = new World()
    const sensors = places.map(([address, nodeId], i) => {
      const sensor = world.sensor(address, 5000, node(nodeId))
      expect(sensor.connect(`n${i}`)).toEqual([connack])
      sensor.subscribe(`to/${i}`)
      return sensor
    })
    expect(world.sessions.byPeer.size).toBe(places.length)
    for (const i of places.keys()) world.publish(`to/${i}`, `${i}`)
    for (const [i, sensor] of sensors.entries()) {
      expect(sensor.take()).toMatchObject([{ type: 'publish', data: new TextEncoder().encode(`${i}`) }])
    }
  })

  it('is another than the address of the forwarder itself [SN-FWD-4]', () => {
    const world = new World()
    world.sensor('10.0.0.1', 5000).connect('plain')
    world.sensor('10.0.0.1', 5000, node('00')).connect('node')
    expect(world.sessions.byPeer.size).toBe(2)
    expect(world.session('plain').state).toBe('active')
  })

  it('has a key of its own for every listener, address, port and node [SN-FWD-4]', () => {
    const keys = new Set<string | number>()
    let count = 0
    for (const listener of [0, 1, 31])
      for (const address of ['0.0.0.0', '10.0.0.1', '10.0.1.0', '255.255.255.255', '::1', '::ffff:10.0.0.1'])
        for (const port of [1, 256, 65_535])
          for (const nodeId of [undefined, node('00'), node('0000'), node('10')]) {
            keys.add(peerKey(listener, address, port, nodeId))
            count += 1
          }
    expect(keys.size).toBe(count)
    for (const key of keys) if (typeof key === 'number') expect(Number.isSafeInteger(key)).toBe(true)
  })

  it('is the source that rates count for [SN-FWD-4, SN-UNK-3]', () => {
    const peer = new World().sensor('10.0.0.1', 5000, node('1234')).peer
    const other = new World().sensor('10.0.0.1', 5000, node('1235')).peer
    expect(sourceOf(peer)).not.toBe(sourceOf(other))
    expect(sourceOf({ ...peer, port: 5001 })).toBe(sourceOf(peer))
  })
})

describe('messages of a node', () => {
  const setup = (options: WorldOptions = {}) => {
    const world = new World({ predefined: { 7: 'pre/seven' }, ...options })
    return { world, sensor: world.sensor('10.0.0.1', 5000, node('1234')) }
  }

  it('may be SEARCHGW and QoS -1 without a connection [SN-FWD-5, SN-FWD-7 in part]', () => {
    const { world, sensor } = setup()
    sensor.send({ type: 'searchgw', radius: 1 })
    sensor.sendHex('080c61000700007a')
    expect(world.effects).toMatchObject([
      { type: 'gwinfo', peer: { nodeId: node('1234') }, radius: 1 },
      { type: 'publishAnonymous', topic: 'pre/seven' },
    ])
  })

  it('without a connection are told to connect [SN-FWD-5]', () => {
    const { sensor } = setup()
    expect(sensor.send({ type: 'pingreq', clientId: null })).toEqual([disconnect])
  })

  it('make it sleep, and wake by ClientId [SN-FWD-5]', () => {
    const { world, sensor } = setup()
    sensor.connect('n1')
    sensor.subscribe('d/a')
    expect(sensor.sleep(300)).toEqual([disconnect])
    world.publish('d/a', 'm')
    expect(sensor.take()).toEqual([])
    expect(sensor.wake('n1').map(({ type }) => type)).toEqual(['publish', 'pingresp'])
  })

  it.each([
    ['another node id', '10.0.0.1', '1299'],
    ['another forwarder', '10.0.0.2', '1234'],
    ['no forwarder', '10.0.0.3', undefined],
  ] as const)(
    'with a ClientId that reappears behind %s take the session over [SN-FWD-5, SN-CONN-11]',
    (_, address, id) => {
      const { world, sensor } = setup()
      sensor.connect('n1', { cleanSession: false })
      sensor.subscribe('d/a')
      const moved = world.sensor(address, 5000, id === undefined ? undefined : node(id))
      expect(moved.connect('n1', { cleanSession: false })).toEqual([connack])
      expect(sensor.take()).toEqual([disconnect])
      moved.subscribe('d/a')
      world.publish('d/a', 'm')
      expect([moved.take().length, sensor.take().length]).toEqual([1, 0])
    },
  )

  it.each([
    ['any', 'another forwarder', '10.0.0.2', '1234', true],
    ['any', 'no forwarder', '10.0.0.3', undefined, true],
    ['any', 'another node id', '10.0.0.1', '1299', true],
    ['port', 'another forwarder', '10.0.0.2', '1234', false],
    ['port', 'another node id', '10.0.0.1', '1299', false],
    ['off', 'another forwarder', '10.0.0.2', '1234', false],
  ] as const)('roaming "%s": waking behind %s [SN-FWD-5, SN-SLP-16]', (roaming, _, address, id, allowed) => {
    const { world, sensor } = setup({ roaming })
    sensor.connect('n1')
    sensor.sleep(300)
    const moved = world.sensor(address, 5000, id === undefined ? undefined : node(id))
    expect(moved.wake('n1')).toEqual([allowed ? { type: 'pingresp' } : disconnect])
    expect(world.session('n1').peer?.key).toBe((allowed ? moved : sensor).peer.key)
  })

  it('may come through another port of their forwarder [SN-FWD-5, SN-SLP-16]', () => {
    const { world, sensor } = setup({ roaming: 'port' })
    sensor.connect('n1')
    sensor.sleep(300)
    expect(world.sensor('10.0.0.1', 6000, node('1234')).wake('n1')).toEqual([{ type: 'pingresp' }])
  })
})

it('leaves room for the encapsulation in the largest message [SN-FWD-10]', () => {
  const world = new World({ maxMessage: 60 })
  const plain = world.sensor('10.0.0.1', 5000)
  const behind = world.sensor('10.0.0.2', 5000, node('1234'))
  expect([roomFor(plain.peer), roomFor(behind.peer)]).toEqual([60, 55])
  for (const [name, sensor] of [
    ['plain', plain],
    ['behind', behind],
  ] as const) {
    sensor.connect(name)
    sensor.subscribe('d/a')
  }
  const received = (octets: number) => {
    world.publish('d/a', new Uint8Array(octets))
    return [plain.take().length, behind.take().length]
  }
  expect([received(48), received(49), received(53), received(54)]).toEqual([
    [1, 1],
    [1, 0],
    [1, 0],
    [0, 0],
  ])
  for (const effect of world.effects) {
    if (effect.type !== 'send') continue
    expect(encodeFrame(effect.packet, effect.peer.nodeId).length).toBeLessThanOrEqual(60)
  }
})

it('leaves room for the encapsulation in REGISTER too [SN-FWD-10]', () => {
  const world = new World({ maxMessage: 60 })
  const sensor = world.sensor('10.0.0.2', 5000, node('1234'))
  sensor.connect('n1')
  sensor.subscribe('#', 1)
  world.publish('x'.repeat(49), 'm')
  expect(sensor.take()).toMatchObject([{ type: 'register' }])
  world.publish('x'.repeat(50), 'm')
  sensor.send({ type: 'regack', topicId: 1, msgId: 1, returnCode: 0 })
  expect(sensor.take()).toEqual([])
  expect(world.drops()).toEqual(['too-long'])
})
