// Logs once per interval how many messages were lost that the gateway should have kept, and how many it could not handle while it
// was overloaded. People look at counters too late.

import type { Log } from '../../log.ts'
import type { Counters, DiscardReason } from '../counters.ts'

/** The log line that each reason is reported in; those of the first line concern messages for a sensor or for the broker. */
const LINES: Readonly<Record<string, readonly DiscardReason[]>> = {
  'waiting messages were dropped': [
    'queue-full',
    'spool-full',
    'expired',
    'refused',
    'unreadable',
    'hung-up',
    'dead-letters-full',
    'undeliverable',
  ],
  'messages were too long for their sensors': ['too-long'],
  'more messages came than can be handled': ['overloaded'],
  'more DTLS handshakes began at once than can be answered': ['dtls-hello-flood'],
  'the store cannot write: sensors were told to try later': ['store-failing'],
}

/** Milliseconds between two lines. */
const INTERVAL = 60_000

/** Reports what was lost since the last line, if anything was, until the returned function is called. */
export function reportLosses(log: Log, { dropped }: Counters, interval = INTERVAL): () => void {
  const reported = new Map<DiscardReason, number>()
  const report = (): void => {
    for (const [message, reasons] of Object.entries(LINES)) {
      const lost = reasons.map(
        (reason) => [reason, (dropped[reason] ?? 0) - (reported.get(reason) ?? 0)] as const,
      )
      for (const reason of reasons) reported.set(reason, dropped[reason] ?? 0)
      const some = lost.filter(([, times]) => times > 0)
      if (some.length > 0) log.warn({ lost: Object.fromEntries(some) }, message)
    }
  }
  const timer = setInterval(report, interval)
  return () => {
    clearInterval(timer)
    report()
  }
}
