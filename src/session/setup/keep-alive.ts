// How long a sensor may be silent before it counts as lost: keep-alive and sleep time with their tolerance [6.11, 7.2].

import { isResuming } from '../broker/link.ts'
import type { Session } from '../session.ts'

/** Seconds plus tolerance, in milliseconds: 10 % above one minute, 50 % up to one minute [7.2, SN-KA-3]. */
const withTolerance = (seconds: number): number => seconds * (seconds > 60 ? 1100 : 1500)

/** How long the end of a silent sensor waits for its first broker connection after a restart, milliseconds. */
const PATIENCE = 60_000

/** When a sensor that stays silent counts as lost; Infinity where nothing is supervised. */
export function silenceDeadline(session: Session, inactivity: number): number {
  const silentUntil = session.heardAt + allowedSilence(session, inactivity)
  // without its connection the broker would not publish its will
  if (session.will.topic === undefined || !isResuming(session)) return silentUntil
  return Math.max(silentUntil, (session.link.lostAt ?? 0) + PATIENCE)
}

/** Milliseconds, by its state. */
function allowedSilence({ state, keepAlive, sleep }: Session, inactivity: number): number {
  if (state === 'asleep') return withTolerance(sleep)
  if (state !== 'active') return Number.POSITIVE_INFINITY
  if (keepAlive > 0) return withTolerance(keepAlive)
  return inactivity > 0 ? inactivity : Number.POSITIVE_INFINITY // [SN-KA-4]
}
