// Messages that were acknowledged to a sensor and that the broker will not have: set aside so that nothing behind them waits, and
// kept until a person discards them or sends them again, or others need the room more. Their payloads lie in the store alone.

import { ReturnCode } from '../../codec/v1/messages.ts'
import type { DropReason } from '../events.ts'
import type { DeadLetter, DeathCause, Uplink } from '../message.ts'
import type { Env } from '../policy.ts'
import type { Session } from '../session.ts'
import { drop, type Turn, takeToken } from '../turn.ts'
import { addToSpooled, hasSpoolRoom } from './backlog.ts'
import { deadLetterOf, deadLetterSize, uplinkSize } from './record.ts'
import { endTowardsBroker, enqueueUplink, failUplink } from './uplinks.ts'

const never = Number.POSITIVE_INFINITY

/** Milliseconds until one is asked for again that is on its way from the store. */
const MOMENT = 10

/** Takes one up, and counts it. */
export function addDeadLetter({ uplink: side }: Session, letter: DeadLetter, { deadLetters }: Env): void {
  side.dead.set(letter.token, letter)
  side.deadOctets += deadLetterSize(letter)
  deadLetters.messages += 1
  deadLetters.octets += deadLetterSize(letter)
}

function removeDeadLetter({ uplink: side }: Session, letter: DeadLetter, { deadLetters }: Env): void {
  side.dead.delete(letter.token)
  side.deadOctets -= deadLetterSize(letter)
  deadLetters.messages -= 1
  deadLetters.octets -= deadLetterSize(letter)
}

/**
 * The broker will not have it: the sensor that waits for an answer is refused; what was acknowledged to it is kept as a dead
 * letter, until a person discards it or sends it again.
 */
export function setAsideUplink(session: Session, uplink: Uplink, why: DeathCause, turn: Turn): void {
  const { topic, stored, qos } = uplink
  drop(session, why, turn)
  if (qos === 0 && !stored) return endTowardsBroker(session, uplink, turn)
  turn.out.push({ type: 'setAside', session, kind: 'publish', topic, why, kept: stored })
  if (!stored)
    return failUplink(
      session,
      uplink,
      ReturnCode.notSupported,
      turn,
      why === 'hung-up' ? 'broker-hung-up' : undefined,
    )
  if (session.uplink.outgoing.delete(uplink.token)) addToSpooled(session, -1, -uplinkSize(uplink), turn.env)
  uplink.broker = 'dead'
  uplink.why = why
  const letter = deadLetterOf(uplink)
  makeOwnRoom(session, deadLetterSize(letter), turn)
  addDeadLetter(session, letter, turn.env)
  turn.out.push({ type: 'keepUplink', session, uplink })
}

/** One sensor has as many as may wait of it for the broker. */
function makeOwnRoom(session: Session, more: number, turn: Turn): void {
  const { uplink: side, policy } = session
  while (side.dead.size > 0) {
    const { messages, octets } = policy.spool
    if (side.dead.size < messages && side.deadOctets + more <= octets) return
    yieldDeadLetter(session, 'dead-letters-full', turn)
  }
}

/** Its oldest dead letter makes room. */
export function yieldDeadLetter(session: Session, reason: DropReason, turn: Turn): void {
  const [oldest] = session.uplink.dead.values()
  if (oldest === undefined) return
  const { topic } = oldest
  turn.out.push({ type: 'drop', reason, session, topic })
  discardDeadLetter(session, oldest, turn)
}

/** Throws a dead letter away: a person said so, or there are too many. */
export function discardDeadLetter(session: Session, letter: DeadLetter, turn: Turn): void {
  removeDeadLetter(session, letter, turn.env)
  const open = findOpen(session, letter)
  if (open === undefined) return void turn.out.push({ type: 'dropUplink', session, uplink: letter })
  open.broker = 'done' // a repetition before its PUBREL must still be known as one
  turn.out.push({ type: 'keepUplink', session, uplink: open })
}

/** The publish, if its PUBREL is still to come. */
function findOpen({ uplink: { open } }: Session, { token }: DeadLetter): Uplink | undefined {
  for (const uplink of open.values()) if (uplink.token === token) return uplink
  return undefined
}

/**
 * Puts dead letters in line again, the oldest first, as messages that no broker has seen. Those for which the spool has no room, or
 * which cannot be read at the moment, stay.
 */
export function resendDeadLetters(session: Session, turn: Turn): void {
  // what fails once more is not meant
  const upTo =
    session.uplink.resending?.upTo ??
    Math.max(0, ...[...session.uplink.dead.values()].map(({ token }) => token))
  session.uplink.resending = undefined
  for (const letter of [...session.uplink.dead.values()]) {
    if (letter.token > upTo) return
    const outcome = resendDeadLetter(session, letter, turn)
    if (outcome === 'soon') session.uplink.resending = { upTo, at: turn.now + MOMENT }
    if (outcome !== 'done') return
  }
}

/** When the next of them that is being read is asked for again; Infinity if none is. */
export const nextResending = ({ uplink: { resending } }: Session): number => resending?.at ?? never

function resendDeadLetter(session: Session, letter: DeadLetter, turn: Turn): 'done' | 'stays' | 'soon' {
  if (!hasSpoolRoom(session, deadLetterSize(letter), turn)) return 'stays'
  const found = findOpen(session, letter) ?? turn.readUplink(session.clientId, letter.token)
  if (found === 'soon') return 'soon'
  if (found === 'later') return 'stays'
  discardDeadLetter(session, letter, turn)
  if (found === 'gone') {
    drop(session, 'unreadable', turn)
    return 'done'
  }
  const again: Uplink = {
    ...found,
    token: takeToken(session, found.qos === 2, turn),
    broker: 'waiting',
    sensor: 'released',
    repeated: false,
    refusals: 0,
    retryAt: 0,
    why: undefined,
  }
  enqueueUplink(session, again)
  addToSpooled(session, 1, uplinkSize(again), turn.env)
  turn.out.push({ type: 'keepUplink', session, uplink: again }, { type: 'saveProgress', session, lazy: true })
  return 'done'
}

/** When the first of them is older than the spool keeps messages; Infinity: none ever is. */
export function nextDeadLetterExpiry({ uplink: { dead }, policy }: Session): number {
  if (dead.size === 0) return never
  const [oldest] = dead.values()
  return oldest === undefined ? never : oldest.at + policy.spool.age
}

/** Those whose time is over go. */
export function expireDeadLetters(session: Session, turn: Turn): void {
  while (nextDeadLetterExpiry(session) <= turn.now) yieldDeadLetter(session, 'expired', turn)
}

/** The session is forgotten, and they with it; they are deleted with all that is stored of it. */
export function clearDeadLetters(session: Session, turn: Turn): void {
  for (const letter of [...session.uplink.dead.values()]) removeDeadLetter(session, letter, turn.env)
}
