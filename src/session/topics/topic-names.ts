// The border where topics cross between the sensor's form (ids, short names) and names as the broker knows them [6.7, 6.10].

import { type Filter, type Publish, ReturnCode } from '../../codec/v1/messages.ts'
import { isTopicFilter, isTopicName } from '../../mqtt-topics.ts'
import type { Predefined } from '../policy.ts'
import type { Session } from '../session.ts'
import type { Turn } from '../turn.ts'
import { assignOrReplaceTopic, noteTopicUse } from './forget.ts'
import { mayKnow, nameOfId, type Topics } from './registry.ts'

/** How a topic name is written towards the sensor. */
export interface TopicForm {
  readonly topicIdType: 'normal' | 'predefined' | 'short'
  readonly topicId: number
}

/** The topic name that a PUBLISH means, or the code that refuses it [6.7]. */
export function topicOfPublish(
  { topicIdType, topicId }: Publish,
  topics: Topics | undefined,
  predefined: Predefined,
): string | ReturnCode {
  switch (topicIdType) {
    case 'normal':
      return (topics && nameOfId(topics, topicId)) ?? ReturnCode.invalidTopicId
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

/** The filter that a SUBSCRIBE or UNSUBSCRIBE means, or the code that refuses it [6.9]. */
export function filterOfRequest(packet: Filter, predefined: Predefined): string | ReturnCode {
  switch (packet.topicIdType) {
    case 'normal':
      return isTopicFilter(packet.topicName) ? packet.topicName : ReturnCode.notSupported
    case 'predefined':
      return predefined.byId.get(packet.topicId) ?? ReturnCode.invalidTopicId
    case 'short': {
      const name = shortName(packet.topicId)
      return name !== undefined && isTopicFilter(name) ? name : ReturnCode.notSupported
    }
    case 'reserved':
      return ReturnCode.notSupported
  }
}

/**
 * The form in which the sensor knows this topic: as it subscribed it; under a wildcard its predefined id, else the two
 * octets of a short name, else a normal id [SN-GPUB-14]. Undefined when no more ids may be assigned.
 */
export function formForSensor(session: Session, topic: string, turn: Turn): TopicForm | undefined {
  const subscription = session.subscriptions.get(topic)
  if (subscription !== undefined && subscription.topicId !== 0) return subscription
  const known = session.topics.byName.get(topic)
  if (known === undefined || !mayKnow(session.topics, known)) {
    const predefinedId = session.policy.predefined.byName.get(topic)
    if (predefinedId !== undefined) return { topicIdType: 'predefined', topicId: predefinedId }
    const short = shortId(topic)
    if (short !== undefined) return { topicIdType: 'short', topicId: short }
  }
  const topicId = normalId(session, topic, turn)
  return topicId === undefined ? undefined : { topicIdType: 'normal', topicId }
}

/** The normal id of a name, assigned and saved if it has none; undefined when no more ids may be assigned. */
export function normalId(session: Session, topic: string, turn: Turn): number | undefined {
  const known = session.topics.byName.get(topic)
  const topicId = known ?? assignOrReplaceTopic(session, topic, turn)
  if (topicId !== undefined) noteTopicUse(session, topicId, turn)
  // it is told to the sensor, and must mean the same after a crash [SN-REG-8]
  if (topicId !== undefined && known === undefined) turn.out.push({ type: 'save', session })
  return topicId
}

/** The topic name that two octets spell, or undefined if they are not UTF-8 [6.7]. */
export function shortName(topicId: number): string | undefined {
  const [a, b] = [topicId >> 8, topicId & 0xff]
  if (a < 0x80 && b < 0x80) return String.fromCharCode(a, b)
  if (a >= 0xc2 && a <= 0xdf && b >> 6 === 0b10) return String.fromCharCode(((a & 0x1f) << 6) | (b & 0x3f))
  return undefined
}

/** The two octets of a name that has just two, or undefined. */
export function shortId(name: string): number | undefined {
  const [a, b] = [name.charCodeAt(0), name.charCodeAt(1)]
  if (name.length === 2 && a < 0x80 && b < 0x80) return (a << 8) | b
  if (name.length === 1 && a >= 0x80 && a < 0x800) return ((0xc0 | (a >> 6)) << 8) | 0x80 | (a & 0x3f)
  return undefined
}
