// How long a sensor may be silent before it counts as lost: keep-alive and sleep time with their tolerance [6.11, 7.2].

import { isResuming } from '../broker/link.ts'
import type { Session } from '../session.ts'
import { send, type Turn } from '../turn.ts'

/** Seconds plus tolerance, in milliseconds: 10 % above one minute, 50 % up to one minute [7.2, SN-KA-3]. */
const withTolerance = (seconds: number): number => seconds * (seconds > 60 ? 1100 : 1500)

/** When an active sensor is asked whether it is there: in the middle of the tolerance, or late in a time without one. */
const ASKED_AFTER = { tolerance: 0.5, inactivity: 0.95 }

/** How long the end of a silent sensor waits for its first broker connection after a restart, milliseconds. */
const PATIENCE = 60_000

/** When a sensor that stays silent counts as lost; Infinity where nothing is supervised. */
export function silenceDeadline(session: Session, inactivity: number): number {
  const silentUntil = session.heardAt + allowedSilence(session, inactivity)
  // without its connection the broker would not publish its will
  if (session.will.topic === undefined || !isResuming(session)) return silentUntil
  return Math.max(silentUntil, (session.link.lostAt ?? 0) + PATIENCE)
}

/**
 * When something follows from the silence of a sensor. One that may only listen is asked once whether it is there, before
 * it is lost [5.4.20, SN-KA-5]; never one that sleeps.
 */
export function nextSilenceDeadline(session: Session, inactivity: number): number {
  const lostAt = silenceDeadline(session, inactivity)
  if (session.state !== 'active' || session.askedFor === session.heardAt) return lostAt
  return Math.min(lostAt, session.heardAt + silenceUntilAsked(session, inactivity))
}

function silenceUntilAsked({ keepAlive }: Session, inactivity: number): number {
  if (keepAlive === 0) return inactivity > 0 ? inactivity * ASKED_AFTER.inactivity : Number.POSITIVE_INFINITY
  const promised = keepAlive * 1000
  return promised + (withTolerance(keepAlive) - promised) * ASKED_AFTER.tolerance
}

/** Asks the sensor, once in this silence; its answer is a message like any other. */
export function askIfThere(session: Session, turn: Turn): void {
  session.askedFor = session.heardAt
  send(session, { type: 'pingreq', clientId: null }, turn)
}

/** Milliseconds, by its state. */
function allowedSilence({ state, keepAlive, sleep }: Session, inactivity: number): number {
  if (state === 'asleep') return withTolerance(sleep)
  if (state !== 'active') return Number.POSITIVE_INFINITY
  if (keepAlive > 0) return withTolerance(keepAlive)
  return inactivity > 0 ? inactivity : Number.POSITIVE_INFINITY // [SN-KA-4]
}
