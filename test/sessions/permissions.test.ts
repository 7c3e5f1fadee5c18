// What a rule lets a sensor publish and subscribe, at every way in; and what becomes of subscriptions when rules change.

import { describe, expect, it } from 'vitest'
import type { Permission } from '../../src/session/topics/permission.ts'
import { VirtualSensor, World } from '../support/world.ts'

const only = (...allowed: string[]): Permission => ({ allowed, except: [] })
const publishes: Permission = { allowed: ['own/#', 'xy'], except: ['own/secret/#'] }
const subscribes: Permission = { allowed: ['cmd/#', 'xy'], except: ['cmd/+/admin'] }

const setup = () => {
  const world = new World({
    policy: () => ({ publish: publishes, subscribe: subscribes }),
    predefined: { 1: 'own/predefined', 2: 'foreign/predefined' },
  })
  const sensor = world.sensor()
  sensor.connect('dev1', { cleanSession: false })
  return { world, sensor }
}
const refused = (world: World) =>
  world.effects.flatMap((effect) => (effect.type === 'refused' ? [effect.refusal] : []))

describe('a sensor that may publish to some topics only', () => {
  it.each(['foreign/x', 'own/secret/x', 'own/secret', '$SYS/x'])(
    'is refused REGISTER of %s with 0x03 and a reason',
    (topicName) => {
      const { world, sensor } = setup()
      expect(sensor.send({ type: 'register', topicId: 0, msgId: 7, topicName })).toEqual([
        { type: 'regack', topicId: 0, msgId: 7, returnCode: 3 },
      ])
      expect(refused(world)).toMatchObject([
        { reason: 'topic-not-permitted', clientId: 'dev1', detail: topicName },
      ])
    },
  )

  it('publishes what it may, by a registered, predefined or short name', () => {
    const { world, sensor } = setup()
    sensor.publish(sensor.register('own/a'), '1', { qos: 1, msgId: 1 })
    sensor.publish(1, '2', { topicIdType: 'predefined' })
    sensor.publish(0x7879, '3', { topicIdType: 'short' })
    expect(world.broker.published.map(({ topic }) => topic)).toEqual(['own/a', 'own/predefined', 'xy'])
  })

  it.each([
    [0, 'predefined', 2],
    [1, 'predefined', 2],
    [2, 'predefined', 2],
    [1, 'short', 0x6161],
  ] as const)('is refused PUBLISH at QoS %i by a %s name with 0x03', (qos, topicIdType, topicId) => {
    const { world, sensor } = setup()
    expect(sensor.publish(topicId, 'x', { qos, topicIdType, msgId: qos })).toEqual([
      { type: 'puback', topicId, msgId: qos, returnCode: 3 },
    ])
    expect(world.broker.published).toEqual([])
  })

  it('is not answered at QoS -1, and the message is counted and not published', () => {
    const { world, sensor } = setup()
    expect(sensor.publish(2, 'x', { qos: -1, topicIdType: 'predefined' })).toEqual([])
    expect(world.broker.published).toEqual([])
    expect(world.effects).toContainEqual(expect.objectContaining({ type: 'drop', reason: 'not-allowed' }))
  })

  it('has no will there: CONNACK 0x03, and WILLTOPICRESP 0x03 for an update', () => {
    const { world, sensor } = setup()
    const other = world.sensor('10.0.0.2')
    other.connect('dev2', { will: true })
    expect(other.send({ type: 'willtopic', qos: 0, retain: false, willTopic: 'foreign/w' })).toEqual([
      { type: 'connack', returnCode: 3 },
    ])
    expect(sensor.send({ type: 'willtopicupd', qos: 0, retain: false, willTopic: 'foreign/w' })).toEqual([
      { type: 'willtopicresp', returnCode: 3 },
    ])
    expect(refused(world).map(({ reason }) => reason)).toEqual(['topic-not-permitted', 'topic-not-permitted'])
  })

  it('loses a right with the next PUBLISH after the rules have changed, whatever it registered', () => {
    const { world, sensor } = setup()
    const topicId = sensor.register('own/a')
    const session = world.session('dev1')
    session.policy = { ...session.policy, publish: only('other') }
    world.happen(session, { type: 'rules' })
    expect(sensor.publish(topicId, 'x', { qos: 1, msgId: 9 })).toMatchObject([
      { type: 'puback', returnCode: 3 },
    ])
    expect(world.broker.published).toEqual([])
  })
})

