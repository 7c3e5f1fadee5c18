// The limits on what waits for all sensors together, and on their dead letters: when they are reached, the sensor that has most makes
// room, not the one that gets the next message [SN-ROB-1, SN-ROB-4].

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
import type { Largest, Sessions } from './table.ts'

/** Sessions that are remembered as those that have most, so that not every message has to look at all. */
const REMEMBERED = 64
/** How often that serves before others that have grown since must be seen. */
const USES = 1024

type Measure = (session: Session) => number

const queuedMessages: Measure = ({ downlink }) => downlink.queue.length
const queuedOctets: Measure = ({ downlink }) => downlink.octets
const deadMessages: Measure = ({ uplink }) => uplink.dead.size
const deadOctets: Measure = ({ uplink }) => uplink.deadOctets

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
    const measure = by === 'messages' ? queuedMessages : queuedOctets
    const longest = findLargest(sessions, sessions.longest, measure)
    if (longest === undefined || measure(longest) <= measure(session)) return
    const victim = findMostDispensable(longest)
    if (victim === undefined) return
    removeMessage(longest, victim, turn)
    drop(longest, 'queue-full', turn)
  }
}

/** The session whose oldest dead letter gives way, since those of all sensors together are over a limit: that with most. */
export function findDeadest(sessions: Sessions, { env }: Turn): Session | undefined {
  const { deadLetters, settings } = env
  const { totalDeadLetters, totalDeadLetterOctets } = settings.limits
  const isOver = deadLetters.octets > totalDeadLetterOctets
  if (!isOver && deadLetters.messages <= totalDeadLetters) return undefined
  const measure = isOver ? deadOctets : deadMessages
  const deadest = findLargest(sessions, sessions.deadest, measure)
  return deadest !== undefined && measure(deadest) > 0 ? deadest : undefined
}

function findLargest(sessions: Sessions, known: Largest, measure: Measure): Session | undefined {
  known.uses += 1
  if (known.by === measure && known.uses <= USES) {
    const largest = largestOf(sessions, known.found, measure)
    if (largest !== undefined && measure(largest) >= known.floor) return largest
  }
  known.found = findLargestOfAll(sessions, measure)
  const last = known.found.at(-1)
  known.floor = known.found.length < REMEMBERED || last === undefined ? 1 : measure(last)
  known.by = measure
  known.uses = 0
  return known.found[0]
}

/** Those that are not forgotten by now. */
function largestOf(
  { byClientId }: Sessions,
  found: readonly Session[],
  measure: Measure,
): Session | undefined {
  let largest: Session | undefined
  for (const session of found) {
    if (byClientId.get(session.clientId) !== session) continue
    if (largest === undefined || measure(session) > measure(largest)) largest = session
  }
  return largest
}

/** The largest first; looks at all sessions once, and sorts only what may be among the first. */
function findLargestOfAll({ byClientId }: Sessions, measure: Measure): readonly Session[] {
  let found: Session[] = []
  let floor = 1
  const keepLargest = (): void => {
    found.sort((a, b) => measure(b) - measure(a))
    found = found.slice(0, REMEMBERED)
    const last = found[REMEMBERED - 1]
    if (last !== undefined) floor = measure(last) + 1
  }
  for (const session of byClientId.values()) {
    if (measure(session) < floor) continue
    found.push(session)
    if (found.length >= 8 * REMEMBERED) keepLargest()
  }
  keepLargest()
  return found
}
