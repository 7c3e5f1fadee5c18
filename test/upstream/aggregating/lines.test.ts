// Whose turn it is on a connection that sensors share, and which connection a sensor uses.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { connectionFor } from '../../../src/upstream/aggregating/routing/assignment.ts'
import { FairLines } from '../../../src/upstream/aggregating/routing/fair-lines.ts'
import { identifierOf } from '../../../src/upstream/aggregating/routing/identifiers.ts'

describe('lines of sensors', () => {
  it('are served in turns, each in its own order, whoever has more to say', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat({ max: 4 }), fc.nat()), { maxLength: 60 }), (jobs) => {
        const lines = new FairLines<number, readonly [number, number]>()
        for (const job of jobs) lines.push(job[0], job)
        expect(lines.size).toBe(jobs.length)
        const taken: (readonly [number, number])[] = []
        for (let job = lines.take(); job !== undefined; job = lines.take()) taken.push(job)
        for (let owner = 0; owner <= 4; owner++)
          expect(taken.filter(([of]) => of === owner)).toEqual(jobs.filter(([of]) => of === owner))
        // of two that both wait, none is served twice before the other
        const left = new Map<number, number>()
        for (const [owner] of jobs) left.set(owner, (left.get(owner) ?? 0) + 1)
        for (let i = 0; i < taken.length; i += left.size) {
          const round = taken.slice(i, i + left.size).map(([owner]) => owner)
          expect(new Set(round).size).toBe(round.length)
          for (const owner of round) left.set(owner, (left.get(owner) ?? 0) - 1)
          for (const [owner, count] of left) if (count === 0) left.delete(owner)
          i += round.length - left.size - (round.length - left.size)
          if (left.size !== round.length) break // who is left takes longer turns from here on
        }
        expect([lines.size, lines.owners]).toEqual([0, 0])
      }),
    )
  })

  it('are forgotten with their owner', () => {
    const lines = new FairLines<string, number>()
    for (const job of [1, 2, 3]) lines.push('a', job)
    lines.push('b', 4)
    lines.drop('a')
    expect([lines.size, lines.take(), lines.take()]).toEqual([1, 4, undefined])
  })
})

describe('the connection of a sensor', () => {
  const names = Array.from({ length: 2000 }, (_, i) => `sensor-${i}`)

  it('is always the same, and one of those that there are', () => {
    for (const name of names) {
      const index = connectionFor(name, 7)
      expect(index).toBe(connectionFor(name, 7))
      expect(index >= 0 && index < 7).toBe(true)
    }
  })

  it('is shared evenly', () => {
    const counts = new Array<number>(8).fill(0)
    for (const name of names) counts[connectionFor(name, 8)] = (counts[connectionFor(name, 8)] ?? 0) + 1
    for (const count of counts) expect(count).toBeGreaterThan(180)
  })

  it('stays for most when there is one more', () => {
    const moved = names.filter((name) => connectionFor(name, 4) !== connectionFor(name, 5))
    expect(moved.length).toBeLessThan(names.length / 4)
    for (const name of moved) expect(connectionFor(name, 5)).toBe(4)
  })
})

it('identifiers of filters are what MQTT 5 permits, and the same in every process', () => {
  expect(identifierOf('a/b')).toBe(identifierOf('a/b'))
  fc.assert(
    fc.property(fc.string(), (filter) => {
      const identifier = identifierOf(filter)
      expect(Number.isInteger(identifier) && identifier >= 1 && identifier <= 268_435_455).toBe(true)
    }),
  )
})
