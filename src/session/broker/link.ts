// The session's broker connection: opened, refused, lost, found again [SN-MAP-26..37, AMB-29].

import { ReturnCode } from '../../codec/v1/messages.ts'
import { deliverNext } from '../downlink/deliver.ts'
import type { UpstreamEvent } from '../events.ts'
import type { Turn } from '../policy.ts'
import { enter, isEnded, isLive, type Session, send } from '../session.ts'
import { accept, effectiveWill, refuse } from '../setup/connect.ts'
import { answerWillUpdate, failWillUpdate } from '../setup/will.ts'
import { dropOld, owesBroker } from '../uplink/spool.ts'
import { resend, sendDue } from '../uplink/uplinks.ts'
import { restoreSubscriptions, sendRequests } from './subscribe.ts'

type Reported<T extends UpstreamEvent['type']> = Extract<UpstreamEvent, { type: T }>

const never = Number.POSITIVE_INFINITY

/** A connection that held this long was a good one: the next loss starts with a short pause again. */
const STABLE = 30_000

/** Back to a link that was never opened. */
export function forgetLink({ link }: Session): void {
  link.state = 'closed'
  link.limits = undefined
  link.congested = false
  link.lostAt = undefined
  link.attempts = 0
  link.retryAt = never
}

export function onConnected(session: Session, event: Reported<'connected'>, turn: Turn): void {
  const { link } = session
  link.state = 'up'
  link.limits = event.limits
  link.congested = false
  link.lostAt = undefined
  link.retryAt = turn.now + STABLE // when `attempts` may be forgotten
  session.owesFarewell = false // an ended session's connection is closed properly after this
  if (!event.sessionPresent && session.received.size > 0) {
    session.received.clear()
    turn.out.push({ type: 'saveProgress', session, lazy: false })
  }
  dropOld(session, turn)
  // first: much to resend must not stand in their way
  restoreSubscriptions(session, event.sessionPresent, turn) // [SN-MAP-3, SN-MAP-4]
  resend(session, event.sessionPresent, turn)
  if (session.state === 'connecting') {
    if (link.restoring.size === 0) accept(session, 'accepted by the broker', turn)
    return
  }
  answerWillUpdate(session, turn)
  resumeTraffic(session, turn)
}

/** The last re-subscription was answered: a setup that waited for it can end. */
export function onRestored(session: Session, turn: Turn): void {
  if (session.state === 'connecting') accept(session, 'accepted by the broker', turn)
}

/**
 * Whether a lost connection is to be mended: a will dialogue ends with a new one, an ended session needs none, unless
 * messages of it wait for the broker.
 */
const needsLink = (session: Session): boolean => isLive(session) || (isEnded(session) && owesBroker(session))

/** A re-subscription failed for now: a setup cannot end well without it; else the next connection tries again. */
export function onNotRestored(session: Session, turn: Turn): void {
  if (session.state !== 'connecting' || session.link.state !== 'up') return
  refuse(session, ReturnCode.congestion, 'cannot subscribe again', turn)
}

function resumeTraffic(session: Session, turn: Turn): void {
  sendRequests(session, turn)
  deliverNext(session, turn)
}

export function onRefused(session: Session, event: Reported<'refused'>, turn: Turn): void {
  session.link.state = 'closed'
  const { lostAt = turn.now } = session.link
  // the broker has given it up by now
  if (turn.now - lostAt >= turn.env.settings.timers.grace) session.owesFarewell = false
  if (session.state === 'connecting') return refuse(session, event.outcome, event.detail, turn)
  if (!needsLink(session)) return
  if (failWillUpdate(session, event.outcome, turn)) return
  if (event.outcome === ReturnCode.notSupported) return giveUp(session, event.detail, turn) // [SN-MAP-34]
  scheduleReconnect(session, turn)
}

