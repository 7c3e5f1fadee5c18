// Collections without a table until the first entry: they must behave as a Map and a Set do.

import fc from 'fast-check'
import { expect, it } from 'vitest'
import { SparseMap, SparseSet } from '../../src/session/sparse.ts'

const step = fc.tuple(fc.constantFrom('put', 'delete', 'clear'), fc.integer({ min: 0, max: 5 }), fc.nat())

it('holds what a Map holds, in the same order, whatever is done to it', () => {
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const [map, sparse] = [new Map<number, number>(), new SparseMap<number, number>()]
      for (const [what, key, value] of steps) {
        if (what === 'put') {
          map.set(key, value)
          sparse.set(key, value)
        } else if (what === 'delete') expect(sparse.delete(key)).toBe(map.delete(key))
        else {
          map.clear()
          sparse.clear()
        }
        expect(sparse.size).toBe(map.size)
        expect([sparse.has(key), sparse.get(key)]).toEqual([map.has(key), map.get(key)])
        expect([...sparse]).toEqual([...map])
        expect([...sparse.values()]).toEqual([...map.values()])
      }
    }),
  )
})

it('holds what a Set holds, in the same order, whatever is done to it', () => {
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const [set, sparse] = [new Set<number>(), new SparseSet<number>()]
      for (const [what, value] of steps) {
        if (what === 'put') {
          set.add(value)
          sparse.add(value)
        } else if (what === 'delete') expect(sparse.delete(value)).toBe(set.delete(value))
        else {
          set.clear()
          sparse.clear()
        }
        expect([sparse.size, sparse.has(value)]).toEqual([set.size, set.has(value)])
        expect([...sparse]).toEqual([...set])
      }
    }),
  )
})

it('may lose the entry that is looked at', () => {
  const [map, set] = [new SparseMap<number, number>(), new SparseSet<number>()]
  for (const value of [1, 2, 3]) {
    map.set(value, value)
    set.add(value)
  }
  for (const value of map.values()) map.delete(value)
  for (const value of set) set.delete(value)
  expect([map.size, set.size]).toEqual([0, 0])
})
