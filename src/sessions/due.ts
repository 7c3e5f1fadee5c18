// Which sessions have something due: looked for only when the nearest deadline of all has come. Pure.

import type { Session } from '../session/session.ts'
import type { Sessions } from './table.ts'

/** To be called whenever `session.wakeAt` has changed. One that moved away leaves `nextAt` too early, which only costs a look. */
export function noteDeadline(sessions: Sessions, { wakeAt }: Session): void {
  if (wakeAt < sessions.nextAt) sessions.nextAt = wakeAt
}

const nobody: readonly Session[] = []

/**
 * The sessions whose deadline has passed: each is to be given the event `deadline`. The next call looks at all again, so
 * that one is not overlooked because dealing with it failed.
 */
export function dueSessions(sessions: Sessions, now: number): readonly Session[] {
  if (now < sessions.nextAt) return nobody
  const due: Session[] = []
  let nextAt = Number.POSITIVE_INFINITY
  for (const session of sessions.byClientId.values()) {
    if (session.wakeAt <= now) due.push(session)
    if (session.wakeAt < nextAt) nextAt = session.wakeAt
  }
  sessions.nextAt = nextAt
  return due
}
