// Nodes that each serve a share, under random pauses, deaths, stops, cuts and outages of the engine: never two owners of a slot, and
// never for long none.

import { array, assert, asyncProperty, constantFrom, integer, record } from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Member } from '../../../src/cluster/judging/engine.ts'
import { planSlots } from '../../../src/cluster/plan.ts'
import { allSlots } from '../../../src/sessions/slots.ts'
import { VirtualSharer } from './virtual-sharer.ts'
import { VirtualTable } from './virtual-table.ts'

const LEASE = 5000
const SETTLE = 3000
const STEP = 20
const END = 45_000
const NAMES = ['a', 'b', 'c'] as const
/** Milliseconds that a test may take on a machine that is busy with other things. */
const LONG = 180_000
/** A process that has ended is started again after so many milliseconds. */
const RESTART = 1000
/** What is sent within so many milliseconds may hang. */
const HANGS = 2500
/** Slots that are looked at, as all are treated alike. */
const SAMPLE = allSlots.filter((slot) => slot % 61 === 0 || slot < 8)

/** From `at` on, for so long; `stop`: SIGTERM at that time. */
interface Trouble {
  readonly kind: 'engine' | 'cut' | 'pause' | 'kill' | 'stop' | 'hang' | 'wrong proof'
  readonly node: (typeof NAMES)[number]
  readonly at: number
  readonly lasts: number
}

const trouble = (...kinds: Trouble['kind'][]) =>
  array(
    record({
      kind: constantFrom(...kinds),
      node: constantFrom(...NAMES),
      at: integer({ min: 0, max: END - 10_000 }),
      lasts: integer({ min: 50, max: 20_000 }),
    }),
    { maxLength: 8 },
  )

interface Outcome {
  /** slots and epochs in which more than one incarnation has committed */
  readonly shared: string[]
  /** when two served a slot who held a lease and had the engine */
  readonly doubled: number[]
  /** when nobody had served a slot for a lease and a second, although somebody could have taken it all the time */
  readonly orphaned: number[]
  /** the longest time, of all slots, in which nobody served it, milliseconds, after the start */
  readonly longest: number
  /** processes that have ended without having been killed or stopped */
  readonly deposed: number
  /** slots that each node serves at the end */
  readonly slots: Readonly<Record<string, number>>
  readonly table: VirtualTable
}

interface Life {
  readonly isFenced?: boolean
  readonly checksEpochs?: boolean
  /** milliseconds after which the nodes are started, by their names */
  readonly starts?: Partial<Record<(typeof NAMES)[number], number>>
}

async function live(troubles: readonly Trouble[], life: Life = {}): Promise<Outcome> {
  const { isFenced = true, checksEpochs = true, starts = {} } = life
  const table = new VirtualTable(LEASE)
  Object.assign(table, { isFenced, checksEpochs })
  let now = 0
  const goesOn = (kind: Trouble['kind'], node?: string): boolean =>
    troubles.some(
      (one) =>
        one.kind === kind &&
        now >= one.at &&
        now < one.at + one.lasts &&
        (node === undefined || one.node === node),
    )
  const nodes = new Map<string, VirtualSharer>()
  const around = {
    ...{ table, lease: LEASE, settle: SETTLE },
    reaches: (node: string) => !goesOn('engine') && !goesOn('cut', node),
    // the next one goes over another connection
    hangs: (node: string, askedAt: number) =>
      troubles.some(
        (one) =>
          one.kind === 'hang' &&
          one.node === node &&
          askedAt >= one.at &&
          askedAt < one.at + HANGS &&
          now < one.at + one.lasts,
      ),
    isProven(member: Member): boolean {
      const running = nodes.get(member.node)
      const isGone =
        running === undefined ||
        running.endedAt !== undefined ||
        running.self?.incarnation !== member.incarnation
      return isGone || goesOn('wrong proof', member.node)
    },
  }
  const [doubled, orphaned]: [number[], number[]] = [[], []]
  const servedAt = new Map(SAMPLE.map((slot) => [slot, 0]))
  const wasPaused = new Set<string>()
  let [deposed, longest] = [0, 0]
  for (; now < END; now += STEP) {
    const running: VirtualSharer[] = []
    for (const name of NAMES) {
      if (now < (starts[name] ?? 0)) continue
      let node = nodes.get(name)
      if (node === undefined || (node.endedAt !== undefined && now - node.endedAt >= RESTART)) {
        node = new VirtualSharer(name, now, around)
        nodes.set(name, node)
      }
      if (goesOn('kill', name) && node.endedAt === undefined) {
        node.kill(now)
        for (const other of nodes.values()) other.notice(now)
      }
      node.carry(now)
      if (goesOn('pause', name)) {
        wasPaused.add(name)
        continue
      }
      if (wasPaused.delete(name)) node.wake()
      if (goesOn('stop', name)) void node.drain()
      if (node.endedAt === undefined) running.push(node)
      node.run(now)
    }
    await new Promise(setImmediate)
    for (const node of running) {
      if (now % 100 === 0) node.write(SAMPLE)
      if (node.endedAt !== undefined && !node.hasLeft) deposed += 1
    }
    const awake = [...nodes.values()].filter((one) => one.endedAt === undefined && !goesOn('pause', one.node))
    const able = awake.filter(({ node, isDraining }) => !isDraining && around.reaches(node))
    const healthy = Math.min(...able.map(({ healthySince = Number.POSITIVE_INFINITY }) => healthySince))
    for (const slot of SAMPLE) {
      const serving = awake.filter((one) => one.serving.has(slot) && one.lease.holds(now))
      const before = servedAt.get(slot) ?? 0
      if (serving.length > 0) {
        servedAt.set(slot, now)
        if (before > 0) longest = Math.max(longest, now - before - STEP)
      } else if (now - Math.max(healthy, before) > LEASE + 1000) orphaned.push(now)
      if (serving.filter(({ lease }) => !lease.isWithoutEngine).length > 1) doubled.push(now)
    }
  }
  const shared = [...table.commits].filter(([, writers]) => writers.size > 1).map(([epoch]) => epoch)
  const slots = Object.fromEntries([...nodes].map(([name, { serving }]) => [name, serving.size]))
  return { shared, doubled, orphaned, longest, deposed, slots, table }
}

