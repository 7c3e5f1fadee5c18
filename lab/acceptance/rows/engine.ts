// What PostgreSQL costs the gateway in place of LMDB: the same closed loop at QoS 2 on each, one after the other.

import { pause } from '../../../src/sensor/pause.ts'
import { connectPublishers } from '../../bench/sensors.ts'
import { openStage, type StoreKind } from '../../bench/stage.ts'
import { publishInLoop } from '../../bench/uplink.ts'
import { usage } from '../../processes.ts'
import type { Measured } from '../report.ts'

const SENSORS = 500
/** Milliseconds: until the load runs smoothly, and in which it is measured. */
const [WARM, DURATION] = [2000, 6000]
/** Pairs of measurements, whose order changes. */
const PAIRS = 2

type Compared = Extract<StoreKind, 'lmdb' | 'postgres'>

/** Processor time of the gateway for each message; the database's own is not in it. */
export async function compareEngines(
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<readonly Measured[]> {
  const costs: Record<Compared, number[]> = { lmdb: [], postgres: [] }
  for (let pair = 0; pair < PAIRS && !signal.aborted; pair += 1)
    for (const store of pair % 2 === 0 ? (['lmdb', 'postgres'] as const) : (['postgres', 'lmdb'] as const)) {
      const { each, perSecond } = await measure(store, signal)
      costs[store].push(each)
      say(`  ${store}: ${each.toFixed(1)} µs each, ${perSecond.toFixed(0)} a second`)
    }
  if (signal.aborted) return []
  const mean = (all: readonly number[]) => all.reduce((sum, cost) => sum + cost, 0) / all.length
  const [lmdb, postgres] = [mean(costs.lmdb), mean(costs.postgres)]
  return [
    { id: 'engine-cost', value: postgres - lmdb, note: `${postgres.toFixed(0)} µs, LMDB ${lmdb.toFixed(0)}` },
  ]
}

async function measure(
  store: Compared,
  signal: AbortSignal,
): Promise<{ readonly each: number; readonly perSecond: number }> {
  const stage = await openStage({ broker: 'mosquitto', store })
  try {
    const fleet = await connectPublishers(stage.gateway, SENSORS, 2)
    try {
      const load = await publishInLoop(fleet, stage.broker, 2)
      await pause(WARM, signal)
      const spent = () => usage(stage.pid ?? 0).cpu
      const before = { cpu: spent(), done: load.done, at: performance.now() }
      await pause(DURATION, signal)
      const done = load.done - before.done
      const cost = {
        each: ((spent() - before.cpu) * 1e6) / Math.max(1, done),
        perSecond: (done * 1000) / (performance.now() - before.at),
      }
      await load.close()
      return cost
    } finally {
      for (const sensor of fleet.sensors) sensor.close()
    }
  } finally {
    await stage.close()
  }
}
