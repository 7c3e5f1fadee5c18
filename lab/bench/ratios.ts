// Two gateways that took turns: the ratio of each figure, pair by pair. What the machine did meanwhile met both of a pair alike.

import { FIGURES, type FigureName, type Row, type Spread, spreadOf } from './figures.ts'

/** Figures worth a ratio, and which of two values is the better one. */
export const COMPARED = {
  rate: 'more',
  cpu: 'less',
  p50: 'less',
  p99: 'less',
  p999: 'less',
  lost: 'less',
  memory: 'less',
  resident: 'less',
} as const satisfies { readonly [Name in FigureName]?: 'more' | 'less' }

export type ComparedName = keyof typeof COMPARED

/** One figure of one measurement, of both gateways. */
export interface Comparison {
  readonly scenario: string
  readonly variant: string
  readonly sensors: number
  readonly figure: ComparedName
  readonly ours: Spread
  readonly theirs: Spread
  /** ours divided by theirs, of each pair; undefined where theirs was 0 */
  readonly ratio: Spread | undefined
}

/** One measurement of both, one after the other. */
export interface Pair {
  readonly ours: readonly Row[]
  readonly theirs: readonly Row[]
}

const keyOf = ({ scenario, variant, sensors }: Row): string => JSON.stringify([scenario, variant, sensors])

/** Compares what both have, in the order in which it first came. */
export function comparePairs(pairs: readonly Pair[]): Comparison[] {
  const measured = new Map<string, { ours: Row; theirs: Row }[]>()
  for (const { ours, theirs } of pairs) {
    for (const row of ours) {
      const other = theirs.find((each) => keyOf(each) === keyOf(row))
      if (other === undefined) continue
      const key = keyOf(row)
      measured.set(key, [...(measured.get(key) ?? []), { ours: row, theirs: other }])
    }
  }
  return [...measured.values()].flatMap((group) =>
    (Object.keys(COMPARED) as ComparedName[]).flatMap((figure) => {
      const both = group.flatMap(({ ours, theirs }) => {
        const [a, b] = [ours.figures[figure], theirs.figures[figure]]
        return a === undefined || b === undefined || !Number.isFinite(a) || !Number.isFinite(b)
          ? []
          : [{ a, b }]
      })
      const [first] = group
      if (both.length === 0 || first === undefined) return []
      const ratios = both.flatMap(({ a, b }) => (b === 0 ? [] : [a / b]))
      const { scenario, variant, sensors } = first.ours
      return [
        {
          scenario,
          variant,
          sensors,
          figure,
          ours: spreadOf(both.map(({ a }) => a)),
          theirs: spreadOf(both.map(({ b }) => b)),
          ratio: ratios.length < both.length ? undefined : spreadOf(ratios),
        },
      ]
    }),
  )
}

/** Whether ours is at or ahead of the other one: by the ratio, or where theirs is 0 by the medians. */
export function isAhead({ figure, ours, theirs, ratio }: Comparison): boolean {
  const more = COMPARED[figure] === 'more'
  if (ratio !== undefined) return more ? ratio.median >= 1 : ratio.median <= 1
  return more ? ours.median >= theirs.median : ours.median <= theirs.median
}

/** "p50 ms": what a figure is called in a table. */
export const nameOfFigure = (figure: ComparedName): string => {
  const [about, unit] = FIGURES[figure]
  return unit === '' ? about : `${about}, ${unit}`
}
