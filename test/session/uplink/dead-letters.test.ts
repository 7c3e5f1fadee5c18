// Dead letters: acknowledged messages that the broker will not have. They lie in the store, are bounded, and wait for a person.

import { describe, expect, it } from 'vitest'
import type { SpoolPolicy } from '../../../src/session/policy.ts'
import { spoolPolicy, text, type VirtualSensor, World, type WorldOptions } from '../../support/world.ts'

const HOUR = 3_600_000
const bad = (topic: string): boolean => topic.startsWith('bad')

interface Options extends WorldOptions {
  spool?: Partial<SpoolPolicy>
}

function poisoned({ spool, ...options }: Options = {}): World {
  const world = new World({
    random: () => 0,
    policy: () => ({ ack: 'store', spool: { ...spoolPolicy, ...spool } }),
    ...options,
  })
  world.broker.hangsUpAt = bad
  return world
}

/** A sensor of this name, and the topic ids of good/NAME and bad/NAME. */
function connected(world: World, clientId: string, address: string): [VirtualSensor, number, number] {
  const sensor = world.sensor(address)
  sensor.connect(clientId, { cleanSession: false, duration: 60_000 })
  return [sensor, sensor.register(`good/${clientId}`), sensor.register(`bad/${clientId}`)]
}

/** Messages that become dead letters, one after the other. */
function poison(
  world: World,
  [sensor, , topicId]: [VirtualSensor, number, number],
  texts: readonly string[],
) {
  for (const [i, data] of texts.entries()) {
    const session = [...world.sessions.byClientId.values()].find(({ peer }) => peer?.key === sensor.peer.key)
    if (session !== undefined) session.link.hangUps.blamed = [] // or it is refused at once
    sensor.publish(topicId, data, { qos: 1, msgId: 100 + i })
    world.advance(20_000)
  }
}

const dead = (world: World, clientId: string) =>
  [...world.session(clientId).uplink.dead.values()].map(({ token }) =>
    world.store.contentsOf(clientId, token),
  )
const arrived = (world: World) => world.broker.published.map(({ payload }) => text(payload))
const command = (world: World, clientId: string, name: 'resendDeadLetters' | 'discardDeadLetters') =>
  world.happen(world.session(clientId), { type: 'command', command: name })
const counted = (world: World) => ({ ...world.deadLetters })

/** All sums are what the sessions have. */
function expectSums(world: World): void {
  let [messages, octets] = [0, 0]
  for (const { uplink } of world.sessions.byClientId.values()) {
    messages += uplink.dead.size
    octets += uplink.deadOctets
  }
  expect(counted(world)).toEqual({ messages, octets })
}

describe('a dead letter', () => {
  it('has its payload in the store alone, and all of it again when it is sent again', () => {
    const world = poisoned()
    const one = connected(world, 'dev1', '10.0.0.1')
    poison(world, one, ['x'.repeat(1000)])
    const session = world.session('dev1')
    expect([...session.uplink.dead.values()]).toEqual([
      { token: expect.any(Number), topic: 'bad/dev1', qos: 1, retain: false, at: expect.any(Number), octets: 1000, why: 'hung-up' },
    ]) // biome-ignore format: one line reads better
    expect([session.uplink.outgoing.size, session.uplink.backlog]).toEqual([0, undefined])
    world.restart()
    world.advance(1000)
    expect([dead(world, 'dev1'), counted(world)]).toEqual([['x'.repeat(1000)], { messages: 1, octets: 1008 }])
    world.broker.hangsUpAt = () => false
    command(world, 'dev1', 'resendDeadLetters')
    world.advance(1000)
    expect([arrived(world), dead(world, 'dev1'), counted(world)]).toEqual([
      ['x'.repeat(1000)],
      [],
      { messages: 0, octets: 0 },
    ])
    expect(world.store.disk.get('dev1')?.uplinks.size).toBe(0)
  })

  it('of QoS 2 is still known to its sensor when it is sent again or discarded, over a restart too [SN-PUB-11]', () => {
    for (const name of ['resendDeadLetters', 'discardDeadLetters'] as const) {
      for (const restarts of [false, true]) {
        const world = poisoned()
        const [sensor, , topicId] = connected(world, 'dev1', '10.0.0.1')
        sensor.publish(topicId, 'once', { qos: 2, msgId: 7 })
        world.advance(20_000)
        if (restarts) world.restart()
        world.broker.hangsUpAt = () => false
        world.advance(20_000)
        command(world, 'dev1', name)
        if (restarts) world.restart()
        world.advance(20_000)
        const repeated = sensor.publish(topicId, 'once', { qos: 2, msgId: 7, dup: true }) // its PUBREC was lost
        expect(repeated.map(({ type }) => type)).toEqual(['pubrec'])
        sensor.send({ type: 'pubrel', msgId: 7 })
        world.advance(20_000)
        expect(arrived(world)).toEqual(name === 'resendDeadLetters' ? ['once'] : [])
        expect(world.store.disk.get('dev1')?.uplinks.size).toBe(0)
      }
    }
  })

  it('goes as soon as it is older than the spool keeps messages, and then its session', () => {
    const world = poisoned({ spool: { age: 30 * HOUR }, timers: { keepSessions: 24 * HOUR } })
    const one = connected(world, 'dev1', '10.0.0.1')
    poison(world, one, ['old'])
    one[0].send({ type: 'disconnect', duration: null })
    world.advance(29 * HOUR)
    expect(dead(world, 'dev1')).toEqual(['old']) // for it the session stays
    world.advance(2 * HOUR)
    expect([world.drops().at(-1), counted(world)]).toEqual(['expired', { messages: 0, octets: 0 }])
    expect(world.sessions.byClientId.size).toBe(0)
    expect(world.store.disk.size).toBe(0)
  })

  it('is sent again only if the spool has room for it; the others stay dead letters', () => {
    const world = poisoned({ spool: { messages: 3 } })
    const one = connected(world, 'dev1', '10.0.0.1')
    poison(world, one, ['1', '2', '3'])
    world.broker.hangsUpAt = () => false
    world.broker.crash()
    one[0].publish(one[1], 'good', { qos: 1, msgId: 1 })
    command(world, 'dev1', 'resendDeadLetters')
    expect(dead(world, 'dev1')).toEqual(['3'])
    expect(world.session('dev1').uplink.spooled.messages).toBe(3)
    world.broker.reachable = true
    world.advance(120_000)
    command(world, 'dev1', 'resendDeadLetters')
    world.advance(20_000)
    expect(arrived(world)).toEqual(['good', '1', '2', '3'])
    expectSums(world)
  })

  it('is sent again also where the store has to fetch it first, each once, in order, and not what fails once more', () => {
    const world = poisoned()
    world.store.fetches = true
    const one = connected(world, 'dev1', '10.0.0.1')
    poison(world, one, ['1', '2', '3'])
    const hangsUpAt = world.broker.hangsUpAt
    world.broker.hangsUpAt = () => false
    command(world, 'dev1', 'resendDeadLetters')
    world.advance(20_000)
    expect(arrived(world)).toEqual(['1', '2', '3'])
    world.broker.hangsUpAt = hangsUpAt
    poison(world, one, ['4'])
    command(world, 'dev1', 'resendDeadLetters')
    world.advance(120_000)
    expect(world.session('dev1').uplink).toMatchObject({ resending: undefined })
    expect(world.session('dev1').uplink.dead.size).toBe(1)
    expectSums(world)
  })

  it('that is sent again opens a connection that waited for the sensor to speak [SN-MAP-37]', () => {
    const world = poisoned()
    const one = connected(world, 'dev1', '10.0.0.1')
    poison(world, one, ['poison'])
    world.broker.hangsUpAt = () => false
    world.broker.closeLooksLike = 'unexplained'
    world.advance(60_000)
    world.broker.hangUp(world.session('dev1'))
    world.advance(60_000)
    expect(world.session('dev1').link).toMatchObject({ state: 'closed', awaitsSensor: true })
    command(world, 'dev1', 'resendDeadLetters')
    world.advance(60_000)
    expect(arrived(world)).toEqual(['poison'])
  })
})

