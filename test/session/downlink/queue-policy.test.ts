// Rules for what waits for a sensor: how much, how old, and what goes when there is no more room [6.14].

import { describe, expect, it } from 'vitest'
import { matches } from '../../../src/mqtt-topics.ts'
import type { QueuePolicy } from '../../../src/session/policy.ts'
import { queuePolicy, text, type VirtualSensor, World } from '../../support/world.ts'

type Options = ConstructorParameters<typeof World>[0]
type Rule = Partial<QueuePolicy> & { topics: string }

/** A sleeping sensor that subscribed everything, under these rules: the first that fits counts. */
function asleep(rules: readonly Rule[], options: Options = {}): [World, VirtualSensor] {
  const found = rules.map(({ topics, ...rule }) => ({ topics, rule: { ...queuePolicy, ...rule } }))
  const queueFor = (topic: string): QueuePolicy =>
    found.find(({ topics }) => matches(topics, topic))?.rule ?? queuePolicy
  const world = new World({ policy: () => ({ queueFor }), ...options })
  const sensor = world.sensor()
  sensor.connect('dev1', { cleanSession: false, duration: 3600 })
  sensor.subscribe('#', 2)
  sensor.sleep(60_000)
  return [world, sensor]
}

const queued = (world: World) => world.session('dev1').downlink.queue.map(({ payload }) => text(payload))
const fill = (world: World, topic: string, payloads: string[], qos: 0 | 1 | 2 = 1) => {
  for (const payload of payloads) world.publish(topic, payload, qos)
}
/** Texts of messages on disk, in order. */
const onDisk = (world: World) =>
  [...(world.store.disk.get('dev1')?.messages.values() ?? [])].map(({ payload }) => text(payload))

describe('a rule', () => {
  it('bounds messages among those under it; others do not count, nor go [SN-SLP-14]', () => {
    const [world] = asleep([{ topics: 'm/#', messages: 2 }])
    fill(world, 'other', ['o1', 'o2', 'o3'])
    fill(world, 'm/a', ['a1', 'a2'])
    fill(world, 'm/b', ['b1'])
    expect(queued(world)).toEqual(['o1', 'o2', 'o3', 'a2', 'b1'])
    expect(world.drops()).toEqual(['queue-full'])
    expect(onDisk(world)).toEqual(queued(world))
  })

  it('bounds octets, topic and payload [SN-SLP-14]', () => {
    const [world] = asleep([{ topics: 'm/#', octets: 20 }])
    fill(world, 'm/a', ['1234567', '123456']) // 10 and 9
    expect(queued(world)).toHaveLength(2)
    fill(world, 'm/a', ['1'])
    expect(queued(world)).toEqual(['123456', '1'])
    fill(world, 'm/a', ['x'.repeat(30)])
    expect(queued(world)).not.toContain('x'.repeat(30))
  })

  it('bounds age: what waited too long is not delivered [SN-SLP-20]', () => {
    const [world, sensor] = asleep([{ topics: 'm/#', age: 60_000 }])
    fill(world, 'm/a', ['old'])
    fill(world, 'other', ['kept'])
    world.advance(30_000)
    fill(world, 'm/a', ['young'])
    world.advance(30_001)
    expect(sensor.wake('dev1')).toMatchObject([{ type: 'register', topicName: 'other' }])
    expect([queued(world), world.drops()]).toEqual([['kept', 'young'], ['expired']])
  })

  it('and the limits of the whole sensor hold together [SN-SLP-14, SN-ROB-1]', () => {
    const [world] = asleep([{ topics: 'm/#', messages: 10 }], { limits: { queuedMessages: 4 } })
    fill(world, 'other', ['o1', 'o2'])
    fill(world, 'm/a', ['a1', 'a2', 'a3'])
    expect(queued(world)).toEqual(['o2', 'a1', 'a2', 'a3'])
  })

  it('holds after a restart too [SN-SLP-14]', () => {
    const [world] = asleep([{ topics: 'm/#', messages: 2 }])
    fill(world, 'm/a', ['1', '2'])
    world.restart(100)
    world.advance(100)
    fill(world, 'm/a', ['3'])
    expect([queued(world), onDisk(world)]).toEqual([
      ['2', '3'],
      ['2', '3'],
    ])
  })
})

describe('the age of a rule and the expiry of a message', () => {
  it.each([
    [60_000, 90_000],
    [90_000, 60_000],
  ])('of %i and %i ms: the earlier one counts, also over a restart [SN-SLP-20]', (age, life) => {
    const [world, sensor] = asleep([{ topics: '#', age }])
    world.publish('m/a', 'x', 1, { expiresAt: world.now + life })
    world.restart(1000)
    world.advance(58_900)
    expect(queued(world)).toEqual(['x'])
    world.advance(200)
    expect(sensor.wake('dev1')).toEqual([{ type: 'pingresp' }])
    expect([queued(world), onDisk(world), world.drops()]).toEqual([[], [], ['expired']])
  })
})

