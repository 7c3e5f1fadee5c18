// WILLTOPICUPD and WILLMSGUPD: MQTT cannot change a will, so the broker connection is opened anew with it [6.4, AMB-9].

import { ReturnCode, type Willmsgupd, type Willtopicupd } from '../../codec/v1/messages.ts'
import { isTopicName } from '../../mqtt-topics.ts'
import { reopenLink } from '../broker/link.ts'
import { effectiveWill, type Will, type WillData } from '../message.ts'
import type { Session } from '../session.ts'
import { permitsTopic } from '../topics/permission.ts'
import { refuse, send, type Turn } from '../turn.ts'

type Answer = 'willtopicresp' | 'willmsgresp'

export function onWilltopicupd(session: Session, packet: Willtopicupd, turn: Turn): void {
  const { willTopic, qos, retain } = packet
  if (willTopic === null || willTopic === '') {
    return updateWill(session, 'willtopicresp', { topic: undefined, message: undefined }, turn) // [SN-WILL-9]
  }
  if (qos === -1 || !isTopicName(willTopic)) {
    const refusal = { type: 'willtopicresp', returnCode: ReturnCode.notSupported } as const
    return refuse(session, refusal, 'will-impossible', turn) // [SN-WILL-12]
  }
  if (!permitsTopic(session.policy.publish, willTopic)) {
    const refusal = { type: 'willtopicresp', returnCode: ReturnCode.notSupported } as const
    return refuse(session, refusal, 'topic-not-permitted', turn, willTopic)
  }
  updateWill(session, 'willtopicresp', { ...session.will, topic: { name: willTopic, qos, retain } }, turn)
}

export function onWillmsgupd(session: Session, packet: Willmsgupd, turn: Turn): void {
  updateWill(session, 'willmsgresp', { ...session.will, message: packet.willMsg }, turn)
}

const answerUpdate = (session: Session, type: Answer, returnCode: ReturnCode, turn: Turn): void =>
  send(session, { type, returnCode }, turn)

function updateWill(session: Session, type: Answer, will: WillData, turn: Turn): void {
  if (session.link.pool !== undefined) return keepWill(session, type, will, turn) // only the gateway has it
  const changes = !isSameWill(effectiveWill(session.will), effectiveWill(will))
  if (!changes && session.setup.willUpdate === undefined) {
    return keepWill(session, type, will, turn) // a repetition, or a message that has no topic yet [SN-WILL-11, -13]
  }
  if (session.setup.willUpdate === undefined && session.link.state !== 'up') {
    return answerUpdate(session, type, ReturnCode.congestion, turn) // [SN-WILL-12]
  }
  session.setup.willUpdate ??= {
    before: session.will,
    answers: new Set(),
    deadline: turn.now + turn.env.settings.timers.answer,
  }
  session.setup.willUpdate.answers.add(type)
  session.will = will
  if (changes) reopenLink(session, turn)
}

function keepWill(session: Session, type: Answer, will: WillData, turn: Turn): void {
  session.will = will
  turn.out.push({ type: 'save', session })
  answerUpdate(session, type, ReturnCode.accepted, turn)
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

function answerAllUpdates(session: Session, returnCode: ReturnCode, turn: Turn): void {
  const answers = session.setup.willUpdate?.answers ?? []
  session.setup.willUpdate = undefined
  for (const type of answers) answerUpdate(session, type, returnCode, turn)
}

/** The broker has accepted the connection with the new will. */
export function answerWillUpdate(session: Session, turn: Turn): void {
  if (session.setup.willUpdate === undefined) return
  turn.out.push({ type: 'save', session })
  answerAllUpdates(session, ReturnCode.accepted, turn)
}

/** The new will was not accepted: the old one holds again, and the connection is made with it. */
export function failWillUpdate(session: Session, returnCode: ReturnCode, turn: Turn): boolean {
  if (session.setup.willUpdate === undefined) return false
  session.will = session.setup.willUpdate.before
  answerAllUpdates(session, returnCode, turn)
  session.link.lostAt ??= turn.now
  reopenLink(session, turn)
  return true
}
