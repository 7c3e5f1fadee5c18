// A session as it is stored: plain data, times as wall time, so that it outlives the process. Pure.

import type { State } from './events.ts'
import type { Turn } from './policy.ts'
import { createSession, isLive, type Session, type Subscription, type WillData } from './session.ts'

/** What seldom changes, and what often does; two values, so that the second can be written cheaply. */
export interface SessionRecord {
  readonly lasting: LastingRecord
  readonly progress: ProgressRecord
}

/** An address; the listener by its name, since its place in the configuration may change. */
export interface PeerRecord {
  readonly listener: string
  readonly address: string
  readonly port: number
  readonly nodeId: Uint8Array | undefined
}

export interface LastingRecord {
  readonly clientId: string
  readonly cleanSession: boolean
  readonly keepAlive: number
  readonly will: WillData
  readonly topics: {
    readonly names: readonly (readonly [number, string])[]
    readonly confirmed: readonly number[]
    readonly learned: readonly number[]
    readonly suppressed: readonly string[]
    readonly next: number
  }
  readonly subscriptions: readonly (readonly [string, Subscription])[]
}

/** Times are wall time, milliseconds since 1970. */
export interface ProgressRecord {
  readonly state: State
  readonly established: boolean
  readonly peer: PeerRecord | undefined
  readonly sleep: number
  readonly heardAt: number
  readonly endedAt: number
  readonly releasing: number
  readonly received: readonly number[]
  readonly nextToken: number
  readonly nextMessage: number
}

/** From monotonic to wall time. */
export type ToWall = (monotonic: number) => number
/** And back. */
export type ToMonotonic = (wall: number) => number

export function lastingRecord(session: Session): LastingRecord {
  const { clientId, cleanSession, keepAlive, will, topics, subscriptions } = session
  return {
    clientId,
    cleanSession,
    keepAlive,
    will,
    topics: {
      names: [...topics.byId],
      confirmed: [...topics.confirmed],
      learned: [...topics.learned],
      suppressed: [...topics.suppressed],
      next: topics.next,
    },
    subscriptions: [...subscriptions],
  }
}

export function progressRecord(session: Session, toWall: ToWall): ProgressRecord {
  const { state, established, peer, sleep, heardAt, endedAt, releasing, received } = session
  return {
    state,
    established,
    peer: peer && {
      listener: peer.listener.name,
      address: peer.address,
      port: peer.port,
      nodeId: peer.nodeId,
    },
    sleep,
    heardAt: toWall(heardAt),
    endedAt: toWall(endedAt),
    releasing,
    received: [...received],
    nextToken: session.nextToken,
    nextMessage: session.nextMessage,
  }
}

/** How much of the silence since the last message may be unknown to the store, milliseconds: little against keep-alive. */
const lease = ({ keepAlive, state, sleep }: Session): number => {
  const seconds = state === 'asleep' || state === 'awake' ? sleep : keepAlive
  return seconds === 0 ? 60_000 : Math.max(1000, seconds * 100)
}

/** Writes now and then when a connected sensor was heard, so that its silence is known after a restart too. */
export function touch(session: Session, { now, out }: Turn): void {
  if (!isLive(session) || now - session.savedHeardAt < lease(session)) return
  session.savedHeardAt = now
  out.push({ type: 'saveProgress', session, lazy: true })
}

/** The session that a record tells of, without address, messages and publishes. */
export function fromRecord(
  { lasting, progress }: SessionRecord,
  toMonotonic: ToMonotonic,
  turn: Turn,
): Session {
  const session = createSession(lasting.clientId, turn.env)
  const { topics } = session
  for (const [id, name] of lasting.topics.names) {
    topics.byId.set(id, name)
    topics.byName.set(name, id)
  }
  for (const id of lasting.topics.confirmed) topics.confirmed.add(id)
  for (const id of lasting.topics.learned) topics.learned.add(id)
  for (const name of lasting.topics.suppressed) topics.suppressed.add(name)
  topics.next = lasting.topics.next
  session.cleanSession = lasting.cleanSession
  session.keepAlive = lasting.keepAlive
  session.will = lasting.will
  for (const [filter, subscription] of lasting.subscriptions) session.subscriptions.set(filter, subscription)
  session.state = progress.state === 'awake' ? 'asleep' : progress.state
  session.established = progress.established
  session.sleep = progress.sleep
  // it may have been heard a little later than the store knows
  session.heardAt = Math.min(turn.now, toMonotonic(progress.heardAt) + lease(session))
  session.endedAt = Math.min(turn.now, toMonotonic(progress.endedAt))
  session.releasing = progress.releasing
  for (const packetId of progress.received) session.received.add(packetId)
  session.nextToken = progress.nextToken
  session.nextMessage = progress.nextMessage
  return session
}
