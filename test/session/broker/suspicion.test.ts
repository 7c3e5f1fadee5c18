// A broker that hangs up instead of answering: one message or subscription is given up, and everything else goes on.

import { describe, expect, it } from 'vitest'
import type { Packet } from '../../../src/codec/v1/messages.ts'
import { spoolPolicy, text, type VirtualSensor, World, type WorldOptions } from '../../support/world.ts'

const MINUTE = 60_000
const bad = (topic: string): boolean => topic.startsWith('bad')

/** A sensor that knows good/1, good/2 and bad as topic ids 1, 2 and 3, at a broker that hangs up at `bad...`. */
function connected(options: WorldOptions = {}, cleanSession = false): [World, VirtualSensor] {
  const world = new World({ random: () => 0, ...options })
  world.broker.hangsUpAt = bad
  const sensor = world.sensor()
  sensor.connect('dev1', { cleanSession, duration: 3600 })
  for (const topic of ['good/1', 'good/2', 'bad']) sensor.register(topic)
  return [world, sensor]
}

const stores: WorldOptions = { policy: () => ({ ack: 'store', spool: { ...spoolPolicy, qos0: true } }) }
const [GOOD1, GOOD2, BAD] = [1, 2, 3]

const arrived = (world: World) => world.broker.published.map(({ payload }) => text(payload))
const codes = (packets: readonly Packet[]) =>
  packets.flatMap((packet) => ('returnCode' in packet ? [`${packet.type} ${packet.returnCode}`] : []))
const setAside = (world: World) =>
  world.effects.flatMap((effect) =>
    effect.type === 'setAside'
      ? [`${effect.kind} ${effect.topic} ${effect.why}${effect.kept ? ' kept' : ''}`]
      : [],
  )
const dead = (world: World) =>
  [...world.session('dev1').uplink.dead.values()].map(({ token }) => world.store.contentsOf('dev1', token))

