// What happens to nodes in virtual time, drawn at random: from a moment on, for so long, to one of them.

import { array, constantFrom, integer, record } from 'fast-check'
import type { Identity, Member } from '../../src/cluster/judging/engine.ts'

/** The nodes. */
export const NAMES = ['a', 'b', 'c'] as const
/** Milliseconds between two looks at everything. */
export const STEP = 20
/** A process that has ended is started again after so many milliseconds. */
export const RESTART = 1000

/** From `at` on, for so long; `Kind`: what a test makes happen. */
export interface Trouble<Kind extends string> {
  readonly kind: Kind
  readonly node: (typeof NAMES)[number]
  readonly at: number
  readonly lasts: number
}

/** Several of these kinds in a time that ends at `end`; the last ones leave time to recover. */
export const someTroubles = <const Kind extends string>(end: number, ...kinds: Kind[]) =>
  array(
    record<Trouble<Kind>>({
      kind: constantFrom(...kinds),
      node: constantFrom(...NAMES),
      at: integer({ min: 0, max: end - 10_000 }),
      lasts: integer({ min: 50, max: 20_000 }),
    }),
    { maxLength: 8 },
  )

/** Whether a trouble goes on at that moment, of that node or of any. */
export const goesOnAt = <Kind extends string>(
  troubles: readonly Trouble<Kind>[],
  now: number,
  kind: Kind,
  name?: string,
): boolean =>
  troubles.some(
    ({ kind: its, node, at, lasts }) =>
      its === kind && now >= at && now < at + lasts && (name === undefined || node === name),
  )

/** Whether the process is not there any more that the table names: what a refused connection proves. */
export const isGone = (
  running: { readonly endedAt: number | undefined; readonly self: Identity | undefined } | undefined,
  { incarnation }: Member,
): boolean => running?.endedAt !== undefined || running?.self?.incarnation !== incarnation
