// Everything that was asked for, row by row, and what came of it.

import { loadavg } from 'node:os'
import { describeBroker, describeMachine } from '../bench/report.ts'
import { BalancedLink } from '../chaos/nodes/balancer.ts'
import { Crowd } from './crowd.ts'
import { T_RETRY, T_RETRY_LONG } from './goals.ts'
import { type AcceptanceReport, type Measured, worstOf } from './report.ts'
import { freeze, kill, rolling, stop } from './rows/endings.ts'
import { compareEngines } from './rows/engine.ts'
import { failover } from './rows/failover.ts'
import { rehash } from './rows/flows.ts'
import { forward } from './rows/forwarding.ts'
import { load } from './rows/loading.ts'
import type { Row, Scene } from './scene.ts'
import { AcceptanceSite } from './site.ts'

/** Faults of a row that are told one by one. */
const TOLD = 10

/** What a run is told. */
export interface AcceptanceOptions {
  readonly sensors: number
  /** in the database of a node that is started */
  readonly sessions: number
  /** how often each row is done; the worst counts */
  readonly runs: number
  readonly seed: number
  /** names of rows; all if there are none */
  readonly only: readonly RowName[]
  readonly command: string
  readonly entry: readonly string[]
  /** keeps the nodes' logs */
  readonly keep: boolean
  readonly say: (line: string) => void
  readonly signal: AbortSignal
}

/** Rows with a crowd, by the T_RETRY of its sensors. The database comes last: it has to be put together again. */
const WITH_CROWD = {
  [T_RETRY]: {
    kill: kill(T_RETRY, 'kill-served', 'kill-wait'),
    freeze,
    stop,
    rolling,
    rehash,
    failover,
  },
  [T_RETRY_LONG]: { kill10: kill(T_RETRY_LONG, 'kill10-served', 'kill10-wait') },
} as const

export const ROWS = [
  ...(['kill', 'freeze', 'stop', 'rolling', 'rehash', 'failover', 'kill10'] as const),
  ...(['forwarding', 'engine', 'loading'] as const),
] as const
export type RowName = (typeof ROWS)[number]

export async function runAcceptance(options: AcceptanceOptions): Promise<AcceptanceReport> {
  const { sensors, command, signal } = options
  const loadAverage = loadavg()[0] ?? 0
  const measured: Measured[] = []
  const faults: string[] = []
  const books = { acknowledged: 0, lost: 0 }
  for (const [tRetry, rows] of Object.entries(WITH_CROWD)) {
    const chosen = Object.entries(rows).filter(([name]) => isWanted(options, name))
    if (chosen.length === 0 || signal.aborted) continue
    await withCrowd(options, Number(tRetry), async (scene) => {
      const { crowd } = scene
      for (const [name, row] of chosen) await runRow(name, row, scene, options, measured, faults)
      await crowd.finish(signal)
      tell(crowd.faults, faults, 'at the end', options.say)
      books.acknowledged += crowd.up.acknowledged + crowd.down.acknowledged
      books.lost += crowd.up.lost + crowd.down.lost
    })
  }
  const alone = { ...options, tRetry: T_RETRY_LONG }
  for (let run = 0; run < options.runs && isWanted(options, 'forwarding') && !signal.aborted; run += 1)
    note(await forward(alone, options.say), measured, options.say)
  for (let run = 0; run < options.runs && isWanted(options, 'engine') && !signal.aborted; run += 1)
    note(await compareEngines(signal, options.say), measured, options.say)
  for (let run = 0; run < options.runs && isWanted(options, 'loading') && !signal.aborted; run += 1)
    note(await load(alone, options.sessions, options.say), measured, options.say)
  return {
    date: new Date().toISOString().slice(0, 10),
    ...{ command, machine: describeMachine(), node: process.version, broker: describeBroker('mosquitto') },
    ...{ sensors, loadAverage, measured: worstOf(measured), faults, ...books },
  }
}

const isWanted = ({ only }: AcceptanceOptions, name: string): boolean =>
  only.length === 0 || only.some((one) => one === name)

async function withCrowd(
  { sensors, seed, entry, keep, say, signal }: AcceptanceOptions,
  tRetry: number,
  run: (scene: Scene) => Promise<void>,
): Promise<void> {
  const site = await AcceptanceSite.open({ entry, tRetry, keep, signal })
  const crowd = new Crowd({
    ...{ prefix: 's', sensors, seed, tRetry },
    linkOf: (sensor, onStray) => new BalancedLink(site.balancer, sensor, onStray),
    broker: site.mosquitto.url,
  })
  try {
    await site.isEven()
    await crowd.open()
    say(`${sensors} sensors with T_RETRY ${tRetry / 1000} s in front of ${site.nodes.all.length} nodes`)
    await run({ site, crowd, signal, say })
  } finally {
    await crowd.close()
    await site.close()
    if (keep) say(`logs: ${site.folder}`)
  }
}

async function runRow(
  name: string,
  row: Row,
  scene: Scene,
  { runs, say, signal }: AcceptanceOptions,
  measured: Measured[],
  faults: string[],
): Promise<void> {
  for (let run = 0; run < runs && !signal.aborted; run += 1) {
    const found = await row(scene, run)
    if (signal.aborted) return
    note(found, measured, say)
    tell(scene.crowd.faults.splice(0), faults, name, say)
  }
}

function note(found: readonly Measured[], measured: Measured[], say: (line: string) => void): void {
  measured.push(...found)
  for (const { id, value, note: more } of found)
    say(`${id}: ${value.toFixed(3)}${more === undefined ? '' : ` (${more})`}`)
}

function tell(wrong: readonly string[], faults: string[], when: string, say: (line: string) => void): void {
  for (const what of wrong.slice(0, TOLD)) say(`  WRONG: ${what}`)
  if (wrong.length > TOLD) say(`  WRONG: ${wrong.length - TOLD} more`)
  faults.push(...wrong.map((what) => `${when}: ${what}`))
}