describe('a publish that the broker hangs up at', () => {
  it.each([1, 2] as const)(
    'is refused to the sensor at QoS %i, and what came with it and behind it arrives [SN-PUB-14]',
    (qos) => {
      const [world, sensor] = connected({ timers: { answer: MINUTE } })
      sensor.publish(GOOD1, 'before', { qos: 1, msgId: 1 })
      const answers: Packet[] = []
      world.ears.set(sensor.peer.key, (packet) => answers.push(packet))
      for (const [id, data, msgId] of [[GOOD1, 'a', 2], [BAD, 'poison', 3], [GOOD2, 'b', 4]] as const)
        world.receive(
          { type: 'publish', dup: false, qos, retain: false, topicIdType: 'normal', topicId: id, msgId, data: new TextEncoder().encode(data) },
          sensor.peer,
        ) // biome-ignore format: one line reads better
      world.advance(MINUTE / 2)
      expect(new Set(arrived(world))).toEqual(new Set(['before', 'a', 'b']))
      expect(answers).toContainEqual({ type: 'puback', topicId: BAD, msgId: 3, returnCode: 3 })
      expect(setAside(world)).toEqual(['publish bad hung-up'])
      expect(world.drops()).toEqual(['hung-up'])
      expect(world.session('dev1').link).toMatchObject({ state: 'up', hangUps: { suspicion: undefined } })
    },
  )

  it('costs at most three connections, and the next of its kind none', () => {
    const [world, sensor] = connected()
    sensor.publish(BAD, 'poison', { qos: 1, msgId: 3 })
    world.advance(MINUTE / 2)
    expect(world.broker.hangUps).toBe(2)
    expect(codes(sensor.take())).toContain('puback 3')
    for (const qos of [1, 2] as const) {
      expect(codes(sensor.publish(BAD, 'poison again', { qos, msgId: 4 + qos }))).toEqual(['puback 3'])
    }
    expect(world.broker.hangUps).toBe(2)
    expect(codes(sensor.publish(GOOD1, 'x', { qos: 1, msgId: 7 }))).toEqual(['puback 0'])
  })

  it('may be the size that it hangs up at: shorter ones of the topic still go', () => {
    const [world, sensor] = connected()
    world.broker.hangsUpAt = () => false
    const original = world.broker.perform.bind(world.broker)
    world.broker.perform = (effect) =>
      effect.type === 'publish' && effect.payload.length > 100
        ? world.broker.hangUp(effect.session)
        : original(effect)
    sensor.publish(GOOD1, 'x'.repeat(101), { qos: 1, msgId: 1 })
    world.advance(MINUTE / 2)
    expect(codes(sensor.take())).toContain('puback 3')
    expect(codes(sensor.publish(GOOD1, 'short', { qos: 1, msgId: 2 }))).toEqual(['puback 0'])
    expect(codes(sensor.publish(GOOD1, 'x'.repeat(102), { qos: 1, msgId: 3 }))).toEqual(['puback 3'])
    expect(world.broker.hangUps).toBe(2)
  })

  it('is tried again after some minutes, since rules of brokers change', () => {
    const [world, sensor] = connected()
    sensor.publish(BAD, 'poison', { qos: 1, msgId: 3 })
    world.advance(6 * MINUTE)
    world.broker.hangsUpAt = () => false
    expect(codes(sensor.publish(BAD, 'fine now', { qos: 1, msgId: 4 }))).toEqual(['puback 0'])
  })

  it('of a sensor that connects again and again does not stand in the way of the rest', () => {
    const [world, sensor] = connected()
    sensor.publish(BAD, 'poison', { qos: 1, msgId: 3 })
    for (let i = 0; i < 4; i++) {
      sensor.connect('dev1', { cleanSession: false, duration: 3600 })
      for (const [id, topic] of [
        [GOOD1, 'good/1'],
        [BAD, 'bad'],
      ] as const)
        expect(sensor.register(topic)).toBe(id)
      sensor.publish(GOOD1, `good ${i}`, { qos: 1, msgId: 10 + i })
      if (i < 2) sensor.publish(BAD, 'poison', { qos: 1, msgId: 3, dup: true })
      world.advance(15_000)
    }
    expect(arrived(world)).toEqual(['good 0', 'good 1', 'good 2', 'good 3'])
  })

  it('at QoS 0 is found out, too, beside others of other topics, and dropped from then on', () => {
    const [world, sensor] = connected()
    for (let i = 0; i < 120; i++) {
      sensor.publish(BAD, `bad ${i}`)
      world.advance(245)
      sensor.publish(GOOD1, `good ${i}`)
      world.advance(250)
    }
    expect(world.broker.hangUps).toBeLessThanOrEqual(12)
    const late = arrived(world).filter((data) => Number(data.split(' ')[1]) >= 80)
    expect(late).toHaveLength(40) // all good ones
    expect(world.drops()).toContain('hung-up')
  })

  it('is not blamed for a broker that is restarted, however often that happens at a bad moment', () => {
    const [world, sensor] = connected({ timers: { answer: 10 * MINUTE } })
    world.broker.hangsUpAt = () => false
    const original = world.broker.perform.bind(world.broker)
    world.broker.perform = (effect) => (effect.type === 'publish' ? undefined : original(effect)) // it dies before
    sensor.publish(GOOD1, 'x', { qos: 1, msgId: 1 })
    for (let i = 0; i < 5; i++) {
      world.broker.crash()
      world.advance(3000)
      world.broker.reachable = true
      world.advance(20_000)
    }
    world.broker.perform = original
    world.broker.crash()
    world.broker.reachable = true
    world.advance(MINUTE)
    expect([arrived(world), setAside(world)]).toEqual([['x'], []])
  })

  it('is not blamed for connections that break long after it was sent', () => {
    const [world, sensor] = connected({ timers: { answer: 60 * MINUTE, grace: 60 * MINUTE } })
    world.broker.hangsUpAt = () => false
    for (let i = 0; i < 5; i++) {
      sensor.publish(GOOD1, `${i}`)
      world.advance(MINUTE)
      world.broker.hangUp(world.session('dev1'))
      world.advance(5000)
    }
    expect([arrived(world), setAside(world)]).toEqual([['0', '1', '2', '3', '4'], []])
  })
})

describe('a publish that the broker refuses before it closes the connection', () => {
  it('is a dead letter in the end; what was sent behind it is innocent and arrives', () => {
    let chance = 0
    const [world, sensor] = connected({ ...stores, random: () => chance })
    chance = 1 // with the longest pauses the refused message is due again before what waits behind it is sent
    world.broker.hangsUpAt = () => false
    world.broker.closesAfterRefusing = bad
    for (const [topicId, data, msgId] of [[BAD, 'forbidden', 3], [GOOD1, 'a', 4]] as const)
      world.receive(
        { type: 'publish', dup: false, qos: 1, retain: false, topicIdType: 'normal', topicId, msgId, data: new TextEncoder().encode(data) },
        sensor.peer,
      ) // biome-ignore format: one line reads better
    for (let hour = 0; hour < 2; hour += 1) world.advance(50 * MINUTE)
    expect(arrived(world)).toEqual(['a'])
    expect(setAside(world)).toEqual(['publish bad refused kept'])
    expect(dead(world)).toEqual(['forbidden'])
  })

  it('lets the connection come back at once, though such a close may look like a move to another gateway', () => {
    const [world, sensor] = connected()
    world.broker.hangsUpAt = () => false
    world.broker.closesAfterRefusing = bad
    world.broker.closeLooksLike = 'unexplained'
    expect(codes(sensor.publish(BAD, 'forbidden', { qos: 1, msgId: 3 }))).toEqual(['puback 3'])
    world.advance(MINUTE / 6)
    expect(world.session('dev1').link).toMatchObject({ state: 'up', awaitsSensor: false })
  })
})

