// One event being handled: what procedures may do in their turn is change the session, and ask for effects. Pure.

import { type Packet, ReturnCode } from '../codec/v1/messages.ts'
import type { DropReason, Effect } from './events.ts'
import type { Uplink } from './message.ts'
import type { Env } from './policy.ts'
import { type RefusalReason, usualReason } from './refusal.ts'
import type { Session } from './session.ts'
import { maySend, type State } from './states.ts'

/** The time in monotonic milliseconds, the surroundings, and where effects go. */
export interface Turn {
  /** A publish that an earlier turn has kept in the store; `gone`: not there any more; `later`: it cannot be read now. */
  readonly readUplink: (clientId: string, token: number) => Uplink | 'gone' | 'later' | 'soon'
  /** Whether what the broker is told for this session now leaves the process at once, and waits neither for the store nor for the broker. */
  readonly leavesAtOnce: (session: Session) => boolean
  readonly now: number
  readonly env: Env
  readonly out: Effect[]
}

/**
 * Sends a message to the sensor, if it has an address; what must not be sent now, the sensor asks for again. An answer that
 * refuses is noted with its usual reason: where a closer one is known, `refuse` is called instead.
 */
export function send(session: Session, packet: Packet, turn: Turn, repeated = false): void {
  const { peer, state } = session
  if (peer === undefined || !maySend(state, packet.type)) return
  turn.out.push({ type: 'send', peer, packet, session, repeated })
  if ('returnCode' in packet && packet.returnCode !== ReturnCode.accepted)
    noteRefusal(session, packet, usualReason(packet.type, packet.returnCode), turn)
}

/** Tells the sensor what the broker has: that holds whatever becomes of the gateway, so it does not wait for the store. */
export function sendBacked(session: Session, packet: Packet, turn: Turn): void {
  const { peer, state } = session
  if (peer === undefined || !maySend(state, packet.type)) return
  turn.out.push({ type: 'send', peer, packet, session, repeated: false, backed: true })
}

/** An answer that may refuse. */
type Answer = Extract<Packet, { readonly returnCode: number }>

/** Sends an answer that refuses, and says why. `detail`: what the broker said, or what else helps. */
export function refuse(
  session: Session,
  packet: Answer,
  reason: RefusalReason,
  turn: Turn,
  detail?: string,
): void {
  const { peer, state } = session
  if (peer === undefined || !maySend(state, packet.type)) return
  turn.out.push({ type: 'send', peer, packet, session, repeated: false })
  noteRefusal(session, packet, reason, turn, detail)
}

function noteRefusal(
  { peer, clientId }: Session,
  { returnCode }: Answer,
  reason: RefusalReason,
  { out }: Turn,
  detail?: string,
): void {
  if (peer === undefined) return
  const refusal = { reason, peer, clientId, returnCode, ...(detail !== undefined && { detail }) }
  out.push({ type: 'refused', refusal })
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

// Ids given to messages for the sensor (MsgId follows from them) and to requests to the broker (packet identifiers follow) are
// reserved in the store before anybody hears of them, so that after a crash none is given again, and a late answer never means
// something newer.

/** Ids that one write reserves. */
const BLOCK = 256

/** The first id from `next` on that begins a block. */
export const nextBlock = (next: number): number => 1 + BLOCK * Math.ceil((next - 1) / BLOCK)

/** An id for a message to the sensor, greater than all before it, also over a crash [SN-SESS-10]. */
export function takeMessageId(session: Session, turn: Turn): number {
  const { downlink } = session
  const id = downlink.nextMessage++
  if (id >= downlink.reserved) {
    downlink.reserved = nextBlock(id + 1)
    turn.out.push({ type: 'saveProgress', session, lazy: false })
  }
  return id
}

/**
 * A name for a request to the broker, greater than all before it.
 * @param lasting the broker keeps the packet identifier beyond the connection (QoS 2): greater also over a crash [SN-PUB-11]
 */
export function takeToken(session: Session, lasting: boolean, turn: Turn): number {
  const { link } = session
  const token = link.nextToken++
  if (lasting && token >= link.reserved) {
    link.reserved = nextBlock(token + 1)
    turn.out.push({ type: 'saveProgress', session, lazy: false })
  }
  return token
}
