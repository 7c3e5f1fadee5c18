// What a sensor has under way to the broker, over all connections and crashes: in order, each once, until the broker's last word [6.6].

import { type Publish, ReturnCode } from '../../codec/v1/messages.ts'
import type { Outcome } from '../events.ts'
import type { Turn } from '../policy.ts'
import { drop, type Session, send, type Uplink } from '../session.ts'
import { acknowledge } from './publish.ts'

const never = Number.POSITIVE_INFINITY

/** Publishes of one sensor that the broker connection has at once; the others wait their turn. */
export const WINDOW = 32

/** What a waiting publish counts against the limits on octets. */
export const sizeOf = ({ data, topic }: Uplink): number => data.length + topic.length

/** A PUBLISH that begins its way. */
export function newUplink(
  session: Session,
  packet: Publish,
  topic: string,
  stored: boolean,
  turn: Turn,
): Uplink {
  return {
    token: session.nextToken++,
    msgId: packet.msgId,
    qos: packet.qos === -1 ? 0 : packet.qos,
    topicIdType: packet.topicIdType === 'reserved' ? 'normal' : packet.topicIdType,
    topicId: packet.topicId,
    topic,
    retain: packet.retain,
    data: packet.data,
    at: turn.now,
    stored,
    stage: 'waiting',
    repeated: false,
    answer: 'none',
    deadline: never,
  }
}

/** Whether the broker may have it, by an identifier that it keeps: it is brought to its end, under that one. */
export const mayBeKnown = ({ qos, repeated }: Uplink): boolean => qos === 2 && repeated

/** Puts it in line; `sendDue` sends it. */
export function open(session: Session, uplink: Uplink): void {
  session.outgoing.set(uplink.token, uplink)
}

/** Adds it to what waits of the sensor, or takes it out. */
export function count({ spooled }: Session, uplink: Uplink, sign: 1 | -1): void {
  spooled.messages += sign
  spooled.octets += sign * sizeOf(uplink)
}

/** It needs nothing more from the broker. */
export function leave(session: Session, uplink: Uplink, turn: Turn): void {
  if (session.outgoing.delete(uplink.token) && uplink.stored) count(session, uplink, -1)
  if (uplink.answer === 'pubrel' || uplink.qos !== 2) finish(session, uplink, turn)
}

/** Neither side needs it any more. */
export function finish(session: Session, uplink: Uplink, turn: Turn): void {
  session.outgoing.delete(uplink.token)
  if (uplink.stored || uplink.qos === 2) turn.out.push({ type: 'dropUplink', session, uplink })
}

/** Sends what is next in line, as far as the connection takes it. */
export function sendDue(session: Session, turn: Turn): void {
  const { link, outgoing } = session
  if (link.state !== 'up') return
  let open = 0
  for (const uplink of outgoing.values()) {
    if (open >= WINDOW) return
    open += 1
    if (uplink.stage !== 'waiting') continue
    if (uplink.stored && (link.congested || isPaused(uplink, turn.now))) return
    transmit(session, uplink, turn)
  }
}

/** The broker could not take it a moment ago. */
const isPaused = ({ deadline }: Uplink, now: number): boolean => deadline !== never && deadline > now

function transmit(session: Session, uplink: Uplink, turn: Turn): void {
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
  uplink.stage = 'sent'
  if (uplink.stored) uplink.deadline = never
  if (qos !== 0) return
  uplink.stage = 'done'
  leave(session, uplink, turn)
}

/** A new connection: everything unfinished is sent again, in order; what the broker has already is released [SN-MAP-4]. */
export function resend(session: Session, sessionPresent: boolean, turn: Turn): void {
  for (const uplink of [...session.outgoing.values()]) {
    if (uplink.stage === 'sent') uplink.stage = 'waiting'
    if (uplink.stage !== 'received') continue
    // a broker that has forgotten the session had the message, and must not get it again [MQTT 4.3.3]
    if (sessionPresent) turn.out.push({ type: 'release', session, token: uplink.token })
    else complete(session, uplink, turn)
  }
  sendDue(session, turn)
}

