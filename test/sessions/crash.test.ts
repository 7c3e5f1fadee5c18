// The gateway, the broker, or both are killed at any point of a sensor's life, and start again: nobody can tell the difference
// afterwards, and QoS 2 stays exactly once in both directions [6.6, SN-SESS-10].

import { describe, expect, it } from 'vitest'
import { expectSame, type Life, live, numbers, type Way } from '../support/life.ts'
import { clearAir } from '../support/patient.ts'
import type { World } from '../support/world.ts'

// 30 ms: a sensor has answered by then what it was told before that was durable
describe.each([
  ['broker', 0, 'publish'],
  ['broker', 3, 'publish'],
  ['broker', 30, 'publish'],
  ['broker', 30, 'release'],
  ['store', 0, 'publish'],
  ['store', 3, 'release'],
] as const)(
  'with the acknowledgement of the %s, a store that takes %i ms, and a broker that hands QoS 2 on at %s',
  (ack, lag, at) => {
    const way = (prepare: (world: World) => void = () => {}): Way => ({
      policy: { ack },
      prepare: (world) => {
        world.store.lag = lag
        world.broker.deliversAtRelease = at === 'release'
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

    it('a life ends the same with crashes of gateway and broker at random, at once or one after the other [SN-PUB-11, SN-MAP-17]', () => {
      for (let seed = 1; seed <= 40; seed++) {
        const next = numbers(1000 + seed)
        const prepare = (world: World) => {
          const plan = () => {
            const pause = next() < 0.5 ? next() * 400 : next() * 40_000
            world.after(pause, () => {
              const which = next()
              if (which < 0.7) world.crash()
              if (which > 0.4) {
                world.broker.kill()
                world.after(next() * 2000, () => {
                  world.broker.reachable = true
                })
              }
              plan()
            })
          }
          plan()
        }
        expectCalmEnd(`seed ${seed}`, () => live(clearAir, way(prepare)))
      }
    })
  },
)
