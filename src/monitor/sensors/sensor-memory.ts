// What only the console wants to remember of each sensor: its last messages, its last state, what was dropped, why it was refused.

import type { Connect, Packet } from '../../codec/v1/messages.ts'
import type { Gateway } from '../../gateway/gateway.ts'
import type { Effect } from '../../session/events.ts'
import { describePeer } from '../../session/peers.ts'
import type { Session } from '../../session/session.ts'
import {
  addRecentPacket,
  createRecentBudget,
  createRecentPackets,
  type NameOf,
  type Recent,
  type RecentPacket,
  shrinkRecentPackets,
  unpackRecentPackets,
} from './recent-packets.ts'

/** Topic ids whose names are remembered of a sensor without a session. */
const MOST_NAMES = 32

/** What is remembered of one sensor. */
export interface Remembered {
  readonly packets: readonly RecentPacket[]
  readonly dropped: Readonly<Record<string, number>>
  readonly lastError: string | undefined
  /** when it came into its state, milliseconds since 1970, and why */
  readonly since: number | undefined
  readonly why: string | undefined
  /** when messages of it were dropped for the last time, milliseconds since 1970 */
  readonly droppedAt: number | undefined
  /** when two devices seemed to have its ClientId for the last time, and their addresses */
  readonly contestedAt: number | undefined
  readonly contestedBy: string | undefined
}

interface Memory {
  readonly recent: Recent
  /** undefined until something was dropped */
  dropped: Record<string, number> | undefined
  droppedAt: number | undefined
  contestedAt: number | undefined
  contestedBy: string | undefined
  lastError: string | undefined
  since: number | undefined
  why: string | undefined
  /** of topic ids in the last messages, once the session is gone */
  names: Map<string, string> | undefined
}

export interface SensorMemory {
  /** what is remembered of a sensor; `session` if it has one, for the names of its topic ids */
  of(clientId: string, session?: Session): Remembered
  /** the same without its messages: cheap, for lists */
  stateOf(clientId: string): Pick<Remembered, 'since' | 'why'>
  /** It has left the lists too. */
  forget(clientId: string): void
  close(): void
}

const unknown: Remembered = {
  packets: [],
  dropped: {},
  lastError: undefined,
  since: undefined,
  why: undefined,
  droppedAt: undefined,
  contestedAt: undefined,
  contestedBy: undefined,
}

/** Begins to remember. Nothing is kept of sensors that never began a connection. */
export function createSensorMemory(gateway: Gateway): SensorMemory {
  const memories = new Map<string, Memory>()
  const budget = createRecentBudget()

  function memoryOf(clientId: string): Memory {
    let memory = memories.get(clientId)
    if (memory === undefined) {
      memory = {
        recent: createRecentPackets(),
        dropped: undefined,
        droppedAt: undefined,
        contestedAt: undefined,
        contestedBy: undefined,
        lastError: undefined,
        since: undefined,
        why: undefined,
        names: undefined,
      }
      memories.set(clientId, memory)
    }
    return memory
  }

  /** a CONNECT of a sensor that has no session at this address yet: remembered once its sensor gets an answer or a state */
  let arriving: { readonly packet: Connect; readonly at: number } | undefined

  function noteReceived(packet: Packet, session: Session | undefined): void {
    const named = packet.type === 'connect' ? packet.clientId : session?.clientId
    arriving = undefined
    if (session !== undefined && session.clientId === named) note('received', packet, session)
    else if (packet.type === 'connect') arriving = { packet, at: Date.now() }
  }

  function settleArrival({ clientId }: Session): void {
    if (arriving?.packet.clientId !== clientId) return
    addRecentPacket(memoryOf(clientId).recent, arriving.at, 'received', arriving.packet, budget)
    arriving = undefined
  }

  function note(direction: 'received' | 'sent', packet: Packet, session: Session): void {
    if (isPingOfSleeper(packet, session)) return
    addRecentPacket(memoryOf(session.clientId).recent, Date.now(), direction, packet, budget)
  }

  function noteDrop({ clientId }: Session, reason: string): void {
    const memory = memoryOf(clientId)
    memory.dropped ??= {}
    memory.dropped[reason] = (memory.dropped[reason] ?? 0) + 1
    memory.droppedAt = Date.now()
  }

  function noteChange({ session, to, from, why }: Extract<Effect, { type: 'changed' }>): void {
    settleArrival(session)
    const memory = memoryOf(session.clientId)
    memory.since = Date.now()
    memory.why = why
    if (to === 'active') memory.lastError = undefined
    if (to === 'disconnected' && from === 'connecting') memory.lastError = why
    if (to !== 'disconnected' && to !== 'lost') return
    shrinkRecentPackets(memory.recent, budget)
    memory.names = namesIn(memory.recent, session)
  }

  function noteContest({ session, peer, other }: Extract<Effect, { type: 'contested' }>): void {
    const memory = memoryOf(session.clientId)
    memory.contestedAt = Date.now()
    memory.contestedBy = `${describePeer(other)} and ${describePeer(peer)}`
  }

  const stop = gateway.observe({
    received: (packet, _peer, session) => noteReceived(packet, session),
    sent(packet, _peer, session) {
      if (session === undefined) return
      settleArrival(session)
      note('sent', packet, session)
    },
    effect(effect) {
      if (effect.type === 'drop' && effect.session !== undefined) noteDrop(effect.session, effect.reason)
      else if (effect.type === 'changed') noteChange(effect)
      else if (effect.type === 'contested') noteContest(effect)
    },
  })

  return {
    of(clientId, session) {
      const memory = memories.get(clientId)
      if (memory === undefined) return unknown
      const { recent, names, dropped, ...rest } = memory
      return { ...rest, packets: unpackRecentPackets(recent, namer(session, names)), dropped: { ...dropped } }
    },
    stateOf: (clientId) => memories.get(clientId) ?? unknown,
    forget(clientId) {
      const memory = memories.get(clientId)
      if (memory !== undefined) shrinkRecentPackets(memory.recent, budget)
      memories.delete(clientId)
    },
    close: stop,
  }
}

/** A sleeper says only that it is there, over and over: its conversation would be nothing else. */
function isPingOfSleeper({ type }: Packet, { state }: Session): boolean {
  return (type === 'pingreq' || type === 'pingresp') && (state === 'asleep' || state === 'awake')
}

const namer =
  (session: Session | undefined, names?: ReadonlyMap<string, string>): NameOf =>
  (topicId, type) =>
    (type === 'normal' ? session?.topics : session?.policy.predefined)?.byId.get(topicId) ??
    names?.get(`${type} ${topicId}`)

/** The names that its last messages need; a session that is kept has them itself. */
function namesIn(recent: Recent, session: Session): Map<string, string> | undefined {
  if (!session.cleanSession) return undefined
  const names = new Map<string, string>()
  const nameOf = namer(session)
  unpackRecentPackets(recent, (topicId, type) => {
    const name = nameOf(topicId, type)
    if (name !== undefined && names.size < MOST_NAMES) names.set(`${type} ${topicId}`, name)
    return name
  })
  return names.size === 0 ? undefined : names
}
