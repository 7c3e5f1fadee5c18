// What things cost, as the sizing model takes them: from docs/performance.json where it has them, and what was measured once, or is
// assumed, where it has not. Every one can be given anew.

import type { FigureName } from '../bench/figures.ts'
import type { Measurement } from '../bench/goals.ts'
import { figureOf, type Report } from '../bench/report.ts'

/** One cost: what it is, and where its value comes from. */
interface Cost {
  readonly about: string
  readonly unit: string
  /** of the benchmark's report */
  readonly from?: (report: Report) => number | undefined
  /** what is said of that in the table, or of the value */
  readonly source: string
  readonly value?: number
}

const figure =
  (what: Measurement, name: FigureName = 'cpu') =>
  (report: Report): number | undefined =>
    figureOf(report, what, name)?.median

const measured = (
  scenario: string,
  sensors: number,
  about: string,
  variant = '',
  name: FigureName = 'cpu',
) => ({
  about,
  unit: name === 'memory' ? 'KiB' : 'µs',
  from: figure({ scenario, sensors, variant }, name),
  source: `benchmark \`${scenario}\`${variant === '' ? '' : `, ${variant}`}`,
})
const once = (value: number, unit: string, about: string, source = 'measured once') => ({
  value,
  unit,
  about,
  source,
})
const assumed = (value: number, unit: string, about: string) => once(value, unit, about, 'assumed')

/** Of one thread, and of one of two threads and a first one: what a datagram costs more, and what of it the first thread has. */
const workers = (variant: string, name: FigureName) =>
  figure({ scenario: 'workers', sensors: 500, variant }, name)
function moreWithWorkers(report: Report): number | undefined {
  const [alone, several] = [workers('1', 'cpu')(report), workers('2', 'cpu')(report)]
  return alone === undefined || several === undefined ? undefined : Math.max(0, several - alone) / 2
}
function firstThread(report: Report): number | undefined {
  const first = workers('2', 'cpuFirst')(report)
  return first === undefined ? undefined : first / 2
}

/** All of them, by the names under which they are given. */
const COSTS = {
  qos0: measured('uplink-qos0', 500, 'a message to the broker at QoS 0'),
  qos1: measured('uplink-qos1', 500, 'the same at QoS 1'),
  qos2: measured('uplink-qos2', 500, 'the same at QoS 2, without its rows', 'memory'),
  down0: measured('downlink-qos0', 500, 'a message to a sensor at QoS 0'),
  down1: measured('downlink-qos1', 500, 'the same at QoS 1, without its rows', 'memory'),
  ping: {
    ...measured('uplink-qos0', 500, 'PINGREQ and its answer'),
    source: 'assumed: as a message at QoS 0',
  },
  workers: {
    about: 'a datagram more, where there are several threads',
    unit: 'µs',
    from: moreWithWorkers,
    source: 'benchmark `workers`',
  },
  first: {
    about: 'of a datagram in the first thread, where there are several',
    unit: 'µs',
    from: firstThread,
    source: 'benchmark `workers`',
  },
  memory: measured('idle', 10_000, 'memory of the gateway per sensor', '', 'memory'),
  memoryShared: measured('memory-shared', 5000, 'the same where sensors share connections', '', 'memory'),
  kernel: assumed(4, 'KiB', 'memory of the system per sensor, for its connection to the broker'),
  hop: once(3.9, 'µs', 'a datagram between two nodes, both ends', 'measured once, with a prototype'),
  rowClient: once(4.2, 'µs', 'a row written, in the gateway'),
  rowServer: once(15.4, 'µs', 'a row written, primary and standby together'),
  walInsert: once(410, 'octets', 'write-ahead log per row inserted'),
  walUpdate: once(370, 'octets', 'the same per row updated'),
  walDelete: once(57, 'octets', 'the same per row deleted'),
  session: once(380, 'octets', 'what is stored of a session, in two rows'),
  row: assumed(110, 'octets', 'what a row takes beside its value: header, index, room for updates'),
  ports: once(28_232, '', 'TCP ports of one local address', 'default of Linux'),
  engineRows: assumed(100_000, 'rows/s', 'what one primary carries on 16 cores'),
  loadRows: once(250_000, 'rows/s', 'reading of sessions at a takeover'),
} as const satisfies Readonly<Record<string, Cost>>

export type CostName = keyof typeof COSTS
export type Costs = Readonly<Record<CostName, number>>

export const COST_NAMES = Object.keys(COSTS) as CostName[]
export const isCostName = (name: string): name is CostName => Object.hasOwn(COSTS, name)

/** The costs of this report, and `given` in place of some. Throws an Error that names a figure which the report has not. */
export function costsOf(report: Report, given: Partial<Costs> = {}): Costs {
  const all = COST_NAMES.map((name): [CostName, number] => {
    const { from, value }: Cost = COSTS[name]
    const cost = given[name] ?? value ?? from?.(report)
    if (cost === undefined)
      throw new Error(`the report has no figure for ${name}: give it with --cost ${name}=...`)
    return [name, cost]
  })
  return Object.fromEntries(all) as Record<CostName, number>
}

/** Name, meaning, value with its unit, source: rows of a table. */
export const costRows = (costs: Costs): string[][] =>
  COST_NAMES.map((name) => {
    const { about, unit, source }: Cost = COSTS[name]
    const value =
      costs[name] >= 1000 ? costs[name].toLocaleString('en-US') : String(Number(costs[name].toPrecision(3)))
    return [`\`${name}\``, about, `${value} ${unit}`.trim(), source]
  })
