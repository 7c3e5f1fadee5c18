// A broker that refuses, is slow, or is gone: what the sensor's PUBLISH gets for an answer [6.6, SN-MAP-9, SN-MAP-27, -29].

import { describe, expect, it } from 'vitest'
import type { BrokerLimits } from '../../src/session/broker/limits.ts'
import { noLimits, type VirtualSensor, World } from '../support/world.ts'

function connected(limits: Partial<BrokerLimits> = {}): [World, VirtualSensor] {
  const world = new World()
  world.broker.limits = { ...noLimits, ...limits }
  const sensor = world.sensor()
  sensor.connect('dev1', { cleanSession: false, duration: 3600 })
  return [world, sensor]
}

/** "ab" */
const topicId = 0x6162
const options = { topicIdType: 'short' } as const
const puback = (msgId: number, returnCode: number) => ({ type: 'puback', topicId, msgId, returnCode })

describe('what this broker cannot take is refused here, since it would close the connection', () => {
  it('QoS above its maximum [SN-MAP-9]', () => {
    const [world, sensor] = connected({ maximumQos: 1 })
    expect(sensor.publish(topicId, 'x', { ...options, qos: 2, msgId: 4 })).toEqual([puback(4, 3)])
    expect(world.broker.published).toEqual([])
    expect(sensor.publish(topicId, 'x', { ...options, qos: 1, msgId: 5 })).toEqual([puback(5, 0)])
  })

  it('retain, with MsgId 0 in the answer at QoS 0 [SN-MAP-9]', () => {
    const [world, sensor] = connected({ retainAvailable: false })
    expect(sensor.publish(topicId, 'x', { ...options, retain: true })).toEqual([puback(0, 3)])
    expect(world.broker.published).toEqual([])
  })

  it('packets above its maximum size [SN-MAP-9]', () => {
    const [world, sensor] = connected({ maximumPacketSize: 100 })
    expect(sensor.publish(topicId, 'x'.repeat(99), { ...options, qos: 1, msgId: 4 })).toEqual([puback(4, 3)])
    expect(world.broker.published).toEqual([])
    expect(sensor.publish(topicId, 'x'.repeat(50), { ...options, qos: 1, msgId: 5 })).toEqual([puback(5, 0)])
  })

  it('wildcards in subscriptions [SN-MAP-9]', () => {
    const [world, sensor] = connected({ wildcardAvailable: false })
    expect(sensor.subscribe('a/+')).toMatchObject([{ type: 'suback', topicId: 0, returnCode: 3 }])
    expect(sensor.subscribe('a/b')).toMatchObject([{ type: 'suback', returnCode: 0 }])
    expect(world.effects.filter(({ type }) => type === 'subscribe')).toHaveLength(1)
  })
})

it.each([
  [1, 1],
  [1, 3],
  [2, 1],
  [2, 3],
] as const)(
  'hands the refusal of a QoS %i PUBLISH by the broker on as PUBACK 0x0%i [SN-PUB-4, SN-MAP-27]',
  (qos, outcome) => {
    const [world, sensor] = connected()
    world.broker.publishOutcome = outcome
    expect(sensor.publish(topicId, 'x', { ...options, qos, msgId: 4 })).toEqual([puback(4, outcome)])
    world.broker.publishOutcome = 0
    const again = sensor.publish(topicId, 'x', { ...options, qos, msgId: 4, dup: true })
    expect(again.map(({ type }) => type)).toEqual([qos === 1 ? 'puback' : 'pubrec']) // it was over: this is a new one
    expect(world.broker.published).toHaveLength(1)
  },
)

it.each([1, 2] as const)(
  'says congestion when the broker has not answered QoS %i in time [SN-MAP-27, SN-RTX-6]',
  (qos) => {
    const [world, sensor] = connected()
    world.broker.answers = false
    sensor.publish(topicId, 'x', { ...options, qos, msgId: 4 })
    world.advance(7_900)
    expect(sensor.take()).toEqual([])
    world.advance(200)
    expect(sensor.take()).toEqual([puback(4, 1)])
  },
)

