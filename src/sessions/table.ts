// All sessions: found by address and by ClientId. Pure.

import type { Connect } from '../codec/v1/messages.ts'
import { noteProof, restartValidation } from '../session/downlink/validation.ts'
import { type Listener, type Peer, type PeerKey, sourceOf } from '../session/peers.ts'
import type { Session } from '../session/session.ts'
import { type Calendar, createCalendar, dropDeadline } from './due.ts'
import { createThrottle, type Throttle } from './throttle.ts'

/** Where the search for the session that has most of something goes on. */
export interface Largest {
  found: readonly Session[]
  /** what the last of `found` had, so that one of them that has less may not be the largest any more */
  floor: number
  /** what is measured */
  by: ((session: Session) => number) | undefined
  /** how often it was asked since the last look at all */
  uses: number
}

/** Sessions that may give way, those first that are missed least; found by one look at all sessions, for many newcomers. */
export interface Yielding {
  readonly candidates: Session[]
  /** when all sessions may be looked at again */
  readonly nextAt: number
}

/** A CONNECT about whose sensor somebody is being asked. */
export interface Admitting {
  readonly packet: Connect
  readonly peer: Peer
  readonly ticket: number
}

export interface Sessions {
  readonly byPeer: Map<PeerKey, Session>
  readonly byClientId: Map<string, Session>
  /** by their ClientIds at the broker, those of sensors that have another one there */
  readonly renamed: Map<string, string>
  /** how many sessions each source address has; sessions whose source is unknown are not counted */
  readonly bySource: Map<string, number>
  /** CONNECTs that wait for an admission, by address */
  readonly admitting: Map<PeerKey, Admitting>
  /** the number of the last question */
  lastTicket: number
  /** sessions that may give way to newcomers, by the source that they are looked for; '' for any */
  readonly yielding: Map<string, Yielding>
  /** since when newcomers have found these links full */
  readonly fullSince: Map<Listener, number>
  /** when something is due of whom */
  readonly calendar: Calendar
  /** when the connection of the last session from the store is to be mended, if nobody speaks before */
  mendingUntil: number
  /** those with the longest queues, and with most dead letters, as they were last looked for */
  readonly longest: Largest
  readonly deadest: Largest
  /** when a limit on what waits for all sensors together was last reached; monotonic milliseconds */
  totalReachedAt: number
  /** rates per source, by what they limit */
  readonly rates: Readonly<Record<'connect' | 'reply' | 'anonymous' | 'refusal', Throttle>>
}

const nobodyFound = (): Largest => ({ found: [], floor: 0, by: undefined, uses: 0 })

/** An empty table. */
export const createSessions = (): Sessions => ({
  byPeer: new Map(),
  byClientId: new Map(),
  renamed: new Map(),
  bySource: new Map(),
  admitting: new Map(),
  lastTicket: 0,
  yielding: new Map(),
  fullSince: new Map(),
  calendar: createCalendar(),
  mendingUntil: Number.NEGATIVE_INFINITY,
  longest: nobodyFound(),
  deadest: nobodyFound(),
  totalReachedAt: Number.NEGATIVE_INFINITY,
  rates: {
    connect: createThrottle(),
    reply: createThrottle(),
    anonymous: createThrottle(),
    refusal: createThrottle(),
  },
})

/** The session's sensor is at this address from now on. */
export function bindPeer(sessions: Sessions, session: Session, peer: Peer): void {
  const { peer: last } = session
  if (last?.key !== peer.key) {
    if (last === undefined || sourceOf(last) !== sourceOf(peer)) restartValidation(session)
    unbindPeer(sessions, session)
  }
  if (peer.association !== undefined) noteProof(session) // its link has seen to that
  session.peer = peer
  sessions.byPeer.set(peer.key, session)
  countSource(sessions, session, sourceOf(peer))
}

/** The session counts for this source from now on, or for none. */
export function countSource({ bySource }: Sessions, session: Session, source: string | undefined): void {
  const before = session.source
  if (before === source) return
  session.source = source
  if (source !== undefined) bySource.set(source, (bySource.get(source) ?? 0) + 1)
  if (before === undefined) return
  const left = (bySource.get(before) ?? 0) - 1
  if (left > 0) bySource.set(before, left)
  else bySource.delete(before)
}

/** The session has no address any more. */
export function unbindPeer(sessions: Sessions, session: Session): void {
  if (session.peer !== undefined && sessions.byPeer.get(session.peer.key) === session) {
    sessions.byPeer.delete(session.peer.key)
  }
  session.peer = undefined
}

/** Takes the session out of the table, unless another one of the same ClientId is there by now. */
export function removeSession(sessions: Sessions, session: Session): void {
  countSource(sessions, session, undefined)
  dropDeadline(sessions.calendar, session)
  if (sessions.byClientId.get(session.clientId) === session) sessions.byClientId.delete(session.clientId)
}
