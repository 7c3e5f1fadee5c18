// CleanSession: what survives a connection, and what does not [6.3, 6.5, 6.12].

import { expect, it } from 'vitest'
import type { Packet } from '../../../src/codec/v1/messages.ts'
import { bytes, text, type VirtualSensor, World } from '../../support/world.ts'

const disconnect: Packet = { type: 'disconnect', duration: null }
const keep = { cleanSession: false }
const clean = { cleanSession: true }
const emptyWilltopic: Packet = { type: 'willtopic', qos: 0, retain: false, willTopic: null }

/** A sensor that connected with a will and CleanSession=0, subscribed, registered, and went away. */
function withPast(): { world: World; sensor: VirtualSensor; id: number } {
  const world = new World()
  const sensor = world.sensor()
  sensor.connectWithWill('dev1', { topic: 'lwt/1', message: 'old' }, keep)
  sensor.subscribe('d/a', 1)
  const id = sensor.register('t/temp')
  sensor.send(disconnect)
  world.happened()
  return { world, sensor, id }
}

/** Texts of the wills that a day of silence brings about. */
function willsOnLoss(world: World): string[] {
  world.advance(86_400_000)
  return world.broker.wills.map(({ topic, message }) => `${topic} ${text(message)}`)
}

/** What a message to d/a, at QoS 1, brings to the sensor at once. */
function receives(world: World, sensor: VirtualSensor): string[] {
  world.publish('d/a', 'm', 1)
  return sensor.types()
}

it('forgets subscriptions and will at CONNECT clean, and asks for the new will [SN-SESS-1]', () => {
  const { world, sensor } = withPast()
  expect(sensor.connect('dev1', { ...clean, will: true })).toEqual([{ type: 'willtopicreq' }])
  expect(world.session('dev1')).toMatchObject({ subscriptions: { size: 0 }, will: { topic: undefined } })
  sensor.send({ type: 'willtopic', qos: 0, retain: false, willTopic: 'lwt/2' })
  sensor.send({ type: 'willmsg', willMsg: bytes('new') })
  expect(receives(world, sensor)).toEqual([])
  expect(willsOnLoss(world)).toEqual(['lwt/2 new'])
})

it('forgets subscriptions and will at CONNECT clean without will, and asks for nothing [SN-SESS-2]', () => {
  const { world, sensor } = withPast()
  expect(sensor.connect('dev1', clean)).toEqual([{ type: 'connack', returnCode: 0 }])
  expect(receives(world, sensor)).toEqual([])
  expect(willsOnLoss(world)).toEqual([])
})

it('keeps subscriptions at CONNECT not clean, and replaces the will by the new one [SN-SESS-3]', () => {
  const { world, sensor } = withPast()
  sensor.connectWithWill('dev1', { topic: 'lwt/2', message: 'new' }, keep)
  expect(receives(world, sensor)).toEqual(['register'])
  expect(willsOnLoss(world)).toEqual(['lwt/2 new'])
})

it('keeps subscriptions and the stored will at CONNECT not clean without will [SN-SESS-4]', () => {
  const { world, sensor } = withPast()
  expect(sensor.connect('dev1', keep)).toEqual([{ type: 'connack', returnCode: 0 }])
  expect(receives(world, sensor)).toEqual(['register'])
  expect(willsOnLoss(world)).toEqual(['lwt/1 old'])
})

it('deletes the will alone with an empty WILLTOPIC at the setup [SN-SESS-5]', () => {
  const { world, sensor } = withPast()
  sensor.connect('dev1', { ...keep, will: true })
  sensor.send(emptyWilltopic)
  expect(receives(world, sensor)).toEqual(['register'])
  expect(willsOnLoss(world)).toEqual([])
})

it('deletes the will alone with an empty WILLTOPICUPD after the setup [SN-SESS-5]', () => {
  const { world, sensor } = withPast()
  sensor.connect('dev1', keep)
  sensor.send({ ...emptyWilltopic, type: 'willtopicupd' })
  expect(receives(world, sensor)).toEqual(['register'])
  expect(willsOnLoss(world)).toEqual([])
})

it.each([
  ['DISCONNECT', (_: World, sensor: VirtualSensor) => sensor.send(disconnect)],
  ['being lost', (world: World) => world.advance(3_600_000)],
])('keeps a session that is not clean through %s [SN-SESS-6]', (_, end) => {
  const { world, sensor } = withPast()
  sensor.connect('dev1', keep)
  end(world, sensor)
  world.publish('d/a', 'meanwhile', 1)
  expect(sensor.connect('dev1', keep).map(({ type }) => type)).toEqual(['connack', 'register'])
  expect(world.session('dev1').will.topic?.name).toBe('lwt/1')
})

