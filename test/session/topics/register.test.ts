// REGISTER from the sensor and the topic ids of one sensor [6.5, 6.7, 7.3].

import { expect, it } from 'vitest'
import { assignTopic, createTopics } from '../../../src/session/topics/registry.ts'
import { predefinedOf, type VirtualSensor, World } from '../../support/world.ts'

function connected(options: ConstructorParameters<typeof World>[0] = {}): [World, VirtualSensor] {
  const world = new World(options)
  const sensor = world.sensor()
  sensor.connect('dev1')
  return [world, sensor]
}

const register = (topicName: string, msgId = 1) => ({
  type: 'register' as const,
  topicId: 0,
  msgId,
  topicName,
})

it('answers REGISTER with REGACK: same MsgId, a topic id, accepted [SN-REG-1]', () => {
  const [world, sensor] = connected()
  expect(sensor.exchange('0c0a00000001742f74656d70')).toEqual(['070b0001000100'])
  expect(world.broker.published).toEqual([])
})

it('gives the same name the same id, in a repetition and later [SN-REG-2]', () => {
  const [world, sensor] = connected()
  const id = sensor.register('t/temp')
  sensor.register('t/other')
  expect(sensor.send(register('t/temp', 1))).toEqual([
    { type: 'regack', topicId: id, msgId: 1, returnCode: 0 },
  ])
  world.advance(60_000)
  expect(sensor.register('t/temp')).toBe(id)
})

it('keeps the ids of each sensor to itself [SN-REG-3]', () => {
  const [world, a] = connected()
  const b = world.sensor('10.0.0.2')
  b.connect('dev2')
  const id = a.register('only/a')
  expect(b.publish(id, 'x', { qos: 1, msgId: 7 })).toEqual([
    { type: 'puback', topicId: id, msgId: 7, returnCode: 2 },
  ])
  expect(world.broker.published).toEqual([])
  expect(b.register('only/b')).toBe(id) // the number means something else here
  b.publish(id, 'x')
  expect(world.broker.published.map(({ topic }) => topic)).toEqual(['only/b'])
})

it('tells normal and predefined ids apart by the topic id type [SN-REG-4]', () => {
  const [world, sensor] = connected({ predefined: { 1: 'pre/one' } })
  const id = sensor.register('t/temp')
  expect(sensor.publish(1, 'x')).toMatchObject([{ type: 'puback', topicId: 1, returnCode: 2 }])
  expect(sensor.publish(id, 'x', { topicIdType: 'predefined' })).toMatchObject([{ returnCode: 2 }])
  expect(sensor.publish(1, 'x', { topicIdType: 'predefined' })).toEqual([])
  expect(sensor.publish(id, 'x')).toEqual([])
  expect(world.broker.published.map(({ topic }) => topic)).toEqual(['pre/one', 't/temp'])
})

it('assigns ids outside the predefined ones, since some clients match by id only [SN-REG-5]', () => {
  const [, sensor] = connected({ predefined: { 1: 'a', 2: 'b', 4: 'd' } })
  expect([sensor.register('x'), sensor.register('y')]).toEqual([3, 5])
})

it('refuses a name above the limit of names with congestion and id 0 [SN-REG-6]', () => {
  const [, sensor] = connected({ limits: { topicsPerSensor: 2 } })
  const first = sensor.register('a/1')
  sensor.register('a/2')
  expect(sensor.send(register('a/3', 9))).toEqual([{ type: 'regack', topicId: 0, msgId: 9, returnCode: 1 }])
  expect(sensor.register('a/1')).toBe(first) // those that are known stay so
})

it.each(['a/#', '+/b', '#', '', 'a\0b'])(
  'refuses the name %j for good, with id 0 [SN-REG-6, SN-FLD-3]',
  (name) => {
    const [, sensor] = connected()
    expect(sensor.send(register(name, 3))).toEqual([{ type: 'regack', topicId: 0, msgId: 3, returnCode: 3 }])
  },
)

it('assigns all ids but 0x0000 and 0xFFFF, each once, and then none [SN-FLD-2, SN-REG-6]', () => {
  const topics = createTopics(40_000) // wherever the search begins
  const nothing = predefinedOf({})
  const ids = new Set<number | undefined>()
  for (let i = 1; i <= 65_534; i++) ids.add(assignTopic(topics, `t/${i}`, 70_000, nothing))
  expect(ids.size).toBe(65_534)
  expect([ids.has(0), ids.has(0xffff), ids.has(undefined)]).toEqual([false, false, false])
  expect(assignTopic(topics, 'one/more', 70_000, nothing)).toBeUndefined()
})

it('ignores the TopicId of a REGISTER from a sensor [SN-REG-7]', () => {
  const [, sensor] = connected()
  expect(sensor.exchange('090abeef0002612f62')).toEqual(['070b0001000200'])
})

it('never gives an id to another name, not after UNSUBSCRIBE, not after a rejection [SN-REG-8]', () => {
  const [world, sensor] = connected()
  const subscribed = sensor.subscribe('a/1')[0]
  sensor.send({ type: 'unsubscribe', msgId: 5, topicIdType: 'normal', topicName: 'a/1' })
  sensor.subscribe('b/+')
  world.publish('b/1', 'x')
  const [asked] = sensor.take()
  if (asked?.type !== 'register' || subscribed?.type !== 'suback') throw new Error('no ids')
  sensor.send({ type: 'regack', topicId: asked.topicId, msgId: asked.msgId, returnCode: 3 })
  const fresh = sensor.register('c/1')
  expect(new Set([subscribed.topicId, asked.topicId, fresh]).size).toBe(3)
  expect(sensor.register('a/1')).toBe(subscribed.topicId)
  expect(sensor.register('b/1')).toBe(asked.topicId)
})

it('gives a normal id also to a name of two octets and to a predefined name [SN-REG-9]', () => {
  const [world, sensor] = connected({ predefined: { 7: 'pre/seven' } })
  const short = sensor.register('ab')
  const predefined = sensor.register('pre/seven')
  expect([short, predefined]).toEqual([1, 2])
  sensor.publish(short, 'x')
  sensor.publish(predefined, 'y')
  expect(world.broker.published.map(({ topic }) => topic)).toEqual(['ab', 'pre/seven'])
})

it('answers two REGISTERs back to back, at once and without the broker [SN-REG-10]', () => {
  const [world, sensor] = connected()
  world.broker.answers = false
  world.receive(register('a', 1), sensor.peer)
  world.receive(register('b', 2), sensor.peer)
  expect(sensor.take()).toEqual([
    { type: 'regack', topicId: 1, msgId: 1, returnCode: 0 },
    { type: 'regack', topicId: 2, msgId: 2, returnCode: 0 },
  ])
})

it('uses the id that the sensor registered for messages to it, without a REGISTER of its own [SN-REG-11]', () => {
  const [world, sensor] = connected()
  const id = sensor.register('s/a')
  sensor.subscribe('s/+')
  world.publish('s/a', 'on')
  expect(sensor.take()).toMatchObject([{ type: 'publish', topicIdType: 'normal', topicId: id }])
})

it('serves REGISTER while the broker is away [SN-MAP-28]', () => {
  const [world, sensor] = connected()
  world.broker.crash()
  expect(sensor.register('t/temp')).toBe(1)
})
