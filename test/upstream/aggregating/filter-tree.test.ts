// Filters by their levels, held against the functions on single filters that everything else uses.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { matches, overlaps } from '../../../src/mqtt-topics.ts'
import { FilterTree } from '../../../src/upstream/aggregating/routing/filter-tree.ts'

const level = fc.constantFrom('a', 'b', '', '$sys')
const name = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join('/'))
const filter = fc
  .tuple(
    fc.array(fc.oneof(level, fc.constant('+')), { minLength: 0, maxLength: 4 }),
    fc.constantFrom([], ['#'] as string[], ['+'] as string[]),
  )
  .map(([levels, last]) => [...levels, ...last].join('/'))
  .filter((text) => text !== '')

const treeOf = (filters: readonly string[]): FilterTree<string> => {
  const tree = new FilterTree<string>()
  for (const each of filters) tree.add(each, each)
  return tree
}

const sorted = (texts: readonly string[]) => [...texts].sort()

describe('a tree of filters', () => {
  it('finds what matches a topic, and nothing else [SN-SUB-10]', () => {
    fc.assert(
      fc.property(fc.uniqueArray(filter, { maxLength: 20 }), name, (filters, topic) => {
        expect(sorted(treeOf(filters).match(topic))).toEqual(
          sorted(filters.filter((each) => matches(each, topic))),
        )
      }),
      { numRuns: 2000 },
    )
  })

  it('finds what overlaps with a filter, and nothing else', () => {
    fc.assert(
      fc.property(fc.uniqueArray(filter, { maxLength: 20 }), filter, (filters, wanted) => {
        expect(sorted(treeOf(filters).overlapping(wanted))).toEqual(
          sorted(filters.filter((each) => overlaps(each, wanted))),
        )
      }),
      { numRuns: 2000 },
    )
  })

  it('forgets what is taken out, and keeps everything else', () => {
    fc.assert(
      fc.property(fc.uniqueArray(filter, { maxLength: 20 }), name, fc.nat(), (filters, topic, which) => {
        const tree = treeOf(filters)
        const gone = filters[which % Math.max(1, filters.length)]
        if (gone !== undefined) tree.delete(gone, gone)
        expect(sorted(tree.match(topic))).toEqual(
          sorted(filters.filter((each) => each !== gone && matches(each, topic))),
        )
      }),
      { numRuns: 1000 },
    )
  })
})