/** QoS 2: the broker has it. Whoever was told to try later learns at the next repetition. */
export function onReceived(session: Session, token: number, turn: Turn): void {
  const uplink = session.outgoing.get(token)
  if (uplink?.stage === 'sent') receive(session, uplink, turn)
  turn.out.push({ type: 'release', session, token })
}

function receive(session: Session, uplink: Uplink, turn: Turn): void {
  const told = uplink.deadline === never
  uplink.stage = 'received'
  uplink.deadline = never
  const answers = !uplink.stored && !told && uplink.answer === 'none'
  if (answers) uplink.answer = 'pubrec'
  turn.out.push({ type: 'keepUplink', session, uplink }) // a repetition must be known as such after a restart too
  if (answers) send(session, { type: 'pubrec', msgId: uplink.msgId }, turn)
}

/** The broker has finished it, or refused it. */
export function onPublished(session: Session, token: number, outcome: Outcome, turn: Turn): void {
  const uplink = session.outgoing.get(token)
  if (uplink === undefined) return
  if (outcome === ReturnCode.accepted) complete(session, uplink, turn)
  else if (uplink.stored) failStored(session, uplink, outcome, turn)
  else fail(session, uplink, outcome, turn)
  sendDue(session, turn)
}

function complete(session: Session, uplink: Uplink, turn: Turn): void {
  const { msgId } = uplink
  if (uplink.qos === 2 && uplink.stage === 'sent') receive(session, uplink, turn)
  const told = uplink.deadline === never
  uplink.stage = 'done'
  leave(session, uplink, turn)
  if (uplink.stored || session.uplinks.get(msgId) !== uplink) return
  if (uplink.qos === 2 && uplink.answer !== 'pubrel') return // PUBREL is still to come
  session.uplinks.delete(msgId)
  if (uplink.qos === 2) return send(session, { type: 'pubcomp', msgId }, turn)
  session.lastUplink = uplink
  if (!told) acknowledge(session, uplink, ReturnCode.accepted, turn)
}

function fail(session: Session, uplink: Uplink, outcome: Outcome, turn: Turn): void {
  const answers = uplink.stage === 'sent' && uplink.deadline !== never
  const isOpen = session.uplinks.get(uplink.msgId) === uplink
  uplink.stage = 'done'
  if (isOpen) session.uplinks.delete(uplink.msgId)
  finish(session, uplink, turn)
  if (isOpen && answers) acknowledge(session, uplink, outcome, turn)
}

/** The sensor was promised that it arrives: it is tried again, unless the broker will never take it. */
function failStored(session: Session, uplink: Uplink, outcome: Outcome, turn: Turn): void {
  if (outcome === ReturnCode.congestion) {
    uplink.stage = 'waiting'
    uplink.deadline = turn.now + turn.env.settings.timers.tWait
    return
  }
  uplink.stage = 'done'
  leave(session, uplink, turn)
  drop(session, 'refused', turn)
}

/**
 * The broker connection is closed for good: what the broker does not have, the sensor sends again; what it has must not be
 * forwarded a second time [SN-PUB-11]. What is stored stays, and QoS 2 as long as the broker knows the session.
 */
export function forgetInflight(session: Session, turn: Turn): void {
  for (const uplink of [...session.outgoing.values()]) {
    if (uplink.stored) continue
    if (mayBeKnown(uplink) && !session.cleanSession) {
      uplink.deadline = never
      continue
    }
    const isOpen = session.uplinks.get(uplink.msgId) === uplink
    if (uplink.stage === 'received' && isOpen) session.outgoing.delete(uplink.token)
    else {
      if (isOpen) session.uplinks.delete(uplink.msgId)
      if (uplink.qos === 0) drop(session, 'upstream-down', turn)
      finish(session, uplink, turn)
    }
    uplink.stage = 'done'
  }
}

/** A new life of the sensor: what it had under way means nothing to it any more. What is stored still goes to the broker. */
export function forgetUplinks(session: Session, turn: Turn): void {
  forgetInflight(session, turn)
  for (const uplink of session.uplinks.values()) {
    uplink.answer = 'pubrel'
    if (uplink.stage === 'done') finish(session, uplink, turn)
  }
  session.uplinks.clear()
  session.lastUplink = undefined
}
