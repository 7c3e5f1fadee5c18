// Nodes under random pauses, deaths, cuts and outages of the engine: never two owners, and never for long none.

import { assert, boolean, property } from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Member } from '../../src/cluster/judging/engine.ts'
import { goesOnAt, isGone, NAMES, RESTART, STEP, someTroubles, type Trouble } from './troubles.ts'
import { VirtualEngine } from './virtual-engine.ts'
import { VirtualNode } from './virtual-node.ts'

const LEASE = 5000
const END = 90_000
/** The engine's clock differs from that of nodes by this much, which must not matter. */
const CLOCK = 1_000_000_000

/**
 * The engine can be away for all, or a node cannot reach it, is paused, or is killed and started again; or the engine's clock is set,
 * forward by so much.
 */
type Kind = 'engine' | 'cut' | 'pause' | 'kill' | 'wrong proof' | 'clock'

const anyOf = (...kinds: Kind[]) => someTroubles(END, ...kinds)

interface Outcome {
  /** epochs in which more than one incarnation has committed */
  readonly shared: number[]
  /** when two held a lease and had the engine */
  readonly doubled: number[]
  /** when nobody had served for a lease and a second, although somebody had the engine all the time */
  readonly orphaned: number[]
  /** milliseconds in which somebody served */
  readonly served: number
  readonly deposed: number
}

function live(troubles: readonly Trouble<Kind>[], count: number, isFenced = true): Outcome {
  const engine = new VirtualEngine(LEASE)
  engine.isFenced = isFenced
  let now = 0
  const goesOn = (kind: Kind, node?: string) => goesOnAt(troubles, now, kind, node)
  const nodes = new Map<string, VirtualNode>()
  const around = {
    clock: (at: number) =>
      troubles.reduce((sum, one) => sum + (one.kind === 'clock' && at >= one.at ? one.lasts : 0), CLOCK + at),
    engine,
    lease: LEASE,
    reaches: (node: string) => !goesOn('engine') && !goesOn('cut', node),
    isProven: (member: Member) =>
      isGone(nodes.get(member.node), member) || goesOn('wrong proof', member.node),
  }
  const [doubled, orphaned]: [number[], number[]] = [[], []]
  const names = NAMES.slice(0, count)
  const wasPaused = new Set<string>()
  let [served, servedAt] = [0, 0]
  let deposed = 0
  for (; now < END; now += STEP) {
    for (const name of names) {
      let node = nodes.get(name)
      if (node === undefined || (node.endedAt !== undefined && now - node.endedAt >= RESTART)) {
        node = new VirtualNode(name, now, around)
        nodes.set(name, node)
      }
      if (goesOn('kill', name)) {
        node.endedAt ??= now
        node.isActive = false
        node.lease.finish()
      }
      node.carry(now)
      if (goesOn('pause', name)) {
        wasPaused.add(name)
        continue
      }
      if (wasPaused.delete(name)) node.wake()
      const isAlive = node.endedAt === undefined
      node.run(now)
      if (isAlive && node.endedAt !== undefined) deposed += 1
      if (now % 100 === 0) node.write()
    }
    const awake = [...nodes.values()].filter((one) => one.endedAt === undefined && !goesOn('pause', one.node))
    const serving = awake.filter((one) => one.isActive && one.lease.holds(now))
    if (serving.length > 0) servedAt = now
    served += serving.length > 0 ? STEP : 0
    if (serving.filter(({ lease }) => !lease.isWithoutEngine).length > 1) doubled.push(now)
    const couldServe = awake.filter(
      ({ healthySince, node }) =>
        healthySince !== undefined &&
        around.reaches(node) &&
        now - Math.max(healthySince, servedAt) > LEASE + 1000,
    )
    if (couldServe.length > 0) orphaned.push(now)
  }
  const shared = [...engine.commits].filter(([, writers]) => writers.size > 1).map(([epoch]) => epoch)
  return { shared, doubled, orphaned, served, deposed }
}

const all = ['engine', 'cut', 'pause', 'kill'] as const

/** The one that has just taken over falls asleep when its question is on the way, and wakes up shortly after the other one is back. */
const asleepWithAnAnswer: Trouble<Kind>[] = [
  { kind: 'kill', node: 'a', at: 24_161, lasts: 6020 },
  { kind: 'pause', node: 'b', at: 24_621, lasts: 5960 },
]

describe('a cluster in virtual time', () => {
  it('has one writer in every epoch, whatever happens, also when proofs are wrong', () => {
    assert(
      property(anyOf(...all, 'wrong proof', 'clock'), boolean(), (troubles, three) => {
        expect(live(troubles, three ? 3 : 2).shared).toEqual([])
      }),
      { numRuns: 100 },
    )
  })

  it('has one node at a time that holds the lease, and serves again within a lease and a second of the engine', () => {
    assert(
      property(anyOf(...all), boolean(), (troubles, three) => {
        const { doubled, orphaned } = live(troubles, three ? 3 : 2)
        expect({ doubled, orphaned }).toEqual({ doubled: [], orphaned: [] })
      }),
      { numRuns: 100, examples: [[asleepWithAnAnswer, false]] },
    )
  })

  it('would show writers that nobody keeps out', () => {
    const pause: Trouble<Kind> = { kind: 'pause', node: 'a', at: 10_000, lasts: 12_000 }
    expect(live([pause], 2).shared).toEqual([])
    expect(live([pause], 2, false).shared).not.toEqual([])
  })

  it('serves without a gap while the engine is away for all, and nobody is deposed when it comes back', () => {
    const away: Trouble<Kind> = { kind: 'engine', node: 'a', at: 20_000, lasts: 30_000 }
    const calm = live([], 2)
    const outcome = live([away], 2)
    expect(outcome.served).toBe(calm.served)
    expect(outcome.deposed).toBe(0)
  })

  it('serves without a gap when the clock of the engine is set, and nobody is deposed by that', () => {
    const calm = live([], 3)
    for (const lasts of [3000, 6000, 3_600_000, -6000, -3_600_000]) {
      const outcome = live([{ kind: 'clock', node: 'a', at: 20_010, lasts }], 3)
      expect([lasts, outcome.served, outcome.deposed]).toEqual([lasts, calm.served, 0])
    }
  })

  it('a node that was killed is replaced at once, one that freezes when its lease has run out', () => {
    const calm = live([], 2).served
    const killed = calm - live([{ kind: 'kill', node: 'a', at: 20_000, lasts: 40_000 }], 2).served
    const frozen = calm - live([{ kind: 'pause', node: 'a', at: 20_000, lasts: 40_000 }], 2).served
    expect(killed).toBeLessThan(1000)
    expect(frozen).toBeGreaterThan(LEASE / 2)
    expect(frozen).toBeLessThan(LEASE + 1000)
  })
})
