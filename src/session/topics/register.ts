// REGISTER from the sensor: answered at once from the session's own registry [6.5].

import { type Register, ReturnCode } from '../../codec/v1/messages.ts'
import { isTopicName } from '../../mqtt-topics.ts'
import type { Session } from '../session.ts'
import { refuse, send, type Turn } from '../turn.ts'
import { assignOrReplaceTopic, noteRegistered } from './forget.ts'
import { permitsTopic } from './permission.ts'
import { isLearned, learn } from './registry.ts'

export function onRegister(session: Session, { topicName, msgId }: Register, turn: Turn): void {
  const { topics, policy } = session
  const answer = (topicId: number, returnCode: ReturnCode) =>
    send(session, { type: 'regack', topicId, msgId, returnCode }, turn)

  if (!isTopicName(topicName)) return answer(0, ReturnCode.notSupported) // [SN-REG-6]
  if (!permitsTopic(policy.publish, topicName)) {
    const refusal = { type: 'regack', topicId: 0, msgId, returnCode: ReturnCode.notSupported } as const
    return refuse(session, refusal, 'topic-not-permitted', turn, topicName)
  }
  const before = topics.byName.get(topicName)
  const topicId = assignOrReplaceTopic(session, topicName, turn)
  if (topicId === undefined) return answer(0, ReturnCode.congestion)
  const isKnown = before !== undefined && (policy.reRegister === 'always' || isLearned(topics, before))
  const wasSuppressed = topics.suppressed.delete(topicName) // [SN-GPUB-6]
  topics.unconfirmed.delete(topicId)
  noteRegistered(session, topicId, turn)
  if (policy.reRegister !== 'always') learn(topics, topicId)
  else topics.told.add(topicId)
  if (!isKnown || wasSuppressed) turn.out.push({ type: 'save', session }) // a repetition changes nothing
  answer(topicId, ReturnCode.accepted)
}
