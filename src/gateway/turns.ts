// Every step of the core is taken here: what it asks for is performed, and a bug in it costs one session, never the gateway.

import type { Log } from '../log.ts'
import type { Effect, Event } from '../session/events.ts'
import type { Env } from '../session/policy.ts'
import type { Session } from '../session/session.ts'
import type { Turn } from '../session/turn.ts'
import { dispatch, evictSession as evict } from '../sessions/dispatch.ts'
import type { Sessions } from '../sessions/table.ts'
import type { Counters } from './counters.ts'

/** What steps work with. */
export interface StepsParts {
  readonly sessions: Sessions
  readonly env: Env
  readonly counters: Counters
  readonly log: Log
  perform(effects: readonly Effect[]): void
}

export interface Steps {
  /** Takes a step and performs what it asks for; false if that failed. */
  attempt(session: Session | undefined, step: (turn: Turn) => void): boolean
  /** Hands an event to a session and does what follows from it. */
  dispatch(session: Session, event: Event): void
  /** Ends a session after a fault, and deletes it if it cannot even be ended. */
  abandon(session: Session): void
  /** Counts a fault, and logs it. */
  onFault(error: unknown, session: Session | undefined): void
}

/** One object for the life of a gateway. */
export function createSteps({ sessions, env, counters, log, perform }: StepsParts): Steps {
  function onFault(err: unknown, session: Session | undefined): void {
    counters.faults += 1
    log.error({ err, clientId: session?.clientId }, 'internal error')
  }

  function attempt(session: Session | undefined, step: (turn: Turn) => void): boolean {
    const turn: Turn = { now: performance.now(), env, out: [] }
    try {
      step(turn)
      perform(turn.out)
      return true
    } catch (error) {
      onFault(error, session)
      return false
    }
  }

  function abandon(session: Session): void {
    const ended = attempt(session, (turn) => {
      // what the failed step asked for may be lost, and nobody else would ever close it
      turn.out.push({ type: 'close', session, publishWill: false })
      dispatch(sessions, session, { type: 'shutdown' }, turn)
    })
    if (!ended) attempt(session, (turn) => evict(sessions, session, turn))
  }

  return {
    attempt,
    abandon,
    onFault,
    dispatch(session, event) {
      if (!attempt(session, (turn) => dispatch(sessions, session, event, turn))) abandon(session)
    },
  }
}
