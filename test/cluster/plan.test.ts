// Who is to serve which slot, as all members of a cluster work it out for themselves.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { planSlots } from '../../src/cluster/plan.ts'
import { SLOTS } from '../../src/sessions/slots.ts'

const named = (count: number, name = 'gw-') => Array.from({ length: count }, (_, i) => `${name}${i + 1}`)

function sizesOf(plan: readonly string[]): number[] {
  const sizes = new Map<string, number>()
  for (const member of plan) sizes.set(member, (sizes.get(member) ?? 0) + 1)
  return [...sizes.values()]
}

const moved = (before: readonly string[], after: readonly string[]) =>
  before.filter((member, slot) => after[slot] !== member).length

const members = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 24 })

describe('a plan', () => {
  it('is the same in every member, in whatever order it knows the others', () => {
    fc.assert(
      fc.property(members, fc.infiniteStream(fc.nat()), (names, chance) => {
        const order = names.map((name) => ({ name, at: chance.next().value ?? 0 }))
        const shuffled = order.sort((a, b) => a.at - b.at).map(({ name }) => name)
        expect(planSlots([...shuffled, ...names])).toEqual(planSlots(names))
      }),
    )
  })

  it('gives every slot to a member, and none of them more than its share', () => {
    fc.assert(
      fc.property(members, (names) => {
        const plan = planSlots(names)
        expect(plan).toHaveLength(SLOTS)
        for (const member of plan) expect(names).toContain(member)
        expect(Math.max(...sizesOf(plan))).toBeLessThanOrEqual(Math.ceil(SLOTS / names.length))
      }),
    )
    expect(planSlots([])).toEqual([])
    expect(new Set(planSlots(['only']))).toEqual(new Set(['only']))
  })

  it('is balanced: the least member has not much less than the others', () => {
    for (const count of [2, 3, 5, 10, 20]) {
      for (const name of ['gw-', 'mqttsn-0.', '10.0.0.']) {
        const sizes = sizesOf(planSlots(named(count, name)))
        expect(sizes).toHaveLength(count)
        expect(Math.min(...sizes)).toBeGreaterThan((0.7 * SLOTS) / count)
      }
    }
  })

  it('changes little when a member goes: its slots, and some that make room in the shares', () => {
    for (const count of [3, 5, 10, 20]) {
      const names = named(count)
      const plan = planSlots(names)
      for (const gone of names) {
        const own = plan.filter((member) => member === gone).length
        const after = planSlots(names.filter((name) => name !== gone))
        expect(moved(plan, after)).toBeGreaterThanOrEqual(own)
        expect(moved(plan, after)).toBeLessThanOrEqual(own + SLOTS * 0.08)
      }
    }
  })

  it('changes little when a member comes', () => {
    for (const count of [2, 4, 9, 19]) {
      const before = planSlots(named(count))
      const after = planSlots(named(count + 1))
      expect(moved(before, after)).toBeLessThanOrEqual(SLOTS / (count + 1) + SLOTS * 0.08)
    }
  })

  it('is what others of this version work out: these never change', () => {
    const plan = planSlots(['gw-1', 'gw-2', 'gw-3'])
    expect([0, 1, 2, 3, 500, 1022, 1023].map((slot) => plan[slot])).toEqual([
      'gw-1',
      'gw-1',
      'gw-2',
      'gw-3',
      'gw-2',
      'gw-3',
      'gw-1',
    ])
  })
})
