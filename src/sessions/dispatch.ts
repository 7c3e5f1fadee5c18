// An event for one of the sessions, and what becomes of a session that it ended: kept for the next time, or forgotten.

import { nextDeadline } from '../session/deadlines.ts'
import { stopWaiting } from '../session/downlink/ask.ts'
import { clearQueue } from '../session/downlink/queue.ts'
import type { Event } from '../session/events.ts'
import { handle } from '../session/handle.ts'
import type { Session } from '../session/session.ts'
import { isEnded } from '../session/states.ts'
import type { Turn } from '../session/turn.ts'
import { clearDeadLetters } from '../session/uplink/dead-letters.ts'
import { owesBroker } from '../session/uplink/spool.ts'
import { forgetInflight } from '../session/uplink/uplinks.ts'
import { noteDeadline } from './due.ts'
import { subtractTotals } from './ownership/let-go.ts'
import { findDeadest, makeTotalRoom } from './queue-shares.ts'
import { removeSession, type Sessions, unbindPeer } from './table.ts'

/** Hands an event to a session, and clears up when that ended it. */
export function dispatch(sessions: Sessions, session: Session, event: Event, turn: Turn): void {
  if (event.type === 'message') makeTotalRoom(sessions, session, event.message, turn)
  const { deadLetters } = turn.env
  const { messages } = deadLetters
  take(sessions, session, event, turn)
  if (deadLetters.messages > messages) makeDeadLetterRoom(sessions, turn)
}

function take(sessions: Sessions, session: Session, event: Event, turn: Turn): void {
  handle(session, event, turn)
  if (isEnded(session)) settleEnded(sessions, session, turn)
  noteDeadline(sessions, session)
}

function makeDeadLetterRoom(sessions: Sessions, turn: Turn): void {
  for (;;) {
    const session = findDeadest(sessions, turn)
    if (session === undefined) return
    take(sessions, session, { type: 'yieldDeadLetter' }, turn)
  }
}

/** A session that ended loses its address [SN-STA-3]; it is kept only if the sensor asked for that [SN-SESS-6]. */
function settleEnded(sessions: Sessions, session: Session, turn: Turn): void {
  if (session.peer !== undefined) {
    unbindPeer(sessions, session)
    restSession(session, turn)
    const isKept = !session.cleanSession || owesBroker(session) || session.uplink.dead.size > 0
    if (isKept && session.established) turn.out.push({ type: 'save', session })
  }
  if (owesBroker(session)) return // kept until the broker has heard it all
  if (session.uplink.dead.size > 0) return // or until a person has decided
  if (session.cleanSession || !session.established) forgetSession(sessions, session, turn)
}

/** What a connection leaves behind is forgotten, what belongs to the session waits for the next one. */
export function restSession(session: Session, turn: Turn): void {
  session.endedAt = turn.now
  session.subscribing.requests.clear()
  stopWaiting(session)
  forgetInflight(session, turn)
  session.wakeAt = nextDeadline(session, turn)
}

/** Deletes a session, in the store too. */
export function forgetSession(sessions: Sessions, session: Session, turn: Turn): void {
  clearQueue(session, turn)
  clearDeadLetters(session, turn)
  removeSession(sessions, session)
  const { forgotten, cleanSession } = session
  // the broker knows by itself that a clean session is over
  if (forgotten !== undefined && !cleanSession)
    turn.out.push({ type: 'endAtBroker', session, expired: forgotten === 'expired' })
  turn.out.push({ type: 'forget', session })
}

/** Lets go of a session that a fault has made unusable; what is stored of it stays stored. */
export function evictSession(sessions: Sessions, session: Session, { env, out }: Turn): void {
  out.push({ type: 'close', session, publishWill: false, cleanSession: session.cleanSession })
  unbindPeer(sessions, session)
  removeSession(sessions, session)
  subtractTotals(session, env)
}
