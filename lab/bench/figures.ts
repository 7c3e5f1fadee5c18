// What is measured: the names of figures, a row of the report, and the median of several runs.

/** Every figure that a scenario may have: what it is called, and its unit. */
export const FIGURES = {
  rate: ['messages or connects', '/s'],
  cpu: ['processor time of the gateway per message', 'µs'],
  cpuUser: ['of these in its own code', 'µs'],
  cpuSystem: ['of these in the kernel', 'µs'],
  cpuFirst: ['of these in the first thread', 'µs'],
  p50: ['latency of half of them, at most', 'ms'],
  p99: ['latency of 99 %', 'ms'],
  p999: ['latency of 99.9 %', 'ms'],
  loss: ['lost (at QoS 1 and 2: repeated)', '%'],
  lost: ['lost or repeated', ''],
  missing: ['promised (acknowledged or queued), but never arrived', ''],
  refused: ['refused', ''],
  refusedRate: ['refused with congestion', '/s'],
  offered: ['offered', '/s'],
  arrived: ['arrived', '%'],
  memory: ['memory of the gateway per sensor', 'KiB'],
  resident: ['resident memory of the gateway', 'MiB'],
  residentBefore: ['resident memory before', 'MiB'],
  residentMost: ['resident memory at most', 'MiB'],
  busy: ['processor time of the gateway', '% of a core'],
  pingP50: ['PINGREQ answered, half of them', 'ms'],
  pingP99: ['PINGREQ answered, 99 %', 'ms'],
  recovery: ['until latency was normal again', 's'],
  drained: ['until the last sleeper was served', 's'],
  lag: ['event loop late, 99 %', 'ms'],
  drops: ['datagrams dropped by the kernel', ''],
  loadBusy: ['processor time of the load', '% of a core'],
  brokerBusy: ['processor time of the broker', '% of a core'],
  engineBusy: ['processor time of the database, standby included', '% of a core'],
} as const satisfies Readonly<Record<string, readonly [string, string]>>

export type FigureName = keyof typeof FIGURES
export type Figures = { readonly [Name in FigureName]?: number | undefined }

/** One measurement. `variant` tells apart what one scenario measures in several ways. */
export interface Row {
  readonly scenario: string
  readonly variant: string
  readonly sensors: number
  readonly figures: Figures
}

/** A figure of several runs. */
export interface Spread {
  readonly median: number
  readonly least: number
  readonly most: number
}

/** All runs of one measurement. */
export interface Summary {
  readonly scenario: string
  readonly variant: string
  readonly sensors: number
  readonly runs: number
  readonly figures: { readonly [Name in FigureName]?: Spread }
}

/** Puts the runs of each measurement together, in the order in which they first came. */
export function summarizeRows(rows: readonly Row[]): Summary[] {
  const groups = new Map<string, Row[]>()
  for (const row of rows) {
    const key = JSON.stringify([row.scenario, row.variant, row.sensors])
    groups.set(key, [...(groups.get(key) ?? []), row])
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group
    if (first === undefined) return []
    const { scenario, variant, sensors } = first
    const figures: { [Name in FigureName]?: Spread } = {}
    for (const name of Object.keys(FIGURES) as FigureName[]) {
      const values = group.flatMap((row) => row.figures[name] ?? []).filter(Number.isFinite)
      if (values.length > 0) figures[name] = spreadOf(values)
    }
    return [{ scenario, variant, sensors, runs: group.length, figures }]
  })
}

/** The middle, the least and the most of some values. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.map((value) => Number(value.toPrecision(4))).sort((a, b) => a - b)
  return { median: sorted[sorted.length >> 1] ?? 0, least: sorted[0] ?? 0, most: sorted.at(-1) ?? 0 }
}
