// Retransmission, both ways: the gateway repeats what a sensor does not answer, and bears repetitions [6.13].

import { describe, expect, it } from 'vitest'
import type { Packet } from '../../../src/codec/v1/messages.ts'
import { answerTo } from '../../support/patient.ts'
import { bytes, type VirtualSensor, World } from '../../support/world.ts'

type Options = ConstructorParameters<typeof World>[0]

function subscribed(filters: string[], options: Options = {}): [World, VirtualSensor] {
  const world = new World(options)
  const sensor = world.sensor()
  sensor.connect('dev1', { cleanSession: false, duration: 3600 })
  for (const filter of filters) sensor.subscribe(filter, 2)
  world.happened()
  return [world, sensor]
}

/** What comes in the next seconds, with the time since now. */
function listen(world: World, sensor: VirtualSensor, seconds: number): string[] {
  const heard: string[] = []
  for (let second = 1; second <= seconds; second++) {
    world.advance(1000)
    heard.push(
      ...sensor
        .take()
        .map((packet) => `${second} s: ${packet.type}${'dup' in packet && packet.dup ? ' dup' : ''}`),
    )
  }
  return heard
}

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
const effectsAtBroker = (world: World) =>
  world.effects.flatMap(({ type }) =>
    type === 'connect' ||
    type === 'publish' ||
    type === 'subscribe' ||
    type === 'unsubscribe' ||
    type === 'close'
      ? [type]
      : [],
  )

describe('a request of a sensor that comes three times', () => {
  const rows: { packet: Packet; answer: object; effects: string[] }[] = [
    {
      packet: {
        type: 'connect',
        will: false,
        cleanSession: false,
        protocolId: 1,
        duration: 60,
        clientId: 'dev1',
      },
      answer: { type: 'connack', returnCode: 0 },
      effects: ['connect'],
    },
    {
      packet: { type: 'register', topicId: 0, msgId: 4, topicName: 'a/b' },
      answer: { type: 'regack', topicId: 1, msgId: 4, returnCode: 0 },
      effects: [],
    },
    {
      packet: { ...publish, qos: 1, msgId: 4 },
      answer: { type: 'puback', topicId, msgId: 4, returnCode: 0 },
      effects: ['publish'],
    },
    { packet: { ...publish, qos: 2, msgId: 4 }, answer: { type: 'pubrec', msgId: 4 }, effects: ['publish'] },
    { packet: { type: 'pubrel', msgId: 4 }, answer: { type: 'pubcomp', msgId: 4 }, effects: [] },
    {
      packet: { type: 'subscribe', dup: false, qos: 1, msgId: 4, topicIdType: 'normal', topicName: 's/+' },
      answer: { type: 'suback', qos: 1, topicId: 0, msgId: 4, returnCode: 0 },
      effects: ['subscribe'],
    },
    { packet: { type: 'pingreq', clientId: 'dev1' }, answer: { type: 'pingresp' }, effects: [] },
    {
      packet: { type: 'disconnect', duration: 600 },
      answer: { type: 'disconnect', duration: null },
      effects: [],
    },
    {
      packet: { type: 'willtopicupd', qos: 1, retain: false, willTopic: 'w' },
      answer: { type: 'willtopicresp', returnCode: 0 },
      effects: ['connect'],
    },
    {
      packet: { type: 'willmsgupd', willMsg: bytes('x') },
      answer: { type: 'willmsgresp', returnCode: 0 },
      effects: [],
    },
  ]
  it.each(rows.map((row) => [row.packet.type, row] as const))(
    '%s, 10 s apart: the same answer, one effect [SN-RTX-1]',
    (type, row) => {
      const { packet, answer, effects } = row
      const [world, sensor] = type === 'connect' ? [new World(), undefined] : subscribed([])
      const voice = sensor ?? world.sensor()
      const before = effectsAtBroker(world).length
      for (let i = 0; i < 3; i++) {
        expect(voice.send(packet.type === 'publish' && i > 0 ? { ...packet, dup: true } : packet)).toEqual([
          answer,
        ])
        world.advance(9000)
      }
      expect(effectsAtBroker(world).slice(before)).toEqual(effects)
    },
  )

  it.each(rows.filter(({ effects }) => effects.length > 0).map((row) => [row.packet.type, row] as const))(
    '%s, back to back: one answer, one effect [SN-RTX-1]',
    (type, { packet, answer, effects }) => {
      const [world, sensor] = type === 'connect' ? [new World(), undefined] : subscribed([])
      const voice = sensor ?? world.sensor()
      const before = effectsAtBroker(world).length
      for (let i = 0; i < 3; i++) world.receive(packet, voice.peer)
      world.advance(100)
      expect(voice.take()).toEqual([answer])
      expect(effectsAtBroker(world).slice(before)).toEqual(effects)
    },
  )

  it('UNSUBSCRIBE: the same answer; asking the broker again is harmless [SN-RTX-1]', () => {
    const [world, sensor] = subscribed(['s/a'])
    for (let i = 0; i < 3; i++) {
      const packet: Packet = { type: 'unsubscribe', msgId: 4, topicIdType: 'normal', topicName: 's/a' }
      expect(sensor.send(packet)).toEqual([{ type: 'unsuback', msgId: 4 }])
      world.advance(9000)
    }
    expect(world.broker.stored.get('dev1')?.subscriptions.size).toBe(0)
  })

  it('WILLTOPIC and WILLMSG: the same next step, one connection [SN-RTX-1]', () => {
    const world = new World()
    const sensor = world.sensor()
    sensor.connect('dev1', { will: true })
    const topic: Packet = { type: 'willtopic', qos: 0, retain: false, willTopic: 'w' }
    for (let i = 0; i < 3; i++) expect(sensor.send(topic)).toEqual([{ type: 'willmsgreq' }])
    const message: Packet = { type: 'willmsg', willMsg: bytes('x') }
    for (let i = 0; i < 3; i++) expect(sensor.send(message)).toEqual([{ type: 'connack', returnCode: 0 }])
    expect(effectsAtBroker(world)).toEqual(['connect'])
  })
})

