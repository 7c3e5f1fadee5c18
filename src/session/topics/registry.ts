// The topic ids of one sensor: which name each stands for, and which of them the sensor knows [6.5, 6.7, 7.3].

import type { Predefined } from '../policy.ts'
import { SparseMap, SparseSet } from '../sparse.ts'

/** The registry of one session. An id once assigned never gets another name while the session lives [SN-REG-8]. */
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
  /** where the search for the next free id begins */
  next: number
}

const FIRST = 1
const LAST = 0xfffe // 0x0000 and 0xffff are reserved [5.3.11]

/** An empty registry. `first` (1..65534) should differ between sessions, so that a stale id hits nothing [SN-SESS-10]. */
export const createTopics = (first: number): Topics => ({
  byId: new SparseMap(),
  byName: new SparseMap(),
  confirmed: new SparseSet(),
  learned: new SparseSet(),
  told: new SparseSet(),
  suppressed: new SparseSet(),
  next: first,
})

/** Forgets all names, but goes on with new ids, so that an old id is unknown instead of wrong [SN-SESS-8]. */
export function clearTopics(topics: Topics): void {
  topics.byId.clear()
  topics.byName.clear()
  topics.confirmed.clear()
  topics.learned.clear()
  topics.told.clear()
  topics.suppressed.clear()
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
  for (let tries = FIRST; tries <= LAST; tries++) {
    const id = topics.next
    topics.next = id === LAST ? FIRST : id + 1
    if (topics.byId.has(id) || predefined.byId.has(id)) continue
    topics.byId.set(id, name)
    topics.byName.set(name, id)
    return id
  }
  return undefined
}

/** The sensor knows this id now. */
export function learn(topics: Topics, topicId: number): void {
  topics.confirmed.add(topicId)
  topics.learned.add(topicId)
}

/** Whether the sensor was ever told the name of this id, so that it may know it [5.4.11]. */
export const mayKnow = ({ learned, told }: Topics, topicId: number): boolean =>
  learned.has(topicId) || told.has(topicId)

/** The sensor does not know this id. */
export function unlearn(topics: Topics, topicId: number): void {
  topics.confirmed.delete(topicId)
  topics.learned.delete(topicId)
  topics.told.delete(topicId)
}