it.each([
  ['DISCONNECT', (_: World, sensor: VirtualSensor) => sensor.send(disconnect)],
  ['being lost', (world: World) => world.advance(3_600_000)],
])('ends a clean session with %s [SN-SESS-6]', (_, end) => {
  const world = new World()
  const sensor = world.sensor()
  sensor.connectWithWill('dev1', { topic: 'lwt/1', message: 'old' }, clean)
  sensor.subscribe('d/a', 1)
  end(world, sensor)
  expect([world.sessions.byClientId.size, world.sessions.byPeer.size]).toEqual([0, 0])
  expect(world.effects.at(-1)).toMatchObject({ type: 'forget', session: { clientId: 'dev1' } })
  world.broker.wills.length = 0
  sensor.connect('dev1', keep)
  expect(receives(world, sensor)).toEqual([])
  expect(willsOnLoss(world)).toEqual([])
})

it('ends a persistent subscription by UNSUBSCRIBE [SN-SESS-7]', () => {
  const { world, sensor } = withPast()
  sensor.connect('dev1', keep)
  sensor.send({ type: 'unsubscribe', msgId: 9, topicIdType: 'normal', topicName: 'd/a' })
  sensor.send(disconnect)
  sensor.connect('dev1', keep)
  expect(receives(world, sensor)).toEqual([])
})

it('ends a persistent subscription when the sensor refuses its REGISTER [SN-SESS-7, SN-GPUB-6]', () => {
  const { world, sensor } = withPast()
  sensor.connect('dev1', keep)
  world.publish('d/a', 'm', 1)
  const [register] = sensor.take()
  if (register?.type !== 'register') throw new Error('no REGISTER')
  sensor.send({ type: 'regack', topicId: register.topicId, msgId: register.msgId, returnCode: 3 })
  sensor.send(disconnect)
  sensor.connect('dev1', keep)
  expect(receives(world, sensor)).toEqual([])
})

it('does not end a persistent subscription by anything else [SN-SESS-7]', () => {
  const { world, sensor } = withPast()
  for (const next of [disconnect, { type: 'disconnect', duration: 5 } as const]) {
    sensor.connect('dev1', keep)
    sensor.send(next)
    world.advance(60_000)
  }
  sensor.connect('dev1', keep)
  expect(receives(world, sensor)).toEqual(['register'])
})

it('forgets topic ids at CONNECT clean: an old one is unknown, and is not given again [SN-SESS-8]', () => {
  const { sensor, id } = withPast()
  sensor.connect('dev1', clean)
  const refused = { type: 'puback', topicId: id, msgId: 5, returnCode: 2 }
  expect(sensor.publish(id, 'x', { qos: 1, msgId: 5 })).toEqual([refused])
  expect(sensor.register('other/topic')).not.toBe(id)
  expect(sensor.publish(id, 'x', { qos: 1, msgId: 5 })).toEqual([refused])
})

it('forgets waiting messages at CONNECT clean [SN-SESS-8]', () => {
  const { world, sensor } = withPast()
  sensor.connect('dev1', keep)
  sensor.sleep(300)
  for (const qos of [0, 1, 2] as const) world.publish('d/a', 'm', qos)
  expect(world.totals.queuedMessages).toBe(3)
  expect(sensor.connect('dev1', clean)).toEqual([{ type: 'connack', returnCode: 0 }])
  expect(world.totals).toEqual({ queuedMessages: 0, queuedOctets: 0 })
})

it('forgets open QoS transactions at CONNECT clean, in both directions [SN-SESS-8]', () => {
  const { world, sensor, id } = withPast()
  sensor.connect('dev1', keep)
  sensor.subscribe('d/b', 2)
  sensor.publish(id, 'up', { qos: 2, msgId: 7 })
  world.publish('d/b', 'down', 2)
  const [publish] = sensor.take()
  if (publish?.type !== 'publish') throw new Error('no PUBLISH')
  sensor.send({ type: 'pubrec', msgId: publish.msgId })
  sensor.connect('dev1', clean)
  world.happened()
  world.advance(50_000)
  expect(world.happened()).toEqual([]) // no PUBREL any more
  const again = sensor.register('t/temp')
  sensor.publish(again, 'up', { qos: 2, msgId: 7 })
  expect(world.broker.published.filter(({ topic }) => topic === 't/temp')).toHaveLength(2)
})

it('keeps topic ids through CONNECT not clean; the sensor may go on using them [SN-SESS-9]', () => {
  const { world, sensor, id } = withPast()
  sensor.connect('dev1', keep)
  expect(sensor.publish(id, 'x', { qos: 1, msgId: 5 })).toMatchObject([{ type: 'puback', returnCode: 0 }])
  expect(world.broker.published).toMatchObject([{ topic: 't/temp' }])
})

