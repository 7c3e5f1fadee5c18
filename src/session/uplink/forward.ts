// What goes to the broker of a sensor's publishes, and what the broker says of them [6.6].

import { ReturnCode } from '../../codec/v1/messages.ts'
import { isBlamed, publishSuspect } from '../broker/blame.ts'
import { noteAnswered, noteRefused, noteSent, noteUnanswered } from '../broker/suspicion.ts'
import type { UpstreamEvent } from '../events.ts'
import type { Outcome, Uplink } from '../message.ts'
import type { Session } from '../session.ts'
import { send, sendBacked, type Turn } from '../turn.ts'
import { refillOutgoing } from './backlog.ts'
import { setAsideUplink } from './dead-letters.ts'
import { endTowardsBroker, failUplink, sendPuback, WINDOW } from './uplinks.ts'

/** Messages of refused topics that may be in memory besides those that go: more of them hold back the rest. */
const MOST_HELD = 8 * WINDOW

/** How many of `outgoing` wait because the broker has refused their topic. */
function countHeld({ uplink: { outgoing } }: Session): number {
  let held = 0
  let topics: Set<string> | undefined
  for (const { broker, refusals = 0, topic } of outgoing.values()) {
    if (broker !== 'waiting' || (refusals === 0 && !topics?.has(topic))) continue
    topics ??= new Set()
    topics.add(topic)
    held += 1
  }
  return held
}

/** Sends what is next in line: at most `most`, and as far as the connection takes it. */
export function sendDueUplinks(session: Session, turn: Turn, most = WINDOW): void {
  const { link, uplink: side } = session
  if (side.backlog !== undefined && !link.congested) {
    refillOutgoing(session, Math.min(MOST_HELD, WINDOW + countHeld(session)), turn)
  }
  let [open, left] = [0, most]
  let held: Set<string> | undefined
  for (const uplink of side.outgoing.values()) {
    if (open >= WINDOW || left === 0) return
    if (uplink.broker === 'waiting') {
      if (uplink.stored && link.congested) return
      if (held?.has(uplink.topic)) continue // in order behind one that waits
      if (uplink.retryAt > turn.now) {
        held ??= new Set()
        held.add(uplink.topic)
        continue
      }
    }
    open += 1
    if (uplink.broker !== 'waiting') continue
    if (link.hangUps.blamed.length > 0 && isBlamed(session, publishSuspect(uplink), turn.now)) {
      setAsideUplink(session, uplink, 'hung-up', turn)
      continue
    }
    left -= 1
    sendUplink(session, uplink, turn)
  }
}

function sendUplink(session: Session, uplink: Uplink, turn: Turn): void {
  const { token, topic, data: payload, qos, retain, repeated } = uplink
  turn.out.push({
    type: 'publish',
    session,
    token: qos === 0 ? 0 : token,
    topic,
    payload,
    qos,
    retain,
    repeated,
  })
  uplink.repeated = true
  uplink.broker = 'sent'
  if (qos !== 0) return noteSent(session, turn)
  noteUnanswered(session, topic, retain, payload.length, turn)
  endTowardsBroker(session, uplink, turn)
}

/** A new connection: everything unfinished is sent again, in order; what the broker has already is released [SN-MAP-4]. */
export function resendUplinks(session: Session, sessionPresent: boolean, turn: Turn): void {
  const { link } = session
  link.toRelease = []
  for (const uplink of [...session.uplink.outgoing.values()]) {
    if (uplink.broker === 'sent') uplink.broker = 'waiting'
    if (uplink.broker !== 'received') continue
    // a broker that has forgotten the session had the message, and must not get it again [MQTT 4.3.3]
    if (sessionPresent) link.toRelease = [...link.toRelease, uplink.token]
    else completeUplink(session, uplink, turn)
  }
}

/** Releases what the broker has of an earlier connection, at most `most`; true if there was something. */
export function sendDueReleases(session: Session, turn: Turn, most = Number.POSITIVE_INFINITY): boolean {
  const { link, uplink: side } = session
  const tokens = link.toRelease.filter((token) => side.outgoing.get(token)?.broker === 'received')
  link.toRelease = tokens.slice(most)
  for (const token of tokens.slice(0, most)) release(session, token, turn)
  return tokens.length > 0
}

