// Alive, asleep, awake, gone: PINGREQ, DISCONNECT, sleeping sensors, lost ones [6.11, 6.12, 6.14].

import { type Disconnect, type Pingreq, ReturnCode } from '../../codec/v1/messages.ts'
import { closeUnlessNeeded, forgetLink, giveUp, graceIsOver, isResuming, reconnect } from '../broker/link.ts'
import { deliverNext, suspendDelivery } from '../downlink/deliver.ts'
import type { Turn } from '../policy.ts'
import { enter, isLive, type Session, send } from '../session.ts'
import { refuse } from './connect.ts'

/** Seconds plus tolerance, in milliseconds: 10 % above one minute, 50 % up to one minute [7.2, SN-KA-3]. */
const withTolerance = (seconds: number): number => seconds * (seconds > 60 ? 1100 : 1500)

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
  if (graceIsOver(session, turn)) return giveUpAwake(session, turn) // [SN-MAP-33]
  enter(session, 'awake', 'PINGREQ', turn)
  session.awakeCount = 0
  session.awakeUntil = turn.now + turn.env.settings.timers.awake
  session.holdUntil = Math.min(session.holdUntil, turn.now)
  deliverNext(session, turn)
}

function giveUpAwake(session: Session, turn: Turn): void {
  enter(session, 'awake', 'PINGREQ', turn)
  giveUp(session, 'the broker cannot be reached', turn)
}

/** All delivered, or as much as one awake period may hold: PINGRESP, and asleep again [SN-SLP-4, -5, -6]. */
export function finishAwake(session: Session, turn: Turn): void {
  send(session, { type: 'pingresp' }, turn)
  session.heardAt = turn.now // the sleep time starts anew
  fallAsleep(session, 'PINGRESP', turn)
}

/** Asleep: nothing more is sent, what is unfinished waits for the next waking [SN-SLP-1, -7, -10]. */
export function fallAsleep(session: Session, why: string, turn: Turn): void {
  suspendDelivery(session)
  enter(session, 'asleep', why, turn)
}

/** The state is stored before the answer: after a crash the sensor must not be taken for one that listens [AMB-12]. */
export function onDisconnect(session: Session, { duration }: Disconnect, turn: Turn): void {
  const goesToSleep = duration !== null && duration !== 0 && isLive(session)
  if (goesToSleep) {
    session.sleep = duration
    suspendDelivery(session)
    enter(session, 'asleep', `DISCONNECT for ${duration} s`, turn)
  } else enter(session, 'disconnected', 'DISCONNECT', turn)
  if (session.established) turn.out.push({ type: 'saveProgress', session, lazy: false })
  send(session, { type: 'disconnect', duration: null }, turn) // always without Duration [SN-COD-6]
  if (!goesToSleep) leave(session, turn)
}

/**
 * An MQTT 5 broker that waits for a lost connection to come back would publish the will at last, although the sensor left
 * properly: it is told on a new connection.
 */
function leave(session: Session, turn: Turn): void {
  const { link, will } = session
  session.owesFarewell = link.state !== 'up' && link.lostAt !== undefined && will.topic !== undefined
  if (session.owesFarewell && link.state === 'closed') reconnect(session, turn)
  else closeUnlessNeeded(session, turn)
}

/** How long the end of a silent sensor waits for its first broker connection after a restart, milliseconds. */
const PATIENCE = 60_000

/** When a sensor that stays silent counts as lost; Infinity where nothing is supervised. */
export function silenceDeadline(session: Session, inactivity: number): number {
  const silentUntil = session.heardAt + allowedSilence(session, inactivity)
  // without its connection the broker would not publish its will
  if (session.will.topic === undefined || !isResuming(session)) return silentUntil
  return Math.max(silentUntil, (session.link.lostAt ?? 0) + PATIENCE)
}

/** Milliseconds, by its state. */
function allowedSilence({ state, keepAlive, sleep }: Session, inactivity: number): number {
  if (state === 'asleep') return withTolerance(sleep)
  if (state !== 'active') return Number.POSITIVE_INFINITY
  if (keepAlive > 0) return withTolerance(keepAlive)
  return inactivity > 0 ? inactivity : Number.POSITIVE_INFINITY // [SN-KA-4]
}

/** Keep-alive or sleep time has passed in silence: the broker publishes the will [SN-WILL-6, SN-STA-3]. */
export function lose(session: Session, why: string, turn: Turn): void {
  turn.out.push({ type: 'close', session, publishWill: true })
  forgetLink(session)
  enter(session, 'lost', why, turn)
  if (session.spooled.messages > 0) closeUnlessNeeded(session, turn)
}

/** The gateway stops: listening sensors are told, the broker publishes no will [SN-ROB-5]. */
export function onShutdown(session: Session, turn: Turn): void {
  const why = 'the gateway stops'
  switch (session.state) {
    case 'disconnected':
    case 'lost':
      return
    case 'active':
    case 'awake':
    case 'asleep':
      return giveUp(session, why, turn)
    default: // before CONNACK there is no other answer [SN-CONN-14]
      return refuse(session, ReturnCode.congestion, why, turn)
  }
}
