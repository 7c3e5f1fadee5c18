// From the sensor to the broker: PUBLISH at QoS 0, 1 and 2, end to end [6.6], and QoS -1 of a connected sensor [6.8].

import { type Publish, type Pubrel, ReturnCode } from '../../codec/v1/messages.ts'
import { isBlamed } from '../broker/blame.ts'
import { fitsBroker } from '../broker/limits.ts'
import { isResuming } from '../broker/link.ts'
import { isCautious, noteUnanswered } from '../broker/suspicion.ts'
import { noteMiss, noteProof } from '../downlink/validation.ts'
import type { Uplink } from '../message.ts'
import { type RefusalReason, reasonForTopic } from '../refusal.ts'
import type { Session } from '../session.ts'
import { noteTopicUse } from '../topics/forget.ts'
import { permitsTopic } from '../topics/permission.ts'
import { topicOfPublish } from '../topics/topic-names.ts'
import { drop, refuse, send, type Turn } from '../turn.ts'
import { dismissUplink } from './backlog.ts'
import { isSpoolOrdered, spoolUplink } from './spool.ts'
import {
  abandonUplink,
  brokerHas,
  enqueueUplink,
  forgetUplink,
  mayBeKnown,
  newUplink,
  sendPuback,
} from './uplinks.ts'

export function onPublish(session: Session, packet: Publish, turn: Turn): void {
  if (packet.qos === -1) return publishUnanswered(session, packet, turn)
  const topic = topicOfPublish(packet, session.topics, session.policy.predefined)
  if (typeof topic !== 'string') {
    noteMiss(session)
    return refusePublish(session, packet, topic, reasonForTopic(topic), turn)
  }
  if (packet.topicIdType === 'normal') noteOwnTopic(session, packet.topicId, turn)
  if (packet.qos !== 0 && isRepetition(session, packet, topic, turn)) return // answered as before, whatever has changed since
  if (!permitsTopic(session.policy.publish, topic)) {
    return refusePublish(session, packet, ReturnCode.notSupported, 'topic-not-permitted', turn, topic)
  }
  if (!fitsBroker(session.link.limits, packet, topic)) {
    return refusePublish(session, packet, ReturnCode.notSupported, 'broker-cannot', turn)
  }
  if (session.link.hangUps.blamed.length > 0 && isHungUpAt(session, packet, packet.qos, topic, turn)) {
    return refusePublish(session, packet, ReturnCode.notSupported, 'broker-hung-up', turn)
  }
  if (packet.qos === 0) publishOnce(session, packet, topic, turn)
  else publishSurely(session, packet, topic, turn)
}

/** Who knows an id that the gateway chose by chance has heard it. */
function noteOwnTopic(session: Session, topicId: number, turn: Turn): void {
  noteTopicUse(session, topicId, turn)
  if (!session.validation.done) noteProof(session)
}

/** An error is answered with PUBACK whatever the QoS [SN-PUB-4]. */
function refusePublish(
  session: Session,
  { topicId, msgId }: Publish,
  returnCode: ReturnCode,
  reason: RefusalReason,
  turn: Turn,
  detail?: string,
): void {
  refuse(session, { type: 'puback', topicId, msgId, returnCode }, reason, turn, detail)
}

/** Whether a QoS 0 publish may pass those that wait: not while they go one at a time. */
const isReady = (session: Session): boolean =>
  session.link.state === 'up' && !session.link.congested && !isCautious(session)

/** QoS 0 messages that wait until a connection is there again that a restart of the gateway has cut, or for their turn. */
const MOST_EARLY = 16

