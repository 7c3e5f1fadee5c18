// Deadlines of a session: numbers, not timer objects. The shell asks for the nearest and says when it has passed.

import { ReturnCode } from '../codec/v1/messages.ts'
import { giveUp, graceEnd, onRetryDue } from './broker/link.ts'
import { onRequestDeadlines } from './broker/subscribe.ts'
import { onRetry } from './downlink/ask.ts'
import { deliverNext } from './downlink/deliver.ts'
import type { Turn } from './policy.ts'
import { enter, isEnded, type Session } from './session.ts'
import { refuse } from './setup/connect.ts'
import { lose, silenceDeadline } from './setup/sleep.ts'
import { onWillDeadline } from './setup/will.ts'
import { onUplinkDeadlines } from './uplink/publish.ts'
import { clearSpool, nextAttempt } from './uplink/spool.ts'
import { sendDue } from './uplink/uplinks.ts'

const never = Number.POSITIVE_INFINITY

/** Sensors that listen, so that a broken broker connection must be told to them. */
const isListening = ({ state }: Session): boolean => state === 'active' || state === 'awake'

/** Sleeping sensors learn of it when they wake. */
const graceDeadline = (session: Session, grace: number): number =>
  isListening(session) ? graceEnd(session, grace) : never

/** Due until it was dealt with, also if something else happens in between. */
const holdEnd = ({ state, holdUntil, queue }: Session): number =>
  state === 'active' && queue.length > 0 && holdUntil > 0 ? holdUntil : never

/** The nearest time at which something is due, monotonic milliseconds; Infinity if nothing is. */
export function wakeAt(session: Session, { env }: Turn): number {
  const { timers } = env.settings
  if (isEnded(session)) {
    return Math.min(session.endedAt + timers.keepSessions, session.link.retryAt, nextAttempt(session))
  }
  let nearest = Math.min(
    silenceDeadline(session, timers.inactivity),
    session.setupDeadline,
    session.link.retryAt,
    graceDeadline(session, timers.grace),
    nextAttempt(session),
    holdEnd(session),
    session.state === 'awake' ? session.awakeUntil : never,
    session.outstanding?.deadline ?? never,
    session.willUpdate?.deadline ?? never,
  )
  for (const { deadline, stored } of session.uplinks.values())
    if (!stored && deadline < nearest) nearest = deadline
  for (const { deadline } of session.requests.values()) if (deadline < nearest) nearest = deadline
  return nearest
}

/** Does all that is due. */
export function onDeadline(session: Session, turn: Turn): void {
  const { now, env } = turn
  const { timers } = env.settings
  if (isEnded(session)) {
    if (session.link.retryAt <= now) onRetryDue(session, turn)
    sendDue(session, turn)
    return forgetWhenOld(session, turn)
  }
  if (silenceDeadline(session, timers.inactivity) <= now) {
    return lose(session, session.state === 'asleep' ? 'slept too long' : 'keep-alive passed', turn)
  }
  if (session.setupDeadline <= now) {
    return refuse(session, ReturnCode.congestion, 'the broker did not answer in time', turn) // [SN-MAP-6]
  }
  if (graceDeadline(session, timers.grace) <= now)
    return giveUp(session, 'the broker cannot be reached', turn)
  if (session.link.retryAt <= now) onRetryDue(session, turn)
  if (session.holdUntil <= now) session.holdUntil = 0
  if (session.awakeUntil <= now) endAwake(session)
  if (session.outstanding !== undefined && session.outstanding.deadline <= now) onRetry(session, turn)
  onUplinkDeadlines(session, turn)
  sendDue(session, turn)
  onRequestDeadlines(session, turn)
  onWillDeadline(session, turn)
  deliverNext(session, turn)
}

/** No more messages in this awake period; what is under way may end. */
function endAwake(session: Session): void {
  session.awakeUntil = never
  session.awakeCount = never
}

/** A stored session that nobody came back for [AMB-34]. */
function forgetWhenOld(session: Session, turn: Turn): void {
  if (turn.now < session.endedAt + turn.env.settings.timers.keepSessions) return
  session.established = false
  clearSpool(session, turn)
  enter(session, 'disconnected', 'not seen for too long', turn)
}
