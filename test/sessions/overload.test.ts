// A gateway that has no time: what senders are told of messages that it will not handle [6.6].

import { expect, it } from 'vitest'
import type { Packet } from '../../src/codec/v1/messages.ts'
import { bytes, type VirtualSensor, World } from '../support/world.ts'

function connected(): [World, VirtualSensor] {
  const world = new World()
  const sensor = world.sensor()
  sensor.connect('dev1', { cleanSession: false, duration: 60 })
  return [world, sensor]
}

/** "ab" */
const topicId = 0x6162
const filter = { topicIdType: 'normal', topicName: 'a' } as const
const publish = (qos: -1 | 0 | 1 | 2, msgId: number, dup = false): Packet => ({
  type: 'publish',
  dup,
  qos,
  retain: false,
  topicIdType: 'short',
  topicId,
  msgId,
  data: bytes('x'),
})

it.each<[string, Packet, Packet]>([
  ['PUBLISH of QoS 1', publish(1, 7), { type: 'puback', topicId, msgId: 7, returnCode: 1 }],
  [
    'REGISTER',
    { type: 'register', topicId: 0, msgId: 7, topicName: 'a' },
    { type: 'regack', topicId: 0, msgId: 7, returnCode: 1 },
  ],
  [
    'SUBSCRIBE',
    { type: 'subscribe', dup: false, qos: 1, msgId: 7, ...filter },
    { type: 'suback', qos: 0, topicId: 0, msgId: 7, returnCode: 1 },
  ],
  [
    'WILLTOPICUPD',
    { type: 'willtopicupd', qos: 0, retain: false, willTopic: 'a' },
    { type: 'willtopicresp', returnCode: 1 },
  ],
  ['WILLMSGUPD', { type: 'willmsgupd', willMsg: bytes('x') }, { type: 'willmsgresp', returnCode: 1 }],
  [
    'CONNECT',
    { type: 'connect', will: false, cleanSession: true, protocolId: 1, duration: 60, clientId: 'dev1' },
    { type: 'connack', returnCode: 1 },
  ],
])(
  'refuses %s with congestion, counts it, and does nothing else [SN-PUB-14, SN-ROB-1]',
  (_, packet, answer) => {
    const [world, sensor] = connected()
    world.overloaded = true
    world.effects.length = 0
    expect(sensor.send(packet)).toEqual([answer])
    expect(world.effects.map(({ type }) => type)).toEqual(['drop', 'send'])
    expect(world.drops()).toEqual(['overloaded'])
    world.overloaded = false
    expect(sensor.publish(topicId, 'later', { topicIdType: 'short', qos: 1, msgId: 9 })).toMatchObject([
      { type: 'puback', returnCode: 0 },
    ])
  },
)

it.each<[string, Packet]>([
  ['PUBLISH of QoS 0', publish(0, 0)],
  ['PUBLISH of QoS -1', publish(-1, 0)],
  ['UNSUBSCRIBE', { type: 'unsubscribe', msgId: 7, ...filter }],
  ['PUBREL', { type: 'pubrel', msgId: 7 }],
  ['DISCONNECT', { type: 'disconnect', duration: 60 }],
  ['PUBLISH of QoS 2, which might come twice otherwise', publish(2, 7)],
])('drops %s without an answer, and counts it [SN-ROB-1]', (_, packet) => {
  const [world, sensor] = connected()
  world.overloaded = true
  expect(sensor.send(packet)).toEqual([])
  expect(world.drops()).toEqual(['overloaded'])
})

it('does not refuse the repetition of what is under way', () => {
  const [world, sensor] = connected()
  world.broker.latency = 1000
  sensor.send(publish(1, 7))
  sensor.send(publish(2, 8))
  sensor.subscribe('a')
  world.overloaded = true
  expect(sensor.send(publish(1, 7, true))).toEqual([])
  expect(sensor.send(publish(2, 8))).toEqual([])
  expect(sensor.subscribe('a').filter(({ type }) => type === 'suback')).toMatchObject([{ returnCode: 1 }])
  world.advance(3000)
  expect(sensor.types().sort()).toEqual(['puback', 'pubrec', 'suback'])
})

