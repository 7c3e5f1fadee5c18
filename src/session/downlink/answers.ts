// What the sensor answers to the gateway's REGISTER and PUBLISH: REGACK, PUBACK, PUBREC, PUBCOMP [6.5, 6.6, 6.10].

import { type Puback, type Pubcomp, type Pubrec, type Regack, ReturnCode } from '../../codec/v1/messages.ts'
import type { Turn } from '../policy.ts'
import { drop, type Session } from '../session.ts'
import { learn, unlearn } from '../topics/registry.ts'
import { dropTopic } from './deliver.ts'
import { remove } from './queue.ts'

export function onRegack(session: Session, packet: Regack, turn: Turn): void {
  const { outstanding } = session
  if (
    outstanding?.kind !== 'register' ||
    outstanding.msgId !== packet.msgId ||
    outstanding.topicId !== packet.topicId
  ) {
    return drop(session, 'unasked', turn) // [SN-GPUB-5]
  }
  session.outstanding = undefined
  if (packet.returnCode === ReturnCode.accepted) {
    learn(session.topics, packet.topicId)
    turn.out.push({ type: 'save', session })
  } else if (packet.returnCode === ReturnCode.congestion) holdBack(session, turn)
  else rejectTopic(session, packet.topicId, turn)
}

/** T_WAIT of peace for a sensor that reported congestion [SN-GPUB-8]. */
function holdBack(session: Session, turn: Turn): void {
  session.holdUntil = turn.now + turn.env.settings.timers.tWait
}

/** REGACK with a rejection unsubscribes that very name; a wildcard that covers it lives on [SN-GPUB-6]. */
function rejectTopic(session: Session, topicId: number, turn: Turn): void {
  const name = session.topics.byId.get(topicId)
  if (name === undefined) return
  session.topics.suppressed.add(name)
  dropTopic(session, topicId, 'rejected', turn)
  if (session.subscriptions.delete(name)) {
    turn.out.push({ type: 'unsubscribe', session, token: session.nextToken++, filter: name })
  }
  turn.out.push({ type: 'save', session })
}

export function onPuback(session: Session, packet: Puback, turn: Turn): void {
  const { outstanding, topics, policy } = session
  const { returnCode, topicId } = packet
  const isUnknown = returnCode === ReturnCode.invalidTopicId && topics.learned.has(topicId)
  const message = session.queue[0]
  if (outstanding?.kind !== 'publish' || outstanding.msgId !== packet.msgId || message === undefined) {
    if (isUnknown)
      unlearn(topics, topicId) // an error for QoS 0: REGISTER before the next one [SN-GPUB-7]
    else drop(session, 'unasked', turn)
    return
  }
  if (returnCode === ReturnCode.accepted && message.qos === 2) return drop(session, 'unasked', turn)
  session.outstanding = undefined
  if (returnCode === ReturnCode.accepted) return remove(session, message, turn)
  if (returnCode === ReturnCode.congestion) return holdBack(session, turn)
  // A sensor that never answers REGISTER may have needed just a moment: the same id again comes first.
  if (isUnknown && (message.repaired || policy.reRegister !== 'never')) unlearn(topics, topicId)
  // RIOT's emcute refuses every repetition for its DUP flag: once more as new, since twice is better than never.
  const wasDup = outstanding.repeated || outstanding.tries > 0
  const isDupRefused = returnCode === ReturnCode.notSupported && message.qos === 1 && wasDup
  if ((isUnknown || isDupRefused) && !message.repaired) {
    message.repaired = true // sent once more [SN-GPUB-7]
    message.sent = false
    return
  }
  remove(session, message, turn)
  drop(session, 'rejected', turn)
}

export function onPubrec(session: Session, packet: Pubrec, turn: Turn): void {
  const { outstanding } = session
  const message = session.queue[0]
  if (outstanding?.msgId !== packet.msgId) return drop(session, 'unasked', turn)
  if (outstanding.kind === 'publish' && message?.qos === 2) {
    remove(session, message, turn) // the sensor has it; what is left is to release it
    session.releasing = packet.msgId
    turn.out.push({ type: 'saveProgress', session, lazy: false })
  } else if (outstanding.kind !== 'pubrel') return drop(session, 'unasked', turn)
  session.outstanding = undefined // PUBREL follows, also for a repeated PUBREC
}

export function onPubcomp(session: Session, packet: Pubcomp, turn: Turn): void {
  if (session.releasing === 0 || session.releasing !== packet.msgId) return drop(session, 'unasked', turn)
  session.releasing = 0
  session.outstanding = undefined
  turn.out.push({ type: 'saveProgress', session, lazy: true })
}