describe('a sensor that stays silent', () => {
  it('gets PUBLISH again after T_retry with DUP and the same MsgId, N_retry times [SN-GPUB-13, SN-RTX-2, SN-RTX-3]', () => {
    const [world, sensor] = subscribed(['s/a'])
    world.publish('s/a', 'x', 1)
    expect(sensor.take()).toMatchObject([{ dup: false, msgId: 1 }])
    for (let i = 0; i < 3; i++) {
      world.advance(9_998)
      expect(sensor.take()).toEqual([])
      world.advance(2)
      expect(sensor.take()).toMatchObject([{ type: 'publish', dup: true, msgId: 1, data: bytes('x') }])
    }
    expect(listen(world, sensor, 600)).toEqual([])
  })

  it('gets PUBREL again [SN-GPUB-12, SN-RTX-3]', () => {
    const [world, sensor] = subscribed(['s/a'])
    world.publish('s/a', 'x', 2)
    sensor.send({ type: 'pubrec', msgId: 1 })
    expect(listen(world, sensor, 60)).toEqual(['10 s: pubrel', '20 s: pubrel', '30 s: pubrel'])
  })

  it('gets REGISTER again unchanged; after the last one the messages of that name are dropped, others follow [SN-GPUB-13, SN-RTX-3, AMB-26]', () => {
    const [world, sensor] = subscribed(['s/+', 't/a'])
    world.publish('s/a', '1', 1)
    world.publish('t/a', '2', 0)
    world.publish('s/a', '3', 2)
    const first = sensor.take()
    world.advance(10_000)
    expect(sensor.take()).toEqual(first)
    expect(listen(world, sensor, 60)).toEqual(['10 s: register', '20 s: register', '30 s: publish'])
    expect(world.drops()).toEqual(['unregistered', 'unregistered'])
    expect(world.session('dev1').downlink.queue).toEqual([])
  })

  it('gets what it subscribed by name even if it never answers REGISTER: SUBACK told it the id [AMB-26]', () => {
    const world = new World()
    const sensor = world.sensor()
    sensor.connect('dev1', { cleanSession: false, duration: 3600 })
    sensor.subscribe('s/a', 1)
    sensor.connect('dev1', { cleanSession: false, duration: 60 })
    world.publish('s/a', 'x', 1)
    expect(sensor.types()).toEqual(['register'])
    expect(listen(world, sensor, 40)).toEqual([
      ...['10 s: register', '20 s: register', '30 s: register'],
      '40 s: publish',
    ])
    expect(world.drops()).toEqual([])
  })

  it('gets nothing more, and keeps its message until it speaks again: then with DUP, at once [AMB-26, SN-GPUB-13]', () => {
    const [world, sensor] = subscribed(['s/a'])
    world.publish('s/a', '1', 1)
    world.publish('s/a', '2', 0)
    world.advance(60_000)
    sensor.take()
    world.publish('s/a', '3', 1)
    expect(listen(world, sensor, 600)).toEqual([])
    expect(world.session('dev1').downlink.queue).toHaveLength(3)
    expect(sensor.send({ type: 'pingreq', clientId: null })).toMatchObject([
      { type: 'pingresp' },
      { type: 'publish', dup: true, msgId: 1, data: bytes('1') },
    ])
    expect(listen(world, sensor, 25)).toEqual(['10 s: publish dup', '20 s: publish dup'])
  })

  it('finishes with the late answer itself, and gets the rest [AMB-26]', () => {
    const [world, sensor] = subscribed(['s/a'])
    world.publish('s/a', '1', 1)
    world.publish('s/a', '2', 1)
    world.advance(60_000)
    sensor.take()
    expect(sensor.send({ type: 'puback', topicId: 1, msgId: 1, returnCode: 0 })).toMatchObject([
      { type: 'publish', dup: false, msgId: 2, data: bytes('2') },
    ])
  })

  it('is not lost by silence to retransmissions: keep-alive alone decides [AMB-26]', () => {
    const [world] = subscribed(['s/a'])
    world.publish('s/a', '1', 1)
    world.advance(3_900_000)
    expect(world.session('dev1').state).toBe('active')
  })

  it('never gets an answer twice without asking twice [SN-RTX-3]', () => {
    const [world, sensor] = subscribed([])
    sensor.register('a/b')
    sensor.publish(topicId, 'x', { topicIdType: 'short', qos: 1, msgId: 4 })
    sensor.publish(topicId, 'x', { topicIdType: 'short', qos: 2, msgId: 5 })
    expect(listen(world, sensor, 300)).toEqual([])
  })
})

