// What a node of several does next: takes what the plan gives it, leaves the rest to the others for a moment, and gives away what is theirs.

import { describe, expect, it } from 'vitest'
import {
  type Identity,
  isSame,
  type Look,
  type Member,
  type MemberState,
  type Owner,
} from '../../../src/cluster/judging/engine.ts'
import { Judge } from '../../../src/cluster/judging/judge.ts'
import { BATCH, ShareCourse, type ShareDecision } from '../../../src/cluster/judging/share-course.ts'
import { planSlots } from '../../../src/cluster/plan.ts'
import { allSlots, SLOTS } from '../../../src/sessions/slots.ts'

const LEASE = 5000
const SETTLE = 10_000
/** The engine's time. */
const NOW = 1_000_000
const a: Identity = { node: 'a', incarnation: 1 }
const b: Identity = { node: 'b', incarnation: 2 }
const c: Identity = { node: 'c', incarnation: 3 }

const member = (who: Identity, state: MemberState = 'active', expires = NOW + 3000): Member => ({
  ...who,
  state,
  expires,
  address: undefined,
  link: `${who.node}:1886`,
  version: undefined,
  config: undefined,
})

type OwnerOf = (slot: number) => Identity | undefined

const look = (members: readonly Member[], ownerOf: OwnerOf, renewed = true): Look => ({
  now: NOW,
  members,
  holdings: [],
  free: 0,
  renewed,
  owners: allSlots.map((slot): Owner | undefined => {
    const owner = ownerOf(slot)
    return owner && { ...owner, epoch: 7 }
  }),
})

/** Owners as they are planned for these. */
const planned = (...who: readonly Identity[]): OwnerOf => {
  const plan = planSlots(who.map(({ node }) => node))
  return (slot) => who.find(({ node }) => node === plan[slot])
}

/** A node `b` that is asked again and again; it has watched the engine for long. */
function scene(self = b) {
  const course = new ShareCourse(SETTLE)
  const judge = new Judge(LEASE)
  for (let at = -60_000; at <= 60_000; at += 1000) judge.noteAnswer(at, at)
  return (seen: Look, now = 0, state: MemberState = 'active', proven?: Identity): ShareDecision =>
    course.next({
      ...{ node: self.node, self, look: seen, judge, now, state },
      isProven: (one) => proven !== undefined && isSame(one, proven),
    })
}

const all = [member(a), member(b), member(c)]

describe('a node that has its share', () => {
  it('serves, and looks again before the lease of another one is over', () => {
    const { step, gifts, own, soon } = scene()(look(all, planned(a, b, c)))
    expect(step).toEqual({ type: 'serve' })
    expect(gifts).toEqual([])
    expect(own).toEqual(allSlots.filter((slot) => planSlots(['a', 'b', 'c'])[slot] === 'b'))
    expect(soon).toBe(3020)
  })

  it('takes what the plan gives it of the slots of one that is gone, by its lease or by proof, and nothing else', () => {
    const mine = allSlots.filter((slot) => planned(a, b, c)(slot) === c && planned(a, b)(slot) === b)
    const silent = [member(a), member(b), member(c, 'active', NOW - 1)]
    const { step } = scene()(look(silent, planned(a, b, c)))
    expect(step).toEqual({ type: 'take', from: [{ ...c, proven: false }], free: false, slots: mine })
    const proven = scene()(look(all, planned(a, b, c)), 0, 'active', c).step
    expect(proven).toEqual({ type: 'take', from: [{ ...c, proven: true }], free: false, slots: mine })
  })

  it('takes its part of what nobody owns', () => {
    const { step } = scene()(look([member(a), member(b)], () => undefined))
    const slots = allSlots.filter((slot) => planned(a, b)(slot) === b)
    expect(step).toEqual({ type: 'take', from: [], free: true, slots })
  })

  it('takes all that is left when others do not take theirs within half a second', () => {
    const next = scene()
    const mine = allSlots.filter((slot) => planned(a, b)(slot) === b)
    const left = look([member(a), member(b)], (slot) => (mine.includes(slot) ? b : undefined))
    expect(next(left, 1000).step).toEqual({ type: 'serve' })
    expect(next(left, 1400).step).toEqual({ type: 'serve' })
    const { step } = next(left, 1500)
    expect(step).toMatchObject({ type: 'take', free: true })
    expect(step.type === 'take' && step.slots).toHaveLength(SLOTS - mine.length)
    expect(next(look([member(a), member(b)], planned(a, b)), 1600).step).toEqual({ type: 'serve' })
    expect(next(left, 1700).step).toEqual({ type: 'serve' })
  })

  it('ends when it was deposed', () => {
    expect(scene()(look([member(a)], planned(a), false)).step).toEqual({ type: 'end' })
  })
})

