// Whether a sensor may be here at all is asked elsewhere: its CONNECT waits for the answer, and nothing else changes until then, least
// of all a session that another device has. Pure.

import type { Connect } from '../../codec/v1/messages.ts'
import type { Peer } from '../../session/peers.ts'
import type { Turn } from '../../session/turn.ts'
import type { Admitting, Sessions } from '../table.ts'

/** CONNECTs that may wait. */
const MOST = 10_000

/** What was asked, and what was answered. `rule`: the `match` of the rule that holds for it, if not the first that fits. */
export interface AdmissionAnswer {
  readonly peer: Peer
  /** as in the question */
  readonly ticket: number
  readonly answer:
    | { readonly verdict: 'allow'; readonly rule?: string | undefined; readonly detail?: undefined }
    /** `later`: nobody could tell, the sensor is to try again */
    | { readonly verdict: 'deny' | 'later'; readonly detail?: string | undefined }
}

/** Asks about the sensor of a CONNECT. A repetition waits for the same answer. */
export function askAdmission(sessions: Sessions, packet: Connect, peer: Peer, turn: Turn): void {
  const { admitting } = sessions
  const { clientId } = packet
  const before = admitting.get(peer.key)
  if (before?.packet.clientId === clientId) {
    admitting.set(peer.key, { ...before, packet, peer })
    return
  }
  if (before === undefined && admitting.size >= MOST) {
    const refusal = { reason: 'overloaded', peer, clientId } as const
    turn.out.push({ type: 'drop', reason: 'overloaded', session: undefined, refusal })
    return
  }
  sessions.lastTicket += 1
  const ticket = sessions.lastTicket
  admitting.set(peer.key, { packet, peer, ticket })
  turn.out.push({ type: 'admit', clientId, peer, ticket })
}

/** The CONNECT that waits for this answer; undefined if another one has taken its place. */
export function takeAdmitting(
  { admitting }: Sessions,
  { peer, ticket }: AdmissionAnswer,
): Admitting | undefined {
  const waiting = admitting.get(peer.key)
  if (waiting?.ticket !== ticket) return undefined
  admitting.delete(peer.key)
  return waiting
}
