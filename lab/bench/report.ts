// From the figures of all runs to a table for people, JSON for programs, and Markdown for docs/performance.md.

import { execFileSync } from 'node:child_process'
import { cpus, release, totalmem, type } from 'node:os'
import { FIGURES, type FigureName, type Spread, type Summary } from './figures.ts'
import { type Goal, goals, type Measurement } from './goals.ts'
import { type Comparison, isAhead, nameOfFigure } from './ratios.ts'

/** Everything that one call of the benchmark found out. */
export interface Report {
  readonly date: string
  readonly command: string
  readonly machine: string
  readonly node: string
  readonly broker: string
  readonly seconds: number
  readonly summaries: readonly Summary[]
  /** processes that wanted to run in the minute before: what else the machine did */
  readonly loadAverage?: number | undefined
  /** what else must be known to judge the figures */
  readonly note?: string
  /** another gateway that took turns with this one */
  readonly against?: { readonly command: string; readonly comparisons: readonly Comparison[] }
  /** scenarios that could not be measured, and why */
  readonly skipped: Readonly<Record<string, string>>
}

/** The columns that most scenarios have. */
const COLUMNS = ['rate', 'cpu', 'p50', 'p99', 'p999', 'loss', 'lag', 'drops', 'loadBusy'] as const
const COLUMN_NAMES: Readonly<Record<(typeof COLUMNS)[number], string>> = {
  rate: 'per second',
  cpu: 'µs each (user + system)',
  p50: 'p50 ms',
  p99: 'p99 ms',
  p999: 'p99.9 ms',
  loss: 'lost %',
  lag: 'loop p99 ms',
  drops: 'kernel drops',
  loadBusy: 'load % core',
}
/** What is told behind the columns, where a scenario has it. */
const OTHERS: readonly FigureName[] = [
  'memory', 'residentBefore', 'residentMost', 'resident', 'busy', 'cpuFirst', 'arrived', 'drained', 'offered', 'refusedRate', 'refused',
  'lost', 'missing', 'pingP50', 'pingP99', 'recovery', 'brokerBusy', 'engineBusy',
] // biome-ignore format: a list

/** The machine in one line. */
export function describeMachine(): string {
  const all = cpus()
  const memory = Math.round(totalmem() / 2 ** 30)
  return `${all.length} × ${all[0]?.model.trim() ?? 'unknown processor'}, ${memory} GiB, ${type()} ${release()}`
}

/** What the broker calls itself. */
export function describeBroker(kind: string): string {
  if (kind !== 'mosquitto') return kind === 'embedded' ? 'embedded broker (Aedes)' : kind
  try {
    execFileSync('mosquitto', ['-h'], { stdio: ['ignore', 'pipe', 'ignore'] })
  } catch (error) {
    const output = error instanceof Error && 'stdout' in error ? String(error.stdout) : ''
    return /mosquitto version (\S+)/.exec(output)?.[0] ?? kind
  }
  return kind
}

/** `412`, `3.25`, `0.081`: three digits are all that such a measurement is worth. */
export function digits(value: number): string {
  if (value === 0 || Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US')
  return String(Number(value.toPrecision(value >= 10 ? 3 : 2)))
}

const spread = ({ median, least, most }: Spread): string =>
  least === most ? digits(median) : `${digits(median)} (${digits(least)}-${digits(most)})`

function cell(summary: Summary, name: (typeof COLUMNS)[number]): string {
  const figure = summary.figures[name]
  if (figure === undefined) return '-'
  const { cpuUser, cpuSystem } = summary.figures
  if (name !== 'cpu' || cpuUser === undefined || cpuSystem === undefined) return spread(figure)
  return `${spread(figure)} = ${digits(cpuUser.median)} + ${digits(cpuSystem.median)}`
}

export const nameOf = ({
  scenario,
  variant,
  sensors,
}: Pick<Summary, 'scenario' | 'variant' | 'sensors'>): string =>
  `${scenario}, ${sensors.toLocaleString('en-US')}${variant === '' ? '' : `, ${variant}`}`

const others = (summary: Summary): string =>
  OTHERS.flatMap((name) => {
    const figure = summary.figures[name]
    const [about, unit] = FIGURES[name]
    // figures of zero are left out, except `missing`, whose zero is a result
    if (figure === undefined || (figure.most === 0 && name !== 'missing')) return []
    return `${about}: ${spread(figure)}${unit === '' ? '' : ` ${unit}`}`
  }).join('; ')

/** Rows of the main table: name and columns. */
function rows(report: Report): string[][] {
  return report.summaries.map((summary) => [nameOf(summary), ...COLUMNS.map((name) => cell(summary, name))])
}

const HEAD = ['scenario, sensors', ...COLUMNS.map((name) => COLUMN_NAMES[name])]

/** Columns under each other; the first one begins, the others end under their heads. */
export function alignedTable(lines: readonly (readonly string[])[]): string[] {
  const widths = (lines[0] ?? []).map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  )
  return lines.map((line) =>
    line
      .map((text, column) =>
        column === 0 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0),
      )
      .join('  '),
  )
}