it('does not refuse the repetition of what was accepted, and repeats a CONNACK that was lost [SN-CONN-10, SN-SUB-9 in part]', () => {
  const world = new World()
  const sensor = world.sensor()
  const accepted = sensor.connect('dev1', { cleanSession: false, duration: 60 })
  world.overloaded = true
  expect(sensor.connect('dev1', { cleanSession: false, duration: 60 })).toEqual(accepted)
  expect(sensor.connect('dev1', { cleanSession: true, duration: 60 })).toMatchObject([{ returnCode: 1 }])
  world.overloaded = false
  const register: Packet = { type: 'register', topicId: 0, msgId: 7, topicName: 'b' }
  const subscribe: Packet = { type: 'subscribe', dup: false, qos: 1, msgId: 8, ...filter }
  sensor.send(register)
  sensor.send(publish(1, 9))
  sensor.send(subscribe)
  world.overloaded = true
  for (const packet of [register, publish(1, 9, true), subscribe]) expect(sensor.send(packet)).toEqual([])
  expect(sensor.send(publish(1, 9))).toMatchObject([{ returnCode: 1 }])
})

it('does not refuse an update of the will that is under way', () => {
  const world = new World()
  const sensor = world.sensor()
  sensor.connect('dev1', { will: true })
  sensor.send({ type: 'willtopic', qos: 0, retain: false, willTopic: 'a' })
  sensor.send({ type: 'willmsg', willMsg: bytes('x') })
  world.broker.latency = 1000
  const update: Packet = { type: 'willtopicupd', qos: 0, retain: false, willTopic: 'b' }
  expect(sensor.send(update)).toEqual([])
  world.overloaded = true
  expect(sensor.send(update)).toEqual([])
})

it('a message that it turns away proves that CONNACK has come: the next CONNECT is a new one [SN-CONN-10]', () => {
  const [world, sensor] = connected()
  world.overloaded = true
  sensor.send(publish(1, 1))
  expect(world.session('dev1').setup.fresh).toBe(false)
})

it('refuses a message that is repeated after it was refused [SN-PUB-14]', () => {
  const [world, sensor] = connected()
  world.overloaded = true
  const refused = { type: 'puback', topicId, msgId: 7, returnCode: 1 }
  expect(sensor.send(publish(1, 7))).toEqual([refused])
  expect(sensor.send(publish(1, 7, true))).toEqual([refused])
})

it('a sensor that is turned away is alive [SN-KA-2]', () => {
  const [world, sensor] = connected()
  world.overloaded = true
  for (let second = 0; second < 300; second += 30) {
    world.advance(30_000)
    sensor.send(publish(1, 1 + second))
  }
  expect(world.session('dev1').state).toBe('active')
})

it('refuses each sensor ten times at once and then once a second: answers cost the time that is missing', () => {
  const [world, sensor] = connected()
  const other = world.sensor('10.0.0.2')
  other.connect('dev2')
  world.overloaded = true
  const refusals = (who: VirtualSensor) =>
    Array.from({ length: 50 }, (_, i) => who.send(publish(1, i + 1))).flat().length
  expect(refusals(sensor)).toBe(10)
  expect(refusals(other)).toBe(10)
  world.advance(2000)
  expect(refusals(sensor)).toBe(2)
})

it('strangers who want to connect are refused at the rates for strangers, others are not answered [SN-ROB-3, SN-UNK-3]', () => {
  const world = new World()
  world.overloaded = true
  const stranger = world.sensor()
  expect(stranger.send(publish(1, 1))).toEqual([])
  expect(stranger.send({ type: 'pingreq', clientId: null })).toEqual([])
  const answers = Array.from({ length: 5 }, () => stranger.connect('dev1')).flat()
  expect(answers).toEqual(Array(3).fill({ type: 'connack', returnCode: 1 }))
  world.advance(10_000)
  world.effects.length = 0
  const { repliesPerAddress } = world.settings.limits
  const connect = { type: 'connect', will: false, cleanSession: true, protocolId: 1, duration: 60 } as const
  for (let i = 0; i < 2 * repliesPerAddress; i++) {
    world.receive({ ...connect, clientId: `dev${i}` }, world.sensor('10.0.0.1', 6000 + i).peer)
  }
  expect(world.effects.filter(({ type }) => type === 'send')).toHaveLength(repliesPerAddress)
  expect(world.sessions.byClientId.size).toBe(0)
})

it('a repeated CONNECT does not end its own setup [SN-CONN-10]', () => {
  const world = new World()
  const sensor = world.sensor()
  expect(sensor.connect('dev1', { will: true })).toEqual([{ type: 'willtopicreq' }])
  world.overloaded = true
  expect(sensor.connect('dev1', { will: true })).toEqual([])
  expect(world.session('dev1').state).toBe('willtopic')
})
