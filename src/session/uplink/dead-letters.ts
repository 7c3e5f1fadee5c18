// Messages that were acknowledged to a sensor and that the broker will not have: set aside so that nothing behind them waits, and
// kept until a person discards them or sends them again.

import { ReturnCode } from '../../codec/v1/messages.ts'
import type { DeathCause, Uplink } from '../message.ts'
import { uplinkSize } from '../record.ts'
import type { Session } from '../session.ts'
import { drop, type Turn, takeToken } from '../turn.ts'
import { addToSpooled } from './backlog.ts'
import { endTowardsBroker, enqueueUplink, failUplink, forgetUplink } from './uplinks.ts'

/**
 * The broker will not have it: the sensor that waits for an answer is refused; what was acknowledged to it is kept as a dead
 * letter, until a person discards it or sends it again.
 */
export function setAsideUplink(session: Session, uplink: Uplink, why: DeathCause, turn: Turn): void {
  const { topic, stored, qos } = uplink
  drop(session, why, turn)
  if (qos === 0 && !stored) return endTowardsBroker(session, uplink, turn)
  turn.out.push({ type: 'setAside', session, kind: 'publish', topic, why, kept: stored })
  if (!stored) return failUplink(session, uplink, ReturnCode.notSupported, turn)
  const { outgoing, dead } = session.uplink
  if (outgoing.delete(uplink.token)) addToSpooled(session, -1, -uplinkSize(uplink), turn.env)
  uplink.broker = 'dead'
  uplink.why = why
  const [oldest] = dead.values()
  if (oldest !== undefined && dead.size >= session.policy.spool.messages)
    discardDeadLetter(session, oldest, turn)
  dead.set(uplink.token, uplink)
  turn.out.push({ type: 'keepUplink', session, uplink })
}

/** Throws a dead letter away: a person said so, or there are too many. */
export function discardDeadLetter(session: Session, uplink: Uplink, turn: Turn): void {
  session.uplink.dead.delete(uplink.token)
  if (session.uplink.open.get(uplink.msgId) === uplink) session.uplink.open.delete(uplink.msgId)
  forgetUplink(session, uplink, turn)
}

/** Puts a dead letter in line again, as a message that no broker has seen. */
export function resendDeadLetter(session: Session, uplink: Uplink, turn: Turn): void {
  const { dead, open } = session.uplink
  dead.delete(uplink.token)
  if (open.get(uplink.msgId) === uplink) open.delete(uplink.msgId)
  forgetUplink(session, uplink, turn)
  const again: Uplink = {
    ...uplink,
    token: takeToken(session, uplink.qos === 2, turn),
    broker: 'waiting',
    sensor: 'released',
    repeated: false,
    retryAt: 0,
    why: undefined,
  }
  enqueueUplink(session, again)
  addToSpooled(session, 1, uplinkSize(again), turn.env)
  turn.out.push({ type: 'keepUplink', session, uplink: again }, { type: 'saveProgress', session, lazy: true })
}
