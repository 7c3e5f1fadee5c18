// What the broker connection reports, and what becomes of it: opened, refused, lost, subscriptions restored [SN-MAP-26..37, AMB-29].

import { ReturnCode } from '../codec/v1/messages.ts'
import { blameSuspect, type Suspect } from './broker/blame.ts'
import { awaitSensor, mendLink, needsLink, scheduleReconnect } from './broker/link.ts'
import {
  answerSubscribe,
  endForbiddenSubscriptions,
  refuseRequest,
  resendRequests,
} from './broker/subscribe.ts'
import { judgeBreak, noteAnswered, noteRefused, noteUnreachable } from './broker/suspicion.ts'
import { takeOverOwed } from './downlink/owed.ts'
import { onWithheldReconnected } from './downlink/withhold.ts'
import type { UpstreamEvent } from './events.ts'
import type { Session } from './session.ts'
import { acceptConnect, refuseConnect } from './setup/connect.ts'
import { giveUpSession } from './setup/disconnect.ts'
import { answerWillUpdate, failWillUpdate } from './setup/will-update.ts'
import { drop, type Turn } from './turn.ts'
import { setAsideUplink } from './uplink/dead-letters.ts'
import { completeUplink, resendUplinks } from './uplink/forward.ts'
import { dropOldSpooled } from './uplink/spool.ts'

type Reported<T extends UpstreamEvent['type']> = Extract<UpstreamEvent, { type: T }>

/** A connection that held this long was a good one: the next loss starts with a short pause again. */
const STABLE = 30_000

export function onConnected(session: Session, event: Reported<'connected'>, turn: Turn): void {
  const { link, downlink } = session
  link.state = 'up'
  link.limits = event.limits
  link.congested = false
  link.lostAt = undefined
  link.retryAt = turn.now + STABLE // when `attempts` may be forgotten
  if (link.owesFarewell) turn.out.push({ type: 'saveProgress', session, lazy: true })
  link.owesFarewell = false // an ended session's connection is closed properly after this
  if (!event.sessionPresent && downlink.received.size > 0) {
    downlink.received.clear()
    turn.out.push({ type: 'saveProgress', session, lazy: false })
  }
  onWithheldReconnected(session, event.sessionPresent)
  dropOldSpooled(session, turn)
  endForbiddenSubscriptions(session, turn)
  planRestoring(session, event.sessionPresent) // [SN-MAP-3, SN-MAP-4]
  resendUplinks(session, event.sessionPresent, turn)
  resendRequests(session)
  if (session.state !== 'connecting') answerWillUpdate(session, turn)
  else if (link.toRestore.length === 0) acceptConnect(session, 'accepted by the broker', turn)
}

/**
 * A broker without a session is given the subscriptions that the gateway remembers; one that has it, those which it did
 * not confirm the last time [SN-MAP-3, -4].
 */
function planRestoring({ link, subscriptions }: Session, sessionPresent: boolean): void {
  const missing = new Set([...link.restoring.values(), ...link.toRestore, ...link.unrestored])
  link.restoring.clear()
  link.unrestored = []
  const filters = [...subscriptions].map(([filter]) => filter)
  link.toRestore = filters.filter((filter) => !sessionPresent || missing.has(filter))
}

export function onSubscribed(session: Session, event: Reported<'subscribed'>, turn: Turn): void {
  const { token, outcome } = event
  const { restoring, toRestore } = session.link
  noteAnswered(session)
  if (outcome === ReturnCode.notSupported) noteRefused(session, turn)
  const restored = restoring.get(token)
  if (restored === undefined) return answerSubscribe(session, event, turn)
  restoring.delete(token)
  if (outcome === ReturnCode.congestion) {
    session.link.unrestored = [...session.link.unrestored, restored]
    return onNotRestored(session, turn)
  }
  if (outcome === ReturnCode.notSupported) session.subscriptions.delete(restored)
  if (restoring.size + toRestore.length === 0 && session.state === 'connecting') {
    acceptConnect(session, 'accepted by the broker', turn) // it waited for the last one
  }
}

