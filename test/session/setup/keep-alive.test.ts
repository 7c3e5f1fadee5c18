// Keep-alive and PING of an active sensor [6.11, 6.14, 7.2].

import { describe, expect, it } from 'vitest'
import type { Packet } from '../../../src/codec/v1/messages.ts'
import { bytes, type VirtualSensor, World } from '../../support/world.ts'

function connected(
  duration: number,
  options: ConstructorParameters<typeof World>[0] = {},
): [World, VirtualSensor] {
  const world = new World(options)
  const sensor = world.sensor()
  const will = { topic: 'gone', message: 'dev1' }
  sensor.connectWithWill('dev1', will, { duration, cleanSession: false })
  world.happened()
  return [world, sensor]
}

const ping: Packet = { type: 'pingreq', clientId: null }
const stateAfter = (world: World, ms: number) => {
  world.advance(ms)
  return world.session('dev1').state
}

it('answers PINGREQ of an active sensor with PINGRESP [SN-KA-1]', () => {
  const [, sensor] = connected(60)
  expect(sensor.exchange('0216')).toEqual(['0217'])
})

it('answers PINGREQ with the ClientId of an active sensor, which stays active [SN-KA-6]', () => {
  const [world, sensor] = connected(60)
  expect(sensor.send({ type: 'pingreq', clientId: 'dev1' })).toEqual([{ type: 'pingresp' }])
  expect(world.session('dev1').state).toBe('active')
})

it.each([
  [10, 15],
  [60, 90],
  [61, 67.1],
  [600, 660],
])(
  'calls a sensor with keep-alive %i s lost after %d s of silence, never earlier [SN-KA-2, SN-KA-3]',
  (duration, seconds) => {
    const [world] = connected(duration)
    const since = world.session('dev1').heardAt
    world.advance(since + seconds * 1000 - 1 - world.now)
    expect(world.session('dev1').state).toBe('active')
    expect(stateAfter(world, 1)).toBe('lost')
  },
)

it('has the broker publish the will of a lost sensor, and tells the sensor nothing but that it is asked once whether it is there [SN-KA-2, SN-WILL-6]', () => {
  const [world, sensor] = connected(10)
  world.advance(16_000)
  expect(world.broker.wills).toMatchObject([{ topic: 'gone', message: bytes('dev1') }])
  expect(sensor.take()).toEqual([ping])
  expect(sensor.send(ping)).toEqual([{ type: 'disconnect', duration: null }])
})

/** "ab" */
const topicId = 0x6162
const publish = {
  type: 'publish',
  dup: false,
  retain: false,
  topicIdType: 'short',
  topicId,
  data: bytes('x'),
} as const
const signs: Packet[] = [
  { ...publish, qos: 0, msgId: 0 },
  { ...publish, qos: 1, msgId: 4 },
  { ...publish, qos: -1, msgId: 0 },
  { ...publish, qos: 0, msgId: 0, topicIdType: 'normal', topicId: 99 }, // also when it is refused
  { type: 'register', topicId: 0, msgId: 1, topicName: 'a/b' },
  { type: 'subscribe', dup: false, qos: 0, msgId: 1, topicIdType: 'normal', topicName: 'a/b' },
  { type: 'unsubscribe', msgId: 1, topicIdType: 'normal', topicName: 'a/b' },
  { type: 'regack', topicId: 1, msgId: 1, returnCode: 0 },
  { type: 'puback', topicId: 1, msgId: 1, returnCode: 0 },
  { type: 'pubrec', msgId: 1 },
  { type: 'pubrel', msgId: 1 },
  { type: 'pubcomp', msgId: 1 },
  { type: 'pingreq', clientId: null },
  { type: 'pingreq', clientId: 'dev1' },
  { type: 'pingresp' },
  { type: 'willmsgupd', willMsg: bytes('x') },
  { type: 'willtopic', qos: 0, retain: false, willTopic: 'a' }, // not asked for
  { type: 'suback', qos: 0, topicId: 0, msgId: 0, returnCode: 0 }, // nonsense, but a sign of life
]

describe.each([
  ['active', (sensor: VirtualSensor) => sensor.connect('dev1', { duration: 10, cleanSession: false })],
  ['asleep', (sensor: VirtualSensor) => sensor.sleep(10)],
] as const)('the time of silence of an %s sensor', (state, begin) => {
  it.each(signs.map((packet) => [packet.type, packet] as const))(
    'starts anew with %s [SN-KA-2, SN-KA-10]',
    (_, packet) => {
      const [world, sensor] = connected(600)
      begin(sensor)
      world.advance(14_900)
      sensor.send(packet)
      expect(stateAfter(world, 14_900)).toBe(state)
      expect(stateAfter(world, 200)).toBe('lost')
    },
  )
})