it.each([
  [100, 5],
  [500, 0],
])('follows the configured T_retry %i ms and N_retry %i [SN-RTX-5]', (tRetry, nRetry) => {
  const [world, sensor] = subscribed(['s/a'], { timers: { tRetry, nRetry } })
  world.publish('s/a', 'x', 1)
  world.advance(60_000)
  expect(sensor.take()).toHaveLength(1 + nRetry)
})

it('answers what needs no broker at once [SN-RTX-6]', () => {
  const [world, sensor] = subscribed([])
  world.broker.latency = 5000
  const packets: Packet[] = [
    { type: 'register', topicId: 0, msgId: 4, topicName: 'a/b' },
    { ...publish, qos: 1, msgId: 4, topicIdType: 'normal', topicId: 99 },
    { type: 'pubrel', msgId: 9 },
    { type: 'subscribe', dup: false, qos: 0, msgId: 4, topicIdType: 'normal', topicName: 'a#' },
    { type: 'pingreq', clientId: null },
    { type: 'disconnect', duration: 60 },
  ]
  const now = world.now
  for (const packet of packets) world.receive(packet, sensor.peer)
  expect(sensor.types()).toEqual(['regack', 'puback', 'pubcomp', 'suback', 'pingresp', 'disconnect'])
  expect(world.now).toBe(now)
})

it('tells a sensor to try later before its own T_retry ends, when the broker does not answer [SN-RTX-6]', () => {
  const world = new World()
  const sensor = world.sensor()
  world.broker.answers = false
  sensor.connect('dev1')
  expect(listen(world, sensor, 10)).toEqual(['4 s: connack'])
  world.broker.answers = true
  sensor.connect('dev1', { duration: 3600 })
  world.broker.answers = false
  sensor.publish(topicId, 'x', { topicIdType: 'short', qos: 1, msgId: 4 })
  sensor.publish(topicId, 'x', { topicIdType: 'short', qos: 2, msgId: 5 })
  sensor.subscribe('s/a')
  const answers = listen(world, sensor, 10)
  expect(answers).toEqual(['8 s: puback', '8 s: puback', '8 s: suback'])
  expect(answerTo({ type: 'pingresp' })).toBeUndefined()
})
