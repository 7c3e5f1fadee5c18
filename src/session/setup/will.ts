// WILLTOPICUPD and WILLMSGUPD: MQTT cannot change a will, so the broker connection is opened anew with it [6.4, AMB-9].

import { ReturnCode, type Willmsgupd, type Willtopicupd } from '../../codec/v1/messages.ts'
import { isTopicName } from '../../mqtt-topics.ts'
import { reconnect } from '../broker/link.ts'
import type { Will } from '../events.ts'
import type { Turn } from '../policy.ts'
import { type Session, send, type WillData } from '../session.ts'
import { effectiveWill } from './connect.ts'

type Answer = 'willtopicresp' | 'willmsgresp'

export function onWilltopicupd(session: Session, packet: Willtopicupd, turn: Turn): void {
  const { willTopic, qos, retain } = packet
  if (willTopic === null || willTopic === '') {
    return update(session, 'willtopicresp', { topic: undefined, message: undefined }, turn) // [SN-WILL-9]
  }
  if (qos === -1 || !isTopicName(willTopic)) {
    return answer(session, 'willtopicresp', ReturnCode.notSupported, turn) // [SN-WILL-12]
  }
  update(session, 'willtopicresp', { ...session.will, topic: { name: willTopic, qos, retain } }, turn)
}

export function onWillmsgupd(session: Session, packet: Willmsgupd, turn: Turn): void {
  update(session, 'willmsgresp', { ...session.will, message: packet.willMsg }, turn)
}

const answer = (session: Session, type: Answer, returnCode: ReturnCode, turn: Turn): void =>
  send(session, { type, returnCode }, turn)

function update(session: Session, type: Answer, will: WillData, turn: Turn): void {
  const changes = !isSameWill(effectiveWill(session.will), effectiveWill(will))
  if (!changes && session.willUpdate === undefined) {
    session.will = will // a repetition, or a message that has no topic yet [SN-WILL-11, -13]
    turn.out.push({ type: 'save', session })
    return answer(session, type, ReturnCode.accepted, turn)
  }
  if (session.willUpdate === undefined && session.link.state !== 'up') {
    return answer(session, type, ReturnCode.congestion, turn) // [SN-WILL-12]
  }
  session.willUpdate ??= {
    before: session.will,
    answers: new Set(),
    deadline: turn.now + turn.env.settings.timers.answer,
  }
  session.willUpdate.answers.add(type)
  session.will = will
  if (changes) reconnect(session, turn)
}

function isSameWill(a: Will | undefined, b: Will | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return (
    a.topic === b.topic &&
    a.qos === b.qos &&
    a.retain === b.retain &&
    a.message.length === b.message.length &&
    a.message.every((octet, i) => octet === b.message[i])
  )
}

function answerAll(session: Session, returnCode: ReturnCode, turn: Turn): void {
  const answers = session.willUpdate?.answers ?? []
  session.willUpdate = undefined
  for (const type of answers) answer(session, type, returnCode, turn)
}

/** The broker has accepted the connection with the new will. */
export function answerWillUpdate(session: Session, turn: Turn): void {
  if (session.willUpdate === undefined) return
  turn.out.push({ type: 'save', session })
  answerAll(session, ReturnCode.accepted, turn)
}

/** The new will was not accepted: the old one holds again, and the connection is made with it. */
export function failWillUpdate(session: Session, returnCode: ReturnCode, turn: Turn): boolean {
  if (session.willUpdate === undefined) return false
  session.will = session.willUpdate.before
  answerAll(session, returnCode, turn)
  session.link.lostAt ??= turn.now
  reconnect(session, turn)
  return true
}

export function onWillDeadline(session: Session, turn: Turn): void {
  if (session.willUpdate !== undefined && session.willUpdate.deadline <= turn.now) {
    failWillUpdate(session, ReturnCode.congestion, turn)
  }
}