function publishOnce(session: Session, packet: Publish, topic: string, turn: Turn): void {
  const { policy, link, uplink: side } = session
  const stores = policy.ack === 'store' && policy.spool.qos0
  if (isReady(session) && !(stores && isSpoolOrdered(session))) {
    return forward(session, topic, packet.data, packet.retain, turn)
  }
  if (stores) return void spoolUplink(session, newUplink(session, packet, topic, true, turn), turn)
  const inMemory = side.outgoing.size + (side.backlog?.inMemory.size ?? 0)
  if ((isResuming(session) || isCautious(session)) && inMemory < MOST_EARLY) {
    return enqueueUplink(session, newUplink(session, packet, topic, false, turn))
  }
  drop(session, link.congested ? 'congestion' : 'upstream-down', turn)
  if (turn.now - side.congestionToldAt < turn.env.settings.timers.tWait) return
  side.congestionToldAt = turn.now // once per T_WAIT [SN-MAP-27]
  refusePublish(
    session,
    packet,
    ReturnCode.congestion,
    link.congested ? 'congestion' : 'broker-unavailable',
    turn,
  )
}

/** QoS -1 from a connected sensor goes its own way to the broker, and never gets an answer [SN-QM1-2, -8]. */
function publishUnanswered(session: Session, packet: Publish, turn: Turn): void {
  const { qosMinusOne } = turn.env.settings
  const { policy, link } = session
  const topic =
    packet.topicIdType === 'normal' ? undefined : topicOfPublish(packet, undefined, policy.predefined)
  if (!qosMinusOne.enabled || (typeof topic === 'string' && !permitsTopic(policy.publish, topic)))
    drop(session, 'not-allowed', turn)
  else if (typeof topic !== 'string' || !fitsBroker(link.limits, packet, topic))
    drop(session, 'invalid-topic', turn)
  else if (isHungUpAt(session, packet, 0, topic, turn)) return
  else if (!isReady(session)) drop(session, 'upstream-down', turn)
  else forward(session, topic, packet.data, packet.retain && qosMinusOne.retain, turn)
}

/** Whether the broker hung up at the like of it not long ago; it is counted then. */
function isHungUpAt(
  session: Session,
  { retain, data: { length } }: Publish,
  qos: 0 | 1 | 2,
  topic: string,
  turn: Turn,
): boolean {
  if (!isBlamed(session, { kind: 'publish', topic, qos, retain, length }, turn.now)) return false
  drop(session, 'hung-up', turn)
  return true
}

function forward(session: Session, topic: string, payload: Uint8Array, retain: boolean, turn: Turn): void {
  noteUnanswered(session, topic, retain, payload.length, turn)
  turn.out.push({ type: 'publish', session, token: 0, topic, payload, qos: 0, retain, repeated: false })
}

/** Whether it is a repetition, which is dealt with. Another message of the same MsgId means that the sensor has given that one up. */
function isRepetition(session: Session, packet: Publish, topic: string, turn: Turn): boolean {
  const { open, lastAcknowledged: last } = session.uplink
  const known = open.get(packet.msgId)
  if (known !== undefined && isSame(known, packet, topic)) repeatAnswer(session, known, turn)
  else if (packet.dup && last?.msgId === packet.msgId && isSame(last, packet, topic))
    sendPuback(session, last, ReturnCode.accepted, turn) // its PUBACK was lost [SN-PUB-12]
  else {
    if (known !== undefined) abandonUplink(session, known, turn)
    return false
  }
  return true
}

function publishSurely(session: Session, packet: Publish, topic: string, turn: Turn): void {
  const { policy, uplink: side } = session
  const stored = policy.ack === 'store'
  if (session.link.congested && !stored)
    return refusePublish(session, packet, ReturnCode.congestion, 'congestion', turn)
  if (!makeRoom(session, turn))
    return refusePublish(session, packet, ReturnCode.congestion, 'too-many-requests', turn)
  const uplink = newUplink(session, packet, topic, stored, turn)
  if (stored) return publishStored(session, uplink, turn)
  oweAnswer(uplink, turn)
  side.open.set(uplink.msgId, uplink)
  enqueueUplink(session, uplink)
  // its identifier at the broker must outlive a crash, or the broker would take the repetition for another message
  if (uplink.qos === 2) turn.out.push({ type: 'keepUplink', session, uplink })
}

