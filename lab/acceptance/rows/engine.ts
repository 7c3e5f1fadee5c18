// What PostgreSQL costs the gateway in place of LMDB: the same closed loop at QoS 2 on each, one after the other.

import { connectPublishers } from '../../bench/sensors.ts'
import { openStage, type StoreKind } from '../../bench/stage.ts'
import { publishInLoop } from '../../bench/uplink.ts'
import { usage } from '../../processes.ts'
import { type Cost, costOf } from '../cost.ts'
import type { Measured } from '../report.ts'

const SENSORS = 500
const TIMES = { warm: 2000, duration: 6000 }
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

async function measure(store: Compared, signal: AbortSignal): Promise<Cost> {
  const stage = await openStage({ broker: 'mosquitto', store })
  try {
    const fleet = await connectPublishers(stage.gateway, SENSORS, 2)
    try {
      const load = await publishInLoop(fleet, stage.broker, 2)
      const spent = () => usage(stage.pid ?? 0).cpu
      const cost = await costOf(load, spent, TIMES, signal)
      await load.close()
      return cost
    } finally {
      for (const sensor of fleet.sensors) sensor.close()
    }
  } finally {
    await stage.close()
  }
}
