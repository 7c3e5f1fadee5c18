// REGISTER from the sensor: answered at once from the session's own registry [6.5].

import { type Register, ReturnCode } from '../../codec/v1/messages.ts'
import { isTopicName } from '../../mqtt-topics.ts'
import type { Session } from '../session.ts'
import { send, type Turn } from '../turn.ts'
import { assignOrReplaceTopic, noteRegistered } from './forget.ts'
import { learn } from './registry.ts'

export function onRegister(session: Session, { topicName, msgId }: Register, turn: Turn): void {
  const { topics, policy } = session
  const answer = (topicId: number, returnCode: ReturnCode) =>
    send(session, { type: 'regack', topicId, msgId, returnCode }, turn)

  if (!isTopicName(topicName)) return answer(0, ReturnCode.notSupported) // [SN-REG-6]
  const topicId = assignOrReplaceTopic(session, topicName, turn)
  if (topicId === undefined) return answer(0, ReturnCode.congestion)
  topics.suppressed.delete(topicName) // [SN-GPUB-6]
  topics.unconfirmed.delete(topicId)
  noteRegistered(session, topicId, turn)
  if (policy.reRegister !== 'always') learn(topics, topicId)
  else topics.told.add(topicId)
  turn.out.push({ type: 'save', session })
  answer(topicId, ReturnCode.accepted)
}