function oweAnswer(uplink: Uplink, { now, env }: Turn): void {
  uplink.sensor = 'owes'
  uplink.deadline = now + env.settings.timers.answer
}

/** The gateway takes it over: answered when it is in the store, forwarded when the broker is there. */
function publishStored(session: Session, uplink: Uplink, turn: Turn): void {
  const { uplink: side } = session
  uplink.sensor = 'answered'
  if (uplink.qos === 2) side.open.set(uplink.msgId, uplink)
  if (!spoolUplink(session, uplink, turn)) {
    side.open.delete(uplink.msgId)
    return sendPuback(session, uplink, ReturnCode.congestion, turn)
  }
  if (uplink.qos === 2) return send(session, { type: 'pubrec', msgId: uplink.msgId }, turn)
  side.lastAcknowledged = uplink
  sendPuback(session, uplink, ReturnCode.accepted, turn)
}

function isSame(uplink: Uplink, packet: Publish, topic: string): boolean {
  const { data } = packet
  return (
    uplink.qos === packet.qos &&
    uplink.topic === topic &&
    uplink.data.length === data.length &&
    uplink.data.every((octet, i) => octet === data[i])
  )
}

/** A repetition is never forwarded again; the answer already given is [SN-PUB-10, -11]. */
function repeatAnswer(session: Session, uplink: Uplink, turn: Turn): void {
  if (uplink.stored || brokerHas(uplink)) {
    uplink.sensor = 'answered'
    send(session, { type: 'pubrec', msgId: uplink.msgId }, turn)
  } else if (uplink.sensor === 'told') oweAnswer(uplink, turn)
}

/** A transaction that only lacks a PUBREL which the sensor seems to have forgotten makes room for a new one. */
function makeRoom(session: Session, turn: Turn): boolean {
  const { open } = session.uplink
  if (open.size < turn.env.settings.limits.inflight) return true
  for (const uplink of open.values()) {
    if (uplink.broker !== 'done' && !uplink.stored) continue
    abandonUplink(session, uplink, turn)
    return true
  }
  return false
}

export function onPubrel(session: Session, { msgId }: Pubrel, turn: Turn): void {
  const { open } = session.uplink
  const uplink = open.get(msgId)
  if (uplink === undefined) return send(session, { type: 'pubcomp', msgId }, turn) // ours was lost [SN-PUB-11]
  if (!uplink.stored && !brokerHas(uplink)) return
  uplink.sensor = 'released'
  if (!uplink.stored && uplink.broker === 'received') return // PUBCOMP follows the broker's
  open.delete(msgId)
  if (uplink.broker === 'done') forgetUplink(session, uplink, turn)
  else {
    turn.out.push({ type: 'keepUplink', session, uplink })
    dismissUplink(session, uplink)
  }
  send(session, { type: 'pubcomp', msgId }, turn)
}

/** When the first of those that wait for an answer is told to try later; Infinity if none waits. */
export function nextUplinkDeadline({ uplink: { open } }: Session): number {
  let nearest = Number.POSITIVE_INFINITY
  for (const { sensor, deadline } of open.values()) {
    if (sensor === 'owes' && deadline < nearest) nearest = deadline
  }
  return nearest
}

/** Those whose time is up: the sensor is told to try later, while a forwarded one may still succeed [SN-MAP-27]. */
export function onUplinkDeadlines(session: Session, turn: Turn): void {
  for (const uplink of session.uplink.open.values()) {
    if (uplink.sensor !== 'owes' || uplink.deadline > turn.now) continue
    uplink.sensor = 'told'
    if (uplink.broker === 'waiting' && !mayBeKnown(uplink)) abandonUplink(session, uplink, turn)
    sendPuback(session, uplink, ReturnCode.congestion, turn)
  }
}
