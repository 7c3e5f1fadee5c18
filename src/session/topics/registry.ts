// The topic ids of one sensor: which name each stands for, and which of them the sensor knows [6.5, 6.7, 7.3].

import type { Predefined } from '../policy.ts'
import { SparseMap, SparseSet } from '../sparse.ts'

/**
 * The registry of one session. An id keeps its name as long as the sensor may use it [SN-REG-8]: names that it does not use are
 * forgotten when there are too many, and their ids mean nothing then, until all others have been given out too.
 */
export interface Topics {
  readonly byId: SparseMap<number, string>
  readonly byName: SparseMap<string, number>
  /** ids that the sensor has learned or confirmed in this connection [SN-SESS-9] */
  readonly confirmed: SparseSet<number>
  /** ids that the sensor has learned or confirmed at any time in this session */
  readonly learned: SparseSet<number>
  /** ids whose name the sensor was told at some time, in a REGISTER, REGACK or SUBACK, whether or not it said that it knows them */
  readonly told: SparseSet<number>
  /** names whose REGISTER the sensor refused [SN-GPUB-6] */
  readonly suppressed: SparseSet<string>
  /** when the sensor or the gateway last used an id, monotonic milliseconds; noted once half of the names are taken */
  readonly usedAt: SparseMap<number, number>
  /** when the sensor itself registered an id, the latest last; noted once half of the names are taken */
  readonly registeredAt: SparseMap<number, number>
  /** ids given out a second time whose new name the sensor has not confirmed: they mean nothing from it yet */
  readonly unconfirmed: SparseSet<number>
  /** where the search for the next free id begins */
  next: number
  /** ids have been given out all around, so that one may have had another name before */
  isSecondRound: boolean
}

const FIRST = 1
/** Up to here ids are positive also for clients that read them as signed. */
const LAST_SIGNED = 0x7fff
const LAST = 0xfffe // 0x0000 and 0xffff are reserved [5.3.11]

/** A first id for a session: it leaves room before the ids that some clients read as negative. `random`: 0 <= x < 1. */
export const firstTopicId = (random: number): number => FIRST + Math.floor(random * (LAST_SIGNED - 2))

/** An empty registry. `first` (1..65534) should differ between sessions, so that a stale id hits nothing [SN-SESS-10]. */
export const createTopics = (first: number): Topics => ({
  byId: new SparseMap(),
  byName: new SparseMap(),
  confirmed: new SparseSet(),
  learned: new SparseSet(),
  told: new SparseSet(),
  suppressed: new SparseSet(),
  usedAt: new SparseMap(),
  registeredAt: new SparseMap(),
  unconfirmed: new SparseSet(),
  next: first,
  isSecondRound: false,
})

/** Forgets all names, but goes on with new ids, so that an old id is unknown instead of wrong [SN-SESS-8]. */
export function clearTopics(topics: Topics): void {
  topics.byId.clear()
  topics.byName.clear()
  topics.confirmed.clear()
  topics.learned.clear()
  topics.told.clear()
  topics.suppressed.clear()
  topics.usedAt.clear()
  topics.registeredAt.clear()
  topics.unconfirmed.clear()
}

/** The id of a name, assigned if it has none; undefined when `limit` names are reached [SN-REG-1, -2, -5]. */
export function assignTopic(
  topics: Topics,
  name: string,
  limit: number,
  predefined: Predefined,
): number | undefined {
  const known = topics.byName.get(name)
  if (known !== undefined) return known
  if (topics.byName.size >= limit) return undefined
  for (let tries = FIRST; tries <= LAST + LAST_SIGNED; tries++) {
    const id = topics.next
    topics.next = idAfter(id, tries)
    if (topics.next === FIRST) topics.isSecondRound = true
    if (topics.byId.has(id) || predefined.byId.has(id)) continue
    topics.byId.set(id, name)
    topics.byName.set(name, id)
    if (topics.isSecondRound) topics.unconfirmed.add(id)
    return id
  }
  return undefined
}

/** Ids go around among those that are positive in every client, until all of these are taken. */
const idAfter = (id: number, tries: number): number =>
  id === LAST || (id === LAST_SIGNED && tries < LAST_SIGNED) ? FIRST : id + 1

/** The name of an id in a message of the sensor. */
export const nameOfId = ({ byId, unconfirmed }: Topics, topicId: number): string | undefined =>
  unconfirmed.has(topicId) ? undefined : byId.get(topicId)

/** The sensor knows this id now. */
export function learn(topics: Topics, topicId: number): void {
  topics.confirmed.add(topicId)
  topics.learned.add(topicId)
  topics.unconfirmed.delete(topicId)
}

/** Whether the sensor was ever told the name of this id, so that it may know it [5.4.11]. */
export const mayKnow = ({ learned, told }: Topics, topicId: number): boolean =>
  learned.has(topicId) || told.has(topicId)

/** Whether the sensor knows this id, in this connection too. */
export const isLearned = ({ confirmed, learned }: Topics, topicId: number): boolean =>
  confirmed.has(topicId) && learned.has(topicId)

/** The sensor does not know this id. */
export function unlearn(topics: Topics, topicId: number): void {
  topics.confirmed.delete(topicId)
  topics.learned.delete(topicId)
  topics.told.delete(topicId)
}
