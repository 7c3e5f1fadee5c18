// Sequences that are meant to make a broker that hangs up cost more than the message it hangs up at.

import { describe, expect, it } from 'vitest'
import type { Packet } from '../../../src/codec/v1/messages.ts'
import type { Effect } from '../../../src/session/events.ts'
import { spoolPolicy, text, type VirtualSensor, World, type WorldOptions } from '../../support/world.ts'

const MINUTE = 60_000
const bad = (topic: string): boolean => topic.startsWith('bad')
const stores: WorldOptions = { policy: () => ({ ack: 'store', spool: { ...spoolPolicy, qos0: true } }) }
const [GOOD, OTHER, BAD] = [1, 2, 3]

function connected(options: WorldOptions = {}, cleanSession = false): [World, VirtualSensor] {
  const world = new World({ random: () => 0, ...options })
  world.broker.hangsUpAt = bad
  const sensor = world.sensor()
  sensor.connect('dev1', { cleanSession, duration: 3600 })
  for (const topic of ['good', 'other', 'bad']) sensor.register(topic)
  return [world, sensor]
}

function connectedWithLongPauses(options: WorldOptions = {}): [World, VirtualSensor] {
  let chance = 0
  const made = connected({ random: () => chance, ...options })
  chance = 0.9
  return made
}

const arrived = (world: World) => world.broker.published.map(({ payload }) => text(payload))
const codes = (packets: readonly Packet[]) =>
  packets.flatMap((packet) => ('returnCode' in packet ? [`${packet.type} ${packet.returnCode}`] : []))
const setAside = (world: World) =>
  world.effects.flatMap((effect) => (effect.type === 'setAside' ? [`${effect.kind} ${effect.topic}`] : []))

/** The broker hangs up at this effect. */
function hangUpAt(world: World, is: (effect: Effect) => boolean): void {
  const perform = world.broker.perform.bind(world.broker)
  world.broker.perform = (effect) => {
    if (is(effect) && 'session' in effect && effect.session !== undefined) world.broker.hangUp(effect.session)
    else perform(effect)
  }
}

describe('a broker that hangs up at the release of a QoS 2 publish', () => {
  it.each([false, true])(
    'has it: it counts as done, and nothing behind it waits or is blamed, stored %s',
    (isStored) => {
      const [world, sensor] = connected(isStored ? stores : {})
      let [first] = [undefined as number | undefined]
      hangUpAt(world, (effect) => {
        if (effect.type !== 'release') return false
        first ??= effect.token
        return effect.token === first
      })
      sensor.publish(GOOD, 'two', { qos: 2, msgId: 1 })
      for (let i = 0; i < 6; i++) {
        sensor.publish(OTHER, `one ${i}`, { qos: 1, msgId: 10 + i })
        sensor.publish(OTHER, `two ${i}`, { qos: 2, msgId: 20 + i })
        sensor.send({ type: 'pubrel', msgId: 20 + i })
        world.advance(3000)
        for (const qos of [1, 2] as const)
          sensor.publish(OTHER, `${qos === 1 ? 'one' : 'two'} ${i}`, { qos, msgId: 10 * qos + i, dup: true })
        sensor.send({ type: 'pubrel', msgId: 20 + i })
      }
      world.advance(MINUTE)
      sensor.send({ type: 'pubrel', msgId: 1 })
      world.advance(MINUTE)
      expect(setAside(world)).toEqual([])
      const wanted = ['two', ...Array.from({ length: 6 }, (_, i) => [`one ${i}`, `two ${i}`]).flat()]
      expect([...new Set(arrived(world))].sort()).toEqual(wanted.sort())
      expect(world.session('dev1').uplink.outgoing.size).toBe(0)
      expect(world.broker.hangUps).toBeLessThanOrEqual(3)
    },
  )
})

