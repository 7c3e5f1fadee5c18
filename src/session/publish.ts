// From the sensor to the broker: PUBLISH at QoS 0, 1 and 2, end to end [6.6], and QoS -1 of a connected sensor [6.8].

import { type Publish, type Pubrel, ReturnCode } from '../codec/messages.ts'
import type { Outcome } from './events.ts'
import { drop, type Session, send, type Uplink } from './session.ts'
import type { Predefined, Turn } from './settings.ts'
import { isTopicName, octets, shortName, type Topics } from './topics.ts'

const never = Number.POSITIVE_INFINITY

/** The topic name that a PUBLISH means, or the code that refuses it [6.7]. */
export function topicOf(
  { topicIdType, topicId }: Publish,
  topics: Topics | undefined,
  predefined: Predefined,
): string | ReturnCode {
  switch (topicIdType) {
    case 'normal':
      return topics?.byId.get(topicId) ?? ReturnCode.invalidTopicId
    case 'predefined':
      return predefined.byId.get(topicId) ?? ReturnCode.invalidTopicId
    case 'short': {
      const name = shortName(topicId)
      return name !== undefined && isTopicName(name) ? name : ReturnCode.notSupported // [SN-PUB-8]
    }
    case 'reserved':
      return ReturnCode.notSupported
  }
}

export function onPublish(session: Session, packet: Publish, turn: Turn): void {
  if (packet.qos === -1) return publishUnanswered(session, packet, turn)
  const topic = topicOf(packet, session.topics, session.policy.predefined)
  if (typeof topic !== 'string') return refuse(session, packet, topic, turn)
  if (!fitsBroker(session, packet, topic)) return refuse(session, packet, ReturnCode.notSupported, turn)
  if (packet.qos === 0) publishOnce(session, packet, topic, turn)
  else publishSurely(session, packet, topic, packet.qos, turn)
}

/** An error is answered with PUBACK whatever the QoS [SN-PUB-4]. */
function refuse(session: Session, { topicId, msgId }: Publish, returnCode: ReturnCode, turn: Turn): void {
  send(session, { type: 'puback', topicId, msgId, returnCode }, turn)
}

/** Octets that an MQTT PUBLISH may need beyond topic and payload. */
const MQTT_HEADER = 16

/** Whether the broker can take it: sending what it cannot would make it close the connection [SN-MAP-9]. */
function fitsBroker({ link: { limits } }: Session, { qos, retain, data }: Publish, topic: string): boolean {
  if (limits === undefined) return true
  return (
    qos <= limits.maximumQos &&
    (limits.retainAvailable || !retain) &&
    octets(topic) + data.length + MQTT_HEADER <= limits.maximumPacketSize
  )
}

const isReady = ({ link }: Session): boolean => link.state === 'up' && !link.congested

function publishOnce(session: Session, packet: Publish, topic: string, turn: Turn): void {
  if (isReady(session)) return forward(session, 0, topic, packet.data, 0, packet.retain, turn)
  drop(session, session.link.congested ? 'congestion' : 'upstream-down', turn)
  if (turn.now - session.congestionToldAt < turn.env.settings.timers.tWait) return
  session.congestionToldAt = turn.now // once per T_WAIT [SN-MAP-27]
  refuse(session, packet, ReturnCode.congestion, turn)
}

/** QoS -1 from a connected sensor goes its own way to the broker, and never gets an answer [SN-QM1-2, -8]. */
function publishUnanswered(session: Session, packet: Publish, turn: Turn): void {
  const { qosMinusOne } = turn.env.settings
  const topic =
    packet.topicIdType === 'normal' ? undefined : topicOf(packet, undefined, session.policy.predefined)
  if (!qosMinusOne.enabled) drop(session, 'not-allowed', turn)
  else if (typeof topic !== 'string' || !fitsBroker(session, packet, topic))
    drop(session, 'invalid-topic', turn)
  else if (!isReady(session)) drop(session, 'upstream-down', turn)
  else forward(session, 0, topic, packet.data, 0, packet.retain && qosMinusOne.retain, turn)
}

function forward(
  session: Session,
  token: number,
  topic: string,
  payload: Uint8Array,
  qos: 0 | 1 | 2,
  retain: boolean,
  turn: Turn,
): void {
  turn.out.push({ type: 'publish', session, token, topic, payload, qos, retain })
}

