// What of a sensor waits for the broker in the store alone. Payloads lie on the disk, memory holds positions, and a publish is read
// when its turn comes: so the store may be larger than memory.

import type { Backlog, SpooledPosition, Uplink } from '../message.ts'
import type { Session } from '../session.ts'
import { SparseMap } from '../sparse.ts'
import { drop, type Turn } from '../turn.ts'

const NOT_STORED = -1

/** Milliseconds until a store that cannot be read at the moment is read again. */
const PATIENCE = 1000
/** Milliseconds until one is asked again that is fetching what was asked for. */
const MOMENT = 10

const createBacklog = (): Backlog => ({
  tokens: [],
  octets: [],
  at: [],
  head: 0,
  inMemory: new SparseMap(),
  newest: 0,
  retryAt: 0,
})

/** Adds to what waits of the sensor in the store, and of all sensors. */
export function addToSpooled(
  { uplink: { spooled } }: Session,
  messages: number,
  octets: number,
  env: Turn['env'],
): void {
  for (const sum of [spooled, env.spooled]) {
    sum.messages += messages
    sum.octets += octets
  }
}

/** Within one sensor's share, and what all together may have. */
export function hasSpoolRoom({ policy, uplink: { spooled } }: Session, more: number, { env }: Turn): boolean {
  const { totalSpooledMessages, totalSpooledOctets } = env.settings.limits
  return (
    spooled.messages < policy.spool.messages &&
    spooled.octets + more <= policy.spool.octets &&
    env.spooled.messages < totalSpooledMessages &&
    env.spooled.octets + more <= totalSpooledOctets
  )
}

/** Puts a publish at the end of the line. It leaves memory when it is in the store and nobody needs it. */
export function appendUplink(session: Session, uplink: Uplink, octets: number): void {
  const { token, at, stored } = uplink
  const backlog = appendPosition(session, { token, at, octets: stored ? octets : NOT_STORED })
  const before = backlog.inMemory.get(backlog.newest)
  backlog.newest = token
  if (before !== undefined) dismissUplink(session, before)
  backlog.inMemory.set(token, uplink)
}

/** Puts one at the end of the line that the store has. */
export function appendPosition({ uplink: side }: Session, { token, at, octets }: SpooledPosition): Backlog {
  side.backlog ??= createBacklog()
  side.backlog.tokens.push(token)
  side.backlog.octets.push(octets)
  side.backlog.at.push(at)
  return side.backlog
}

/** The sensor needs it no more: the store has what the broker is to get. */
export function dismissUplink({ uplink: { backlog } }: Session, uplink: Uplink): void {
  if (backlog === undefined || !uplink.stored || uplink.token === backlog.newest) return
  if (uplink.qos === 2 && uplink.sensor !== 'released') return // its PUBREL is still to come
  backlog.inMemory.delete(uplink.token)
}

function removeHead({ uplink: side }: Session, backlog: Backlog): void {
  backlog.head += 1
  if (backlog.head === backlog.tokens.length) side.backlog = undefined
  else if (backlog.head >= 1024 && backlog.head * 2 > backlog.tokens.length) {
    backlog.tokens = backlog.tokens.slice(backlog.head)
    backlog.octets = backlog.octets.slice(backlog.head)
    backlog.at = backlog.at.slice(backlog.head)
    backlog.head = 0
  }
}

/** Moves the next in line to `outgoing`, with their payloads, until so many are there. */
export function refillOutgoing(session: Session, most: number, turn: Turn): void {
  const { uplink: side } = session
  while (side.outgoing.size < most) {
    const uplink = takeNext(session, turn)
    if (uplink === undefined) return
    side.outgoing.set(uplink.token, uplink)
  }
}

function takeNext(session: Session, turn: Turn): Uplink | undefined {
  const { uplink: side, clientId } = session
  for (let { backlog } = side; backlog !== undefined; backlog = side.backlog) {
    const [token = 0, octets = 0] = [backlog.tokens[backlog.head], backlog.octets[backlog.head]]
    const inMemory = backlog.inMemory.get(token)
    if (inMemory !== undefined) {
      removeHead(session, backlog)
      backlog.inMemory.delete(token)
      return inMemory
    }
    if (octets === NOT_STORED) {
      removeHead(session, backlog) // it has ended meanwhile
      continue
    }
    if (backlog.retryAt > turn.now) return undefined
    const found = turn.readUplink(clientId, token)
    if (found === 'later' || found === 'soon') {
      backlog.retryAt = turn.now + (found === 'soon' ? MOMENT : PATIENCE)
      return undefined
    }
    removeHead(session, backlog)
    if (found === 'gone') forgetPosition(session, token, octets, 'unreadable', turn)
    else return asNeeded(session, found)
  }
  return undefined
}

/** What was read may be older than what the sensor has said since. */
function asNeeded({ uplink: { open } }: Session, uplink: Uplink): Uplink {
  if (uplink.qos === 2 && open.get(uplink.msgId)?.token !== uplink.token) uplink.sensor = 'released'
  return uplink
}

function forgetPosition(
  session: Session,
  token: number,
  octets: number,
  reason: 'expired' | 'unreadable',
  turn: Turn,
): void {
  addToSpooled(session, -1, -octets, turn.env)
  turn.out.push({ type: 'dropUplink', session, uplink: { token } })
  drop(session, reason, turn)
}

/**
 * Drops those at the head of the line that came before a time. Those of them that are in memory move to `outgoing`, where it is
 * decided what becomes of them.
 */
export function expireBacklog(session: Session, before: number, turn: Turn): void {
  const { uplink: side } = session
  for (let { backlog } = side; backlog !== undefined; backlog = side.backlog) {
    const { head, tokens, at, inMemory } = backlog
    if ((at[head] ?? 0) > before) return
    const [token = 0, octets = 0] = [tokens[head], backlog.octets[head]]
    removeHead(session, backlog)
    const uplink = inMemory.get(token)
    inMemory.delete(token)
    if (uplink !== undefined) side.outgoing.set(token, uplink)
    else if (octets !== NOT_STORED) forgetPosition(session, token, octets, 'expired', turn)
  }
}

/** All that is in memory of what is on its way to the broker. */
export const uplinksInMemory = ({ uplink: { outgoing, backlog } }: Session): Uplink[] => [
  ...outgoing.values(),
  ...(backlog?.inMemory.values() ?? []),
]
