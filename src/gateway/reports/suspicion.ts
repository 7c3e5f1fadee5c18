// What is said when there is a sign that another process serves the same sensors, and the database cannot be asked.

import type { Log } from '../../log.ts'

export function logSuspicion(log: Pick<Log, 'warn'>): void {
  log.warn(
    'the broker has ended the connection of the gateway itself: another node may have taken over, so nothing is served until the database answers',
  )
}