describe('a poisoned publish', () => {
  it('is found out although the sensor gives it up before the connection is there again', () => {
    const [world, sensor] = connectedWithLongPauses({ timers: { reconnectMin: 12_000 } })
    const answers: string[] = []
    for (let i = 0; i < 8; i++) {
      answers.push(...codes(sensor.publish(BAD, 'poison', { qos: 1, msgId: 7, dup: i > 0 })))
      world.advance(15_000)
      answers.push(...codes(sensor.take()))
    }
    expect(answers).toContain('puback 3')
    expect(world.broker.hangUps).toBeLessThanOrEqual(3)
  })

  it('is found out although the sensor connects again for each try', () => {
    const [world, sensor] = connectedWithLongPauses()
    for (let i = 0; i < 10; i++) {
      sensor.connect('dev1', { cleanSession: false, duration: 3600 })
      sensor.register('good')
      sensor.publish(sensor.register('bad'), 'poison', { qos: 1, msgId: 7 })
      world.advance(400)
      sensor.publish(GOOD, `good ${i}`, { qos: 1, msgId: 8 })
      world.advance(400)
      sensor.send({ type: 'disconnect', duration: null })
      world.advance(5000)
    }
    expect(world.broker.hangUps).toBeLessThanOrEqual(3)
    expect(arrived(world).length).toBeGreaterThanOrEqual(7)
  })

  it.each([0, 1, 2] as const)(
    'at QoS %i beside two others under way, stored, over restarts, costs nothing but itself',
    (qos) => {
      const [world, sensor] = connected(stores)
      world.store.lag = 1
      for (let i = 0; i < 5; i++) {
        sensor.publish(GOOD, `a${i}`, { qos: 1, msgId: 10 + i })
        sensor.publish(BAD, `poison${i}`, { qos, msgId: 20 + i })
        sensor.send({ type: 'pubrel', msgId: 20 + i })
        sensor.publish(OTHER, `b${i}`, { qos: 2, msgId: 30 + i })
        sensor.send({ type: 'pubrel', msgId: 30 + i })
        world.advance(1700)
        if (i % 2 === 0) world.restart(500)
      }
      world.advance(10 * MINUTE)
      const wanted = Array.from({ length: 5 }, (_, i) => [`a${i}`, `b${i}`]).flat()
      expect(
        arrived(world)
          .filter((one) => one !== '')
          .sort(),
      ).toEqual(wanted.sort())
      expect(world.session('dev1').uplink.spooled.messages).toBe(0)
      expect(new Set(setAside(world))).toEqual(new Set(qos === 0 ? [] : ['publish bad']))
    },
  )

  it('of QoS 2 is acknowledged once and for all: its repetition is not refused', () => {
    const [world, sensor] = connected(stores)
    expect(sensor.publish(BAD, 'poison', { qos: 2, msgId: 7 }).map(({ type }) => type)).toEqual(['pubrec'])
    world.advance(MINUTE / 2)
    expect(setAside(world)).toEqual(['publish bad'])
    expect(sensor.publish(BAD, 'poison', { qos: 2, msgId: 7, dup: true }).map(({ type }) => type)).toEqual([
      'pubrec',
    ])
    expect(sensor.send({ type: 'pubrel', msgId: 7 }).map(({ type }) => type)).toEqual(['pubcomp'])
    expect(codes(sensor.publish(BAD, 'poison', { qos: 2, msgId: 8 }))).toEqual(['puback 3'])
  })

  it('with the retain flag leaves those without it alone', () => {
    const [world, sensor] = connected()
    world.broker.hangsUpAt = () => false
    hangUpAt(world, (effect) => effect.type === 'publish' && effect.retain)
    sensor.publish(GOOD, 'kept', { qos: 1, msgId: 1, retain: true })
    world.advance(MINUTE / 2)
    expect(codes(sensor.take())).toContain('puback 3')
    expect(codes(sensor.publish(GOOD, 'not kept', { qos: 1, msgId: 2 }))).toEqual(['puback 0'])
    expect(codes(sensor.publish(GOOD, 'kept', { qos: 1, msgId: 3, retain: true }))).toEqual(['puback 3'])
  })
})

