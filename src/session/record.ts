// A session as it is stored: plain data, times as wall time, so that it outlives the process. Pure.

import type { Subscription } from './broker/subscription.ts'
import type { WillData } from './message.ts'
import type { Association } from './peers.ts'
import { createSession, type Session } from './session.ts'
import { isAskedAgain, isLive, type State } from './states.ts'
import { nextBlock, type Turn } from './turn.ts'

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
  readonly local?: string | undefined
  readonly association?: Association | undefined
}

export interface LastingRecord {
  readonly clientId: string
  readonly identity?: string | undefined
  readonly rule?: string | undefined
  readonly cleanSession: boolean
  readonly keepAlive: number
  readonly will: WillData
  readonly topics: {
    readonly names: readonly (readonly [number, string])[]
    readonly confirmed: readonly number[]
    readonly learned: readonly number[]
    readonly suppressed: readonly string[]
    readonly next: number
    readonly unconfirmed?: readonly number[] | undefined
    readonly isSecondRound?: true | undefined
  }
  readonly subscriptions: readonly (readonly [string, Subscription])[]
}

/** Times are wall time, milliseconds since 1970. */
export interface ProgressRecord {
  readonly state: State
  readonly established: boolean
  readonly peer: PeerRecord | undefined
  readonly sleep: number
  /** the source address that the session counts for; unknown in records of the first edition */
  readonly source?: string | undefined
  readonly heardAt: number
  /** for how many milliseconds after `heardAt` it may have been heard without a word in the store; absent: a tenth of its keep-alive */
  readonly heardWithin?: number | undefined
  readonly endedAt: number
  /** 0: none */
  readonly releasing: number
  readonly received: readonly number[]
  /** no lasting token, and no message id, from these on has been given, whatever happened since this was written */
  readonly nextToken: number
  readonly nextMessage: number
  /** the sensor left well, and the broker does not know it yet */
  readonly owesFarewell?: true | undefined
}

/** From monotonic to wall time. */
export type ToWall = (monotonic: number) => number
/** And back. */
export type ToMonotonic = (wall: number) => number

export function lastingRecord(session: Session): LastingRecord {
  const { clientId, identity, rule, cleanSession, keepAlive, will, topics, subscriptions } = session
  return {
    clientId,
    ...(identity !== undefined && { identity }),
    ...(rule !== undefined && { rule }),
    cleanSession,
    keepAlive,
    will,
    topics: {
      names: [...topics.byId],
      confirmed: [...topics.confirmed],
      learned: [...topics.learned],
      suppressed: [...topics.suppressed],
      next: topics.next,
      ...(topics.isSecondRound && { isSecondRound: true, unconfirmed: [...topics.unconfirmed] }),
    },
    subscriptions: [...subscriptions],
  }
}

export function progressRecord(session: Session, toWall: ToWall): ProgressRecord {
  const { state, established, peer, sleep, heardAt, endedAt, downlink, link } = session
  const heardWithin = session.policy.heardEvery === undefined ? undefined : lease(session)
  // what was only supposed after a restart is never written, or it would grow with each further one
  const known = heardAt === session.supposedHeardAt ? session.savedHeardAt : heardAt
  return {
    state: isAskedAgain(session) ? 'active' : state, // it has its CONNACK, and whoever goes on with it is not to take that back
    established,
    peer: peer && {
      listener: peer.listener.name,
      address: peer.address,
      port: peer.port,
      nodeId: peer.nodeId,
      ...(peer.local !== undefined && { local: peer.local }),
      ...(peer.association !== undefined && { association: peer.association }),
    },
    sleep,
    ...(session.source !== undefined && { source: session.source }),
    heardAt: toWall(known),
    ...(heardWithin !== undefined && { heardWithin }),
    endedAt: toWall(endedAt),
    releasing: downlink.releasing ?? 0,
    received: [...downlink.received],
    nextToken: Math.max(link.reserved, link.nextToken),
    nextMessage: Math.max(downlink.reserved, downlink.nextMessage),
    ...(link.owesFarewell && { owesFarewell: true }),
  }
}

/** Nobody waits for it that a sensor was heard: it is written within a second, and the group before takes time as well. */
const WRITTEN_LATE = 2000
/** Shortest time in which that is written once for a sensor whose keep-alive has room for one only. */
const LEAST_ONCE = 60_000

/** Milliseconds in which the sensor promises to be heard; 0: it promises nothing. */
const promised = ({ keepAlive, state, sleep }: Session): number =>
  1000 * (state === 'asleep' || state === 'awake' ? sleep : keepAlive)

/** How much of the silence since the last message may be unknown to the store, milliseconds: little against keep-alive. */
const tenth = (session: Session): number =>
  promised(session) === 0 ? 60_000 : Math.max(1000, promised(session) / 10)

/** The same as its policy wants it. What is written seldom makes the end of a silent sensor later after a restart, never earlier. */
function lease(session: Session): number {
  const { heardEvery } = session.policy
  if (heardEvery === undefined) return tenth(session)
  return heardEvery === 'keepAlive' ? Math.max(LEAST_ONCE, promised(session)) : heardEvery
}

/** Writes now and then when a connected sensor was heard, so that its silence is known after a restart too. */
export function renewLease(session: Session, { now, out }: Turn): void {
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
  const { identity, rule } = lasting
  const session = createSession(lasting.clientId, turn.env, { identity, rule })
  const { topics } = session
  for (const [id, name] of lasting.topics.names) {
    topics.byId.set(id, name)
    topics.byName.set(name, id)
  }
  for (const id of lasting.topics.confirmed) topics.confirmed.add(id)
  for (const id of lasting.topics.learned) topics.learned.add(id)
  for (const name of lasting.topics.suppressed) topics.suppressed.add(name)
  // a REGISTER of the others may have been on its way when the gateway ended
  for (const [id, name] of topics.byId)
    if (!topics.learned.has(id) && !topics.suppressed.has(name)) topics.told.add(id)
  topics.next = lasting.topics.next
  topics.isSecondRound = lasting.topics.isSecondRound === true
  for (const id of lasting.topics.unconfirmed ?? []) topics.unconfirmed.add(id)
  session.cleanSession = lasting.cleanSession
  session.keepAlive = lasting.keepAlive
  session.will = lasting.will
  for (const [filter, subscription] of lasting.subscriptions) session.subscriptions.set(filter, subscription)
  session.state = progress.state === 'awake' ? 'asleep' : progress.state
  session.established = progress.established
  session.sleep = progress.sleep
  // it may have been heard later than the store knows; the one that wrote may have had other settings
  session.savedHeardAt = Math.min(turn.now, toMonotonic(progress.heardAt))
  const { heardWithin = tenth(session) } = progress
  session.heardAt = Math.min(turn.now, session.savedHeardAt + heardWithin + WRITTEN_LATE)
  session.supposedHeardAt = session.heardAt
  session.endedAt = Math.min(turn.now, toMonotonic(progress.endedAt))
  session.link.owesFarewell = progress.owesFarewell === true
  if (progress.releasing !== 0) session.downlink.releasing = progress.releasing
  for (const packetId of progress.received) session.downlink.received.add(packetId)
  session.link.reserved = session.link.nextToken = nextBlock(progress.nextToken)
  session.downlink.reserved = session.downlink.nextMessage = nextBlock(progress.nextMessage)
  return session
}
