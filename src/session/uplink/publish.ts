// From the sensor to the broker: PUBLISH at QoS 0, 1 and 2, end to end [6.6], and QoS -1 of a connected sensor [6.8].

import { type Publish, type Pubrel, ReturnCode } from '../../codec/v1/messages.ts'
import { isTopicName, octets } from '../../mqtt-topics.ts'
import { isResuming } from '../broker/link.ts'
import type { Predefined, Turn } from '../policy.ts'
import { drop, type Session, send, type Uplink } from '../session.ts'
import { shortName, type Topics } from '../topics/registry.ts'
import { isSpoolOrdered, spool } from './spool.ts'
import { finish, mayBeKnown, newUplink, open, sendDue } from './uplinks.ts'

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

/** QoS 0 messages that wait until a connection is there again that a restart of the gateway has cut. */
const MOST_EARLY = 16

function publishOnce(session: Session, packet: Publish, topic: string, turn: Turn): void {
  const { policy, outgoing, link } = session
  const stores = policy.ack === 'store' && policy.spool.qos0
  if (isReady(session) && !(stores && isSpoolOrdered(session))) {
    return forward(session, topic, packet.data, packet.retain, turn)
  }
  if (stores) return void spool(session, newUplink(session, packet, topic, true, turn), turn)
  if (isResuming(session) && outgoing.size < MOST_EARLY) {
    return open(session, newUplink(session, packet, topic, false, turn))
  }
  drop(session, link.congested ? 'congestion' : 'upstream-down', turn)
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
  else forward(session, topic, packet.data, packet.retain && qosMinusOne.retain, turn)
}

function forward(session: Session, topic: string, payload: Uint8Array, retain: boolean, turn: Turn): void {
  turn.out.push({ type: 'publish', session, token: 0, topic, payload, qos: 0, retain, repeated: false })
}

function publishSurely(session: Session, packet: Publish, topic: string, qos: 1 | 2, turn: Turn): void {
  const { uplinks, lastUplink, policy } = session
  const known = uplinks.get(packet.msgId)
  if (known !== undefined && isSame(known, packet, topic)) return repeatAnswer(session, known, turn)
  if (packet.dup && lastUplink?.msgId === packet.msgId && isSame(lastUplink, packet, topic)) {
    return acknowledge(session, lastUplink, ReturnCode.accepted, turn) // its PUBACK was lost [SN-PUB-12]
  }
  if (known !== undefined) abandon(session, known, turn)
  const stored = policy.ack === 'store'
  if ((session.link.congested && !stored) || !makeRoom(session, turn)) {
    return refuse(session, packet, ReturnCode.congestion, turn)
  }
  const uplink = newUplink(session, packet, topic, stored, turn)
  if (stored) return publishStored(session, uplink, turn)
  uplink.deadline = turn.now + turn.env.settings.timers.answer
  uplinks.set(uplink.msgId, uplink)
  open(session, uplink)
  // its identifier at the broker must outlive a crash, or the broker would take the repetition for another message
  if (qos === 2) turn.out.push({ type: 'keepUplink', session, uplink })
  sendDue(session, turn)
}

/** The gateway takes it over: answered when it is in the store, forwarded when the broker is there. */
function publishStored(session: Session, uplink: Uplink, turn: Turn): void {
  if (uplink.qos === 2) {
    uplink.answer = 'pubrec'
    session.uplinks.set(uplink.msgId, uplink)
  }
  if (!spool(session, uplink, turn)) {
    session.uplinks.delete(uplink.msgId)
    return acknowledge(session, uplink, ReturnCode.congestion, turn)
  }
  if (uplink.qos === 2) return send(session, { type: 'pubrec', msgId: uplink.msgId }, turn)
  session.lastUplink = uplink
  acknowledge(session, uplink, ReturnCode.accepted, turn)
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

const brokerHas = ({ stage }: Uplink): boolean => stage === 'received' || stage === 'done'

/** A repetition is never forwarded again; the answer already given is [SN-PUB-10, -11]. */
function repeatAnswer(session: Session, uplink: Uplink, turn: Turn): void {
  if (uplink.stored || brokerHas(uplink)) {
    uplink.answer = 'pubrec'
    send(session, { type: 'pubrec', msgId: uplink.msgId }, turn)
  } else if (uplink.deadline === never) uplink.deadline = turn.now + turn.env.settings.timers.answer
}

/** The sensor has given this one up; what the broker may have of it is still brought to its end. */
function abandon(session: Session, uplink: Uplink, turn: Turn): void {
  uplink.answer = 'pubrel'
  session.uplinks.delete(uplink.msgId)
  if (!uplink.stored && uplink.stage === 'waiting' && !mayBeKnown(uplink)) uplink.stage = 'done'
  if (uplink.stage === 'done') finish(session, uplink, turn)
}

/** A transaction that only lacks a PUBREL which the sensor seems to have forgotten makes room for a new one. */
function makeRoom(session: Session, turn: Turn): boolean {
  const { uplinks } = session
  if (uplinks.size < turn.env.settings.limits.inflight) return true
  for (const uplink of uplinks.values()) {
    if (uplink.stage !== 'done' && !uplink.stored) continue
    abandon(session, uplink, turn)
    return true
  }
  return false
}

/** PUBACK of this PUBLISH, with an error or without [SN-PUB-4]. */
export function acknowledge(session: Session, uplink: Uplink, returnCode: ReturnCode, turn: Turn): void {
  const { topicId, msgId } = uplink
  send(session, { type: 'puback', topicId, msgId, returnCode }, turn)
}

export function onPubrel(session: Session, { msgId }: Pubrel, turn: Turn): void {
  const uplink = session.uplinks.get(msgId)
  if (uplink === undefined) return send(session, { type: 'pubcomp', msgId }, turn) // ours was lost [SN-PUB-11]
  if (!uplink.stored && !brokerHas(uplink)) return
  uplink.answer = 'pubrel'
  if (!uplink.stored && uplink.stage === 'received') return // PUBCOMP follows the broker's
  session.uplinks.delete(msgId)
  if (uplink.stage === 'done') finish(session, uplink, turn)
  else turn.out.push({ type: 'keepUplink', session, uplink })
  send(session, { type: 'pubcomp', msgId }, turn)
}

/** Those whose time is up: the sensor is told to try later, while a forwarded one may still succeed [SN-MAP-27]. */
export function onUplinkDeadlines(session: Session, turn: Turn): void {
  for (const uplink of session.uplinks.values()) {
    if (uplink.stored || uplink.deadline > turn.now) continue
    uplink.deadline = never
    if (uplink.stage === 'waiting' && !mayBeKnown(uplink)) abandon(session, uplink, turn)
    acknowledge(session, uplink, ReturnCode.congestion, turn)
  }
}
