// The journal of what is under way for a moment: whatever is written, fails and crashes, what is read is what was written last.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Journal, type JournalPlan, type OwnRecord } from '../../src/store/lmdb/journal/journal.ts'
import { JOURNAL, JournalReading } from '../../src/store/lmdb/journal/reading.ts'
import type { Key } from '../../src/store/records.ts'

/** A publish that is brief, or one that is stored for longer. */
const record = (state: number, isStored = false) => ({ data: 'x', stored: isStored, stage: `stage ${state}` })

/** A disk: values by the text of their key. */
type Disk = Map<string, unknown>

const textOf = ([number, key]: readonly [number, Key]): string => `${number} ${key}`

function write(disk: Disk, { own, segment, over }: JournalPlan): void {
  for (const [key, value] of own) {
    if (value === undefined) disk.delete(textOf(key))
    else disk.set(textOf(key), structuredClone(value))
  }
  for (const sequence of over) disk.delete(textOf([JOURNAL, sequence]))
  if (segment !== undefined) disk.set(textOf([JOURNAL, segment.sequence]), structuredClone(segment.entries))
}

const keysOf = (disk: Disk): [number, number][] =>
  [...disk.keys()].map((text) => text.split(' ').map(Number) as [number, number])

/** What a start finds: all records, by the text of their key; `journal` takes up what is in it. */
function read(disk: Disk, journal: Journal): Map<string, unknown> {
  const found = new Map<string, unknown>()
  const brief = new JournalReading()
  for (const [, sequence] of keysOf(disk)
    .filter(([number]) => number === JOURNAL)
    .sort(([, a], [, b]) => a - b))
    brief.take(sequence, disk.get(textOf([JOURNAL, sequence])))
  const numbers = new Set<number>()
  for (const key of keysOf(disk)) {
    if (key[0] === JOURNAL) continue
    numbers.add(key[0])
    found.set(textOf(key), disk.get(textOf(key)))
    journal.noteOwn(key, disk.get(textOf(key)))
  }
  for (const [number, records] of brief.records) {
    numbers.add(number)
    for (const [key, value] of records) found.set(textOf([number, key]), value)
  }
  journal.inherit(brief, numbers)
  return found
}

const newJournal = (most?: { segments: number; entries: number }) => new Journal({ index: 0, count: 1 }, most)
const small = { segments: 2, entries: 6 }
const segmentsOn = (disk: Disk) => keysOf(disk).filter(([number]) => number === JOURNAL).length

/** Writes groups, and confirms each. */
function written(journal: Journal, disk: Disk, ...groups: OwnRecord[][]): void {
  for (const group of groups) {
    const plan = journal.plan(group)
    write(disk, plan)
    plan.confirm()
  }
}

describe('what is under way for a moment', () => {
  it('is one value for all of a group, and nothing is left of it', () => {
    const [journal, disk] = [newJournal(), new Map()]
    const keys = [1, 2, 3].map((number): [number, Key] => [number, -7])
    written(
      journal,
      disk,
      keys.map((key) => [key, record(1)]),
    )
    expect([...disk.keys()]).toEqual(['0 1'])
    written(
      journal,
      disk,
      keys.map((key) => [key, record(2)]),
    )
    expect(disk.get('0 2')).toEqual(keys.map(([number, key]) => [number, key, { stage: 'stage 2' }, true]))
    written(
      journal,
      disk,
      keys.map((key) => [key, undefined]),
    )
    expect(disk.size).toBe(0)
  })

  it('gets a value of its own when it lasts, and goes from there', () => {
    const [journal, disk] = [newJournal(), new Map()]
    written(journal, disk, [[[9, -1], record(1)]])
    for (let number = 10; number < 600; number++)
      written(journal, disk, [[[number, -1], record(1)]], [[[number, -1], undefined]])
    expect(disk.get('9 -1')).toEqual(record(1))
    written(journal, disk, [[[9, -1], record(2)]])
    expect(disk.get('9 -1')).toEqual(record(2))
    written(journal, disk, [[[9, -1], undefined]], [])
    expect(disk.size).toBe(0)
  })

  it('holds others up for a bounded time: of a sensor that never comes to the end of it the journal has no more than 500 segments', () => {
    const [journal, disk] = [newJournal(), new Map()]
    for (let number = 1; number < 2000; number++) written(journal, disk, [[[number, -1], record(1)]])
    expect(segmentsOn(disk)).toBeLessThanOrEqual(500)
    expect(read(disk, newJournal()).size).toBe(1999)
  })

  it('has a value of its own after a restart, and no segment is left', () => {
    const [before, disk] = [newJournal(), new Map()]
    written(before, disk, [[[1, -1], record(1)], [[2, -1], record(1)]], [[[2, -1], record(2)]]) // biome-ignore format: short
    const after = newJournal()
    read(disk, after)
    expect(after.owes).toBe(true)
    written(after, disk, [])
    expect(Object.fromEntries(disk)).toEqual({ '1 -1': record(1), '2 -1': record(2) })
    expect(after.owes).toBe(false)
  })

  it('of another writer stays where it is', () => {
    const disk: Disk = new Map()
    const [first, second] = [0, 1].map((index) => new Journal({ index, count: 2 })) as [Journal, Journal]
    written(first, disk, [[[2, -1], record(1)]])
    written(second, disk, [[[3, -1], record(1)]])
    const again = new Journal({ index: 1, count: 2 })
    const brief = new JournalReading()
    for (const sequence of [2, 3]) brief.take(sequence, disk.get(textOf([JOURNAL, sequence])))
    again.inherit(brief, [3])
    written(again, disk, [])
    expect([...disk.keys()].sort()).toEqual(['0 2', '3 -1'])
  })
})