it('registers a topic again, with its old id, before the first PUBLISH of a connection [SN-SESS-9]', () => {
  const { world, sensor } = withPast()
  const old = world.session('dev1').topics.byName.get('d/a')
  sensor.connect('dev1', keep)
  world.publish('d/a', 'm1', 1)
  const [register] = sensor.take()
  expect(register).toMatchObject({ type: 'register', topicId: old, topicName: 'd/a' })
  if (register?.type !== 'register') throw new Error('no REGISTER')
  const [publish] = sensor.send({ ...register, type: 'regack', returnCode: 0 })
  expect(publish).toMatchObject({ type: 'publish', topicId: old, data: bytes('m1') })
})

it('does not register a topic that the sensor confirmed in this connection [SN-SESS-9]', () => {
  const { world, sensor } = withPast()
  sensor.connect('dev1', keep)
  sensor.register('d/a')
  expect(receives(world, sensor)).toEqual(['publish'])
})

it.each([
  ['always', 'confirmed just now', ['register']],
  ['never', 'confirmed in an earlier connection', ['publish']],
] as const)(
  'reRegister "%s" decides for a topic that was %s [SN-SESS-9, AMB-7]',
  (reRegister, _, expected) => {
    const world = new World({ policy: () => ({ reRegister }) })
    const sensor = world.sensor()
    sensor.connect('dev1', keep)
    sensor.subscribe('d/a', 1)
    if (reRegister === 'never') {
      sensor.send(disconnect)
      sensor.connect('dev1', keep)
    }
    expect(receives(world, sensor)).toEqual(expected)
  },
)

it('finds will, subscriptions and ids of a stored session after a restart [SN-SESS-10]', () => {
  const { world, sensor, id } = withPast()
  world.restart()
  expect(sensor.publish(id, 'x')).toEqual([disconnect])
  sensor.connect('dev1', keep)
  expect(sensor.publish(id, 'x', { qos: 1, msgId: 5 })).toMatchObject([{ returnCode: 0 }])
  expect(world.broker.published).toMatchObject([{ topic: 't/temp' }])
  expect(receives(world, sensor)).toEqual(['register'])
  expect(willsOnLoss(world)).toEqual(['lwt/1 old'])
})

it('never lets an id of a session that is gone name another topic [SN-SESS-10]', () => {
  const chances = [0.25, 0.75]
  const world = new World({ random: () => chances.shift() ?? 0 })
  const sensor = world.sensor()
  sensor.connect('dev1', clean)
  const id = sensor.register('first/topic')
  sensor.send(disconnect)
  expect(world.sessions.byClientId.size).toBe(0)
  sensor.connect('dev1', clean)
  sensor.register('second/topic')
  expect(sensor.publish(id, 'x', { qos: 1, msgId: 5 })).toMatchObject([{ type: 'puback', returnCode: 2 }])
})

it('delivers a message although it does not know the subscription, after REGISTER [SN-SESS-11]', () => {
  const world = new World()
  world.broker.sessionOf('dev1').subscriptions.set('d/#', 1)
  const sensor = world.sensor()
  sensor.connect('dev1', keep)
  world.publish('d/a', 'm', 1)
  const [register] = sensor.take()
  if (register?.type !== 'register') throw new Error('no REGISTER')
  expect(register.topicName).toBe('d/a')
  const [publish] = sensor.send({ ...register, type: 'regack', returnCode: 0 })
  expect(publish).toMatchObject({ type: 'publish', data: bytes('m') })
})

it('forgets a kept session whose sensor does not come back for too long [AMB-34]', () => {
  const { world } = withPast()
  world.advance(7 * 86_400_000 - 1000)
  expect(world.sessions.byClientId.size).toBe(1)
  world.advance(2000)
  expect(world.sessions.byClientId.size).toBe(0)
  expect(world.effects.at(-1)).toMatchObject({ type: 'forget', session: { clientId: 'dev1' } })
})

it.each([true, false])('brings CleanSession %s to the broker [SN-MAP-2 in part]', (cleanSession) => {
  const world = new World()
  world.sensor().connect('dev1', { cleanSession })
  expect(world.effects.find(({ type }) => type === 'connect')).toMatchObject({ clean: cleanSession })
})

it('never gives the number of a stored message to another one', () => {
  const world = new World()
  const sensor = world.sensor()
  sensor.connect('dev1', keep)
  sensor.subscribe('d/a', 1)
  world.publish('d/a', 'one', 1)
  world.advance(300) // not answered: stored
  expect(world.store.disk.get('dev1')?.progress.nextMessage).toBe(257) // reserved
  world.restart()
  sensor.send({ type: 'pingreq', clientId: null })
  world.publish('d/a', 'two', 1)
  expect(world.session('dev1').downlink.queue.map(({ id }) => id)).toEqual([1, 257])
})