export function onClosed(session: Session, event: Reported<'closed'>, turn: Turn): void {
  session.link.state = 'closed'
  session.link.congested = false
  if (session.state === 'connecting') return refuse(session, ReturnCode.congestion, event.detail, turn)
  if (!needsLink(session)) return
  if (event.why !== 'lost') return giveUp(session, event.detail, turn) // [SN-MAP-35]
  const { grace } = turn.env.settings.timers
  if (grace === 0 && session.state !== 'asleep' && session.policy.ack === 'broker')
    return giveUp(session, event.detail, turn)
  scheduleReconnect(session, turn)
}

/** A pause that doubles with every failure, and differs from sensor to sensor: no storm on a new broker [SN-MAP-31]. */
function scheduleReconnect(session: Session, turn: Turn): void {
  const { link } = session
  const { reconnectMin, reconnectMax } = turn.env.settings.timers
  link.lostAt ??= turn.now
  const pause = Math.min(reconnectMax, reconnectMin * 2 ** Math.min(link.attempts, 16))
  link.attempts += 1
  link.retryAt = turn.now + pause * (0.5 + turn.env.random())
}

/** The pause is over, or the connection has held long enough to forget the last failures. */
export function onRetryDue(session: Session, turn: Turn): void {
  const { link } = session
  link.retryAt = never
  if (link.state === 'up') {
    link.attempts = 0
    return
  }
  if (link.state === 'connecting' || !needsLink(session)) return
  reconnect(session, turn)
}

/** Opens the connection again with the session's own flags; what is in flight goes on. */
export function reconnect(session: Session, turn: Turn): void {
  session.link.state = 'connecting'
  turn.out.push({
    type: 'connect',
    session,
    clean: session.cleanSession,
    mend: true,
    will: isEnded(session) ? undefined : effectiveWill(session.will),
  })
}

/** Whether the connection is being made for the first time since the gateway started: the sensor knows of no restart. */
export const isResuming = ({ link }: Session): boolean =>
  link.state !== 'up' && link.lostAt !== undefined && link.attempts === 0

/** After a restart of the gateway those that speak come first; the connections of the others follow in their turn. */
export function hurry(session: Session, turn: Turn): void {
  if (session.link.state !== 'closed' || !isResuming(session) || !isLive(session)) return
  session.link.retryAt = never
  reconnect(session, turn)
}

/** Whether the broker has been away for longer than sessions are kept for it. */
export const graceIsOver = (session: Session, { env, now }: Turn): boolean =>
  graceEnd(session, env.settings.timers.grace) <= now

/** When that will be; never for a sensor whose messages the gateway stores, which goes on without a broker. */
export const graceEnd = ({ link, policy }: Session, grace: number): number =>
  link.lostAt === undefined || policy.ack === 'store' ? never : link.lostAt + grace

/**
 * There will be no broker connection: an active or awake sensor is told, so that it connects again; a sleeping one
 * learns at its next message, as a stranger [SN-MAP-32, -33].
 */
export function giveUp(session: Session, why: string, turn: Turn): void {
  if (session.state !== 'asleep') send(session, { type: 'disconnect', duration: null }, turn)
  endSession(session, why, turn)
}

/** Disconnected without a word to the sensor; the broker is told, if it is there and nothing waits for it. */
export function endSession(session: Session, why: string, turn: Turn): void {
  enter(session, 'disconnected', why, turn)
  closeUnlessNeeded(session, turn)
}

/** Ends the connection of a session that has ended, once nothing of it waits for the broker any more. */
export function closeUnlessNeeded(session: Session, turn: Turn): void {
  if (!needsLink(session)) {
    turn.out.push({ type: 'close', session, publishWill: false })
    forgetLink(session)
  } else if (session.link.state === 'closed' && session.link.retryAt === never)
    scheduleReconnect(session, turn)
}

export function onCongestion(session: Session, on: boolean, turn: Turn): void {
  session.link.congested = on
  if (!on) sendDue(session, turn)
}
