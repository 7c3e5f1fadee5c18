// One line of the log when a line to sensors comes, and one when it goes.

import type { Log } from '../../log.ts'
import type { LineEvent } from '../../transport/line/options.ts'

/** Logs that a line was opened, or is away, and what its modem says; what cannot be opened says what to change. */
export function logLine(log: Log, listener: string, event: LineEvent): void {
  if (event.type === 'up') log.info({ listener }, 'line open')
  else if (event.type === 'away')
    log.warn({ listener, reason: event.error.message }, 'line away; it is tried again until it is back')
  else if (event.type === 'notice') log[event.level]({ listener }, event.text)
  else log.info({ listener, octets: event.longest }, 'the modem carries no longer messages than this')
}