function publishSurely(session: Session, packet: Publish, topic: string, qos: 1 | 2, turn: Turn): void {
  const { uplinks } = session
  const open = uplinks.get(packet.msgId)
  if (open !== undefined && isSame(open, packet, topic)) return repeatAnswer(session, open, turn)
  const last = session.lastUplink
  if (packet.dup && last !== undefined && last.msgId === packet.msgId && isSame(last, packet, topic)) {
    return acknowledge(session, last, ReturnCode.accepted, turn) // its PUBACK was lost [SN-PUB-12]
  }
  uplinks.delete(packet.msgId) // the sensor has given up the earlier one
  if (session.link.congested || !makeRoom(session, turn)) {
    return refuse(session, packet, ReturnCode.congestion, turn)
  }
  const uplink: Uplink = {
    msgId: packet.msgId,
    qos,
    topicIdType: packet.topicIdType === 'reserved' ? 'normal' : packet.topicIdType,
    topicId: packet.topicId,
    topic,
    retain: packet.retain,
    data: packet.data,
    token: session.nextToken++,
    stage: 'waiting',
    deadline: turn.now + turn.env.settings.timers.answer,
  }
  uplinks.set(packet.msgId, uplink)
  if (session.link.state === 'up') transmit(session, uplink, turn)
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
  const { stage, msgId } = uplink
  if (stage === 'received' || stage === 'completed') send(session, { type: 'pubrec', msgId }, turn)
  else if (uplink.deadline === never) uplink.deadline = turn.now + turn.env.settings.timers.answer
}

/** A transaction that only lacks a PUBREL which the sensor seems to have forgotten makes room for a new one. */
function makeRoom({ uplinks }: Session, { env }: Turn): boolean {
  if (uplinks.size < env.settings.limits.inflight) return true
  for (const { msgId, stage } of uplinks.values()) {
    if (stage === 'completed') return uplinks.delete(msgId)
  }
  return false
}

function transmit(session: Session, uplink: Uplink, turn: Turn): void {
  uplink.stage = 'sent'
  forward(session, uplink.token, uplink.topic, uplink.data, uplink.qos, uplink.retain, turn)
}

/** What came while the broker was away, in order. */
export function sendWaiting(session: Session, turn: Turn): void {
  for (const uplink of session.uplinks.values())
    if (uplink.stage === 'waiting') transmit(session, uplink, turn)
}

function acknowledge(session: Session, uplink: Uplink, returnCode: ReturnCode, turn: Turn): void {
  const { topicId, msgId } = uplink
  send(session, { type: 'puback', topicId, msgId, returnCode }, turn)
}

function findByToken({ uplinks }: Session, token: number): Uplink | undefined {
  for (const uplink of uplinks.values()) if (uplink.token === token) return uplink
  return undefined
}

/** QoS 2: the broker has it. Whoever was told to try later learns at the next repetition. */
export function onReceived(session: Session, token: number, turn: Turn): void {
  const uplink = findByToken(session, token)
  if (uplink?.stage !== 'sent') return
  const told = uplink.deadline === never
  uplink.stage = 'received'
  uplink.deadline = never
  turn.out.push({ type: 'save', session }) // a repetition must be known as such after a restart too
  if (!told) send(session, { type: 'pubrec', msgId: uplink.msgId }, turn)
}

/** The broker has finished it, or refused it. */
export function onPublished(session: Session, token: number, outcome: Outcome, turn: Turn): void {
  const uplink = findByToken(session, token)
  if (uplink === undefined) return
  const { msgId, stage } = uplink
  const told = uplink.deadline === never && stage === 'sent'
  if (uplink.qos === 2 && outcome === ReturnCode.accepted && stage !== 'released') {
    if (stage === 'sent') onReceived(session, token, turn)
    uplink.stage = 'completed' // PUBREL is still to come
    return
  }
  session.uplinks.delete(msgId)
  if (outcome !== ReturnCode.accepted) {
    if (!told && stage === 'sent') acknowledge(session, uplink, outcome, turn)
  } else if (uplink.qos === 2) {
    turn.out.push({ type: 'save', session })
    send(session, { type: 'pubcomp', msgId }, turn)
  } else {
    session.lastUplink = uplink
    if (!told) acknowledge(session, uplink, ReturnCode.accepted, turn)
  }
}

export function onPubrel(session: Session, { msgId }: Pubrel, turn: Turn): void {
  const uplink = session.uplinks.get(msgId)
  if (uplink?.stage === 'received')
    uplink.stage = 'released' // PUBCOMP follows the broker's
  else if (uplink === undefined || uplink.stage === 'completed') {
    if (session.uplinks.delete(msgId)) turn.out.push({ type: 'save', session })
    send(session, { type: 'pubcomp', msgId }, turn) // also for an unknown one: ours was lost [SN-PUB-11]
  }
}

/**
 * The broker connection is closed for good: what the broker may not have, the sensor sends again; what it has must not be
 * forwarded a second time [SN-PUB-11].
 */
export function forgetInflight({ uplinks }: Session): void {
  for (const uplink of uplinks.values()) {
    if (uplink.stage === 'waiting' || uplink.stage === 'sent') uplinks.delete(uplink.msgId)
    else uplink.stage = 'completed'
  }
}

/** Those whose time is up: the sensor is told to try later, while a forwarded one may still succeed [SN-MAP-27]. */
export function onUplinkDeadlines(session: Session, turn: Turn): void {
  for (const uplink of session.uplinks.values()) {
    if (uplink.deadline > turn.now) continue
    if (uplink.stage === 'waiting') session.uplinks.delete(uplink.msgId)
    uplink.deadline = never
    acknowledge(session, uplink, ReturnCode.congestion, turn)
  }
}