it('answers nothing to PINGRESP, which it never asked for [SN-KA-10]', () => {
  const [world, sensor] = connected(60)
  expect(sensor.send({ type: 'pingresp' })).toEqual([])
  expect(world.session('dev1').state).toBe('active')
})

it('does not supervise keep-alive 0 [SN-KA-4]', () => {
  const [world] = connected(0)
  expect(stateAfter(world, 30 * 86_400_000)).toBe('active')
})

it('supervises keep-alive 0 by the limit for all sensors, if there is one [SN-KA-4]', () => {
  const [world, sensor] = connected(0, { timers: { inactivity: 3_600_000 } })
  world.advance(3_500_000)
  sensor.send(ping)
  expect(stateAfter(world, 3_500_000)).toBe('active')
  expect(stateAfter(world, 200_000)).toBe('lost')
})

describe('a sensor that only listens', () => {
  it.each([
    [10, 12.5],
    [60, 75],
    [600, 630],
  ])(
    'of keep-alive %i s is asked once, after %d s, and stays if it answers [SN-KA-5]',
    (duration, seconds) => {
      const [world, sensor] = connected(duration)
      const since = world.session('dev1').heardAt
      world.advance(since + seconds * 1000 - 1 - world.now)
      expect(sensor.take()).toEqual([])
      world.advance(1)
      expect(sensor.exchange('0217')).toEqual([])
      expect(stateAfter(world, seconds * 1000 - 100)).toBe('active')
      expect(sensor.take()).toEqual([])
      world.advance(100)
      expect(sensor.take()).toEqual([ping])
      expect(stateAfter(world, seconds * 1000)).toBe('lost')
      expect(sensor.take()).toEqual([])
      expect(world.broker.wills).toHaveLength(1)
    },
  )

  it('is asked anew in each silence, and never while it talks [SN-KA-5]', () => {
    const [world, sensor] = connected(10)
    for (let round = 0; round < 5; round++) {
      world.advance(11_000)
      sensor.publish(topicId, 'x', { topicIdType: 'short' })
      expect(sensor.take()).toEqual([])
    }
    for (let round = 0; round < 5; round++) {
      world.advance(13_000)
      expect(sensor.take()).toEqual([ping])
      sensor.send({ type: 'pingresp' })
    }
    expect(world.session('dev1').state).toBe('active')
  })

  it('is asked before `inactivity` ends it, where its keep-alive is 0 [SN-KA-4, SN-KA-5]', () => {
    const [world, sensor] = connected(0, { timers: { inactivity: 3_600_000 } })
    expect(stateAfter(world, 3_590_000)).toBe('active')
    expect(sensor.take()).toEqual([ping])
    expect(stateAfter(world, 20_000)).toBe('lost')
  })

  it('is not asked while it sleeps: its radio is off [SN-KA-5, SN-SLP-1]', () => {
    const [world, sensor] = connected(600)
    sensor.sleep(10)
    expect(stateAfter(world, 16_000)).toBe('lost')
    expect(sensor.take()).toEqual([])
  })
})

it.each([null, 'nobody', 'dev1'])(
  'answers PINGREQ with ClientId %j from an unknown sender with DISCONNECT [SN-KA-7]',
  (clientId) => {
    const world = new World()
    expect(world.sensor().send({ type: 'pingreq', clientId })).toEqual([
      { type: 'disconnect', duration: null },
    ])
    expect(world.sessions.byClientId.size).toBe(0)
  },
)

it.each(['disconnected', 'lost'] as const)(
  'answers PINGREQ of a %s sensor with DISCONNECT [SN-KA-7]',
  (end) => {
    const [world, sensor] = connected(10)
    if (end === 'disconnected') sensor.send({ type: 'disconnect', duration: null })
    world.advance(20_000)
    expect(world.session('dev1').state).toBe(end)
    for (const clientId of ['dev1', null]) {
      expect(sensor.send({ type: 'pingreq', clientId })).toEqual([{ type: 'disconnect', duration: null }])
    }
    expect(world.session('dev1').state).toBe(end)
  },
)

it('answers PINGREQ by itself: the broker hears of it nothing [SN-KA-8, SN-KA-9]', () => {
  const [world, sensor] = connected(60)
  const before = world.effects.length
  sensor.send(ping)
  expect(world.effects.slice(before).map(({ type }) => type)).toEqual(['send'])
})

it('answers PINGREQ within the grace time of a lost broker, and no more after it [SN-KA-8, AMB-29]', () => {
  const [world, sensor] = connected(600)
  world.broker.crash()
  world.advance(59_000)
  expect(sensor.send(ping)).toEqual([{ type: 'pingresp' }])
  world.advance(1000)
  expect(sensor.take()).toEqual([{ type: 'disconnect', duration: null }])
  expect(sensor.send(ping)).toEqual([{ type: 'disconnect', duration: null }])
})