/** A re-subscription failed for now: a setup cannot end well without it; else the next connection tries again. */
function onNotRestored(session: Session, turn: Turn): void {
  if (session.state !== 'connecting' || session.link.state !== 'up') return
  refuseConnect(session, ReturnCode.congestion, 'cannot subscribe again', turn)
}

export function onRefused(session: Session, event: Reported<'refused'>, turn: Turn): void {
  const { link } = session
  link.state = 'closed'
  if (event.unreachable) noteUnreachable(session)
  const { lostAt = turn.now } = link
  // the broker has given it up by now
  if (turn.now - lostAt >= turn.env.settings.timers.grace) link.owesFarewell = false
  if (session.state === 'connecting') return refuseConnect(session, event.outcome, event.detail, turn)
  if (!needsLink(session)) return
  if (failWillUpdate(session, event.outcome, turn)) return
  if (event.outcome === ReturnCode.notSupported) return giveUpSession(session, event.detail, turn) // [SN-MAP-34]
  scheduleReconnect(session, turn)
}

export function onClosed(session: Session, event: Reported<'closed'>, turn: Turn): void {
  const { link } = session
  takeOverOwed(session, turn) // a broker that has no session for it has forgotten it
  if (link.state === 'closed') {
    link.awaitsSensor = false // it was the beginning of an outage: the pause goes on
    return
  }
  link.state = 'closed'
  link.congested = false
  const judged =
    event.why === 'taken-over' || event.moved ? undefined : judgeBreak(session, turn, event.alone)
  if (judged?.guilty !== undefined) setAsideSuspect(session, judged.guilty, turn)
  if (judged !== undefined && needsLink(session)) {
    link.attempts = 0 // the broker is there: a short pause is enough
    if (event.why === 'unexplained' && !judged.isOwed) return awaitSensor(session, turn)
    return mendLink(session, turn)
  }
  if (event.moved && link.pool !== undefined && needsLink(session)) return mendLink(session, turn)
  if (session.state === 'connecting') {
    return refuseConnect(session, ReturnCode.congestion, event.detail, turn)
  }
  if (!needsLink(session)) return
  if (event.why === 'taken-over') link.owesFarewell = false // the will went with it
  if (event.why === 'taken-over' || event.why === 'forbidden')
    return giveUpSession(session, event.detail, turn) // [SN-MAP-35]
  const { grace } = turn.env.settings.timers
  if (grace === 0 && !event.moved && session.state !== 'asleep' && session.policy.ack === 'broker')
    return giveUpSession(session, event.detail, turn)
  if (event.why === 'unexplained') awaitSensor(session, turn)
  else mendLink(session, turn)
}

/** Those who share the connection could not give a subscription back to the broker. */
export function onSubscriptionEnded(
  session: Session,
  { filter, why }: Reported<'subscriptionEnded'>,
  turn: Turn,
): void {
  if (!session.subscriptions.delete(filter)) return
  turn.out.push({ type: 'setAside', session, kind: 'subscribe', topic: filter, why, kept: false })
  turn.out.push({ type: 'save', session })
  drop(session, why, turn)
}

/** What the broker hangs up at is given up, so that everything else goes on. */
function setAsideSuspect(session: Session, suspect: Suspect, turn: Turn): void {
  const { kind, topic, uplink, request } = suspect
  // it has the message, and hangs up at the release
  if (uplink?.broker === 'received') return completeUplink(session, uplink, turn)
  blameSuspect(session, suspect, turn)
  if (uplink !== undefined) return setAsideUplink(session, uplink, 'hung-up', turn)
  turn.out.push({ type: 'setAside', session, kind, topic, why: 'hung-up', kept: false })
  drop(session, 'hung-up', turn)
  if (kind !== 'subscribe') return
  if (request !== undefined) refuseRequest(session, request, turn)
  else if (session.subscriptions.delete(topic)) turn.out.push({ type: 'save', session })
}

/** The connection's write buffer passed its limit, or drained again. */
export function onCongestion({ link }: Session, on: boolean): void {
  link.congested = on
}
