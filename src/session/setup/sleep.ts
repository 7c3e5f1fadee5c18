// PINGREQ, and sleeping sensors: asleep, awake for what waits for them, asleep again [6.11, 6.14].

import type { Pingreq } from '../../codec/v1/messages.ts'
import { graceIsOver } from '../broker/link.ts'
import { stopWaiting } from '../downlink/ask.ts'
import type { Session } from '../session.ts'
import { enter, send, type Turn } from '../turn.ts'
import { giveUpSession } from './disconnect.ts'

/** PINGREQ from a connected sensor; that its ClientId fits was settled before. */
export function onPingreq(session: Session, _packet: Pingreq, turn: Turn): void {
  switch (session.state) {
    case 'active':
      return send(session, { type: 'pingresp' }, turn)
    case 'asleep':
      return wakeUp(session, turn)
    default: // awake: the delivery goes on, and ends with the one PINGRESP [SN-SLP-9]
  }
}

function wakeUp(session: Session, turn: Turn): void {
  enter(session, 'awake', 'PINGREQ', turn)
  if (graceIsOver(session, turn))
    return giveUpSession(session, 'without a broker connection for longer than broker.grace', turn) // [SN-MAP-33]
  const { downlink } = session
  downlink.awake = { sent: 0, until: turn.now + turn.env.settings.timers.awake, over: false }
  downlink.holdUntil = undefined
}

/** All delivered, or as much as one awake period may hold: PINGRESP, and asleep again [SN-SLP-4, -5, -6]. */
export function finishAwake(session: Session, turn: Turn): void {
  send(session, { type: 'pingresp' }, turn)
  session.heardAt = turn.now // the sleep time starts anew
  fallAsleep(session, 'PINGRESP', turn)
}

/** Asleep: nothing more is sent, what is unfinished waits for the next waking [SN-SLP-1, -7, -10]. */
export function fallAsleep(session: Session, why: string, turn: Turn): void {
  stopWaiting(session)
  session.downlink.awake = undefined
  enter(session, 'asleep', why, turn)
}