type Step =
  | {
      readonly kind: 'keep' | 'drop'
      readonly number: number
      readonly key: number
      readonly stored: boolean
    }
  | { readonly kind: 'group' | 'failure' | 'late failure' | 'crash' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constantFrom('keep' as const, 'keep' as const, 'drop' as const),
      number: fc.constantFrom(1, 2, 3),
      key: fc.constantFrom(-1, -2, -3, 5),
      stored: fc.boolean(),
    }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('group' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom('failure' as const, 'late failure' as const, 'crash' as const),
    }),
  },
)

it('whatever is written, fails, or is on the disk although it failed: a start finds what was confirmed last [SN-SESS-10]', () => {
  const isSound = fc.property(fc.array(step, { maxLength: 150, size: 'max' }), (steps) => {
    const disk: Disk = new Map()
    let journal = newJournal(small)
    /** what a start may find; more than one where it is not known whether a group is on the disk */
    let truths: Map<string, unknown>[] = [new Map()]
    let pending = new Map<string, OwnRecord>()
    const known = new Set<string>()
    let state = 0
    const applied = (truth: Map<string, unknown>) => {
      const next = new Map(truth)
      for (const [id, [, value]] of pending) {
        if (value === undefined) next.delete(id)
        else next.set(id, structuredClone(value))
      }
      return next
    }
    for (const one of steps) {
      if (one.kind === 'keep') {
        const key: [number, Key] = [one.number, one.key]
        state += 1
        const before = pending.get(textOf(key))?.[1] ?? truths[0]?.get(textOf(key))
        const isStored = before === undefined ? one.stored : Object(before).stored // it never changes
        pending.set(textOf(key), [key, record(state, isStored)])
        known.add(textOf(key))
      } else if (one.kind === 'drop') {
        const key: [number, Key] = [one.number, one.key]
        if (known.has(textOf(key))) pending.set(textOf(key), [key, undefined])
      } else if (one.kind === 'crash') {
        journal = newJournal(small)
        const found = read(disk, journal)
        const isOne = truths.some(
          (truth) => JSON.stringify([...truth].sort()) === JSON.stringify([...found].sort()),
        )
        if (!isOne)
          throw new Error(`found ${JSON.stringify([...found])} of ${JSON.stringify([...(truths[0] ?? [])])}`)
        truths = [new Map(found)]
        pending = new Map()
      } else {
        const plan = journal.plan([...pending.values()])
        if (one.kind === 'group') {
          write(disk, plan)
          plan.confirm()
          truths = [applied(truths[0] ?? new Map())]
          pending = new Map()
        } else if (one.kind === 'late failure') {
          write(disk, plan) // and yet it is reported as failed
          truths = [truths[0] ?? new Map(), ...truths.slice(1), applied(truths[0] ?? new Map())]
        }
      }
    }
    const found = read(disk, newJournal(small))
    const isOne = truths.some(
      (truth) => JSON.stringify([...truth].sort()) === JSON.stringify([...found].sort()),
    )
    if (!isOne)
      throw new Error(`at the end ${JSON.stringify([...found])} of ${JSON.stringify([...(truths[0] ?? [])])}`)
  })
  fc.assert(isSound, { numRuns: 3000, seed: 8 })
})
