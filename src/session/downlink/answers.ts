// What the sensor answers to the gateway's REGISTER and PUBLISH: REGACK, PUBACK, PUBREC, PUBCOMP [6.5, 6.6, 6.10].

import { type Puback, type Pubcomp, type Pubrec, type Regack, ReturnCode } from '../../codec/v1/messages.ts'
import type { Session } from '../session.ts'
import { learn, unlearn } from '../topics/registry.ts'
import { drop, type Turn } from '../turn.ts'
import { dropTopic } from './deliver.ts'
import { removeMessage } from './queue.ts'

export function onRegack(session: Session, packet: Regack, turn: Turn): void {
  const asked = session.downlink.outstanding?.packet
  if (asked?.type !== 'register' || asked.msgId !== packet.msgId || asked.topicId !== packet.topicId) {
    return drop(session, 'unasked', turn) // [SN-GPUB-5]
  }
  session.downlink.outstanding = undefined
  if (packet.returnCode === ReturnCode.accepted) {
    learn(session.topics, packet.topicId)
    turn.out.push({ type: 'save', session })
  } else if (packet.returnCode === ReturnCode.congestion) holdBack(session, turn)
  else rejectTopic(session, packet.topicId, turn)
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
  dropTopic(session, topicId, 'rejected', turn)
  if (session.subscriptions.delete(name)) {
    turn.out.push({ type: 'unsubscribe', session, token: session.link.nextToken++, filter: name })
  }
  turn.out.push({ type: 'save', session })
}

export function onPuback(session: Session, packet: Puback, turn: Turn): void {
  const { downlink, topics, policy } = session
  const { outstanding } = downlink
  const { returnCode, topicId } = packet
  const isUnknown = returnCode === ReturnCode.invalidTopicId && topics.learned.has(topicId)
  const message = downlink.queue[0]
  const asked = outstanding?.packet
  if (
    outstanding === undefined ||
    asked?.type !== 'publish' ||
    asked.msgId !== packet.msgId ||
    message === undefined
  ) {
    if (isUnknown)
      unlearn(topics, topicId) // an error for QoS 0: REGISTER before the next one [SN-GPUB-7]
    else drop(session, 'unasked', turn)
    return
  }
  if (returnCode === ReturnCode.accepted && message.qos === 2) return drop(session, 'unasked', turn)
  downlink.outstanding = undefined
  if (returnCode === ReturnCode.accepted) return removeMessage(session, message, turn)
  if (returnCode === ReturnCode.congestion) return holdBack(session, turn)
  // A sensor that never answers REGISTER may have needed just a moment: the same id again comes first.
  if (isUnknown && (message.repaired || policy.reRegister !== 'never')) unlearn(topics, topicId)
  // RIOT's emcute refuses every repetition for its DUP flag: it gets the message once more as new, and may have it twice.
  const wasDup = outstanding.repeated || outstanding.tries > 0
  const isDupRefused = returnCode === ReturnCode.notSupported && message.qos === 1 && wasDup
  if ((isUnknown || isDupRefused) && !message.repaired) {
    message.repaired = true // sent once more [SN-GPUB-7]
    message.sent = false
    return
  }
  removeMessage(session, message, turn)
  drop(session, 'rejected', turn)
}

export function onPubrec(session: Session, packet: Pubrec, turn: Turn): void {
  const { downlink } = session
  const asked = downlink.outstanding?.packet
  const message = downlink.queue[0]
  if (asked === undefined || !('msgId' in asked) || asked.msgId !== packet.msgId) {
    return drop(session, 'unasked', turn)
  }
  if (asked.type === 'publish' && message?.qos === 2) {
    removeMessage(session, message, turn) // the sensor has it; what is left is to release it
    downlink.releasing = packet.msgId
    turn.out.push({ type: 'saveProgress', session, lazy: false })
  } else if (asked.type !== 'pubrel') return drop(session, 'unasked', turn)
  downlink.outstanding = undefined // PUBREL follows, also for a repeated PUBREC
}

export function onPubcomp(session: Session, packet: Pubcomp, turn: Turn): void {
  const { downlink } = session
  if (downlink.releasing !== packet.msgId) return drop(session, 'unasked', turn)
  downlink.releasing = undefined
  downlink.outstanding = undefined
  turn.out.push({ type: 'saveProgress', session, lazy: true })
}
