// What the gateway has acknowledged to a sensor and keeps until the broker takes it: bounded by count, octets and age.

import { isCautious, isUnderWay } from '../broker/suspicion.ts'
import type { DropReason } from '../events.ts'
import type { Uplink } from '../message.ts'
import type { Session } from '../session.ts'
import { drop, type Turn } from '../turn.ts'
import { addToSpooled, endTowardsBroker, enqueueUplink, uplinkSize, WINDOW } from './uplinks.ts'

const never = Number.POSITIVE_INFINITY

/** Whether earlier messages wait in the spool, so that later ones must not overtake them. */
export const isSpoolOrdered = ({ uplink }: Session): boolean => uplink.spooled.messages > 0

/** Takes a message into the store, if it fits; what is too old makes room. */
export function spoolUplink(session: Session, uplink: Uplink, turn: Turn): boolean {
  const { policy } = session
  const { spooled } = session.uplink
  dropOldSpooled(session, turn)
  const { messages, octets } = policy.spool
  if (spooled.messages >= messages || spooled.octets + uplinkSize(uplink) > octets) {
    drop(session, 'spool-full', turn)
    return false
  }
  addToSpooled(session, uplink, 1)
  enqueueUplink(session, uplink)
  turn.out.push({ type: 'keepUplink', session, uplink })
  return true
}

/** Takes up a publish that was loaded from the store. */
export function reopenUplink(session: Session, uplink: Uplink): void {
  if (uplink.broker === 'dead') session.uplink.dead.set(uplink.token, uplink)
  else if (uplink.broker !== 'done') {
    enqueueUplink(session, uplink)
    if (uplink.stored) addToSpooled(session, uplink, 1)
  }
  if (uplink.qos === 2 && uplink.sensor !== 'released') session.uplink.open.set(uplink.msgId, uplink)
}

/** Messages over the age that the spool keeps: they are the first in line. What the broker may have goes its way. */
export function dropOldSpooled(session: Session, turn: Turn): void {
  const oldest = turn.now - session.policy.spool.age
  dropSpooled(
    session,
    ({ at, broker, repeated }) => at <= oldest && broker === 'waiting' && !repeated,
    'expired',
    turn,
  )
}

/** Gives up all that waits for the broker: the session is forgotten. */
export function clearSpool(session: Session, turn: Turn): void {
  session.link.owesFarewell = false
  dropSpooled(session, () => true, 'expired', turn)
}

function dropSpooled(
  session: Session,
  which: (uplink: Uplink) => boolean,
  reason: DropReason,
  turn: Turn,
): void {
  for (const uplink of [...session.uplink.outgoing.values()]) {
    if (!uplink.stored || !which(uplink)) continue
    endTowardsBroker(session, uplink, turn)
    drop(session, reason, turn)
  }
}

/** When a stored publish that the broker could not take is tried again; Infinity if none is. */
export function nextSpoolAttempt(session: Session): number {
  const { uplink, link } = session
  const { spooled, outgoing } = uplink
  if (spooled.messages === 0 || link.state !== 'up' || link.congested) return never
  if (isCautious(session) && isUnderWay(session)) return never // its answer comes first
  let seen = 0
  for (const { stored, broker, retryAt } of outgoing.values()) {
    if (seen++ >= WINDOW) break
    if (stored && broker === 'waiting') return retryAt // those behind it wait for it
  }
  return never
}

/** Whether something of it waits for the broker even when its sensor is gone. */
export const owesBroker = ({ uplink, link }: Session): boolean =>
  uplink.spooled.messages > 0 || link.owesFarewell
