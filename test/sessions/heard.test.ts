// What the store knows of when a sensor was heard: written seldom, and yet no sensor that speaks is lost after a restart [SN-KA-3].

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Packet } from '../../src/codec/v1/messages.ts'
import type { Policy } from '../../src/session/policy.ts'
import { World } from '../support/world.ts'

type HeardEvery = Policy['heardEvery']

const ID = 'dev1'
/** what nobody waits for is written so late at most */
const LATE = 2000
/** the longest silence of a sensor that keeps its promise, and a little for the way [7.2] */
const tolerated = (seconds: number) => seconds * (seconds > 60 ? 1100 : 1500)
const interval = (every: HeardEvery, seconds: number): number => {
  if (every === undefined) return Math.max(1000, seconds * 100)
  return every === 'keepAlive' ? Math.max(60_000, seconds * 1000) : every
}

const pingreq: Packet = { type: 'pingreq', clientId: null }
/** What a sensor may say; all of it shows that it is there [SN-KA-2]. */
const sayings = {
  pingreq: (world: World) => say(world, pingreq),
  'what does not fit its state': (world: World) => say(world, { type: 'willmsgresp', returnCode: 0 }),
  'what only gateways say': (world: World) => say(world, { type: 'pingresp' }),
  'something while the gateway is too busy': (world: World) => {
    world.overloaded = true
    say(world, pingreq)
    world.overloaded = false
  },
}
type Saying = keyof typeof sayings

const at = (world: World) => world.sensor('10.0.0.1', 5000)
const say = (world: World, packet: Packet) => world.receive(packet, at(world).peer)

const setting = fc.oneof(
  fc.constantFrom<HeardEvery[]>(undefined, 'keepAlive'),
  fc.integer({ min: 1000, max: 400_000 }),
)
const life = fc.record({
  before: setting,
  after: setting,
  keepAlive: fc.integer({ min: 1, max: 300 }),
  sleep: fc.option(fc.integer({ min: 1, max: 1000 }), { nil: undefined }),
  said: fc.array(
    fc.tuple(
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.constantFrom(...(Object.keys(sayings) as Saying[])),
    ),
    { maxLength: 25 },
  ),
  silence: fc.double({ min: 0, max: 1, noNaN: true }),
  pause: fc.integer({ min: 0, max: 60_000 }),
  lag: fc.integer({ min: 0, max: 400 }),
})

/** Whether it counts as connected. */
const isThere = (world: World) => ['active', 'asleep', 'awake'].includes(world.session(ID).state)

describe('after a restart', () => {
  it('a sensor is lost no earlier than without it, and later by one interval at most, however seldom it is written [SN-KA-3]', () => {
    fc.assert(
      fc.property(life, ({ before, after, keepAlive, sleep, said, silence, pause, lag }) => {
        let heardEvery = before
        const world = new World({ policy: () => ({ heardEvery }) })
        world.advance(1000)
        const sensor = at(world)
        sensor.connect(ID, { cleanSession: false, duration: keepAlive })
        if (sleep !== undefined) sensor.sleep(sleep)
        world.store.lag = lag
        const promised = sleep ?? keepAlive
        let heardAt = world.now - 5
        for (const [share, saying] of said) {
          world.advance(Math.max(0, heardAt + share * promised * 1000 - world.now))
          heardAt = world.now
          // a sensor that sleeps says PINGREQ, with its name
          if (sleep !== undefined) say(world, { type: 'pingreq', clientId: ID })
          else sayings[saying](world)
        }
        // what was said in the last moment before a crash may not be written yet: it is as if it had got lost on its way
        world.advance(Math.max(lag === 0 ? 0 : LATE, silence * promised * 1000))
        heardEvery = after
        world.restart(pause)
        const deadline = heardAt + tolerated(promised)
        if (world.now < deadline) {
          world.advance(deadline - 1 - world.now)
          if (!isThere(world)) throw new Error(`lost at ${world.now - heardAt} ms of ${deadline - heardAt}`)
        }
        world.advance(Math.max(0, deadline - world.now) + interval(before, promised) + LATE + 1)
        if (isThere(world)) throw new Error(`there at ${world.now - deadline} ms after its time`)
      }),
      { numRuns: 300 },
    )
  })

  it.each<[string, HeardEvery]>([['ten times in a keep-alive', undefined], ['once in it', 'keepAlive'], ['every 100 s', 100_000]])(
    'and another, and another, a dead sensor has no more time than after one: written %s [SN-KA-3]',
    (_, heardEvery) => {
      const world = new World({ policy: () => ({ heardEvery }) })
      const sensor = at(world)
      sensor.connect(ID, { cleanSession: false })
      sensor.subscribe('s/a', 1)
      sensor.sleep(600)
      for (let restarts = 0; restarts < 5; restarts++) {
        world.publish('s/a', 'x', 1) // which writes to its record
        world.advance(60_000)
        world.restart(1000)
        world.advance(10_000)
      }
      expect(world.session(ID).state).toBe('asleep')
      world.advance(660_000 - 5 * 71_000 + interval(heardEvery, 600) + LATE)
      expect(world.session(ID).state).toBe('lost')
    },
  ) // biome-ignore format: a table
})

describe('what is written of a sensor that speaks every five seconds', () => {
  it.each<[string, HeardEvery, number, number]>([
    ['every 6 s of a keep-alive of 60 s', undefined, 60, 60],
    ['every 60 s', 'keepAlive', 60, 9],
    ['every 60 s, although its keep-alive is shorter', 'keepAlive', 10, 9],
    ['once in its keep-alive of 300 s', 'keepAlive', 300, 1],
    ['as often as was asked for', 20_000, 60, 29],
  ])('is that it was heard, %s', (_, heardEvery, duration, most) => {
    const world = new World({ policy: () => ({ heardEvery }) })
    const sensor = at(world)
    sensor.connect(ID, { duration })
    const before = world.store.writes
    for (let spoken = 0; spoken < 120; spoken++) {
      world.advance(4995)
      sensor.send(pingreq)
    }
    expect(world.store.writes - before).toBe(most)
  })
})
