// Nodes that each serve a share, under random pauses, deaths, stops, cuts and outages of the engine: never two owners of a slot, and
// never for long none.

import { assert, asyncProperty } from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Member } from '../../../src/cluster/judging/engine.ts'
import { planSlots } from '../../../src/cluster/plan.ts'
import type { ContactMessage } from '../../../src/cluster/shares/engine-contact.ts'
import { allSlots } from '../../../src/sessions/slots.ts'
import { goesOnAt, isGone, NAMES, RESTART, STEP, someTroubles, type Trouble } from '../troubles.ts'
import { VirtualSharer } from './virtual-sharer.ts'
import { VirtualTable } from './virtual-table.ts'

const LEASE = 5000
const SETTLE = 3000
const END = 45_000
/** Milliseconds that a test may take on a machine that is busy with other things. */
const LONG = 180_000
/** What is sent within so many milliseconds may hang. */
const HANGS = 2500
/** Until what nodes say to each other has arrived; and after so long a silence a link counts as down. */
const LINK_WAY = 20
const LINK_SILENCE = 2500
/** Slots that are looked at, as all are treated alike. */
const SAMPLE = allSlots.filter((slot) => slot % 61 === 0 || slot < 8)

/** As of a pair; `stop`: SIGTERM; `hang`: what is sent; `link`: nothing goes over the links of that node, and what was sent arrives later. */
type Kind = 'engine' | 'cut' | 'pause' | 'kill' | 'stop' | 'hang' | 'link' | 'wrong proof'

const anyOf = (...kinds: Kind[]) => someTroubles(END, ...kinds)

interface Outcome {
  /** slots and epochs in which more than one incarnation has committed */
  readonly shared: string[]
  /** when two served a slot who held a lease and had the engine */
  readonly doubled: number[]
  /** when two served a slot, although the link between them had been up for a lease */
  readonly atOdds: number[]
  /** when nobody had served a slot for a lease and a second, although somebody could have taken it all the time */
  readonly orphaned: number[]
  /** the longest time, of all slots, in which nobody served it, milliseconds, after the start */
  readonly longest: number
  /** processes that have ended without having been killed or stopped */
  readonly deposed: number
  /** slots that each node serves at the end */
  readonly slots: Readonly<Record<string, number>>
  /** until when each has served without the engine */
  readonly serving: Readonly<Record<string, number>>
  readonly table: VirtualTable
}

interface Life {
  readonly isFenced?: boolean
  readonly checksEpochs?: boolean
  /** milliseconds after which the nodes are started, by their names */
  readonly starts?: Partial<Record<(typeof NAMES)[number], number>>
}

async function live(troubles: readonly Trouble<Kind>[], life: Life = {}): Promise<Outcome> {
  const { isFenced = true, checksEpochs = true, starts = {} } = life
  const table = new VirtualTable(LEASE)
  Object.assign(table, { isFenced, checksEpochs })
  let now = 0
  const goesOn = (kind: Kind, node?: string) => goesOnAt(troubles, now, kind, node)
  const nodes = new Map<string, VirtualSharer>()
  const isRunning = (name: string) => {
    const node = nodes.get(name)
    return node?.self !== undefined && node.endedAt === undefined
  }
  /** whether nothing has come over the links of a node for so long that they are down */
  const isCutOff = (name: string) =>
    troubles.some(
      ({ kind, node, at, lasts }) =>
        (kind === 'link' || kind === 'pause') &&
        node === name &&
        now >= at + LINK_SILENCE &&
        now < at + lasts,
    )
  const isLinked = (one: string, other: string) =>
    [one, other].every((name) => isRunning(name) && !isCutOff(name))
  const underWay = new Set<{ from: string; to: string; message: ContactMessage | 'look'; at: number }>()
  /** what arrives at a node that runs */
  const deliver = (node: VirtualSharer) => {
    for (const one of underWay) {
      const { from, to, message, at } = one
      if (to !== node.node || now < at + LINK_WAY) continue
      if (goesOn('link', from) || goesOn('link', to)) {
        if (!isLinked(from, to)) underWay.delete(one)
        continue
      }
      underWay.delete(one)
      node.take(from, message)
    }
  }
  const around = {
    linked: (name: string) => NAMES.filter((other) => other !== name && isLinked(name, other)),
    send: (from: string, to: string, message: ContactMessage | 'look') =>
      void underWay.add({ from, to, message, at: now }),
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
    isProven: (member: Member) =>
      isGone(nodes.get(member.node), member) || goesOn('wrong proof', member.node),
  }
  const [doubled, atOdds, orphaned]: [number[], number[], number[]] = [[], [], []]
  const servingUntil: Record<string, number> = {}
  /** when two were not linked, for the last time */
  const unlinkedAt = new Map<string, number>()
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
        for (const one of underWay) if (one.from === name || one.to === name) underWay.delete(one)
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
      deliver(node)
    }
    await new Promise(setImmediate)
    for (const node of running) {
      if (now % 100 === 0) node.write(SAMPLE)
      if (node.endedAt !== undefined && !node.hasLeft) deposed += 1
    }
    const awake = [...nodes.values()].filter((one) => one.endedAt === undefined && !goesOn('pause', one.node))
    const able = awake.filter(({ node, isDraining }) => !isDraining && around.reaches(node))
    const healthy = Math.min(...able.map(({ healthySince = Number.POSITIVE_INFINITY }) => healthySince))
    for (const one of NAMES)
      for (const other of NAMES) if (!isLinked(one, other)) unlinkedAt.set(`${one} ${other}`, now)
    for (const { node, serving, lease } of awake)
      if (serving.size > 0 && lease.holds(now) && lease.isWithoutEngine) servingUntil[node] = now
    for (const slot of SAMPLE) {
      const serving = awake.filter((one) => one.serving.has(slot) && one.lease.holds(now))
      const before = servedAt.get(slot) ?? 0
      if (serving.length > 0) {
        servedAt.set(slot, now)
        if (before > 0) longest = Math.max(longest, now - before - STEP)
      } else if (now - Math.max(healthy, before) > LEASE + 1000) orphaned.push(now)
      if (serving.filter(({ lease }) => !lease.isWithoutEngine).length > 1) doubled.push(now)
      const isAtOdds = serving.some(({ node }) =>
        serving.some(
          (other) => other.node !== node && now - (unlinkedAt.get(`${node} ${other.node}`) ?? 0) > LEASE,
        ),
      )
      if (isAtOdds) atOdds.push(now)
    }
  }
  const shared = [...table.commits].filter(([, writers]) => writers.size > 1).map(([epoch]) => epoch)
  const slots = Object.fromEntries([...nodes].map(([name, { serving }]) => [name, serving.size]))
  return { shared, doubled, atOdds, orphaned, longest, deposed, slots, table, serving: servingUntil }
}