describe('when there is no room', () => {
  it('"drop-oldest" drops the oldest, those of QoS 0 first [SN-SLP-14]', () => {
    const [world] = asleep([{ topics: 'm/#', messages: 2 }])
    fill(world, 'm/a', ['1'], 1)
    fill(world, 'm/a', ['2'], 0)
    fill(world, 'm/a', ['3', '4'], 2)
    expect(queued(world)).toEqual(['3', '4'])
  })

  it('"drop-newest" drops what comes; it is acknowledged to the broker all the same [SN-SLP-14]', () => {
    const [world] = asleep([{ topics: 'm/#', messages: 2, overflow: 'drop-newest' }])
    fill(world, 'm/a', ['1', '2', '3', '4'])
    expect([queued(world), world.drops()]).toEqual([
      ['1', '2'],
      ['queue-full', 'queue-full'],
    ])
    expect(world.broker.acknowledged).toHaveLength(4)
  })

  it('"drop-newest" makes room of what is too old first [SN-SLP-20]', () => {
    const [world] = asleep([{ topics: 'm/#', messages: 1, overflow: 'drop-newest', age: 1000 }])
    fill(world, 'm/a', ['1'])
    world.advance(2000)
    fill(world, 'm/a', ['2'])
    expect([queued(world), world.drops()]).toEqual([['2'], ['expired']])
  })
})

describe('"latest-per-topic"', () => {
  const rules: Rule[] = [{ topics: 'set/#', overflow: 'latest-per-topic' }]

  it('gives a valve that slept through 400 set-points the last one [SN-SLP-5]', () => {
    const [world, sensor] = asleep(rules)
    for (let i = 1; i <= 400; i++) world.publish('set/valve', `${i}`, 1)
    expect(world.drops()).toEqual(Array(399).fill('superseded'))
    expect(onDisk(world)).toEqual(['400'])
    expect(world.totals.queuedMessages).toBe(1)
    const [register] = sensor.wake('dev1')
    if (register?.type !== 'register') throw new Error('no REGISTER')
    const [publish, ...more] = sensor.send({ ...register, type: 'regack', returnCode: 0 })
    if (publish?.type !== 'publish') throw new Error('no PUBLISH')
    expect([text(publish.data), more]).toEqual(['400', []])
    const { topicId, msgId } = publish
    expect(sensor.send({ type: 'puback', topicId, msgId, returnCode: 0 })).toEqual([{ type: 'pingresp' }])
  })

  it('keeps one message of each topic, in order of arrival, and leaves other rules alone', () => {
    const [world] = asleep(rules)
    fill(world, 'other', ['o1', 'o2'])
    for (const [topic, payload] of [
      ['set/a', 'a1'],
      ['set/b', 'b1'],
      ['set/a', 'a2'],
    ] as const) {
      world.publish(topic, payload, 1)
    }
    expect(queued(world)).toEqual(['o1', 'o2', 'b1', 'a2'])
  })

  it('leaves the message that is on its way to the sensor, and brings the last one after it [SN-GPUB-11]', () => {
    const [world, sensor] = asleep(rules)
    world.publish('set/a', '1', 1)
    const [register] = sensor.wake('dev1')
    if (register?.type !== 'register') throw new Error('no REGISTER')
    sensor.send({ ...register, type: 'regack', returnCode: 0 })
    for (const payload of ['2', '3', '4']) world.publish('set/a', payload, 1)
    expect(queued(world)).toEqual(['1', '4'])
    const { topicId } = register
    expect(sensor.send({ type: 'puback', topicId, msgId: 1, returnCode: 0 })).toMatchObject([
      { type: 'publish', msgId: 4 },
    ])
  })
})

describe('QoS 0 for a sensor that sleeps', () => {
  it('is dropped and counted where the rule says so; QoS 1 waits [SN-SLP-7]', () => {
    const [world] = asleep([{ topics: 'm/#', qos0: false }])
    fill(world, 'm/a', ['0'], 0)
    fill(world, 'm/a', ['1'], 1)
    fill(world, 'other', ['kept'], 0)
    expect([queued(world), world.drops()]).toEqual([['1', 'kept'], ['asleep']])
  })

  it('is sent to one that is awake or active all the same [SN-SLP-8]', () => {
    const [world, sensor] = asleep([{ topics: '#', qos0: false }])
    fill(world, 'ab', ['1'], 1)
    sensor.wake('dev1')
    fill(world, 'ab', ['2'], 0)
    expect(sensor.send({ type: 'puback', topicId: 0x6162, msgId: 1, returnCode: 0 })).toMatchObject([
      { type: 'publish', qos: 0 },
      { type: 'pingresp' },
    ])
    sensor.connect('dev1', { cleanSession: false })
    fill(world, 'ab', ['3'], 0)
    expect(sensor.take()).toMatchObject([{ type: 'publish', qos: 0 }])
  })
})
