// What a message costs, while a load runs.

import { pause } from '../../src/sensor/pause.ts'
import type { Load } from '../bench/uplink.ts'

/** Processor time for each message in microseconds, and how many there were. */
export interface Cost {
  readonly each: number
  readonly perSecond: number
}

/** `spent`: seconds of processor time so far; `warm`: milliseconds until the load runs smoothly, `duration`: in which it is measured. */
export async function costOf(
  load: Pick<Load, 'done'>,
  spent: () => number,
  { warm, duration }: { readonly warm: number; readonly duration: number },
  signal: AbortSignal,
): Promise<Cost> {
  await pause(warm, signal)
  const before = { cpu: spent(), done: load.done, at: performance.now() }
  await pause(duration, signal)
  const done = load.done - before.done
  return {
    each: ((spent() - before.cpu) * 1e6) / Math.max(1, done),
    perSecond: (done * 1000) / (performance.now() - before.at),
  }
}
