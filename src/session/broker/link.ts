// What a session wants of its broker connection: to have one, to have it again after a loss, or to end it [SN-MAP-26..37, AMB-29].

import { takeOverOwed } from '../downlink/owed.ts'
import { durabilityOf } from '../durability.ts'
import type { Effect } from '../events.ts'
import { effectiveWill } from '../message.ts'
import type { Session } from '../session.ts'
import { isAccepted, isEnded, isLive } from '../states.ts'
import type { Turn } from '../turn.ts'
import { owesBroker } from '../uplink/spool.ts'

const never = Number.POSITIVE_INFINITY

/** Back to a link that was never opened. */
export function resetLink({ link, downlink }: Session): void {
  downlink.withheld = undefined // a broker that keeps the session sends it again
  link.state = 'closed'
  link.limits = undefined
  link.toRelease = []
  link.congested = false
  link.lostAt = undefined
  link.attempts = 0
  link.retryAt = never
  link.awaitsSensor = false
}

/** Whether the link is as if it was never opened, so that there is nothing to close. */
const isPristine = ({ link }: Session): boolean =>
  link.state === 'closed' && link.lostAt === undefined && link.retryAt === never

/** Opens the connection of a new setup, after a clean end of an older one. */
export function openLink(session: Session, turn: Turn): void {
  takeOverOwed(session, turn)
  resetLink(session)
  session.link.pool = session.policy.pool
  session.link.state = 'connecting'
  turn.out.push({
    type: 'connect',
    session,
    clean: session.cleanSession,
    mend: false,
    will: effectiveWill(session.will),
  })
}

/** Opens the connection again with the session's own flags; what is in flight goes on. */
export function reopenLink(session: Session, turn: Turn): void {
  session.link.pool = session.policy.pool
  session.link.awaitsSensor = false
  session.link.state = 'connecting'
  turn.out.push({
    type: 'connect',
    session,
    clean: session.cleanSession,
    mend: true,
    will: isEnded(session) ? undefined : effectiveWill(session.will),
  })
}

/** Ends the connection: with MQTT DISCONNECT, or so that the broker publishes the will. */
export function closeLink(session: Session, publishWill: boolean, turn: Turn): void {
  takeOverOwed(session, turn)
  turn.out.push({ type: 'close', session, publishWill, cleanSession: session.cleanSession })
  resetLink(session)
}

/**
 * Whether a lost connection is to be mended: a will dialogue ends with a new one, an ended session needs none, unless
 * messages of it wait for the broker.
 */
export const needsLink = (session: Session): boolean =>
  isAccepted(session) || session.state === 'connecting' || (isEnded(session) && owesBroker(session))

/** Milliseconds until it is looked again whether a farewell would leave at once. */
const FAREWELL_PAUSE = 100

/** Whether it goes to the broker when what was written before is durable. */
function waitsForStore(effect: Effect, session: Session): boolean {
  const { lane, tells } = durabilityOf(effect)
  return lane === 'broker' && 'session' in effect && effect.session === session && tells?.(effect) === true
}

/**
 * On an open connection a farewell is owed until it leaves at once: what waits in this process, for the store or for a broker that is
 * slow, ends with it, and the broker would publish the will of a sensor that is known to have left.
 */
function settleFarewell(session: Session, justNow: boolean, turn: Turn): void {
  const { link, uplink } = session
  if (!link.owesFarewell || link.state !== 'up' || uplink.spooled.messages > 0) return
  const isHeld = turn.out.some((effect) => waitsForStore(effect, session)) || !turn.leavesAtOnce(session)
  link.owesFarewell = isHeld
  if (isHeld) link.retryAt = turn.now + FAREWELL_PAUSE
  else if (!justNow && session.established) turn.out.push({ type: 'saveProgress', session, lazy: true })
}

/**
 * Ends the connection of a session that has ended (`justNow`: in this turn), once nothing of it waits for the broker any
 * more. That of a lost sensor was closed when it was lost, since the broker is to publish the will.
 */
export function closeUnneededLink(session: Session, justNow: boolean, turn: Turn): void {
  const { link, state } = session
  settleFarewell(session, justNow, turn)
  if (!needsLink(session)) {
    if (!isPristine(session) || (justNow && state === 'disconnected')) closeLink(session, false, turn)
  } else if (link.state === 'closed' && link.retryAt === never) scheduleReconnect(session, turn)
}

/** Has a lost connection made again: after a pause, or by those who share it, who wait for the broker together. */
export function mendLink(session: Session, turn: Turn): void {
  if (session.link.pool === undefined) return scheduleReconnect(session, turn)
  session.link.lostAt ??= turn.now
  session.link.attempts = Math.max(1, session.link.attempts) // it is no first one after a restart
  reopenLink(session, turn)
}

/** A pause that doubles with every failure, and differs from sensor to sensor: no storm on a new broker [SN-MAP-31]. */
export function scheduleReconnect({ link }: Session, { now, env }: Turn): void {
  const { reconnectMin, reconnectMax } = env.settings.timers
  link.lostAt ??= now
  const pause = Math.min(reconnectMax, reconnectMin * 2 ** Math.min(link.attempts, 16))
  link.attempts += 1
  link.retryAt = now + pause * (0.5 + env.random())
}

/**
 * The broker closed a connection without a word while it serves others. Over MQTT 3.1.1, and with brokers that do not say so over
 * MQTT 5, that is how a sensor's move to another gateway looks: opening the connection again would take the sensor away from
 * there. So it is opened when the sensor speaks here, after the usual pause at the earliest. What was acknowledged to the sensor
 * and waits for the broker is not held up by that [SN-MAP-37].
 */
export function awaitSensor(session: Session, turn: Turn): void {
  scheduleReconnect(session, turn)
  session.link.awaitsSensor = isLive(session)
}

/** Whether no attempt is made before the sensor speaks: what was acknowledged to it, also in the meantime, goes on all the same. */
export const isHeldBack = (session: Session): boolean => session.link.awaitsSensor && !owesBroker(session)

/** The sensor is here, and needs its connection; the time without one counts from now. */
export function onSensorHeard({ link }: Session, { now }: Turn): void {
  if (!link.awaitsSensor) return
  link.awaitsSensor = false
  link.lostAt = now
}

/** The pause is over, or the connection has held long enough to forget the last failures. */
export function onReconnectDue(session: Session, turn: Turn): void {
  const { link } = session
  link.retryAt = never
  if (link.state === 'up') link.attempts = 0
  else if (link.state === 'closed' && needsLink(session)) reopenLink(session, turn)
}

/** Whether the connection is being made for the first time since the gateway started: the sensor knows of no restart. */
export const isResuming = ({ link }: Session): boolean =>
  link.state !== 'up' && link.lostAt !== undefined && link.attempts === 0

/** After a restart of the gateway those that speak come first; the connections of the others follow in their turn. */
export function hurryLink(session: Session, turn: Turn): void {
  const { link } = session
  if (link.state !== 'closed' || !isResuming(session) || !isLive(session)) return
  link.lostAt = Math.min(turn.now, link.lostAt ?? turn.now) // its turn may have been to come
  link.retryAt = never
  reopenLink(session, turn)
}

/** Whether the broker has been away for longer than sessions are kept for it. */
export const graceIsOver = (session: Session, { env, now }: Turn): boolean =>
  graceEnd(session, env.settings.timers.grace) <= now

/** When that will be; never for a sensor whose messages the gateway stores, which goes on without a broker. */
export const graceEnd = ({ link, policy }: Session, grace: number): number =>
  link.lostAt === undefined || policy.ack === 'store' ? never : link.lostAt + grace