describe('a message that was acknowledged and that the broker hangs up at', () => {
  it('is kept as a dead letter, over restarts, until a person discards it; nothing behind it waits', () => {
    const [world, sensor] = connected(stores)
    world.store.lag = 1
    for (const [id, data, msgId] of [[GOOD1, 'a', 1], [BAD, 'poison', 2], [GOOD2, 'b', 3], [BAD, 'toxic', 4], [GOOD1, 'c', 5]] as const)
      expect(codes(sensor.publish(id, data, { qos: 1, msgId }))).toEqual(['puback 0']) // biome-ignore format: a table
    world.advance(MINUTE)
    expect(arrived(world)).toEqual(['a', 'b', 'c'])
    expect([dead(world), setAside(world)]).toEqual([
      ['poison', 'toxic'],
      ['publish bad hung-up kept', 'publish bad hung-up kept'],
    ])
    world.restart(1000)
    world.advance(MINUTE)
    expect([dead(world), arrived(world)]).toEqual([
      ['poison', 'toxic'],
      ['a', 'b', 'c'],
    ])
    world.happen(world.session('dev1'), { type: 'command', command: 'discardDeadLetters' })
    world.advance(10)
    world.restart(1000)
    expect(dead(world)).toEqual([])
  })

  it('is sent again when a person says so', () => {
    const [world, sensor] = connected(stores)
    sensor.publish(BAD, 'poison', { qos: 2, msgId: 2 })
    sensor.send({ type: 'pubrel', msgId: 2 })
    world.advance(MINUTE)
    expect(dead(world)).toEqual(['poison'])
    world.broker.hangsUpAt = () => false
    world.happen(world.session('dev1'), { type: 'command', command: 'resendDeadLetters' })
    world.advance(1000)
    expect([arrived(world), dead(world), world.session('dev1').uplink.spooled.messages]).toEqual([
      ['poison'],
      [],
      0,
    ])
    world.restart(1000)
    world.advance(MINUTE)
    expect([arrived(world), dead(world)]).toEqual([['poison'], []])
  })

  it('keeps the session of a sensor that has left, with nothing else of it', () => {
    const [world, sensor] = connected(stores, true)
    sensor.publish(BAD, 'poison', { qos: 1, msgId: 2 })
    sensor.send({ type: 'disconnect', duration: null })
    world.advance(30 * 86_400_000)
    expect([dead(world), world.broker.connected.size]).toEqual([['poison'], 0])
    world.happen(world.session('dev1'), { type: 'command', command: 'discardDeadLetters' })
    expect(world.sessions.byClientId.size).toBe(0)
  })

  it('is a dead letter, too, if the broker refuses it for good', () => {
    const [world, sensor] = connected(stores)
    world.broker.publishOutcome = 3
    sensor.publish(GOOD1, 'x', { qos: 1, msgId: 2 })
    world.advance(1000)
    expect([dead(world), setAside(world), world.drops()]).toEqual([
      ['x'],
      ['publish good/1 refused kept'],
      ['refused'],
    ])
  })

  it('may be one of many: the oldest dead letters give way at the bound of the spool', () => {
    const [world, sensor] = connected({
      policy: () => ({ ack: 'store', spool: { ...spoolPolicy, messages: 3 } }),
    })
    world.broker.publishOutcome = 3
    for (let i = 0; i < 5; i++) sensor.publish(GOOD1, `${i}`, { qos: 1, msgId: i + 1 })
    world.advance(1000)
    expect(dead(world)).toEqual(['2', '3', '4'])
  })
})

describe('a subscription that the broker hangs up at', () => {
  it('is refused to the sensor that asks for it, which goes on [SN-SUB-6]', () => {
    const [world, sensor] = connected({ timers: { answer: MINUTE } })
    sensor.subscribe('bad/#', 1)
    world.advance(MINUTE / 2)
    expect(codes(sensor.take())).toEqual(['suback 3'])
    expect(codes(sensor.subscribe('bad/#', 1))).toEqual(['suback 3'])
    expect(world.broker.hangUps).toBe(2)
    expect(codes(sensor.subscribe('good/#', 1))).toEqual(['suback 0'])
  })

  it('of a stored session is given up, and the sensor connects with all the others [SN-MAP-3]', () => {
    const [world, sensor] = connected()
    world.broker.hangsUpAt = () => false
    for (const filter of ['good/a', 'bad/x', 'good/b', 'good/#']) sensor.subscribe(filter, 1)
    sensor.send({ type: 'disconnect', duration: null })
    world.broker.stored.clear() // the broker has forgotten it, and has new rules
    world.broker.hangsUpAt = bad
    const answers: string[] = []
    for (let tries = 0; tries < 3 && !answers.includes('connack 0'); tries++) {
      answers.push(...codes(sensor.connect('dev1', { cleanSession: false, duration: 3600 })))
      world.advance(5000)
      answers.push(...codes(sensor.take()))
    }
    expect(answers.at(-1)).toBe('connack 0')
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
    expect(setAside(world)).toEqual(['subscribe bad/x hung-up'])
  })
})
