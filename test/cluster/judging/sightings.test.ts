// Since when members have been in their state, as one node has seen them.

import { expect, it } from 'vitest'
import type { Engine, Look } from '../../../src/cluster/judging/engine.ts'
import { Sightings } from '../../../src/cluster/judging/sightings.ts'

const member = (incarnation: number, state: 'standby' | 'active', expires = 5000) => ({
  ...{ node: 'gw-1', incarnation, state, expires },
  ...{ address: undefined, version: undefined, config: undefined },
})

it('a member has been in its state since it was seen so first; another state, incarnation or end of it begins anew', () => {
  let now = 1000
  const sightings = new Sightings(() => now)
  const steps = [
    [1000, member(1, 'standby'), 0],
    [4000, member(1, 'standby', 9000), 3000],
    [5000, member(1, 'active'), 0],
    [9000, member(1, 'active'), 4000],
    [9500, member(1, 'active', Number.NEGATIVE_INFINITY), 0],
    [9600, member(2, 'active'), 0],
  ] as const
  for (const [at, one, lasting] of steps) {
    now = at
    sightings.note([one])
    expect(sightings.lastingOf(one)).toBe(lasting)
  }
  now = 12_000
  expect(sightings.lastingOf(member(2, 'active'))).toBe(2400)
  sightings.note([])
  expect(sightings.lastingOf(member(2, 'active'))).toBe(0)
})

it('looks at the engine are noted, and stay what they are', async () => {
  let now = 0
  const sightings = new Sightings(() => now)
  const look = { members: [member(1, 'active')] } as unknown as Look
  const engine = {
    look: async () => look,
    renew: async () => look,
    give: async () => [7],
  } as unknown as Engine
  const watched = sightings.watch(engine)
  expect(await watched.look()).toBe(look)
  now = 700
  expect(await watched.renew({ node: 'gw-1', incarnation: 1 }, 'active')).toBe(look)
  expect(sightings.lastingOf(member(1, 'active'))).toBe(700)
  expect(await watched.give({ node: 'gw-1', incarnation: 1 }, [])).toEqual([7])
})
