// PUBLISH with QoS -1: from anybody, to predefined ids and short names, never answered [6.8, 7.1].

import { expect, it } from 'vitest'
import { World } from '../support/world.ts'

/** "ab" */
const short = 0x6162
const toShort = { qos: -1, topicIdType: 'short' } as const
const toPredefined = { qos: -1, topicIdType: 'predefined' } as const

it.each([
  ['a short name', short, toShort, 'ab'],
  ['a predefined id', 7, toPredefined, 'pre/seven'],
] as const)(
  'forwards QoS -1 to %s from an address never heard of, at QoS 0, without an answer [SN-QM1-1, SN-QM1-2, SN-QM1-5]',
  (_, id, options, topic) => {
    const world = new World({ predefined: { 7: 'pre/seven' } })
    expect(world.sensor().publish(id, '21', options)).toEqual([])
    expect(world.broker.published).toMatchObject([{ topic, qos: 0, from: 'gateway' }])
    expect(world.sessions.byClientId.size).toBe(0)
  },
)

it('takes the octets of the short form [SN-QM1-1]', () => {
  const world = new World()
  world.sensor().sendHex('080c62616200007a')
  expect(world.happened()).toEqual([
    'sensor → PUBLISH qos -1 short topic, "z"',
    'gateway → broker (own connection) PUBLISH ab "z"',
  ])
})

it('uses the connection of the gateway itself, and opens none for the sender [SN-QM1-4]', () => {
  const world = new World()
  world.sensor().publish(short, '21', toShort)
  expect(world.effects).toMatchObject([{ type: 'publishAnonymous', topic: 'ab' }])
  expect(world.broker.connects).toBe(0)
})

it('discards it silently when it is switched off, from strangers and from sensors [SN-QM1-1]', () => {
  const world = new World({ qosMinusOne: { enabled: false } })
  const sensor = world.sensor()
  expect(sensor.publish(short, '21', toShort)).toEqual([])
  sensor.connect('dev1')
  expect(sensor.publish(short, '21', toShort)).toEqual([])
  expect(world.broker.published).toEqual([])
  expect(world.drops()).toEqual(['not-allowed', 'not-allowed'])
})

it.each([
  ['a normal id', 'normal', 1],
  ['the reserved topic id type', 'reserved', 1],
  ['an unknown predefined id', 'predefined', 9],
  ['an impossible short name', 'short', 0x612b],
] as const)('discards %s silently, connected or not [SN-QM1-2, SN-QM1-3, SN-QM1-7]', (_, topicIdType, id) => {
  const world = new World()
  const sensor = world.sensor()
  expect(sensor.publish(id, '21', { qos: -1, topicIdType })).toEqual([])
  sensor.connect('dev1')
  sensor.register('t/temp') // id 1, but not for QoS -1
  expect(sensor.publish(id, '21', { qos: -1, topicIdType })).toEqual([])
  expect(world.broker.published).toEqual([])
  expect(world.drops()).toEqual(['invalid-topic', 'invalid-topic'])
})

it('passes retain on, unless configured not to, and ignores DUP [SN-QM1-6]', () => {
  for (const retain of [true, false]) {
    const world = new World({ qosMinusOne: { retain } })
    const sensor = world.sensor()
    sensor.publish(short, '21', { ...toShort, retain: true, dup: true })
    sensor.connect('dev1')
    sensor.publish(short, '22', { ...toShort, retain: true })
    expect(world.broker.published.map((message) => message.retain)).toEqual([retain, retain])
  }
})

it('knows only the global table for strangers, and the own table of a connected sensor [SN-QM1-7]', () => {
  const own = { byId: new Map([[3, 'own/three']]), byName: new Map([['own/three', 3]]) }
  const world = new World({ predefined: { 7: 'pre/seven' }, policy: () => ({ predefined: own }) })
  const sensor = world.sensor()
  sensor.publish(3, 'lost', toPredefined)
  sensor.connect('dev1')
  sensor.publish(3, 'kept', toPredefined)
  expect(world.broker.published.map(({ topic }) => topic)).toEqual(['own/three'])
})

it('goes through the own connection of a connected sensor, counts as activity, changes no state [SN-QM1-8]', () => {
  const world = new World()
  const sensor = world.sensor()
  sensor.connect('dev1', { duration: 10 })
  world.advance(14_000)
  expect(sensor.publish(short, '21', toShort)).toEqual([])
  expect(world.broker.published).toMatchObject([{ from: 'dev1', qos: 0 }])
  world.advance(14_000)
  expect(world.session('dev1').state).toBe('active')
})

it('changes no state of a sleeping sensor, but restarts its sleep time [SN-QM1-8]', () => {
  const world = new World()
  const sensor = world.sensor()
  sensor.connect('dev1')
  sensor.sleep(100)
  world.advance(100_000)
  expect(sensor.publish(short, '21', toShort)).toEqual([])
  expect(world.session('dev1').state).toBe('asleep')
  world.advance(109_000)
  expect(world.session('dev1').state).toBe('asleep')
})

it('needs no connection in the middle of a setup either, and does not disturb it [SN-QM1-1, SN-UNK-4]', () => {
  const world = new World()
  const sensor = world.sensor()
  sensor.connect('dev1', { will: true })
  expect(sensor.publish(short, '21', toShort)).toEqual([])
  expect(world.session('dev1').state).toBe('willtopic')
  expect(world.broker.published).toMatchObject([{ from: 'gateway' }])
})

it('drops it while the broker connection of its sensor is down [SN-QM1-9]', () => {
  const world = new World()
  const sensor = world.sensor()
  sensor.connect('dev1')
  world.broker.crash()
  expect(sensor.publish(short, '21', toShort)).toEqual([])
  expect(world.broker.published).toEqual([])
  expect(world.drops()).toEqual(['upstream-down'])
})

it('allows strangers a rate per address, and only topics from a list [SN-QM1-9]', () => {
  const world = new World({
    qosMinusOne: { perAddress: 3, topics: ['ab', 'pub/#'] },
    predefined: { 1: 'pub/x', 2: 'no' },
  })
  const sensor = world.sensor()
  sensor.publish(2, 'x', toPredefined)
  for (let i = 0; i < 5; i++) sensor.publish(short, 'x', toShort)
  expect(world.drops()).toEqual(['not-allowed', 'rate-limited', 'rate-limited'])
  world.sensor('10.0.0.2').publish(1, 'y', toPredefined)
  world.advance(1000)
  sensor.publish(short, 'z', toShort)
  expect(world.broker.published.map(({ topic }) => topic)).toEqual(['ab', 'ab', 'ab', 'pub/x', 'ab'])
})
