// How a connection ends: DISCONNECT of the sensor, the gateway gives it up, the sensor is lost, the gateway stops [6.12].

import { type Disconnect, ReturnCode } from '../../codec/v1/messages.ts'
import { closeLink, reopenLink } from '../broker/link.ts'
import { stopWaiting } from '../downlink/ask.ts'
import { takeOverOwed } from '../downlink/owed.ts'
import { postponeUnanswered } from '../downlink/queue.ts'
import type { Session } from '../session.ts'
import { isAccepted, isEnded, isLive } from '../states.ts'
import { enter, send, type Turn } from '../turn.ts'
import { spoolWill } from '../uplink/will.ts'
import { abandonSetup, refuseConnect } from './connect.ts'

/** The state is stored before the answer: after a crash the sensor must not be taken for one that listens [AMB-12]. */
export function onDisconnect(session: Session, { duration }: Disconnect, turn: Turn): void {
  const goesToSleep = duration !== null && duration !== 0 && isLive(session)
  // nothing is new, and the answer to a repetition that the store delays would meet a sensor that is awake again
  const isRepeated = goesToSleep && session.state !== 'active' && session.sleep === duration
  if (goesToSleep) {
    session.sleep = duration
    postponeUnanswered(session)
    stopWaiting(session)
    enter(session, 'asleep', `DISCONNECT for ${duration} s`, turn)
  } else {
    enter(session, 'disconnected', 'DISCONNECT', turn)
    noteFarewell(session, turn)
  }
  if (session.established) turn.out.push({ type: 'saveProgress', session, lazy: isRepeated })
  send(session, { type: 'disconnect', duration: null }, turn) // always without Duration [SN-COD-6]
  if (session.link.owesFarewell && session.link.state !== 'up') reopenLink(session, turn)
}

/**
 * An MQTT 5 broker that waits for a lost connection to come back would publish the will at last, although the sensor left
 * properly: it is told on a new connection, also after a crash of the gateway. So it is where CONNECT has not left yet: the sensor may
 * have repeated it, since whoever sent it on was killed. Nothing is kept of strangers for that.
 */
function noteFarewell(session: Session, turn: Turn): void {
  const { link, will } = session
  if (link.pool !== undefined) return // the broker has no will of its
  const isUnsaid = link.state === 'connecting' && session.established && !turn.leavesAtOnce(session)
  // on an open connection it is settled at the end of the turn, if it can leave then
  const isOwed = link.lostAt !== undefined || link.state === 'up' || isUnsaid
  link.owesFarewell = will.topic !== undefined && isOwed
}

/**
 * There will be no broker connection: an active or awake sensor is told, so that it connects again; a sleeping one
 * learns at its next message, as a stranger [SN-MAP-32, -33].
 */
export function giveUpSession(session: Session, why: string, turn: Turn): void {
  if (session.state !== 'asleep') send(session, { type: 'disconnect', duration: null }, turn)
  enter(session, 'disconnected', why, turn)
}

/**
 * Keep-alive or sleep time has passed in silence: the broker publishes the will, or the gateway if others share the connection
 * [SN-WILL-6, SN-STA-3]. The state is stored before that.
 */
export function loseSensor(session: Session, why: string, turn: Turn): void {
  turn.out.push({ type: 'saveProgress', session, lazy: false })
  if (session.link.pool === undefined) closeLink(session, true, turn)
  else spoolWill(session, turn)
  enter(session, 'lost', why, turn)
}

/** Another sensor is at its address: it is not there any more, and counts as lost [SN-CONN-12]. */
export function onDisplaced(session: Session, by: string, turn: Turn): void {
  const why = `its address now belongs to ${JSON.stringify(by)}`
  if (isAccepted(session)) loseSensor(session, why, turn)
  else if (!isEnded(session)) abandonSetup(session, why, turn)
}

/** The gateway stops, and goes on with this session when it starts again: what is on its way must be in the store by then. */
export function onSuspend(session: Session, turn: Turn): void {
  takeOverOwed(session, turn)
  turn.out.push({ type: 'saveProgress', session, lazy: true })
}

/** The gateway stops: listening sensors are told, the broker publishes no will [SN-ROB-5]. */
export function onShutdown(session: Session, turn: Turn): void {
  const why = 'the gateway stops'
  if (isEnded(session)) return
  if (isAccepted(session)) giveUpSession(session, why, turn)
  else refuseConnect(session, ReturnCode.congestion, why, turn, 'stopping') // before CONNACK there is no other answer [SN-CONN-14]
}
