// One event being handled: what procedures may do in their turn is change the session, and ask for effects. Pure.

import type { Packet } from '../codec/v1/messages.ts'
import type { DropReason, Effect } from './events.ts'
import type { Env } from './policy.ts'
import type { Session } from './session.ts'
import { maySend, type State } from './states.ts'

/** The time in monotonic milliseconds, the surroundings, and where effects go. */
export interface Turn {
  readonly now: number
  readonly env: Env
  readonly out: Effect[]
}

/** Sends a message to the sensor, if it has an address; what must not be sent now, the sensor asks for again. */
export function send(session: Session, packet: Packet, turn: Turn, repeated = false): void {
  const { peer, state } = session
  if (peer !== undefined && maySend(state, packet.type)) {
    turn.out.push({ type: 'send', peer, packet, session, repeated })
  }
}

/** Moves to another state and says why. */
export function enter(session: Session, to: State, why: string, turn: Turn): void {
  const { peer, state: from } = session
  if (from === to) return
  turn.out.push({ type: 'changed', session, peer, from, to, why })
  session.state = to
}

/** Counts a discarded message. */
export function drop(session: Session, reason: DropReason, turn: Turn): void {
  turn.out.push({ type: 'drop', reason, session })
}

/** Counts a message that the sensor does not take, and has its topic logged. */
export function dropUndeliverable(session: Session, topic: string, turn: Turn): void {
  turn.out.push({ type: 'drop', reason: 'undeliverable', session, topic })
}
