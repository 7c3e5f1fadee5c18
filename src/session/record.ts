// A session as it is stored: plain data, times as wall time, so that it outlives the process. Pure.

import type { State } from './events.ts'
import type { Session, Subscription, WillData } from './session.ts'

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
