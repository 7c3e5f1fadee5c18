// What the sensor answers to the gateway's REGISTER and PUBLISH: REGACK, PUBACK, PUBREC, PUBCOMP [6.5, 6.6, 6.10].

import {
  type Puback,
  type Pubcomp,
  type Publish,
  type Pubrec,
  type Regack,
  ReturnCode,
} from '../../codec/v1/messages.ts'
import { sharedFilter } from '../../mqtt-topics.ts'
import type { QueuedMessage } from '../message.ts'
import type { Session } from '../session.ts'
import { learn, unlearn } from '../topics/registry.ts'
import { drop, type Turn, takeToken } from '../turn.ts'
import { dropTopic } from './deliver.ts'
import { removeMessage } from './queue.ts'
import { answersProbe, noteMiss, noteProof } from './validation.ts'

export function onRegack(session: Session, packet: Regack, turn: Turn): void {
  const { outstanding } = session.downlink
  const asked = outstanding?.packet
  if (answersProbe(session, packet)) return noteProof(session)
  if (outstanding === undefined || asked?.type !== 'register' || asked.msgId !== packet.msgId) {
    return dropUnasked(session, turn) // the MsgId identifies, some clients err about the TopicId [SN-GPUB-5]
  }
  noteProof(session)
  session.downlink.outstanding = undefined
  const { returnCode } = packet
  // some clients call an id invalid that they know already
  const isKnown = returnCode === ReturnCode.invalidTopicId && outstanding.repeated
  if (returnCode === ReturnCode.accepted || isKnown) {
    learn(session.topics, asked.topicId)
    turn.out.push({ type: 'save', session })
  } else if (returnCode === ReturnCode.congestion) holdBack(session, turn)
  else rejectTopic(session, asked.topicId, turn)
}

function dropUnasked(session: Session, turn: Turn): void {
  noteMiss(session)
  drop(session, 'unasked', turn)
}

/** T_WAIT of peace for a sensor that reported congestion [SN-GPUB-8]. */
function holdBack(session: Session, turn: Turn): void {
  session.downlink.holdUntil = turn.now + turn.env.settings.timers.tWait
}

/** REGACK with a rejection unsubscribes that very name; a wildcard that covers it lives on [SN-GPUB-6]. */
function rejectTopic(session: Session, topicId: number, turn: Turn): void {
  const name = session.topics.byId.get(topicId)
  if (name === undefined) return
  session.topics.suppressed.add(name)
  unlearn(session.topics, topicId)
  dropTopic(session, topicId, 'rejected', turn)
  for (const [filter] of session.subscriptions) {
    if (sharedFilter(filter) !== name) continue
    session.subscriptions.delete(filter)
    turn.out.push({ type: 'unsubscribe', session, token: takeToken(session, false, turn), filter })
  }
  turn.out.push({ type: 'save', session })
}

export function onPuback(session: Session, packet: Puback, turn: Turn): void {
  const { downlink } = session
  const { outstanding } = downlink
  const { returnCode } = packet
  const message = downlink.queue[0]
  const asked = outstanding?.packet
  if (
    outstanding === undefined ||
    asked?.type !== 'publish' ||
    asked.msgId !== packet.msgId ||
    message === undefined
  )
    return onUnaskedPuback(session, packet, turn)
  if (packet.topicId === asked.topicId) noteProof(session)
  if (returnCode === ReturnCode.accepted && message.qos === 2) return drop(session, 'unasked', turn)
  downlink.outstanding = undefined
  if (returnCode === ReturnCode.accepted) return removeMessage(session, message, turn)
  if (returnCode === ReturnCode.congestion) return holdBack(session, turn)
  if (canRepair(session, packet, asked, outstanding.repeated, message) && !message.repaired) {
    message.repaired = true // sent once more [SN-GPUB-7]
    message.sent = false
    if (downlink.awake !== undefined) downlink.awake.sent -= 1
    return
  }
  removeMessage(session, message, turn)
  drop(session, 'rejected', turn)
}

/**
 * Whether a refused PUBLISH may be taken when it is sent otherwise: as a new message, or after its id was told again, which
 * this arranges.
 */
function canRepair(
  { topics, policy }: Session,
  { returnCode, topicId }: Puback,
  asked: Publish,
  wasDup: boolean,
  message: QueuedMessage,
): boolean {
  const isNotSupported = returnCode === ReturnCode.notSupported
  // RIOT's emcute refuses every repetition for its DUP flag: it gets the message once more as new, and may have it twice.
  if (isNotSupported && wasDup && message.qos === 1 && topicId === asked.topicId) return true
  // The Java client says "not supported" of ids that it does not know, and names none.
  const isUnknown =
    returnCode === ReturnCode.invalidTopicId ||
    (isNotSupported && (message.qos === 1 || topicId !== asked.topicId))
  if (!isUnknown || asked.topicIdType !== 'normal') return false
  // A sensor that never answers REGISTER may have needed just a moment: the same id again comes first.
  if (message.repaired || policy.reRegister !== 'never') unlearn(topics, asked.topicId)
  return true
}

/** PUBACK to no message that waits for one: an error for QoS 0, after which REGISTER comes before the next [SN-GPUB-7]. */
function onUnaskedPuback(session: Session, { returnCode, topicId, msgId }: Puback, turn: Turn): void {
  const { topics } = session
  const isUnknown = returnCode === ReturnCode.invalidTopicId
  if (isUnknown && topics.learned.has(topicId)) return unlearn(topics, topicId)
  // without a topic id it may concern each of them
  if ((isUnknown || returnCode === ReturnCode.notSupported) && topicId === 0 && msgId === 0)
    topics.confirmed.clear()
  dropUnasked(session, turn)
}

export function onPubrec(session: Session, packet: Pubrec, turn: Turn): void {
  const { downlink } = session
  const asked = downlink.outstanding?.packet
  const message = downlink.queue[0]
  if (asked === undefined || !('msgId' in asked) || asked.msgId !== packet.msgId) {
    return dropUnasked(session, turn)
  }
  noteProof(session)
  if (asked.type === 'publish' && message?.qos === 2) {
    removeMessage(session, message, turn) // the sensor has it; what is left is to release it
    downlink.releasing = packet.msgId
    downlink.unreleased = 0
    turn.out.push({ type: 'saveProgress', session, lazy: false })
  } else if (asked.type !== 'pubrel') return drop(session, 'unasked', turn)
  downlink.outstanding = undefined // PUBREL follows, also for a repeated PUBREC
}

export function onPubcomp(session: Session, packet: Pubcomp, turn: Turn): void {
  const { downlink } = session
  if (downlink.releasing !== packet.msgId) return dropUnasked(session, turn)
  noteProof(session)
  downlink.releasing = undefined
  downlink.outstanding = undefined
  turn.out.push({ type: 'saveProgress', session, lazy: true })
}
