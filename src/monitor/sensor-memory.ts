// What only the console wants to remember of each sensor: its last messages, what was dropped, why it was refused.

import type { Connect, Packet } from '../codec/v1/messages.ts'
import type { SensorSummary } from '../console/view.ts'
import type { Gateway } from '../gateway/gateway.ts'
import { describePeer, type Peer } from '../session/peers.ts'
import type { Session } from '../session/session.ts'
import { addRecentPacket, createRecentPackets, listRecentPackets, type Recent } from './recent-packets.ts'
import { type Remembered, summaryOf } from './sensor-info.ts'

/** Sensors without a session that are remembered. */
const MOST_DEPARTED = 1000

interface Memory {
  readonly recent: Recent
  /** undefined until something was dropped */
  dropped: Record<string, number> | undefined
  lastError: string | undefined
}

export interface SensorMemory {
  /** what is remembered of a sensor; `session` if it has one, for the names of its topic ids */
  of(clientId: string, session?: Session): Remembered
  /** sensors that were here and have no session any more, such as those that the broker refused */
  departed(): SensorSummary[]
  close(): void
}

/** Begins to remember. Nothing is kept of sensors that never began a connection, and little of those that left. */
export function createSensorMemory(gateway: Gateway): SensorMemory {
  const memories = new Map<string, Memory>()
  const gone = new Map<string, SensorSummary>()
  const { byClientId } = gateway.sessions

  function memoryOf(clientId: string): Memory {
    let memory = memories.get(clientId)
    if (memory === undefined) {
      memory = { recent: createRecentPackets(), dropped: undefined, lastError: undefined }
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
    addRecentPacket(memoryOf(clientId).recent, arriving.at, 'received', arriving.packet)
    arriving = undefined
  }

  function note(direction: 'received' | 'sent', packet: Packet, session: Session): void {
    addRecentPacket(memoryOf(session.clientId).recent, Date.now(), direction, packet)
  }

  function depart(session: Session, peer: Peer | undefined): void {
    const { clientId } = session
    gone.delete(clientId) // a Map keeps the order of insertion: the latest come last
    gone.set(clientId, {
      ...summaryOf(session),
      address: peer && describePeer(peer),
      listener: peer?.listener.name,
      topics: 0,
      subscriptions: 0,
      queued: 0,
      queuedOctets: 0,
    })
    for (const oldest of gone.keys()) {
      if (gone.size <= MOST_DEPARTED) break
      gone.delete(oldest)
      if (!byClientId.has(oldest)) memories.delete(oldest)
    }
  }

  const stop = gateway.observe({
    received: (packet, _peer, session) => noteReceived(packet, session),
    sent(packet, _peer, session) {
      if (session === undefined) return
      settleArrival(session)
      note('sent', packet, session)
    },
    effect(effect) {
      if (effect.type === 'drop' && effect.session !== undefined) {
        const memory = memoryOf(effect.session.clientId)
        memory.dropped ??= {}
        memory.dropped[effect.reason] = (memory.dropped[effect.reason] ?? 0) + 1
      } else if (effect.type === 'forget') {
        // a kept session that ended so long ago that its departure is forgotten already
        if (!gone.has(effect.session.clientId)) memories.delete(effect.session.clientId)
      } else if (effect.type === 'changed') {
        const { session, peer, to, from, why } = effect
        settleArrival(session)
        const memory = memoryOf(session.clientId)
        if (to === 'active') memory.lastError = undefined
        if (to === 'disconnected' && from === 'connecting') memory.lastError = why
        if (to === 'disconnected' || to === 'lost') depart(session, peer)
      }
    },
  })

  return {
    of(clientId, session) {
      const memory = memories.get(clientId)
      if (memory === undefined) return { recent: [], dropped: {}, lastError: undefined }
      const recent = listRecentPackets(memory.recent, (topicId, type) =>
        (type === 'normal' ? session?.topics : session?.policy.predefined)?.byId.get(topicId),
      )
      return { recent, dropped: { ...memory.dropped }, lastError: memory.lastError }
    },
    departed: () => [...gone.values()],
    close: stop,
  }
}