it('swallows the answer of the broker that comes after the sensor was told to try later [SN-MAP-27]', () => {
  const [world, sensor] = connected()
  world.broker.latency = 9_000
  sensor.publish(topicId, 'x', { ...options, qos: 1, msgId: 4 })
  sensor.publish(topicId, 'y', { ...options, qos: 2, msgId: 5 })
  world.advance(8_100)
  expect(sensor.take()).toEqual([puback(4, 1), puback(5, 1)])
  world.advance(60_000)
  expect(sensor.take()).toEqual([])
  // the sensor tries again after T_WAIT: both are known to be done
  expect(sensor.publish(topicId, 'y', { ...options, qos: 2, msgId: 5, dup: true })).toEqual([
    { type: 'pubrec', msgId: 5 },
  ])
  expect(sensor.publish(topicId, 'x', { ...options, qos: 1, msgId: 4, dup: true })).toEqual([puback(4, 0)])
  expect(world.broker.published).toHaveLength(2)
})

it.each([1, 2] as const)(
  'holds QoS %i for a broker that comes back within the deadline, and forwards it once [SN-MAP-27]',
  (qos) => {
    const [world, sensor] = connected()
    world.broker.crash()
    expect(sensor.publish(topicId, 'x', { ...options, qos, msgId: 4 })).toEqual([])
    world.advance(3_000)
    world.broker.reachable = true
    world.advance(4_000)
    expect(sensor.types()).toEqual([qos === 1 ? 'puback' : 'pubrec'])
    expect(world.broker.published).toHaveLength(1)
  },
)

it.each([1, 2] as const)(
  'says congestion at QoS %i when the broker stays away, and forwards nothing later [SN-MAP-27]',
  (qos) => {
    const [world, sensor] = connected()
    world.broker.crash()
    sensor.publish(topicId, 'x', { ...options, qos, msgId: 4 })
    world.advance(8_000)
    expect(sensor.take()).toEqual([puback(4, 1)])
    world.broker.reachable = true
    world.advance(30_000)
    expect(world.broker.published).toEqual([])
  },
)

it('answers at most ten unfinished PUBLISHes with patience while the broker is away: nothing is unbounded [SN-MAP-27]', () => {
  const [world, sensor] = connected()
  world.broker.crash()
  for (let msgId = 1; msgId <= 30; msgId++) sensor.publish(topicId, 'x', { ...options, qos: 1, msgId })
  expect(world.session('dev1').uplink.open.size).toBe(10)
})

it('drops QoS 0 while the broker is away, and says so once per T_WAIT with MsgId 0 [SN-MAP-27]', () => {
  const [world, sensor] = connected()
  world.broker.crash()
  expect(sensor.publish(topicId, 'a', options)).toEqual([puback(0, 1)])
  expect(sensor.publish(topicId, 'b', options)).toEqual([])
  expect(world.drops()).toEqual(['upstream-down', 'upstream-down'])
  world.broker.reachable = true
  world.advance(5_000)
  expect(world.broker.published).toEqual([])
})

it('says congestion to QoS 0 again after T_WAIT [SN-MAP-27]', () => {
  const [world, sensor] = connected()
  const congest = (on: boolean) => world.happen(world.session('dev1'), { type: 'congestion', on })
  congest(true)
  expect(sensor.publish(topicId, 'a', options)).toEqual([puback(0, 1)])
  world.advance(299_000)
  expect(sensor.publish(topicId, 'b', options)).toEqual([])
  world.advance(1_000)
  expect(sensor.publish(topicId, 'c', options)).toEqual([puback(0, 1)])
  expect(world.drops()).toEqual(['congestion', 'congestion', 'congestion'])
})

it('says congestion at once while the write buffer to the broker is full, and works again after [SN-MAP-29]', () => {
  const [world, sensor] = connected()
  world.happen(world.session('dev1'), { type: 'congestion', on: true })
  expect(sensor.publish(topicId, 'x', { ...options, qos: 1, msgId: 4 })).toEqual([puback(4, 1)])
  expect(world.broker.published).toEqual([])
  world.happen(world.session('dev1'), { type: 'congestion', on: false })
  expect(sensor.publish(topicId, 'x', { ...options, qos: 1, msgId: 4 })).toEqual([puback(4, 0)])
})

it.each([1, 2] as const)(
  'sends QoS %i again on a new broker connection, and answers the sensor once [SN-MAP-16, SN-MAP-27]',
  (qos) => {
    const [world, sensor] = connected()
    world.broker.latency = 50
    sensor.publish(topicId, 'x', { ...options, qos, msgId: 4 })
    world.broker.crash() // before its answer
    world.broker.reachable = true
    world.advance(3_000)
    expect(sensor.types()).toEqual([qos === 1 ? 'puback' : 'pubrec'])
  },
)