describe('room for dead letters', () => {
  it.each([
    [{ messages: 2 }, ['2', '3']],
    [{ octets: 2 * ('bad/dev1'.length + 1) }, ['2', '3']],
  ])('of one sensor is that of its spool, %o: the oldest goes, counted and named', (spool, left) => {
    const world = poisoned({ spool })
    poison(world, connected(world, 'dev1', '10.0.0.1'), ['1', '2', '3'])
    expect(dead(world, 'dev1')).toEqual(left)
    expect(world.effects.filter(({ type }) => type === 'drop')).toContainEqual(
      expect.objectContaining({ reason: 'dead-letters-full', topic: 'bad/dev1' }),
    )
    expect(world.store.disk.get('dev1')?.uplinks.size).toBe(2)
    expectSums(world)
  })

  it.each([{ totalDeadLetters: 5 }, { totalDeadLetterOctets: 5 * 12 }])(
    'of all together, %o: who has most loses its oldest, the others keep theirs [SN-ROB-4]',
    (limits) => {
      const world = poisoned({ limits })
      const [few, many] = [connected(world, 'few1', '10.0.0.1'), connected(world, 'many', '10.0.0.2')]
      poison(world, few, ['few0', 'few1'])
      poison(world, many, ['many', 'more', 'lots', 'much', 'even'])
      expect(dead(world, 'few1')).toEqual(['few0', 'few1'])
      expect(dead(world, 'many')).toEqual(['lots', 'much', 'even'])
      poison(world, few, ['few2'])
      expect(dead(world, 'few1')).toEqual(['few0', 'few1', 'few2'])
      expect(dead(world, 'many')).toEqual(['much', 'even'])
      expect(world.drops().filter((reason) => reason === 'dead-letters-full')).toHaveLength(3)
      expectSums(world)
      world.restart()
      expect([counted(world).messages, dead(world, 'many')]).toEqual([5, ['much', 'even']])
    },
  )

  it('of all together ends the session of a sensor that is gone, if only its dead letters have kept it', () => {
    const world = poisoned({ limits: { totalDeadLetters: 1 } })
    const gone = world.sensor('10.0.0.1')
    gone.connect('gone', { cleanSession: true, duration: 60_000 })
    const topicId = gone.register('bad/gone')
    gone.publish(topicId, 'x', { qos: 1, msgId: 1 })
    world.advance(20_000)
    gone.send({ type: 'disconnect', duration: null })
    expect(dead(world, 'gone')).toEqual(['x'])
    const other = connected(world, 'here', '10.0.0.2')
    poison(world, other, ['y'])
    expect([...world.sessions.byClientId.keys()]).toEqual(['here'])
    expect(dead(world, 'here')).toEqual(['y'])
    expectSums(world)
  })
})
