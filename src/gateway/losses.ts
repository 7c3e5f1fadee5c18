// One log line per interval for messages that were to be kept and were not: counters alone are seen too late.

import type { Log } from '../log.ts'
import type { DropReason } from '../session/events.ts'
import type { Counters } from './counters.ts'

/** Messages that waited for a sensor or for the broker. */
const LOSSES: readonly DropReason[] = ['queue-full', 'spool-full', 'expired', 'refused']

/** Milliseconds between two lines. */
const INTERVAL = 60_000

/** Reports what was lost since the last line, if anything was, until the returned function is called. */
export function reportLosses(log: Log, { dropped }: Counters, interval = INTERVAL): () => void {
  const reported = new Map<DropReason, number>()
  const report = (): void => {
    const lost = LOSSES.map(
      (reason) => [reason, (dropped[reason] ?? 0) - (reported.get(reason) ?? 0)] as const,
    )
    for (const reason of LOSSES) reported.set(reason, dropped[reason] ?? 0)
    const some = lost.filter(([, times]) => times > 0)
    if (some.length > 0) log.warn({ lost: Object.fromEntries(some) }, 'waiting messages were dropped')
  }
  const timer = setInterval(report, interval)
  return () => {
    clearInterval(timer)
    report()
  }
}
