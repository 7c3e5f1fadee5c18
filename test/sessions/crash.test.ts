// The gateway is killed at any point of a sensor's life, and starts again: nobody can tell the difference afterwards, and
// QoS 2 stays exactly once in both directions [6.6, SN-SESS-10].

import { describe, expect, it } from 'vitest'
import { expectSame, type Life, live, numbers, type Way } from '../support/life.ts'
import { clearAir } from '../support/patient.ts'
import type { World } from '../support/world.ts'

describe.each([
  ['broker', 0],
  ['broker', 3],
  ['store', 0],
  ['store', 3],
] as const)('with the acknowledgement of the %s and a store that takes %i ms', (ack, lag) => {
  const way = (prepare: (world: World) => void = () => {}): Way => ({
    policy: { ack },
    prepare: (world) => {
      world.store.lag = lag
      world.startsAfter = 700
      prepare(world)
    },
  })
  const calm = live(clearAir, way())
  const expectCalmEnd = (name: string, life: () => Life) =>
    expect(() => expectSame(life(), calm), name).not.toThrow()

  it('a life ends the same whichever effect is the last one before a crash, and no sleep is disturbed [SN-PUB-11, SN-MAP-17, SN-SLP-1]', () => {
    expectSame(calm, calm)
    for (let fuse = 1; fuse < calm.world.effects.length; fuse++) {
      const prepare = (world: World) => {
        world.fuse = fuse
      }
      expectCalmEnd(`after ${fuse} effects`, () => {
        const life = live(clearAir, way(prepare))
        expect(life.sensor.disturbances).toEqual([])
        return life
      })
    }
  })

  it('a life ends the same with crashes at random, over air that loses and repeats [SN-RTX-1, SN-PUB-11, SN-MAP-17]', () => {
    for (let seed = 1; seed <= 40; seed++) {
      const next = numbers(seed)
      const prepare = (world: World) => {
        const plan = () => {
          const pause = next() < 0.5 ? next() * 400 : next() * 40_000
          world.after(pause, () => {
            world.crash()
            plan()
          })
        }
        plan()
      }
      const air = () => {
        const delay = 2 + next() * 400
        if (next() < 0.1) return []
        return next() < 0.1 ? [delay, delay + 1] : [delay]
      }
      expectCalmEnd(`seed ${seed}`, () => live(air, way(prepare)))
    }
  })
})
