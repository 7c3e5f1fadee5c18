// The dead letters of all sensors: acknowledged messages that the broker will not have.

import type { DeadLetterList, DeadLetterQuery, OwnedDeadLetter } from '../console/contract/happenings.ts'
import type { Session } from '../session/session.ts'
import { deadLetterOf } from './sensors/sensor-info.ts'
import { compareNatural } from './sensors/sensor-query.ts'

/** Those that are asked for, by sensor, the oldest of each first. */
export function listDeadLetters(sessions: Iterable<Session>, query: DeadLetterQuery): DeadLetterList {
  const wanted = query.search?.toLowerCase() ?? ''
  const found: OwnedDeadLetter[] = []
  for (const { clientId, uplink } of sessions) {
    if (uplink.dead.size === 0) continue
    const isSensor = clientId.toLowerCase().includes(wanted)
    for (const letter of uplink.dead.values()) {
      if (isSensor || letter.topic.toLowerCase().includes(wanted))
        found.push({ clientId, ...deadLetterOf(letter) })
    }
  }
  return mergeDeadLetters([{ total: found.length, items: found }], query)
}

/** One list of those of several gateways, each asked from the beginning to the end of what is wanted. */
export function mergeDeadLetters(
  lists: readonly DeadLetterList[],
  { offset, limit }: Pick<DeadLetterQuery, 'offset' | 'limit'>,
): DeadLetterList {
  const total = lists.reduce((sum, list) => sum + list.total, 0)
  const items = lists.flatMap(({ items }) => items)
  items.sort((a, b) => compareNatural(a.clientId, b.clientId) || a.token - b.token)
  return { total, items: items.slice(offset, offset + limit) }
}