describe('a sensor that may subscribe some topics only', () => {
  it.each(['#', '+/x', 'cmd/+/admin', 'cmd/#', 'cmd/a/admin', 'foreign', '$share/g/foreign'])(
    'is refused SUBSCRIBE of %s with 0x03: something that it matches is not permitted',
    (filter) => {
      const { world, sensor } = setup()
      expect(sensor.subscribe(filter, 1)).toMatchObject([{ type: 'suback', returnCode: 3 }])
      expect(refused(world)).toMatchObject([{ reason: 'topic-not-permitted', detail: filter }])
    },
  )

  it.each(['cmd', 'cmd/a', 'cmd/+/set', '$share/g/cmd/a', 'xy'])('may subscribe %s', (filter) => {
    const { sensor } = setup()
    expect(sensor.subscribe(filter, 1)).toMatchObject([{ type: 'suback', returnCode: 0 }])
  })

  it('loses a subscription when the rules change: the broker is told, and nothing more is delivered', () => {
    const { world, sensor } = setup()
    sensor.subscribe('cmd/a', 1)
    sensor.subscribe('cmd/b', 1)
    const session = world.session('dev1')
    session.policy = { ...session.policy, subscribe: only('cmd/b') }
    world.happen(session, { type: 'rules' })
    world.advance(100)
    expect([...session.subscriptions].map(([filter]) => filter)).toEqual(['cmd/b'])
    sensor.take()
    world.publish('cmd/a', 'no', 1)
    world.publish('cmd/b', 'yes', 1)
    world.advance(100)
    expect(sensor.take().filter(({ type }) => type === 'publish')).toHaveLength(1)
  })

  it('loses it at the next connection, of a session that the broker kept', () => {
    let subscribe = subscribes
    const world = new World({ policy: () => ({ subscribe }) })
    const sensor = world.sensor()
    sensor.connect('dev1', { cleanSession: false })
    sensor.subscribe('cmd/a', 1)
    sensor.send({ type: 'disconnect', duration: null })
    world.advance(1000)
    subscribe = only('cmd/b')
    sensor.connect('dev1', { cleanSession: false })
    world.advance(1000)
    expect([...world.session('dev1').subscriptions]).toEqual([])
    world.publish('cmd/a', 'no', 1)
    world.advance(1000)
    expect(sensor.take().filter(({ type }) => type === 'publish' || type === 'register')).toEqual([])
  })
})

describe('a message without a connection', () => {
  const publish = { qos: -1, topicIdType: 'predefined' } as const

  it('is taken from the addresses that may send such, and refused from others', () => {
    const world = new World({
      predefined: { 1: 'a' },
      qosMinusOne: { mayComeFrom: (address) => address === '10.0.0.2' },
    })
    world.sensor('10.0.0.1').publish(1, 'no', publish)
    world.sensor('10.0.0.2').publish(1, 'yes', publish)
    const refusals = world.effects.flatMap((effect) =>
      effect.type === 'drop' ? [effect.reason, effect.refusal?.reason] : [],
    )
    expect(refusals).toEqual(['not-allowed', 'qos-minus-one-source'])
    expect(world.effects.filter(({ type }) => type === 'publishAnonymous')).toHaveLength(1)
  })

  it('of who has proved an identity is taken where a sensor of that name may publish', () => {
    const world = new World({
      predefined: { 1: 'own/a', 2: 'foreign' },
      policy: (clientId) => ({ publish: only(clientId === 'meter-1' ? 'own/#' : 'nothing') }),
    })
    const association = { number: 1, identity: 'meter-1', kind: 'psk' } as const
    const sensor = new VirtualSensor(world, { ...world.sensor().peer, association })
    for (const topicId of [1, 2]) sensor.publish(topicId, 'x', publish)
    const sent = world.effects.flatMap((effect) => (effect.type === 'publishAnonymous' ? [effect.topic] : []))
    expect(sent).toEqual(['own/a'])
  })
})
