// What the gateway has acknowledged to a sensor and keeps until the broker takes it: bounded by count, octets and age.

import type { DropReason } from '../events.ts'
import type { Turn } from '../policy.ts'
import { drop, type Session, type Uplink } from '../session.ts'
import { count, leave, open, sendDue, sizeOf, WINDOW } from './uplinks.ts'

const never = Number.POSITIVE_INFINITY

/** Whether earlier messages wait in the spool, so that later ones must not overtake them. */
export const isSpoolOrdered = ({ spooled }: Session): boolean => spooled.messages > 0

/** Takes a message into the store, if it fits; what is too old makes room. */
export function spool(session: Session, uplink: Uplink, turn: Turn): boolean {
  const { spooled, policy } = session
  dropOld(session, turn)
  const { messages, octets } = policy.spool
  if (spooled.messages >= messages || spooled.octets + sizeOf(uplink) > octets) {
    drop(session, 'spool-full', turn)
    return false
  }
  count(session, uplink, 1)
  open(session, uplink)
  turn.out.push({ type: 'keepUplink', session, uplink })
  sendDue(session, turn)
  return true
}

/** Counts a stored publish that was loaded from the store. */
export function reopen(session: Session, uplink: Uplink): void {
  if (uplink.stage !== 'done') open(session, uplink)
  if (uplink.stored && uplink.stage !== 'done') count(session, uplink, 1)
  if (uplink.qos === 2 && uplink.answer !== 'pubrel') session.uplinks.set(uplink.msgId, uplink)
}

/** Messages over the age that the spool keeps: they are the first in line. What the broker may have goes its way. */
export function dropOld(session: Session, turn: Turn): void {
  const oldest = turn.now - session.policy.spool.age
  discard(
    session,
    ({ at, stage, repeated }) => at <= oldest && stage === 'waiting' && !repeated,
    'expired',
    turn,
  )
}

/** Gives up all that waits for the broker: the session is forgotten. */
export function clearSpool(session: Session, turn: Turn): void {
  session.owesFarewell = false
  discard(session, () => true, 'expired', turn)
}

function discard(session: Session, which: (uplink: Uplink) => boolean, reason: DropReason, turn: Turn): void {
  for (const uplink of [...session.outgoing.values()]) {
    if (!uplink.stored || !which(uplink)) continue
    uplink.stage = 'done'
    leave(session, uplink, turn)
    drop(session, reason, turn)
  }
}

/** When a stored publish that the broker could not take is tried again; Infinity if none is. */
export function nextAttempt({ spooled, outgoing, link }: Session): number {
  if (spooled.messages === 0 || link.state !== 'up' || link.congested) return never
  let seen = 0
  for (const { stored, stage, deadline } of outgoing.values()) {
    if (seen++ >= WINDOW) break
    if (stored && stage === 'waiting') return deadline // those behind it wait for it
  }
  return never
}

/** Whether something of it waits for the broker even when its sensor is gone. */
export const owesBroker = ({ spooled, owesFarewell }: Session): boolean =>
  spooled.messages > 0 || owesFarewell
