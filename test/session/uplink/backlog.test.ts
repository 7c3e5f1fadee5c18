// What waits for the broker lies in the store: memory holds positions, and all sensors together have a bound.

import { describe, expect, it } from 'vitest'
import type { Limits } from '../../../src/session/policy.ts'
import { spoolPolicy, text, type VirtualSensor, World } from '../../support/world.ts'

const HOUR = 3_600_000

/** Sensors whose messages are stored, each with t/temp as its id 1, and a broker that is away from now on. */
function away(
  count = 1,
  limits: Partial<Limits> = {},
  age = Number.POSITIVE_INFINITY,
): [World, VirtualSensor[]] {
  const spool = { ...spoolPolicy, messages: 1000, age }
  const world = new World({ limits, policy: () => ({ ack: 'store', spool }) })
  const sensors = Array.from({ length: count }, (_, i) => {
    const sensor = world.sensor(`10.0.0.${i + 1}`)
    sensor.connect(`dev${i + 1}`, { cleanSession: false, duration: 60_000 })
    sensor.register('t/temp')
    return sensor
  })
  world.broker.crash()
  return [world, sensors]
}

function back(world: World): void {
  world.broker.reachable = true
  world.advance(100_000)
}

const arrived = (world: World) => world.broker.published.map(({ payload }) => text(payload))
const codeOf = (sensor: VirtualSensor, data: string, msgId: number) => {
  const [answer] = sensor.publish(1, data, { qos: 1, msgId })
  return answer?.type === 'puback' ? answer.returnCode : undefined
}
const side = (world: World) => world.session('dev1').uplink

/** Says so many, each on its own. */
function say(sensor: VirtualSensor | undefined, count: number, from = 0): string[] {
  const all = Array.from({ length: count }, (_, i) => `${from + i}`)
  for (const [i, data] of all.entries()) sensor?.publish(1, data, { qos: 1, msgId: from + i + 1 })
  return all
}

describe('messages that wait for the broker', () => {
  it.each([0, 5000])(
    'leave memory once they are in the store, and arrive in order, the store %i ms behind',
    (lag) => {
      const [world, [sensor]] = away()
      world.store.lag = lag
      const all = say(sensor, 200)
      expect([side(world).outgoing.size, side(world).backlog?.inMemory.size]).toEqual([0, 1])
      world.advance(20_000)
      back(world)
      expect(arrived(world)).toEqual(all)
      world.advance(20_000)
      expect([
        side(world).backlog,
        side(world).spooled,
        world.spooled,
        world.store.disk.get('dev1')?.uplinks.size,
      ]).toEqual([undefined, { messages: 0, octets: 0 }, { messages: 0, octets: 0 }, 0])
    },
  )

  it('arrive in order also where the store has to fetch them first', () => {
    const [world, [sensor]] = away()
    const all = say(sensor, 100)
    world.restart(1000)
    world.store.fetches = true
    back(world)
    world.advance(20_000)
    expect(arrived(world)).toEqual(all)
    expect(world.spooled).toEqual({ messages: 0, octets: 0 })
  })

  it('are not in memory after a restart either, and what is said then comes behind them', () => {
    const [world, [sensor]] = away()
    const all = say(sensor, 100)
    world.restart(1000)
    expect([side(world).outgoing.size, side(world).backlog?.inMemory.size]).toEqual([0, 0])
    all.push(...say(sensor, 3, 100))
    back(world)
    expect(arrived(world)).toEqual(all)
  })

  it('of QoS 2 keep their place while PUBREL is still to come, and arrive once [SN-PUB-11]', () => {
    const [world, [sensor]] = away()
    const all = say(sensor, 50)
    sensor?.publish(1, 'twice', { qos: 2, msgId: 500 })
    all.push('twice', ...say(sensor, 50, 50))
    world.restart(1000)
    expect(sensor?.publish(1, 'twice', { qos: 2, msgId: 500, dup: true })).toEqual([
      { type: 'pubrec', msgId: 500 },
    ])
    expect(sensor?.send({ type: 'pubrel', msgId: 500 })).toEqual([{ type: 'pubcomp', msgId: 500 }])
    back(world)
    expect(arrived(world)).toEqual(all)
    expect(world.store.disk.get('dev1')?.uplinks.size).toBe(0)
  })

  it('that a sensor never releases do not pile up in memory', () => {
    const [world, [sensor]] = away()
    for (let msgId = 1; msgId <= 60; msgId++) sensor?.publish(1, `${msgId}`, { qos: 2, msgId })
    expect(side(world).backlog?.inMemory.size).toBeLessThanOrEqual(11)
    back(world)
    expect(arrived(world)).toHaveLength(60)
    expect(world.spooled).toEqual({ messages: 0, octets: 0 })
  })

  it('get too old in the store, too', () => {
    const [world, [sensor]] = away(1, {}, HOUR)
    say(sensor, 50)
    world.advance(HOUR - 1000)
    const young = say(sensor, 2, 50)
    world.advance(2000)
    back(world)
    expect([arrived(world), world.drops().length]).toEqual([young, 50])
    expect(world.spooled).toEqual({ messages: 0, octets: 0 })
  })

  it('of which one is damaged on the disk: it is counted, and the others arrive', () => {
    const [world, [sensor]] = away()
    const all = say(sensor, 60)
    const tokens = [...(world.store.disk.get('dev1')?.uplinks.keys() ?? [])]
    world.store.disk.get('dev1')?.uplinks.delete(tokens[40] ?? 0)
    back(world)
    expect([arrived(world), world.drops()]).toEqual([all.filter((data) => data !== '40'), ['unreadable']])
    expect(world.spooled).toEqual({ messages: 0, octets: 0 })
  })

  it('that cannot be read at the moment wait until they can', () => {
    const [world, [sensor]] = away()
    const all = say(sensor, 60)
    const { store } = world
    const readUplink = store.readUplink.bind(store)
    store.readUplink = (() => 'later') as unknown as typeof store.readUplink
    back(world)
    expect(arrived(world)).toEqual([])
    store.readUplink = readUplink
    world.advance(2000)
    expect(arrived(world)).toEqual(all)
  })
})

describe('the bound over all sensors', () => {
  it.each([{ totalSpooledMessages: 4 }, { totalSpooledOctets: 28 }])(
    'refuses what is above with 0x01 and counts it, and has room again when the broker took something: %o [SN-ROB-1]',
    (limits) => {
      const [world, [one, two]] = away(2, limits)
      say(one, 3)
      if (two === undefined) throw new Error('two sensors')
      expect([codeOf(two, 'x', 1), codeOf(two, 'y', 2)]).toEqual([0, 1])
      expect(world.drops()).toEqual(['spool-full'])
      world.restart(1000)
      expect([world.spooled.messages, codeOf(two, 'y', 2)]).toEqual([4, 1])
      world.happen(world.session('dev1'), { type: 'command', command: 'forget' })
      expect([world.spooled.messages, codeOf(two, 'y', 2)]).toEqual([1, 0])
      back(world)
      expect([arrived(world), world.spooled]).toEqual([['x', 'y'], { messages: 0, octets: 0 }])
    },
  )
})