const all = ['engine', 'cut', 'pause', 'kill', 'stop', 'hang', 'link'] as const

describe('nodes that each serve a share, in virtual time', () => {
  it(
    'have one writer of each slot in every epoch, whatever happens, also when proofs are wrong',
    async () => {
      await assert(
        asyncProperty(anyOf(...all, 'wrong proof'), async (troubles) => {
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
        asyncProperty(anyOf(...all), async (troubles) => {
          const { doubled, orphaned } = await live(troubles)
          expect({ doubled, orphaned }).toEqual({ doubled: [], orphaned: [] })
        }),
        { numRuns: 30 },
      )
    },
    LONG,
  )

  it(
    'never serve a slot two at a time for longer than a lease after they can hear each other, whoever has the engine',
    async () => {
      await assert(
        asyncProperty(anyOf('engine', 'cut', 'pause', 'hang', 'link', 'kill'), async (troubles) => {
          expect((await live(troubles)).atOdds).toEqual([])
        }),
        { numRuns: 60 },
      )
    },
    LONG,
  )

  it('would show writers that nobody keeps out, and gifts that arrive late', async () => {
    const pause: Trouble<Kind> = { kind: 'pause', node: 'a', at: 20_000, lasts: 12_000 }
    expect((await live([pause])).shared).toEqual([])
    expect((await live([pause], { isFenced: false })).shared).not.toEqual([])
    const late: Life = { starts: { b: 10_000, c: 10_000 } }
    // slots that were given back to their owner since a gift hung, and that are not to move for the moment
    const hung: Trouble<Kind>[] = [
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

  it('stop within the lease when one alone loses the engine, and the others have its slots', async () => {
    const { longest, deposed, atOdds } = await live([{ kind: 'cut', node: 'a', at: 30_000, lasts: 12_000 }])
    expect(atOdds).toEqual([])
    expect(longest).toBeLessThan(1000)
    expect(deposed).toBe(1)
  })

  it('go on when the engine is away for all and one of them dies, but not those who hear of nobody else', async () => {
    const away: Trouble<Kind> = { kind: 'engine', node: 'a', at: 30_000, lasts: 14_000 }
    const dead = await live([away, { kind: 'kill', node: 'c', at: 31_000, lasts: 40_000 }])
    expect(dead.serving['a']).toBeGreaterThan(43_000)
    expect(dead.deposed).toBe(0)
    const cutOff = await live([away, { kind: 'link', node: 'a', at: 33_000, lasts: 10_500 }])
    expect(cutOff.serving['a']).toBeLessThan(33_000 + LEASE)
    expect(cutOff.serving['b']).toBeGreaterThan(43_000)
  })
})
