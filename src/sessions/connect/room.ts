// Room for newcomers: a share of the table for each source address, and sessions of sensors that are gone, which give way
// when there is none. Pure.

import { type Peer, sourceOf } from '../../session/peers.ts'
import type { RefusalReason } from '../../session/refusal.ts'
import type { Session } from '../../session/session.ts'
import { isEnded } from '../../session/states.ts'
import type { Turn } from '../../session/turn.ts'
import { yieldDeadLetter } from '../../session/uplink/dead-letters.ts'
import { owesBroker } from '../../session/uplink/spool.ts'
import { forgetSession } from '../dispatch.ts'
import type { Sessions, Yielding } from '../table.ts'

/** Milliseconds that a line is full before newcomers are told to come later. */
const FULL_FOR = 1000

/** Searches remembered: one for all sources, and one for each source that has used up its share. */
const MOST_SEARCHES = 64

/**
 * Makes room for a new session of this peer, or says why there is none. A line that is full has none for newcomers: those that it
 * serves would have less. What the broker keeps of a session that gives
 * way is ended too, so a search finds only so many at once, and another one has to wait [SN-CONN-19, SN-ROB-1].
 */
export function makeRoomFor(sessions: Sessions, peer: Peer, turn: Turn): RefusalReason | undefined {
  const { limits } = turn.env.settings
  const source = sourceOf(peer)
  if (isFull(sessions, peer, turn)) return 'link-full'
  const own = sessions.bySource.get(source) ?? 0
  if (own >= limits.sensorsPerAddress && !giveWay(sessions, source, true, turn)) return 'too-many-of-address'
  if (sessions.byClientId.size < limits.sensors || giveWay(sessions, source, false, turn)) return undefined
  return 'too-many-sensors'
}

/** A burst of newcomers must not be sent away because of itself: the line has been full for a while. */
function isFull({ fullSince }: Sessions, peer: Peer, { now }: Turn): boolean {
  const { listener } = peer
  if (listener.room?.(peer) !== 0) {
    if (fullSince.size > 0) fullSince.delete(listener)
    return false
  }
  const since = fullSince.get(listener) ?? now
  fullSince.set(listener, since)
  return now - since >= FULL_FOR
}

/** Forgets the session that is missed least, of this source (`ownOnly`) or of any; false if none may be. */
function giveWay(sessions: Sessions, source: string, ownOnly: boolean, turn: Turn): boolean {
  const key = ownOnly ? source : ''
  let found = sessions.yielding.get(key)
  if (found === undefined || (found.candidates.length === 0 && turn.now >= found.nextAt)) {
    found = search(sessions, ownOnly ? source : undefined, turn)
    if (sessions.yielding.size >= MOST_SEARCHES) sessions.yielding.clear()
    sessions.yielding.set(key, found)
  }
  const { candidates } = found
  for (let i = 0; i < candidates.length; i += 1) {
    const candidate = candidates[i]
    if (candidate === undefined) break
    const isThere = sessions.byClientId.get(candidate.clientId) === candidate && mayGiveWay(candidate)
    if (isThere && !isFair(sessions, candidate, source)) continue
    candidates.splice(i, 1)
    i -= 1
    if (!isThere) continue
    candidate.forgotten = 'made room'
    turn.out.push({ type: 'gaveWay', session: candidate })
    while (candidate.uplink.dead.size > 0) yieldDeadLetter(candidate, 'dead-letters-full', turn)
    forgetSession(sessions, candidate, turn)
    return true
  }
  return false
}

/** Its sensor is gone, and nothing of it waits for the broker. Dead letters wait for a person: their sessions are the last to go. */
const mayGiveWay = (session: Session): boolean => isEnded(session) && !owesBroker(session)

/** Nothing is subscribed, registered, queued or half done: its sensor loses nothing by it. */
const isUnused = ({ subscriptions, topics, downlink, uplink }: Session): boolean =>
  subscriptions.size === 0 &&
  topics.byId.size === 0 &&
  downlink.queue.length === 0 &&
  downlink.received.size === 0 &&
  uplink.open.size === 0 &&
  uplink.dead.size === 0

/** A source may not push out what others keep while it has more sessions than they: a flood ends its own. */
function isFair({ bySource }: Sessions, candidate: Session, source: string): boolean {
  if (candidate.source === undefined || candidate.source === source || isUnused(candidate)) return true
  return (bySource.get(candidate.source) ?? 0) > (bySource.get(source) ?? 0)
}

function search({ byClientId }: Sessions, source: string | undefined, { now }: Turn): Yielding {
  const all: Session[] = []
  for (const session of byClientId.values()) {
    if (mayGiveWay(session) && (source === undefined || session.source === source)) all.push(session)
  }
  const rank = (session: Session): number => (isUnused(session) ? 0 : session.uplink.dead.size === 0 ? 1 : 2)
  all.sort((a, b) => rank(a) - rank(b) || a.endedAt - b.endedAt)
  // each look costs more the more sessions there are, so it finds more and is done less often
  const { size } = byClientId
  return { candidates: all.slice(0, 256 + Math.ceil(size / 16)), nextAt: now + 500 + size / 10 }
}
