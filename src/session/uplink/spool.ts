// What the gateway has acknowledged to a sensor and keeps until the broker takes it: bounded by count, octets and age.

import { isCautious, isUnderWay } from '../broker/suspicion.ts'
import type { DropReason } from '../events.ts'
import type { StoredUplink, Uplink } from '../message.ts'
import type { Session } from '../session.ts'
import { drop, type Turn } from '../turn.ts'
import { addToSpooled, appendPosition, appendUplink, expireBacklog, hasSpoolRoom } from './backlog.ts'
import { addDeadLetter } from './dead-letters.ts'
import { deadLetterOf, uplinkSize } from './record.ts'
import { endTowardsBroker, enqueueUplink, WINDOW } from './uplinks.ts'

const never = Number.POSITIVE_INFINITY

/** Whether earlier messages wait in the spool, so that later ones must not overtake them. */
export const isSpoolOrdered = ({ uplink }: Session): boolean => uplink.spooled.messages > 0

/** Takes a message into the store, if it fits; what is too old makes room. */
export function spoolUplink(session: Session, uplink: Uplink, turn: Turn): boolean {
  dropOldSpooled(session, turn)
  const octets = uplinkSize(uplink)
  if (!hasSpoolRoom(session, octets, turn)) {
    drop(session, 'spool-full', turn)
    return false
  }
  addToSpooled(session, 1, octets, turn.env)
  enqueueUplink(session, uplink)
  turn.out.push({ type: 'keepUplink', session, uplink })
  return true
}

/** Takes up a publish that was loaded from the store, or what is known of it. */
export function reopenUplink(session: Session, uplink: StoredUplink, turn: Turn): void {
  const { uplink: side } = session
  if ('why' in uplink && !('data' in uplink)) return addDeadLetter(session, uplink, turn.env)
  if (!('data' in uplink)) {
    addToSpooled(session, 1, uplink.octets, turn.env)
    appendPosition(session, uplink)
    return
  }
  if (uplink.broker === 'dead') addDeadLetter(session, deadLetterOf(uplink), turn.env)
  else if (uplink.broker !== 'done') {
    const octets = uplinkSize(uplink)
    if (uplink.stored) addToSpooled(session, 1, octets, turn.env)
    // what the broker has is only to be brought to its end; all else keeps its place in the line
    if (uplink.broker === 'received' || side.backlog === undefined) side.outgoing.set(uplink.token, uplink)
    else appendUplink(session, uplink, octets)
  }
  if (uplink.qos === 2 && uplink.sensor !== 'released') side.open.set(uplink.msgId, uplink)
}

/** Messages over the age that the spool keeps: they are the first in line. What the broker may have goes its way. */
export function dropOldSpooled(session: Session, turn: Turn): void {
  const oldest = turn.now - session.policy.spool.age
  expireBacklog(session, oldest, turn)
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
  expireBacklog(session, never, turn)
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
  const { spooled, outgoing, backlog } = uplink
  if (spooled.messages === 0 || link.state !== 'up' || link.congested) return never
  if (isCautious(session) && isUnderWay(session)) return never // its answer comes first
  let seen = 0
  let nearest = never
  let held: Set<string> | undefined
  for (const { stored, broker, retryAt, topic } of outgoing.values()) {
    if (seen >= WINDOW) break
    if (!stored || broker !== 'waiting') {
      seen += 1
      continue
    }
    if (held?.has(topic)) continue
    nearest = Math.min(nearest, retryAt)
    held ??= new Set()
    held.add(topic) // those behind it on the same topic wait for it
  }
  return backlog !== undefined && seen < WINDOW ? Math.min(nearest, backlog.retryAt) : nearest
}

/** Whether something of it waits for the broker even when its sensor is gone. */
export const owesBroker = ({ uplink, link }: Session): boolean =>
  uplink.spooled.messages > 0 || link.owesFarewell
