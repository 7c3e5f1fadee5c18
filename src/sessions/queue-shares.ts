// The limits on what waits for all sensors together: when they are reached, the sensor that has most waiting makes room, not the
// one that gets the next message [SN-ROB-1, SN-ROB-4].

import { isToBeQueued } from '../session/downlink/deliver.ts'
import {
  exceededTotal,
  findMostDispensable,
  lacksTotalRoom,
  removeMessage,
} from '../session/downlink/queue.ts'
import type { Message } from '../session/message.ts'
import type { Session } from '../session/session.ts'
import { drop, type Turn } from '../session/turn.ts'
import type { Sessions } from './table.ts'

/** Sessions that are remembered as those with the longest queues, so that not every message has to look at all. */
const REMEMBERED = 64
/** How often that serves before queues that have grown since must be seen. */
const USES = 1024

type Measure = 'messages' | 'octets'

/**
 * Before a message for `session` is put into its queue: makes room where the limits over all sensors are reached, at the cost
 * of whoever has more waiting than this sensor. If nobody has, its own queue makes room, or the broker keeps the message.
 */
export function makeTotalRoom(sessions: Sessions, session: Session, message: Message, turn: Turn): void {
  for (;;) {
    const by = exceededTotal(message, turn)
    if (by === undefined || !lacksTotalRoom(session, message, turn)) return
    if (!isToBeQueued(session, message, turn)) return
    sessions.totalReachedAt = turn.now
    const longest = findLongestQueue(sessions, by)
    if (longest === undefined || measure(longest, by) <= measure(session, by)) return
    const victim = findMostDispensable(longest)
    if (victim === undefined) return
    removeMessage(longest, victim, turn)
    drop(longest, 'queue-full', turn)
  }
}

const measure = ({ downlink }: Session, by: Measure): number =>
  by === 'messages' ? downlink.queue.length : downlink.octets

function findLongestQueue(sessions: Sessions, by: Measure): Session | undefined {
  const { longest } = sessions
  longest.uses += 1
  if (longest.by === by && longest.uses <= USES) {
    const known = largestOf(sessions, longest.found, by)
    if (known !== undefined && measure(known, by) >= longest.floor) return known
  }
  longest.found = findLongestQueues(sessions, by)
  const last = longest.found.at(-1)
  longest.floor = longest.found.length < REMEMBERED || last === undefined ? 1 : measure(last, by)
  longest.by = by
  longest.uses = 0
  return longest.found[0]
}

/** Those that are not forgotten by now. */
function largestOf({ byClientId }: Sessions, found: readonly Session[], by: Measure): Session | undefined {
  let largest: Session | undefined
  for (const session of found) {
    if (byClientId.get(session.clientId) !== session) continue
    if (largest === undefined || measure(session, by) > measure(largest, by)) largest = session
  }
  return largest
}

/** The longest first; looks at all sessions once, and sorts only what may be among the first. */
function findLongestQueues({ byClientId }: Sessions, by: Measure): readonly Session[] {
  let found: Session[] = []
  let floor = 1
  const keepLongest = (): void => {
    found.sort((a, b) => measure(b, by) - measure(a, by))
    found = found.slice(0, REMEMBERED)
    const last = found[REMEMBERED - 1]
    if (last !== undefined) floor = measure(last, by) + 1
  }
  for (const session of byClientId.values()) {
    if (measure(session, by) < floor) continue
    found.push(session)
    if (found.length >= 8 * REMEMBERED) keepLongest()
  }
  keepLongest()
  return found
}