function release(session: Session, token: number, turn: Turn): void {
  noteSent(session, turn)
  turn.out.push({ type: 'release', session, token })
}

/** QoS 2: the broker has it. Whoever was told to try later learns at the next repetition. */
export function onReceived(session: Session, token: number, turn: Turn): void {
  noteAnswered(session)
  const uplink = session.uplink.outgoing.get(token)
  if (uplink?.broker === 'sent') receive(session, uplink, turn)
  release(session, token, turn)
}

function receive(session: Session, uplink: Uplink, turn: Turn): void {
  uplink.broker = 'received'
  const owes = uplink.sensor === 'owes'
  if (owes) uplink.sensor = 'answered'
  turn.out.push({ type: 'keepUplink', session, uplink }) // a repetition must be known as such after a restart too
  // The sensor may know it before that is durable: after a crash until then the publish is in the store as it was sent, so the gateway
  // gives it to the broker once more, under its identifier, and answers PUBREL as soon as the broker has said PUBREC again.
  if (owes) sendBacked(session, { type: 'pubrec', msgId: uplink.msgId }, turn)
}

/** The broker has finished it, or refused it. */
export function onPublished(
  session: Session,
  { token, outcome, reason }: Extract<UpstreamEvent, { type: 'published' }>,
  turn: Turn,
): void {
  noteAnswered(session)
  if (outcome === ReturnCode.notSupported) noteRefused(session, turn)
  const uplink = session.uplink.outgoing.get(token)
  if (uplink === undefined) return
  if (outcome === ReturnCode.accepted) completeUplink(session, uplink, turn)
  else if (uplink.stored && reason !== undefined) retryRefused(session, uplink, turn)
  else if (uplink.stored) failStored(session, uplink, outcome, turn)
  else failUplink(session, uplink, outcome, turn)
}

/** The broker has it, and needs nothing more. */
export function completeUplink(session: Session, uplink: Uplink, turn: Turn): void {
  const { msgId } = uplink
  const { uplink: side } = session
  if (uplink.qos === 2 && uplink.broker === 'sent') receive(session, uplink, turn)
  const owes = uplink.sensor === 'owes'
  endTowardsBroker(session, uplink, turn)
  if (uplink.stored || side.open.get(msgId) !== uplink) return
  if (uplink.qos === 2 && uplink.sensor !== 'released') return // PUBREL is still to come
  side.open.delete(msgId)
  if (uplink.qos === 2) return send(session, { type: 'pubcomp', msgId }, turn)
  uplink.sensor = 'answered'
  side.lastAcknowledged = uplink
  if (owes) sendPuback(session, uplink, ReturnCode.accepted, turn)
}

/** Refusals after which it is a dead letter: about an hour with T_WAIT of five minutes. */
const MOST_REFUSALS = 20

/**
 * The broker has refused what the sensor was promised to arrive. Whatever the reason, it may pass: a right that is missing is
 * granted, a quota is raised. It is tried again with pauses that double up to T_WAIT, and what is behind it on the same topic
 * waits; in the end it is set aside.
 */
function retryRefused(session: Session, uplink: Uplink, turn: Turn): void {
  const { now, env } = turn
  const { reconnectMin, tWait } = env.settings.timers
  const refusals = uplink.refusals ?? 0
  if (refusals + 1 >= MOST_REFUSALS) {
    setAsideUplink(session, uplink, 'refused', turn)
    // the next of its topic has waited as long already: it is tried once more
    for (const next of session.uplink.outgoing.values()) {
      if (next.broker !== 'waiting' || next.topic !== uplink.topic) continue
      next.refusals = MOST_REFUSALS - 1
      break
    }
    return
  }
  uplink.broker = 'waiting'
  uplink.refusals = refusals + 1
  uplink.retryAt = now + Math.min(tWait, reconnectMin * 2 ** Math.min(refusals, 30))
}

/** The connection did not send what the sensor was promised to arrive: it is tried again, unless no broker could take it. */
function failStored(session: Session, uplink: Uplink, outcome: Outcome, turn: Turn): void {
  if (outcome === ReturnCode.congestion) {
    uplink.broker = 'waiting'
    uplink.retryAt = turn.now + turn.env.settings.timers.tWait
    return
  }
  setAsideUplink(session, uplink, 'refused', turn)
}
