// Characters at which brokers hang up, and topics that are too deep for them: refused before anything reaches the broker.

import { expect, it } from 'vitest'
import { bytes, type VirtualSensor, World } from '../support/world.ts'

const deep = (levels: number) => Array.from({ length: levels }, () => 'a').join('/')

/** Topics that brokers hang up at, by what is wrong with them. */
const forbidden = [
  ['a line feed', 'room\n'],
  ['U+0001', '\u0001'],
  ['U+001F', 'a/\u001f/b'],
  ['DEL', 'a\u007f'],
  ['U+0080', 'a\u0080'],
  ['U+009F', '\u009fa'],
  ['U+FDD0', 'a\ufdd0'],
  ['U+FDEF', 'a\ufdef'],
  ['U+FFFE', 'a\ufffe'],
  ['U+FFFF', 'a\uffff'],
  ['U+1FFFF', 'a\u{1ffff}'],
  ['U+10FFFE', '\u{10fffe}'],
  ['201 levels', deep(201)],
] as const

/** Topics of the same neighbourhood that brokers take. */
const permitted = ['a b', 'a~', 'a\u00a0', '\ufdcf', '\ufdf0', '\ufffd', '\u{1fffd}', '\u{10000}', deep(200)]

function connected(): [World, VirtualSensor] {
  const world = new World()
  const sensor = world.sensor()
  sensor.connect('dev1', { cleanSession: false })
  world.happened()
  return [world, sensor]
}

/** What went to the broker since the sensor connected. */
const atBroker = (world: World) =>
  world.effects.filter(({ type }) =>
    ['publish', 'publishAnonymous', 'subscribe', 'unsubscribe'].includes(type),
  )

it.each(forbidden)('REGISTER of %s is refused for good [SN-REG-6]', (_, topicName) => {
  const [, sensor] = connected()
  const answer = sensor.send({ type: 'register', topicId: 0, msgId: 7, topicName })
  expect(answer).toEqual([{ type: 'regack', topicId: 0, msgId: 7, returnCode: 3 }])
})

it.each(forbidden)(
  'SUBSCRIBE to %s is refused for good, UNSUBSCRIBE answered [SN-SUB-10]',
  (_, topicName) => {
    const [world, sensor] = connected()
    const filter = { topicIdType: 'normal', topicName } as const
    const answer = sensor.send({ type: 'subscribe', dup: false, qos: 1, msgId: 7, ...filter })
    expect(answer).toMatchObject([{ type: 'suback', topicId: 0, msgId: 7, returnCode: 3 }])
    expect(sensor.send({ type: 'unsubscribe', msgId: 8, ...filter })).toEqual([
      { type: 'unsuback', msgId: 8 },
    ])
    expect(atBroker(world)).toEqual([])
  },
)

it.each(forbidden)('a will for %s is refused for good [SN-WILL-4, SN-WILL-12]', (_, willTopic) => {
  const world = new World()
  const newcomer = world.sensor()
  newcomer.connect('dev2', { will: true })
  const answer = newcomer.send({ type: 'willtopic', qos: 0, retain: false, willTopic })
  expect(answer).toEqual([{ type: 'connack', returnCode: 3 }])
  expect(world.broker.connects).toBe(0)
  const [, sensor] = connected()
  const update = sensor.send({ type: 'willtopicupd', qos: 0, retain: false, willTopic })
  expect(update).toEqual([{ type: 'willtopicresp', returnCode: 3 }])
})

it.each(forbidden.filter(([what]) => what !== '201 levels'))(
  'a ClientId with %s is refused for good [SN-FLD-3]',
  (_, clientId) => {
    const world = new World()
    expect(world.sensor().connect(clientId)).toEqual([{ type: 'connack', returnCode: 3 }])
    expect(world.broker.connects).toBe(0)
  },
)

it.each([
  ['a line feed', 0x610a],
  ['DEL', 0x7f61],
  ['U+0085', 0xc285],
])('a short name with %s is refused, and at QoS -1 dropped [SN-PUB-8]', (_, topicId) => {
  const [world, sensor] = connected()
  const short = { topicIdType: 'short' } as const
  const answer = sensor.publish(topicId, 'x', { ...short, qos: 1, msgId: 4 })
  expect(answer).toEqual([{ type: 'puback', topicId, msgId: 4, returnCode: 3 }])
  const subscribed = sensor.send({ type: 'subscribe', dup: false, qos: 1, msgId: 5, ...short, topicId })
  expect(subscribed).toMatchObject([{ type: 'suback', returnCode: 3 }])
  for (const sender of [sensor, world.sensor()]) {
    expect(sender.publish(topicId, 'x', { ...short, qos: -1 })).toEqual([])
  }
  expect(world.drops()).toEqual(['invalid-topic', 'invalid-topic'])
  expect(atBroker(world)).toEqual([])
})

it.each(permitted)('topics that brokers take stay legal: %j', (topicName) => {
  const [, sensor] = connected()
  const answer = sensor.send({ type: 'register', topicId: 0, msgId: 7, topicName })
  expect(answer).toMatchObject([{ type: 'regack', msgId: 7, returnCode: 0 }])
})

it('a will that an older edition stored with such a topic does not keep the sensor from the broker', () => {
  const [world, sensor] = connected()
  const session = world.sessions.byClientId.get('dev1')
  if (session === undefined) throw new Error('no session')
  session.will = { topic: { name: 'a\n', qos: 0, retain: false }, message: bytes('gone') }
  world.advance(60_000)
  expect(sensor.connect('dev1', { cleanSession: false })).toEqual([{ type: 'connack', returnCode: 0 }])
  expect(world.effects.findLast(({ type }) => type === 'connect')).toMatchObject({ will: undefined })
})