/** This gateway and the other one, figure by figure: head and rows. */
export function comparisonRows({ comparisons }: NonNullable<Report['against']>): string[][] {
  const head = ['scenario, sensors', 'figure', 'the other', 'this gateway', 'ratio of pairs', 'at or ahead?']
  let last = ''
  return [
    head,
    ...comparisons.map((one) => {
      const name = nameOf(one)
      const shown = name === last ? '' : name
      last = name
      return [
        shown,
        nameOfFigure(one.figure),
        spread(one.theirs),
        spread(one.ours),
        one.ratio === undefined ? '-' : spread(one.ratio),
        isAhead(one) ? 'yes' : 'no',
      ]
    }),
  ]
}

/** What the terminal shows at the end. */
export function textReport(report: Report): string {
  const table = alignedTable([HEAD, ...rows(report)])
  const more = report.summaries.map((summary) => `${nameOf(summary)}: ${others(summary)}`)
  const verdicts = judgeGoals(report).map(
    ([name, goal, measured, verdict]) => `${verdict.padEnd(6)} ${name}: ${goal}, is ${measured}`,
  )
  const skipped = Object.entries(report.skipped).map(([name, why]) => `${name} was left out: ${why}`)
  const compared =
    report.against === undefined ? [] : ['', ...alignedTable(comparisonRows(report.against)), '']
  return [...table, '', ...more, ...compared, '', ...verdicts, ...skipped].join('\n')
}

/** Lines of a table in Markdown; the first one is its head. */
export const markdown = (lines: readonly (readonly string[])[]): string[] =>
  lines.flatMap((line, index) => [
    `| ${line.join(' | ')} |`,
    ...(index === 0 ? [`|${line.map(() => '---').join('|')}|`] : []),
  ])

/** The tables of docs/performance.md. */
export function markdownReport(report: Report): string {
  const table = [[...HEAD], ...rows(report)]
  const more = report.summaries.map((summary) => [nameOf(summary), others(summary)])
  const skipped = Object.entries(report.skipped).map(([name, why]) => `${name} was left out: ${why}.`)
  const busy =
    report.loadAverage === undefined ? '' : `Load average before it: ${digits(report.loadAverage)}. `
  return [
    `${report.date}; ${report.machine}; Node.js ${report.node}; ${report.broker}. ${busy}${report.note ?? ''}${report.note === undefined ? '' : ' '}` +
      `Measured for ${report.seconds} s each, median (least-most) of ${Math.max(0, ...report.summaries.map(({ runs }) => runs))}:`,
    '',
    '```sh',
    report.command,
    '```',
    '',
    ...markdown(table),
    '',
    ...markdown([['scenario, sensors', 'besides'], ...more]),
    '',
    ...(skipped.length === 0 ? [] : [...skipped, '']),
    ...(report.against === undefined ? [] : [...markdown(comparisonRows(report.against)), '']),
    '## Goals',
    '',
    ...markdown([['', 'goal', 'measured', 'met?'], ...judgeGoals(report)]),
  ].join('\n')
}

/** Name, goal, what was measured, met or missed. Goals of what was not measured are left out. */
export function judgeGoals(report: Report): [string, string, string, string][] {
  return goals.flatMap((goal): [string, string, string, string][] => {
    const figure = figureOf(report, goal, goal.figure)
    const limit = limitOf(report, goal)
    if (figure === undefined || limit === undefined) return []
    const [about, unit] = FIGURES[goal.figure]
    const atLeast = 'atLeast' in goal
    const met = atLeast ? figure.median >= limit : figure.median <= limit
    const name = `${nameOf({ ...goal, variant: goal.variant ?? '' })}: ${about}`
    const asked = `${atLeast ? 'at least' : 'at most'} ${digits(limit)} ${unit}`.trimEnd()
    const why =
      'of' in goal
        ? ` (${'atMostMore' in goal ? `${goal.atMostMore} above` : `${goal.atMostTimes} times`} ${goal.of.scenario === 'bare' ? 'bare C' : (goal.of.variant ?? goal.of.scenario)})`
        : ''
    return [[name, asked + why, spread(figure), met ? 'met' : 'missed']]
  })
}

/** The bound that a goal sets in this run; undefined if it depends on what was not measured. */
function limitOf(report: Report, goal: Goal): number | undefined {
  if ('atMost' in goal) return goal.atMost
  if ('atLeast' in goal) return goal.atLeast
  const other = figureOf(report, goal.of, goal.figure)
  return other && ('atMostMore' in goal ? other.median + goal.atMostMore : other.median * goal.atMostTimes)
}

/** A figure of a measurement in this report. */
export const figureOf = (report: Report, what: Measurement, name: FigureName): Spread | undefined =>
  report.summaries.find((summary) => isAbout(what, summary))?.figures[name]

export const isAbout = (
  what: Measurement,
  summary: { readonly scenario: string; readonly variant?: string; readonly sensors: number },
): boolean =>
  what.scenario === summary.scenario &&
  (what.variant ?? '') === (summary.variant ?? '') &&
  what.sensors === summary.sensors
