// Whoever is refused is told of with a reason: nobody has to guess why a sensor does not get in [SN-ROB-2].

import { describe, expect, it } from 'vitest'
import type { Packet } from '../../src/codec/v1/messages.ts'
import type { Refusal, RefusalReason } from '../../src/session/refusal.ts'
import { bytes, type VirtualSensor, World, type WorldOptions } from '../support/world.ts'

/** Every refusal of a world so far, however it was told. */
const refusalsOf = (world: World): Refusal[] =>
  world.effects.flatMap((effect) =>
    'refusal' in effect && effect.refusal !== undefined ? [effect.refusal] : [],
  )

const policy: WorldOptions['policy'] = (clientId) => ({
  denied: clientId === 'banned',
  mayComeFrom: (address) => clientId !== 'home' || address === '10.9.9.9',
})

describe('a CONNECT', () => {
  const long = 'x'.repeat(24)
  it.each<[RefusalReason, string, Partial<Extract<Packet, { type: 'connect' }>>]>([
    ['client-id-too-long', long, {}],
    ['client-id-empty', '', {}],
    ['client-id-impossible', 'a\0b', {}],
    ['wrong-protocol', 'dev1', { protocolId: 4 }],
    ['denied', 'banned', {}],
    ['wrong-address', 'home', {}],
  ])(
    'that is refused as %s is told of with address, ClientId and code [SN-CONN-8, SN-ROB-2]',
    (reason, clientId, more) => {
      const world = new World({ policy })
      const sensor = world.sensor()
      expect(sensor.connect(clientId, more)).toEqual([{ type: 'connack', returnCode: 3 }])
      expect(refusalsOf(world)).toMatchObject([{ reason, clientId, returnCode: 3, peer: sensor.peer }])
      expect(world.sessions.byClientId.size).toBe(0)
    },
  )

  it('that the broker refuses tells what the broker said', () => {
    const world = new World()
    world.broker.refuses = 3
    world.sensor().connect('dev1')
    expect(refusalsOf(world)).toMatchObject([{ reason: 'broker-refused', clientId: 'dev1', returnCode: 3 }])
    expect(refusalsOf(world)[0]?.detail).toMatch(/./)
  })

  it('whose will is impossible is told of [SN-WILL-4]', () => {
    const world = new World()
    world.sensor().connectWithWill('dev1', { topic: 'a/+', message: 'x' })
    expect(refusalsOf(world)).toMatchObject([{ reason: 'will-impossible', clientId: 'dev1', returnCode: 3 }])
  })

  it('above the rate of its address is told of', () => {
    const world = new World({ limits: { connectsPerAddress: 1 } })
    world.sensor('10.0.0.1', 1).connect('a')
    world.sensor('10.0.0.1', 2).connect('b')
    expect(refusalsOf(world)).toMatchObject([{ reason: 'too-many-connects', clientId: 'b' }])
  })
})

describe('a request of a connected sensor', () => {
  const publish = (topicIdType: 'normal' | 'predefined' | 'short', topicId: number): Packet => ({
    type: 'publish',
    dup: false,
    qos: 1,
    retain: false,
    topicIdType,
    topicId,
    msgId: 7,
    data: bytes('x'),
  })
  const subscribe = (topicName: string, qos: -1 | 0 | 1 | 2 = 1): Packet => ({
    type: 'subscribe',
    dup: false,
    qos,
    msgId: 9,
    topicIdType: 'normal',
    topicName,
  })
  const register = (topicName: string): Packet => ({ type: 'register', topicId: 0, msgId: 3, topicName })

  it.each<[RefusalReason, string, (sensor: VirtualSensor) => unknown]>([
    ['topic-id-unknown', 'PUBLISH', (sensor) => sensor.send(publish('normal', 99))],
    ['topic-id-unknown', 'PUBLISH', (sensor) => sensor.send(publish('predefined', 99))],
    ['topic-impossible', 'PUBLISH', (sensor) => sensor.send(publish('short', 0x2b2b))],
    ['topic-impossible', 'REGISTER', (sensor) => sensor.send(register('a/#'))],
    ['topic-impossible', 'SUBSCRIBE', (sensor) => sensor.send(subscribe('a/#/b'))],
    ['qos-impossible', 'SUBSCRIBE', (sensor) => sensor.send(subscribe('a', -1))],
    [
      'too-many-topics',
      'REGISTER',
      (sensor) => [sensor.register('a'), sensor.register('b'), sensor.send(register('c'))],
    ],
    [
      'too-many-subscriptions',
      'SUBSCRIBE',
      (sensor) => [sensor.subscribe('+/a'), sensor.subscribe('+/b'), sensor.send(subscribe('+/c'))],
    ],
    [
      'will-impossible',
      'WILLTOPICUPD',
      (sensor) => sensor.send({ type: 'willtopicupd', qos: 0, retain: false, willTopic: '#' }),
    ],
  ])('refused as %s is told of: %s', (reason, _, step) => {
    const world = new World({ limits: { topicsPerSensor: 2, subscriptionsPerSensor: 2 } })
    const sensor = world.sensor()
    sensor.connect('dev1')
    step(sensor)
    expect(refusalsOf(world)).toMatchObject([{ reason, clientId: 'dev1', peer: sensor.peer }])
  })

  it('never gets a refusing code without a refusal being told', () => {
    const world = new World()
    const sensor = world.sensor()
    sensor.connect('dev1')
    world.broker.crash()
    for (let msgId = 1; msgId < 30; msgId++) sensor.send({ ...publish('short', 0x6162), msgId } as Packet)
    sensor.subscribe('a')
    world.advance(20_000)
    const codes = world.effects.flatMap((effect) =>
      effect.type === 'send' && 'returnCode' in effect.packet && effect.packet.returnCode !== 0
        ? [effect.packet.returnCode]
        : [],
    )
    expect(codes.length).toBeGreaterThan(0)
    expect(refusalsOf(world).map(({ returnCode }) => returnCode)).toEqual(codes)
  })
})

describe('a sender without a connection', () => {
  it.each<[RefusalReason, WorldOptions, string]>([
    ['qos-minus-one-off', { qosMinusOne: { enabled: false } }, '080c62616200007a'],
    ['qos-minus-one-topic', { qosMinusOne: { topics: ['x/#'] } }, '080c62616200007a'],
    ['qos-minus-one-rate', { qosMinusOne: { perAddress: 0.5 } }, '080c62616200007a'],
    ['topic-id-unknown', {}, '080c61000900007a'],
    ['topic-impossible', {}, '080c622b2b00007a'],
    ['unknown-sender', {}, '0216'],
  ])('refused as %s is told of with its address', (reason, options, datagram) => {
    const world = new World(options)
    const sensor = world.sensor()
    sensor.sendHex(datagram)
    expect(refusalsOf(world)).toMatchObject([{ reason, peer: sensor.peer }])
  })

  it('names itself in a PINGREQ, and is told of by that name', () => {
    const world = new World()
    world.sensor().wake('sleepy')
    expect(refusalsOf(world)).toMatchObject([{ reason: 'unknown-sender', clientId: 'sleepy' }])
  })
})

it('what an overloaded gateway turns away is told of as well', () => {
  const world = new World()
  const sensor = world.sensor()
  sensor.connect('dev1')
  world.overloaded = true
  sensor.send({ type: 'register', topicId: 0, msgId: 1, topicName: 'a' })
  expect(refusalsOf(world)).toMatchObject([{ reason: 'overloaded', clientId: 'dev1', peer: sensor.peer }])
})