describe('a poisoned filter', () => {
  it.each([false, true])(
    'that is unsubscribed is answered, and everything else goes on, restart %s',
    (restarts) => {
      const [world, sensor] = connected()
      world.broker.hangsUpAt = () => false
      sensor.subscribe('f/1', 1)
      sensor.subscribe('f/2', 1)
      hangUpAt(world, (effect) => effect.type === 'unsubscribe' && effect.filter === 'f/1')
      const answers: string[] = []
      world.ears.set(sensor.peer.key, ({ type }) => answers.push(type))
      world.receive(
        {
          type: 'unsubscribe',
          msgId: 77,
          dup: false,
          qos: 0,
          topicIdType: 'normal',
          topicName: 'f/1',
        } as Packet,
        sensor.peer,
      )
      world.advance(MINUTE / 4)
      if (restarts) world.restart(500)
      world.advance(MINUTE / 4)
      sensor.publish(GOOD, 'x', { qos: 1, msgId: 5 })
      world.publish('f/2', 'still there', 1)
      world.advance(1000)
      expect(answers).toContain('unsuback')
      expect(arrived(world)).toContain('x')
      expect(answers.filter((type) => type === 'register' || type === 'publish')).not.toEqual([])
      // what the sensor does not want any more does not come, also after the broker has lost its session
      world.broker.stored.clear()
      world.broker.hangUp(world.session('dev1'))
      world.advance(MINUTE)
      expect([...(world.broker.stored.get('dev1')?.subscriptions.keys() ?? [])]).toEqual(['f/2'])
    },
  )

  it('among many of a session that the broker has lost is given up over restarts, too', () => {
    const [world, sensor] = connected()
    world.broker.hangsUpAt = () => false
    for (const filter of ['good/a', 'bad/x', 'good/b', 'bad/y', 'good/#']) sensor.subscribe(filter, 1)
    world.broker.stored.clear()
    world.broker.hangsUpAt = bad
    world.restart(500)
    world.advance(4 * MINUTE)
    expect([...world.session('dev1').subscriptions].map(([filter]) => filter)).toEqual([
      'good/a',
      'good/b',
      'good/#',
    ])
    expect([...(world.broker.stored.get('dev1')?.subscriptions.keys() ?? [])].sort()).toEqual([
      'good/#',
      'good/a',
      'good/b',
    ])
    expect(codes(sensor.publish(GOOD, 'x', { qos: 1, msgId: 5 }))).toEqual(['puback 0'])
  })
})

describe('a broker that never answers one request, and does not hang up at it either', () => {
  it.each([1, 2] as const)('stops nothing else after a break, a publish of QoS %i', (qos) => {
    const [world, sensor] = connected({ ...stores, limits: { inflight: 50 } })
    const perform = world.broker.perform.bind(world.broker)
    world.broker.perform = (effect) => {
      if (effect.type !== 'publish' || effect.topic !== 'other') perform(effect)
    }
    sensor.publish(OTHER, 'never', { qos, msgId: 1 })
    sensor.send({ type: 'pubrel', msgId: 1 })
    world.broker.hangUp(world.session('dev1'))
    for (let i = 0; i < 50; i++) sensor.publish(GOOD, `${i}`, { qos: 1, msgId: 10 + i })
    world.advance(MINUTE)
    expect(arrived(world)).toEqual(Array.from({ length: 50 }, (_, i) => `${i}`))
    sensor.publish(BAD, 'poison', { qos: 1, msgId: 2 })
    sensor.publish(GOOD, 'last', { qos: 1, msgId: 3 })
    world.advance(2 * MINUTE)
    expect([arrived(world).at(-1), setAside(world)]).toEqual(['last', ['publish bad']])
  })

  it('stops nothing else after a break, a subscription that it was to know again', () => {
    const [world, sensor] = connected(stores)
    for (const filter of ['f/1', 'f/2', 'f/3']) sensor.subscribe(filter, 1)
    const perform = world.broker.perform.bind(world.broker)
    world.broker.perform = (effect) => {
      if (effect.type !== 'subscribe' || effect.filter !== 'f/1') perform(effect)
    }
    world.broker.stored.clear()
    sensor.publish(BAD, 'poison', { qos: 1, msgId: 2 })
    world.advance(MINUTE)
    expect([...(world.broker.stored.get('dev1')?.subscriptions.keys() ?? [])]).toEqual(['f/2', 'f/3'])
    expect(codes(sensor.publish(GOOD, 'x', { qos: 1, msgId: 5 }))).toEqual(['puback 0'])
    expect(setAside(world)).toEqual(['publish bad'])
  })
})
