// When a sensor has as many topic names as it may have, a new one takes the place of the one that was not used for longest [6.5].

import type { Session } from '../session.ts'
import { drop, type Turn } from '../turn.ts'
import { assignTopic, unlearn } from './registry.ts'

/** Names that the sensor registered lately are not forgotten: so many of the last, for so many milliseconds. */
const LATEST = 16
const LATELY = 60_000

/** Whether so many names are taken that it is worth noting which of them are used. */
const isCrowded = ({ topics }: Session, { env }: Turn): boolean =>
  topics.byId.size * 2 >= env.settings.limits.topicsPerSensor

/** The sensor has published with this id, or is sent a message with it. */
export function noteTopicUse(session: Session, topicId: number, turn: Turn): void {
  if (isCrowded(session, turn)) session.topics.usedAt.set(topicId, turn.now)
}

/** The sensor has registered this id. */
export function noteRegistered(session: Session, topicId: number, turn: Turn): void {
  if (!isCrowded(session, turn)) return
  const { registeredAt } = session.topics
  registeredAt.delete(topicId)
  registeredAt.set(topicId, turn.now)
  noteTopicUse(session, topicId, turn)
}

/**
 * The id of a name. Where all names are taken, the one that was not used for longest is forgotten: its id means nothing to
 * the gateway then, so that a sensor that still has it is told to register again. Undefined when all are in use.
 */
export function assignOrReplaceTopic(session: Session, name: string, turn: Turn): number | undefined {
  const { topics, policy } = session
  const { topicsPerSensor } = turn.env.settings.limits
  const topicId = assignTopic(topics, name, topicsPerSensor, policy.predefined)
  if (topicId !== undefined) return topicId
  const oldest = findUnusedTopic(session, turn)
  if (oldest === undefined) return undefined
  forgetTopic(session, oldest)
  drop(session, 'topic-forgotten', turn)
  return assignTopic(topics, name, topicsPerSensor, policy.predefined)
}

/** A name of which messages wait goes only if there is no other: it is registered anew when their turn comes. */
function findUnusedTopic(session: Session, turn: Turn): number | undefined {
  const ids = idsInUse(session, turn)
  const names = subscribedNames(session)
  const waiting = new Set(names)
  for (const { topic } of session.downlink.queue) waiting.add(topic)
  return findOldestTopic(session, waiting, ids) ?? findOldestTopic(session, names, ids)
}

function findOldestTopic(
  { topics: { byId, usedAt } }: Session,
  names: ReadonlySet<string>,
  ids: ReadonlySet<number>,
): number | undefined {
  let oldest: number | undefined
  let oldestUse = Number.POSITIVE_INFINITY
  for (const [topicId, name] of byId) {
    const at = usedAt.get(topicId) ?? Number.NEGATIVE_INFINITY
    if (names.has(name) || ids.has(topicId)) continue
    if (oldest !== undefined && at >= oldestUse) continue
    oldest = topicId
    oldestUse = at
    if (at === Number.NEGATIVE_INFINITY) break // ids are in the order of their names' arrival
  }
  return oldest
}

function subscribedNames({ subscriptions, subscribing }: Session): ReadonlySet<string> {
  const names = new Set<string>()
  for (const [filter] of subscriptions) names.add(filter)
  for (const { filter } of subscribing.requests.values()) names.add(filter)
  return names
}

/** Ids on their way to the sensor, those of its open publishes, and those that it registered lately. */
function idsInUse({ downlink, uplink, topics }: Session, { now }: Turn): ReadonlySet<number> {
  const ids = new Set<number>()
  const asked = downlink.outstanding?.packet
  if (asked !== undefined && 'topicId' in asked) ids.add(asked.topicId)
  for (const { topicId } of uplink.open.values()) ids.add(topicId)
  const registered = [...topics.registeredAt].slice(-LATEST)
  for (const [topicId, at] of registered) if (now - at < LATELY) ids.add(topicId)
  return ids
}

function forgetTopic({ topics }: Session, topicId: number): void {
  const name = topics.byId.get(topicId)
  if (name === undefined) return
  topics.byId.delete(topicId)
  topics.byName.delete(name)
  topics.suppressed.delete(name)
  topics.usedAt.delete(topicId)
  topics.registeredAt.delete(topicId)
  topics.unconfirmed.delete(topicId)
  unlearn(topics, topicId)
}
