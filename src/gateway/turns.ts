// A turn: something happens, the session core says what is to be done, and that is performed. A bug costs one session, never
// the gateway.

import type { Log } from '../log.ts'
import type { Event } from '../session/events.ts'
import type { Session } from '../session/session.ts'
import type { Turn } from '../session/turn.ts'
import { onAdmission } from '../sessions/connect/takeover.ts'
import { dispatch, evictSession } from '../sessions/dispatch.ts'
import { passDue } from '../sessions/due.ts'
import { type Leaving, letGo } from '../sessions/ownership/let-go.ts'
import { type Bearings, restore, type Stored, spreadMending } from '../sessions/restore.ts'
import type { Sessions } from '../sessions/table.ts'
import { Pace, Rest } from '../store/pace.ts'
import type { Counters } from './counters.ts'
import { createEffectPerformer, type EffectPerformerParts } from './effects/perform.ts'
import type { Observers } from './observer.ts'
import type { SensorRules } from './rules/sensor-rules.ts'

/** What turns work with. */
export interface TurnsParts extends EffectPerformerParts {
  readonly sessions: Sessions
  readonly rules: SensorRules
  readonly observers: EffectPerformerParts['observers'] & Pick<Observers, 'moved'>
}

export interface Turns {
  /** Takes a step of the core and performs what it asks for; false if that failed, which is logged and counted. */
  attempt(session: Session | undefined, step: (turn: Turn) => void): boolean
  /** Hands an event to a session and performs what follows from it; ends the session if that fails. */
  dispatch(session: Session, event: Event): void
  /**
   * Deals with what is due of sessions that are served, for some milliseconds; if that was not all, `again` is called in the next turn of
   * the event loop, once, however often this was called meanwhile.
   */
  passDeadlines(now: number, ownership: { serves(session: Session): boolean }, again: () => void): void
  /** Ends a session after a fault, and deletes it if it cannot even be ended. */
  abandon(session: Session): void
  /** Takes a session up where somebody else has left it; false if that failed. */
  takeUp(stored: Stored, bearings: Bearings): boolean
  /** Sessions that were taken up are served from now on. */
  begin(): void
  /** Lets go of a session, with which somebody else goes on. */
  letGo(session: Session, how: Leaving): void
  /** effects that wait for the store */
  readonly held: number
}

/** Counts a fault, and logs it. */
export function reportFault(err: unknown, counters: Counters, log: Log, session?: Session): void {
  counters.faults += 1
  log.error({ err, clientId: session?.clientId }, 'internal error')
}

/** One object for the life of a gateway. */
export function createTurns(parts: TurnsParts): Turns {
  const { sessions, rules, counters, log, store, observers } = parts
  const performer = createEffectPerformer(parts, {
    attempt,
    dispatch: dispatchEvent,
    abandon,
    admitted(answered) {
      if (attempt(undefined, (turn) => onAdmission(sessions, answered, turn))) return
      const broken = sessions.byPeer.get(answered.peer.key)
      if (broken !== undefined) abandon(broken)
    },
  })

  const rest = new Rest()
  const readUplink: Turn['readUplink'] = (clientId, token) => store.readUplink(clientId, token)

  function attempt(session: Session | undefined, step: (turn: Turn) => void): boolean {
    const now = performance.now()
    const turn: Turn = { readUplink, leavesAtOnce: performer.leavesAtOnce, now, env: rules.env, out: [] }
    try {
      step(turn)
      performer.perform(turn.out)
      return true
    } catch (error) {
      reportFault(error, counters, log, session)
      return false
    }
  }

  function dispatchEvent(session: Session, event: Event): void {
    if (!attempt(session, (turn) => dispatch(sessions, session, event, turn))) abandon(session)
  }

  function abandon(session: Session): void {
    const isEnded = attempt(session, (turn) => {
      // what the failed step asked for may be lost, and nobody else would ever close it
      turn.out.push({ type: 'close', session, publishWill: false, cleanSession: session.cleanSession })
      dispatch(sessions, session, { type: 'shutdown' }, turn)
    })
    if (!isEnded) attempt(session, (turn) => evictSession(sessions, session, turn))
  }

  return {
    attempt,
    abandon,
    dispatch: dispatchEvent,
    passDeadlines(now, ownership, again) {
      const pass = (session: Session): boolean => {
        if (!ownership.serves(session)) return false
        dispatchEvent(session, { type: 'deadline' })
        return true
      }
      if (passDue(sessions, now, pass, new Pace())) return
      rest.plan(again)
    },
    takeUp(stored, bearings) {
      if (!attempt(undefined, (turn) => restore(sessions, stored, bearings, turn))) return false
      const session = sessions.byClientId.get(stored.record.lasting.clientId)
      if (session !== undefined) observers.moved(session, 'adopted')
      return true
    },
    begin() {
      attempt(undefined, (turn) => spreadMending(sessions, turn))
    },
    letGo(session, how) {
      performer.letGo(session, how)
      letGo(sessions, session, rules.env)
      observers.moved(session, 'released')
    },
    get held() {
      return performer.held
    },
  }
}
