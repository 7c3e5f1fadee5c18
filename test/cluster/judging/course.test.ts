// What a node does next: joins, waits for its name, stands by, takes, serves, ends.

import { describe, expect, it } from 'vitest'
import { nextStep, type Step } from '../../../src/cluster/judging/course.ts'
import { type Identity, isSame, type Look, type Member } from '../../../src/cluster/judging/engine.ts'
import { Judge } from '../../../src/cluster/judging/judge.ts'
import { allSlots, SLOTS } from '../../../src/sessions/slots.ts'

const LEASE = 5000
/** The engine's time. */
const NOW = 1_000_000
const a: Identity = { node: 'a', incarnation: 1 }
const b: Identity = { node: 'b', incarnation: 2 }

const member = (who: Identity, expires: number): Member => ({
  ...who,
  expires,
  address: undefined,
  version: undefined,
  config: undefined,
  state: 'standby',
})
const alive = (who: Identity): Member => member(who, NOW + 3000)
const silent = (who: Identity): Member => member(who, NOW - 1)
const deposed = (who: Identity): Member => member(who, Number.NEGATIVE_INFINITY)

const look = (members: readonly Member[], owner?: Identity, more: Partial<Look> = {}): Look => ({
  now: NOW,
  members,
  holdings: owner === undefined ? [] : [{ ...owner, slots: SLOTS, epoch: 7 }],
  free: owner === undefined ? SLOTS : 0,
  owners: allSlots.map(() => owner && { ...owner, epoch: 7 }),
  renewed: true,
  ...more,
})

/** One that has watched the engine for so long. */
function watching(milliseconds: number): Judge {
  const judge = new Judge(LEASE)
  for (let at = 0; at < milliseconds; at += 1000) judge.noteAnswer(at, at)
  judge.noteAnswer(milliseconds, milliseconds)
  return judge
}

interface Scene {
  readonly self?: Identity
  readonly watched?: number
  readonly proven?: Identity
}

function step(seen: Look, { self, watched = 60_000, proven }: Scene = {}): Step {
  const node = self?.node ?? 'b'
  const isProven = (one: Member) => proven !== undefined && isSame(one, proven)
  return nextStep({ node, self, look: seen, judge: watching(watched), now: watched, isProven })
}

describe('a node that has just been started', () => {
  it('joins', () => {
    expect(step(look([alive(a)], a))).toEqual({ type: 'join', before: undefined })
  })

  it('waits while another process has its name and a lease', () => {
    expect(step(look([alive(b)], b))).toMatchObject({ type: 'wait', for: { type: 'name-in-use', by: b } })
  })

  it('waits for one whole lease before it believes that this process is gone', () => {
    expect(step(look([silent(b)], b), { watched: 4000 }).type).toBe('wait')
    expect(step(look([silent(b)], b), { watched: 5000 })).toEqual({
      type: 'join',
      before: { ...b, proven: false },
    })
  })

  it('joins at once when there is proof of it', () => {
    const before = { ...b, proven: true }
    expect(step(look([alive(b)], b), { watched: 0, proven: b })).toEqual({ type: 'join', before })
  })
})

describe('a member', () => {
  it('takes what nobody owns', () => {
    expect(step(look([alive(b)]), { self: b })).toEqual({ type: 'take', from: [], free: true })
  })

  it('serves when all slots are its own', () => {
    expect(step(look([alive(b)], b), { self: b })).toEqual({ type: 'serve' })
  })

  it('stands by while the owner has a lease', () => {
    expect(step(look([alive(a), alive(b)], a), { self: b })).toMatchObject({
      type: 'wait',
      for: { type: 'standing-by', owner: a, silent: false },
    })
  })

  it('takes from an owner whose lease has run out', () => {
    expect(step(look([silent(a), alive(b)], a), { self: b })).toEqual({
      type: 'take',
      from: [{ ...a, proven: false }],
      free: false,
    })
  })

  it('judges nobody before the engine was there for one whole lease', () => {
    const seen = look([silent(a), alive(b)], a)
    expect(step(seen, { self: b, watched: 4999 })).toMatchObject({ type: 'wait', for: { silent: true } })
    const judge = watching(60_000)
    judge.noteSilence()
    judge.noteAnswer(61_000, 61_000)
    expect(judge.isInformed(65_999)).toBe(false)
    expect(judge.isInformed(66_000)).toBe(true)
  })

  it('begins to watch again after it has slept itself', () => {
    const judge = watching(60_000)
    judge.noteAnswer(63_000, 63_000)
    expect(judge.isInformed(63_000)).toBe(false)
  })

  it('needs no lease to run out where there is proof, or where the owner was deposed', () => {
    const proven = step(look([alive(a), alive(b)], a), { self: b, watched: 0, proven: a })
    expect(proven).toMatchObject({ type: 'take', from: [{ ...a, proven: true }] })
    expect(step(look([deposed(a), alive(b)], a), { self: b, watched: 0 }).type).toBe('take')
    expect(step(look([alive(b)], a), { self: b, watched: 0 }).type).toBe('take')
  })

  it('leaves a part that was given up to the owner who lives', () => {
    const c: Identity = { node: 'c', incarnation: 3 }
    const holdings = [
      { ...a, slots: 500, epoch: 7 },
      { ...c, slots: 524, epoch: 7 },
    ]
    const seen = look([silent(a), alive(b), alive(c)], undefined, { holdings, free: 0 })
    expect(step(seen, { self: b }).type).toBe('wait')
    expect(step(seen, { self: c })).toMatchObject({ type: 'take', from: [a] })
  })

  it('ends when it was deposed', () => {
    expect(step(look([deposed(b)], a, { renewed: false }), { self: b })).toEqual({ type: 'end' })
  })
})
