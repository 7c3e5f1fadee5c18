// More topic names than a sensor may have: those that are not used make room, and no id changes its meaning unseen [6.5, 7.3].

import { describe, expect, it } from 'vitest'
import { assignTopic, createTopics } from '../../../src/session/topics/registry.ts'
import { predefinedOf, text, type VirtualSensor, World } from '../../support/world.ts'

type Options = ConstructorParameters<typeof World>[0]

function connected(options: Options = {}): [World, VirtualSensor] {
  const world = new World(options)
  const sensor = world.sensor()
  sensor.connect('dev1', { cleanSession: false, duration: 3600 })
  return [world, sensor]
}

/** A message of a new name: registered, confirmed and delivered. Its id, and the name that came with it. */
function deliverNew(world: World, sensor: VirtualSensor, topic: string): { topicId: number; data: string } {
  world.publish(topic, `of ${topic}`)
  const [register] = sensor.take()
  if (register?.type !== 'register') throw new Error(`${topic}: ${register?.type} instead of REGISTER`)
  expect(register.topicName).toBe(topic)
  const { topicId, msgId } = register
  const [publish] = sensor.send({ type: 'regack', topicId, msgId, returnCode: 0 })
  if (publish?.type !== 'publish') throw new Error(`${topic}: no PUBLISH`)
  expect(publish.topicId).toBe(topicId)
  return { topicId, data: text(publish.data) }
}

describe('ever new names under a wildcard', () => {
  it('all arrive, however many there are, each under an id of its own [SN-GPUB-2, SN-REG-8]', () => {
    const [world, sensor] = connected()
    sensor.subscribe('event/+')
    const ids = new Set<number>()
    for (let i = 0; i < 1000; i++) {
      const { topicId, data } = deliverNew(world, sensor, `event/${i}`)
      expect(data).toBe(`of event/${i}`)
      ids.add(topicId)
    }
    expect(ids.size).toBe(1000)
    expect(world.session('dev1').topics.byName.size).toBe(256)
    expect(world.drops()).toEqual(Array(744).fill('topic-forgotten'))
  })

  it('all arrive also when more wait than there may be names [SN-GPUB-2]', () => {
    const [world, sensor] = connected({ limits: { topicsPerSensor: 4 } })
    sensor.subscribe('event/+')
    for (let round = 0; round < 2; round++) for (let i = 0; i < 12; i++) world.publish(`event/${i}`, `${i}`)
    const texts: string[] = []
    for (let steps = 0; steps < 100; steps++) {
      for (const packet of sensor.take()) {
        if (packet.type === 'publish') texts.push(text(packet.data))
        if (packet.type !== 'register') continue
        const { topicId, msgId } = packet
        world.receive({ type: 'regack', topicId, msgId, returnCode: 0 }, sensor.peer)
      }
    }
    expect(texts).toHaveLength(24)
  })

  it('leave alone what is subscribed by name, and what the sensor uses [SN-REG-8]', () => {
    const [world, sensor] = connected({ limits: { topicsPerSensor: 8 } })
    sensor.subscribe('event/+')
    sensor.subscribe('set/point')
    const used = sensor.register('temperature')
    world.advance(3_600_000)
    for (let i = 0; i < 50; i++) {
      deliverNew(world, sensor, `event/${i}`)
      world.advance(1000)
      expect(sensor.publish(used, `${i}`, { qos: 1, msgId: 100 + i })).toMatchObject([
        { type: 'puback', returnCode: 0 },
      ])
    }
    world.publish('set/point', '21')
    expect(sensor.types()).toEqual(['publish']) // without REGISTER: SUBACK has told the id
  })
})

describe('one more REGISTER than there may be names', () => {
  it('gets an id: the name that was not used for longest is forgotten [SN-REG-1]', () => {
    const [world, sensor] = connected()
    const first = sensor.register('t/1')
    for (let i = 2; i <= 257; i++) sensor.register(`t/${i}`)
    expect(sensor.publish(first, 'x', { qos: 1, msgId: 1 })).toMatchObject([
      { type: 'puback', returnCode: 2 },
    ])
    const again = sensor.register('t/1')
    expect(again).not.toBe(first)
    expect(sensor.publish(again, 'x', { qos: 1, msgId: 2 })).toMatchObject([
      { type: 'puback', returnCode: 0 },
    ])
    expect(world.broker.published.map(({ topic }) => topic)).toEqual(['t/1'])
  })

  it('is refused while all names were registered a moment ago, and gets one later [SN-REG-6]', () => {
    const [world, sensor] = connected({ limits: { topicsPerSensor: 2 } })
    sensor.register('a')
    sensor.register('b')
    const register = { type: 'register', topicId: 0, msgId: 9, topicName: 'c' } as const
    expect(sensor.send(register)).toEqual([{ type: 'regack', topicId: 0, msgId: 9, returnCode: 1 }])
    world.advance(60_000)
    expect(sensor.send(register)).toMatchObject([{ type: 'regack', returnCode: 0 }])
  })

  it('is refused where every name is subscribed [SN-REG-6]', () => {
    const [world, sensor] = connected({ limits: { topicsPerSensor: 2 } })
    sensor.subscribe('a')
    sensor.subscribe('b')
    world.advance(3_600_000)
    expect(sensor.send({ type: 'register', topicId: 0, msgId: 9, topicName: 'c' })).toMatchObject([
      { type: 'regack', returnCode: 1 },
    ])
  })
})

describe('ids', () => {
  const none = predefinedOf({})

  it('stay positive as signed 16 bit as long as there are such, from wherever they begin [SN-FLD-2]', () => {
    const topics = createTopics(0x7ffd)
    const ids = Array.from({ length: 40_000 }, (_, i) => assignTopic(topics, `${i}`, 65_534, none) ?? 0)
    expect(Math.max(...ids.slice(0, 0x7fff))).toBe(0x7fff)
    expect(new Set(ids).size).toBe(40_000)
  })

  it('given out a second time mean nothing from the sensor until it has confirmed the new name [SN-REG-8]', () => {
    const [world, sensor] = connected({ limits: { topicsPerSensor: 4 }, random: () => 0 })
    sensor.subscribe('event/+')
    const { topicId: first } = deliverNew(world, sensor, 'event/first')
    const { topics } = world.session('dev1')
    for (let i = 0; i < 3; i++) deliverNew(world, sensor, `event/${i}`)
    topics.next = 0x7fff // as if all had been given out
    deliverNew(world, sensor, 'event/last')
    world.publish('event/second', 'x')
    expect(sensor.take()).toMatchObject([{ type: 'register', topicId: first, topicName: 'event/second' }])
    expect(sensor.publish(first, 'for the first', { qos: 1, msgId: 7 })).toMatchObject([
      { type: 'puback', returnCode: 2 },
    ])
    const { msgId = 0 } = { ...world.session('dev1').downlink.outstanding?.packet } as { msgId?: number }
    expect(sensor.send({ type: 'regack', topicId: first, msgId, returnCode: 0 })).toMatchObject([
      { type: 'publish', topicId: first },
    ])
    const answers = sensor.publish(first, 'for the second', { qos: 1, msgId: 8 })
    expect(answers).toContainEqual({ type: 'puback', topicId: first, msgId: 8, returnCode: 0 })
    expect(world.broker.published.at(-1)?.topic).toBe('event/second')
  })
})
