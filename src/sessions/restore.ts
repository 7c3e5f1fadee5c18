// Sessions from the store: after a restart sensors go on as if the gateway had not been away [SN-SESS-10].

import { isResuming } from '../session/broker/link.ts'
import { nextDeadline } from '../session/deadlines.ts'
import { queuedSize } from '../session/downlink/queue.ts'
import { earnCredit } from '../session/downlink/validation.ts'
import type { QueuedMessage, StoredUplink } from '../session/message.ts'
import type { Peer } from '../session/peers.ts'
import { fromRecord, type PeerRecord, type SessionRecord, type ToMonotonic } from '../session/record.ts'
import type { Session } from '../session/session.ts'
import { isEnded, isLive } from '../session/states.ts'
import type { Turn } from '../session/turn.ts'
import { owesBroker, reopenUplink } from '../session/uplink/spool.ts'
import { noteName } from './connect/broker-names.ts'
import { forgetSession, restSession } from './dispatch.ts'
import { dueSessions, noteDeadline } from './due.ts'
import { bindPeer, countSource, type Sessions } from './table.ts'

/**
 * Milliseconds between the broker connections of two sensors that say nothing; those that speak go before them. Brokers are asked to
 * wait with wills for as long (`negotiation.ts`).
 */
const SPREAD = 2

/** What was stored of one sensor. */
export interface Stored {
  readonly record: SessionRecord
  readonly messages: readonly QueuedMessage[]
  readonly uplinks: readonly StoredUplink[]
}

/** How the places and times of a record are found again. */
export interface Bearings {
  /** undefined: its listener does not exist any more */
  peerOf(record: PeerRecord): Peer | undefined
  readonly toMonotonic: ToMonotonic
  /** how long it was before this time is unknown, so that silence before it is held against no sensor */
  readonly knownSince?: number
}

/**
 * Takes up a session where it was left. A sensor that was connected still is: its broker connection is mended, and timers
 * that ran out meanwhile have their effect at the next deadline. One without a place to be reached, or in the middle of a
 * setup, is disconnected and finds everything when it connects.
 */
export function restore(
  sessions: Sessions,
  stored: Stored,
  { peerOf, toMonotonic, knownSince = Number.NEGATIVE_INFINITY }: Bearings,
  turn: Turn,
): void {
  const session = fromRecord(stored.record, toMonotonic, turn)
  session.heardAt = session.supposedHeardAt = Math.max(session.heardAt, knownSince)
  const { progress } = stored.record
  refill(session, stored, turn)
  if (session.link.pool !== undefined) turn.out.push({ type: 'attach', session })
  sessions.byClientId.set(session.clientId, session)
  noteName(sessions, session, turn)
  countSource(sessions, session, progress.source)
  const wasLive = isLive(session)
  const peer = wasLive && progress.peer !== undefined ? peerOf(progress.peer) : undefined
  if (peer !== undefined && !sessions.byPeer.has(peer.key)) return goOn(sessions, session, peer, turn)
  const endedAt = isEnded(session) ? session.endedAt : turn.now
  if (!isEnded(session)) session.state = 'disconnected'
  restSession(session, turn)
  session.endedAt = endedAt
  if (owesBroker(session)) mendLater(sessions, session, turn)
  session.wakeAt = nextDeadline(session, turn)
  noteDeadline(sessions, session)
  if (isOver(session)) forgetSession(sessions, session, turn)
}

function refill(session: Session, { messages, uplinks }: Stored, turn: Turn): void {
  const { env } = turn
  for (const uplink of uplinks) reopenUplink(session, uplink, turn)
  session.link.nextToken = Math.max(session.link.nextToken, 1 + (uplinks.at(-1)?.token ?? 0))
  session.downlink.queue = [...messages]
  session.downlink.octets = messages.reduce((sum, message) => sum + queuedSize(message), 0)
  env.totals.queuedMessages += messages.length
  env.totals.queuedOctets += session.downlink.octets
  session.downlink.nextMessage = Math.max(session.downlink.nextMessage, 1 + (messages.at(-1)?.id ?? 0))
}

function goOn(sessions: Sessions, session: Session, peer: Peer, turn: Turn): void {
  bindPeer(sessions, session, peer)
  earnCredit(session, turn)
  const head = session.downlink.queue[0]
  if (head !== undefined && session.state === 'active') {
    head.sent = true // it may have been on its way
    // a repetition that PUBREL of the first one overtakes would be taken for a new message
    if (head.qos === 2) session.downlink.holdUntil = turn.now + turn.env.settings.timers.tRetry
  }
  mendLater(sessions, session, turn)
  session.wakeAt = nextDeadline(session, turn)
  noteDeadline(sessions, session)
}

function mendLater(sessions: Sessions, { link }: Session, turn: Turn): void {
  // those who share a connection wait for one attempt together
  if (link.pool !== undefined) link.retryAt = turn.now
  else link.retryAt = sessions.mendingUntil = Math.max(turn.now, sessions.mendingUntil) + SPREAD
  link.lostAt = link.retryAt // the time until its turn comes is nobody's fault, and used up of no grace
}

/**
 * Sessions that were taken up are served from now on. Those whose time to connect has come while others were read do not all connect at
 * once: they are spread anew. What else is due of them is dealt with as ever.
 */
export function spreadMending(sessions: Sessions, turn: Turn): void {
  let next = turn.now
  for (const session of dueSessions(sessions, turn.now)) {
    const { link } = session
    if (link.state !== 'closed' || link.pool !== undefined || link.retryAt > turn.now) continue
    next += SPREAD
    if (isResuming(session)) link.lostAt = next
    link.retryAt = next
    session.wakeAt = nextDeadline(session, turn)
    noteDeadline(sessions, session)
  }
}

/** Whether it is neither connected nor kept for the next time. */
const isOver = (session: Session): boolean =>
  isEnded(session) &&
  (session.cleanSession || !session.established) &&
  !owesBroker(session) &&
  session.uplink.dead.size === 0
