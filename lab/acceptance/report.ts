// From what was measured to a table for people, and JSON for the page.

import { digits } from '../bench/report.ts'
import { type AcceptanceGoal, type GoalId, goals, type Unit } from './goals.ts'

/** One figure: the worst of all runs counts. */
export interface Measured {
  readonly id: GoalId
  readonly value: number
  /** what else was seen */
  readonly note?: string
}

/** Everything that one call found out. */
export interface AcceptanceReport {
  readonly date: string
  readonly command: string
  readonly machine: string
  readonly node: string
  readonly broker: string
  readonly sensors: number
  readonly loadAverage: number
  readonly measured: readonly (Measured & { readonly runs: number })[]
  /** what was wrong besides: lost, twice, told to connect again */
  readonly faults: readonly string[]
  /** QoS 1 and 2 messages that were acknowledged, both ways, and those of them that did not arrive */
  readonly acknowledged: number
  readonly lost: number
}

/** The worst of what was measured for each goal, in the order of goals. */
export function worstOf(all: readonly Measured[]): AcceptanceReport['measured'] {
  return goals.flatMap(({ id }) => {
    const own = all.filter((one) => one.id === id)
    const [first, ...more] = own
    if (first === undefined) return []
    const worst = more.reduce((a, b) => (b.value > a.value ? b : a), first)
    return [{ ...worst, runs: own.length }]
  })
}

export const isMet = ({ limit }: AcceptanceGoal, { value }: Pick<Measured, 'value'>): boolean =>
  value <= limit

const written = (value: number, unit: Unit): string => `${digits(value)}${unit === '' ? '' : ` ${unit}`}`

/** Rows of the table, its head first; goals that were not measured say so. */
export function acceptanceRows(measured: AcceptanceReport['measured']): string[][] {
  return [
    ['what happens', 'figure', 'goal', 'measured', ''],
    ...goals.map((goal) => {
      const found = measured.find(({ id }) => id === goal.id)
      const { event, figure, limit, unit } = goal
      const atMost = `at most ${written(limit, unit)}`
      if (found === undefined) return [event, figure, atMost, '-', 'not measured']
      const runs = found.runs > 1 ? `, the worst of ${found.runs}` : ''
      const note = found.note === undefined ? '' : ` (${found.note})`
      return [
        event,
        figure,
        atMost,
        `${written(found.value, unit)}${runs}${note}`,
        isMet(goal, found) ? 'met' : 'missed',
      ]
    }),
  ]
}