const all = ['engine', 'cut', 'pause', 'kill', 'stop', 'hang'] as const

describe('nodes that each serve a share, in virtual time', () => {
  it(
    'have one writer of each slot in every epoch, whatever happens, also when proofs are wrong',
    async () => {
      await assert(
        asyncProperty(trouble(...all, 'wrong proof'), async (troubles) => {
          expect((await live(troubles)).shared).toEqual([])
        }),
        { numRuns: 30 },
      )
    },
    LONG,
  )

  it(
    'serve a slot one at a time, and again within a lease and a second of an engine that is there',
    async () => {
      await assert(
        asyncProperty(trouble(...all), async (troubles) => {
          const { doubled, orphaned } = await live(troubles)
          expect({ doubled, orphaned }).toEqual({ doubled: [], orphaned: [] })
        }),
        { numRuns: 30 },
      )
    },
    LONG,
  )

  it('would show writers that nobody keeps out, and gifts that arrive late', async () => {
    const pause: Trouble = { kind: 'pause', node: 'a', at: 20_000, lasts: 12_000 }
    expect((await live([pause])).shared).toEqual([])
    expect((await live([pause], { isFenced: false })).shared).not.toEqual([])
    const late: Life = { starts: { b: 10_000, c: 10_000 } }
    // slots that were given back to their owner since a gift hung, and that are not to move for the moment
    const hung: Trouble[] = [
      { kind: 'hang', node: 'a', at: 12_500, lasts: 5100 },
      { kind: 'kill', node: 'c', at: 15_000, lasts: 40_000 },
    ]
    expect((await live(hung, late)).shared).toEqual([])
    expect((await live(hung, { ...late, checksEpochs: false })).shared).not.toEqual([])
  })

  it('divide the slots by the plan when one is started later, and serve every slot again within half a second', async () => {
    const { table, longest, slots, deposed } = await live([], { starts: { b: 10_000, c: 20_000 } })
    expect(table.owners.map((owner) => owner?.node)).toEqual(planSlots(NAMES))
    expect(Object.values(slots).sort()).toEqual([340, 342, 342])
    expect(longest).toBeLessThan(500)
    expect(deposed).toBe(0)
  })

  it('take the slots of one that was killed at once, and of one that freezes when its lease has run out', async () => {
    const killed = await live([{ kind: 'kill', node: 'a', at: 30_000, lasts: 40_000 }])
    expect(killed.longest).toBeLessThan(500)
    expect(killed.table.owners.map((owner) => owner?.node)).toEqual(planSlots(['b', 'c']))
    const frozen = await live([{ kind: 'pause', node: 'a', at: 30_000, lasts: 40_000 }])
    expect(frozen.longest).toBeGreaterThan(LEASE / 2)
    expect(frozen.longest).toBeLessThan(LEASE + 500)
  })

  it('give away everything before one of them stops, a few slots at a time', async () => {
    const stopped = await live([{ kind: 'stop', node: 'a', at: 30_000, lasts: 20_000 }])
    expect(stopped.longest).toBeLessThan(1200)
    expect(stopped.deposed).toBe(0)
    expect(stopped.slots['b']).toBe(stopped.table.owners.filter((owner) => owner?.node === 'b').length)
  })

  it('serve without a gap while the engine is away for all, and nobody is deposed when it comes back', async () => {
    const { longest, deposed } = await live([{ kind: 'engine', node: 'a', at: 30_000, lasts: 15_000 }])
    expect([longest, deposed]).toEqual([0, 0])
  })
})