describe('slots of nodes that live', () => {
  const alone = look([member(a), member(b)], () => b)

  it('are given by their owner when the members have been the same for a while, a few at a time', () => {
    const next = scene()
    expect(next(alone, 0).gifts).toEqual([])
    expect(next(alone, SETTLE - 1).gifts).toEqual([])
    const { gifts, step, soon } = next(alone, SETTLE)
    expect(step).toEqual({ type: 'serve' })
    const first = allSlots.filter((slot) => planned(a, b)(slot) === a).slice(0, BATCH)
    expect(gifts).toEqual(first.map((slot) => ({ slot, epoch: 7, to: a })))
    expect(soon).toBe(250)
  })

  it('are never taken by those who should have them, who look more often', () => {
    const next = scene(a)
    const { step, soon } = next(alone, SETTLE)
    expect([step, soon]).toEqual([{ type: 'serve' }, 250])
  })

  it('stay when another member comes meanwhile, until all have settled again', () => {
    const next = scene()
    next(alone, 0)
    const three = look(all, () => b)
    expect(next(three, SETTLE).gifts).toEqual([])
    expect(next(three, 2 * SETTLE).gifts).toHaveLength(BATCH)
  })

  it('go to nobody who has not started yet, or whose lease has run out', () => {
    const starting = look([member(a, 'standby'), member(b)], () => b)
    const silent = look([member(a, 'active', NOW - 1), member(b)], () => b)
    const next = scene()
    expect([next(starting, 0), next(starting, SETTLE)].map(({ gifts }) => gifts)).toEqual([[], []])
    const judge = new Judge(LEASE)
    judge.noteAnswer(0, 0)
    const course = new ShareCourse(0)
    const situation = { node: 'b', self: b, look: silent, judge, now: 0, state: 'active' } as const
    expect(course.next({ ...situation, isProven: () => false }).gifts).toEqual([])
  })
})

describe('a node that is stopped', () => {
  it('gives its slots away at once, and takes none', () => {
    const next = scene()
    const { gifts, hasHeirs } = next(look(all, planned(a, b, c)), 0, 'draining')
    expect(gifts).toHaveLength(BATCH)
    expect(new Set(gifts.map(({ to }) => to.node))).toEqual(new Set(['a', 'c']))
    for (const { slot, to } of gifts) expect(planned(a, c)(slot)).toEqual(to)
    expect(hasHeirs).toBe(true)
    expect(
      next(
        look(all, () => undefined),
        0,
        'draining',
      ).step,
    ).toEqual({ type: 'serve' })
  })

  it('keeps them when nobody is there to have them', () => {
    const others = [member(b), member(c, 'draining')]
    const { gifts, hasHeirs } = scene()(look(others, planned(b, c)), 0, 'draining')
    expect([gifts, hasHeirs]).toEqual([[], false])
  })

  it('gets no slots from others', () => {
    const others = [member(a), member(b), member(c, 'draining')]
    const next = scene()
    next(look(others, planned(a, b, c)), 0)
    const { gifts } = next(look(others, planned(a, b, c)), SETTLE)
    expect(gifts.every(({ to }) => to.node === 'a')).toBe(true)
  })
})
