// What a sensor has under way to the broker, over all connections and crashes: in order, each once, until the broker's last word [6.6].

import type { Publish, ReturnCode } from '../../codec/v1/messages.ts'
import type { Outcome, Uplink } from '../message.ts'
import type { RefusalReason } from '../refusal.ts'
import type { Session } from '../session.ts'
import { drop, refuse, send, type Turn, takeToken } from '../turn.ts'
import { addToSpooled, appendUplink, dismissUplink, uplinksInMemory } from './backlog.ts'
import { uplinkSize } from './record.ts'

const never = Number.POSITIVE_INFINITY

/** Publishes of one sensor that the broker connection has at once; the others wait their turn. */
export const WINDOW = 32

/** A PUBLISH that begins its way; whoever takes it decides what the sensor is owed. */
export const newUplink = (
  session: Session,
  packet: Publish,
  topic: string,
  stored: boolean,
  turn: Turn,
): Uplink => ({
  token: takeToken(session, packet.qos === 2, turn),
  msgId: packet.msgId,
  qos: packet.qos === -1 ? 0 : packet.qos,
  topicIdType: packet.topicIdType === 'reserved' ? 'normal' : packet.topicIdType,
  topicId: packet.topicId,
  topic,
  retain: packet.retain,
  data: packet.data,
  at: turn.now,
  stored,
  repeated: false,
  broker: 'waiting',
  sensor: 'released',
  deadline: never,
  retryAt: 0,
})

/** Whether the broker may have it, by an identifier that it keeps: it is brought to its end, under that one. */
export const mayBeKnown = ({ qos, repeated }: Uplink): boolean => qos === 2 && repeated

/** Whether the broker has it. */
export const brokerHas = ({ broker }: Uplink): boolean => broker === 'received' || broker === 'done'

/** Puts it in line for the broker connection. What is stored waits in the store until there is one that can take it. */
export function enqueueUplink(session: Session, uplink: Uplink): void {
  const { outgoing, backlog } = session.uplink
  const isNext = !uplink.stored || (session.link.state === 'up' && outgoing.size < WINDOW)
  if (backlog === undefined && isNext) outgoing.set(uplink.token, uplink)
  else appendUplink(session, uplink, uplinkSize(uplink))
}

/** It needs nothing more from the broker. */
export function endTowardsBroker(session: Session, uplink: Uplink, turn: Turn): void {
  uplink.broker = 'done'
  if (session.uplink.outgoing.delete(uplink.token) && uplink.stored)
    addToSpooled(session, -1, -uplinkSize(uplink), turn.env)
  if (uplink.sensor === 'released' || uplink.qos !== 2) forgetUplink(session, uplink, turn)
}

/** Neither side needs it any more. */
export function forgetUplink(session: Session, uplink: Uplink, turn: Turn): void {
  session.uplink.outgoing.delete(uplink.token)
  session.uplink.backlog?.inMemory.delete(uplink.token)
  if (uplink.stored || uplink.qos === 2) turn.out.push({ type: 'dropUplink', session, uplink })
}

/** The broker refuses it: so does the gateway, if it owes the sensor an answer. */
export function failUplink(
  session: Session,
  uplink: Uplink,
  outcome: Outcome,
  turn: Turn,
  reason?: RefusalReason,
): void {
  const { open } = session.uplink
  const owes = uplink.sensor === 'owes'
  const isOpen = open.get(uplink.msgId) === uplink
  uplink.broker = 'done'
  if (isOpen) open.delete(uplink.msgId)
  forgetUplink(session, uplink, turn)
  if (isOpen && owes) sendPuback(session, uplink, outcome, turn, reason)
}

/** PUBACK of this PUBLISH, with an error or without [SN-PUB-4]. */
export function sendPuback(
  session: Session,
  uplink: Uplink,
  returnCode: ReturnCode,
  turn: Turn,
  reason?: RefusalReason,
): void {
  const { topicId, msgId } = uplink
  const answer = { type: 'puback', topicId, msgId, returnCode } as const
  if (reason === undefined) send(session, answer, turn)
  else refuse(session, answer, reason, turn)
}

/** The sensor has given this one up; what the broker may have of it is still brought to its end. */
export function abandonUplink(session: Session, uplink: Uplink, turn: Turn): void {
  uplink.sensor = 'released'
  session.uplink.open.delete(uplink.msgId)
  if (!uplink.stored && uplink.broker === 'waiting' && !mayBeKnown(uplink)) uplink.broker = 'done'
  if (uplink.broker === 'done') forgetUplink(session, uplink, turn)
  else dismissUplink(session, uplink)
}

/**
 * The broker connection is closed for good: what the broker does not have, the sensor sends again; what it has must not be
 * forwarded a second time [SN-PUB-11]. What is stored stays, and QoS 2 as long as the broker knows the session.
 */
export function forgetInflight(session: Session, turn: Turn): void {
  const { outgoing, open } = session.uplink
  for (const uplink of uplinksInMemory(session)) {
    if (uplink.stored) continue
    if (mayBeKnown(uplink) && !session.cleanSession) {
      if (uplink.sensor === 'owes') uplink.sensor = 'told'
      continue
    }
    const isOpen = open.get(uplink.msgId) === uplink
    if (uplink.broker === 'received' && isOpen) outgoing.delete(uplink.token)
    else {
      if (isOpen) open.delete(uplink.msgId)
      if (uplink.qos === 0) drop(session, 'upstream-down', turn)
      forgetUplink(session, uplink, turn)
    }
    uplink.broker = 'done'
  }
}

/** A new life of the sensor: what it had under way means nothing to it any more. What is stored still goes to the broker. */
export function forgetUplinks(session: Session, turn: Turn): void {
  const { uplink: side } = session
  forgetInflight(session, turn)
  for (const uplink of side.open.values()) {
    uplink.sensor = 'released'
    if (uplink.broker === 'done') forgetUplink(session, uplink, turn)
    else {
      turn.out.push({ type: 'keepUplink', session, uplink })
      dismissUplink(session, uplink)
    }
  }
  side.open.clear()
  side.lastAcknowledged = undefined
}
