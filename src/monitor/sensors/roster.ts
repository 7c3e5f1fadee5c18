// All sensors that the console lists: those with a session, and those that have departed and are still remembered. The numbers of
// the overview, of metrics and of lists all come from here, so that they agree.

import type { SensorQuery, SensorSummary } from '../../console/contract/sensors.ts'
import { noSensors, type SensorState } from '../../console/states.ts'
import type { Gateway } from '../../gateway/gateway.ts'
import { describePeer, type Peer } from '../../session/peers.ts'
import type { Session } from '../../session/session.ts'
import { type Labelled, summaryOf } from './sensor-info.ts'
import type { SensorMemory } from './sensor-memory.ts'
import { fitsQuery, orderOf } from './sensor-query.ts'

/** Sensors without a session that are remembered: as many as there may be with one, within these bounds. */
const LEAST = 1000
const MOST = 20_000

/** And for so many milliseconds: devices with a new ClientId at each start would fill the list with lost ones for ever. */
const LONGEST = 86_400_000

export interface Roster {
  /** sensors by state, and how many of them have departed */
  count(): { sensors: Record<SensorState, number>; departed: number; forgotten: number }
  list(query: SensorQuery): { total: number; items: SensorSummary[] }
  /** one without a session */
  departed(clientId: string): SensorSummary | undefined
  close(): void
}

/** What a roster works with. */
export interface RosterParts {
  readonly gateway: Gateway
  readonly memories: Pick<SensorMemory, 'stateOf' | 'forget'>
  labelOf(clientId: string): Labelled
  /** as many sessions may be */
  sensors(): number
}

/** Begins to remember who departs. */
export function createRoster({ gateway, memories, labelOf, sensors }: RosterParts): Roster {
  const { byClientId } = gateway.sessions
  /** with the latest last; those that have a session (again) are not shown from here */
  const gone = new Map<string, SensorSummary>()
  let forgotten = 0

  const rowOf = (session: Session): SensorSummary =>
    summaryOf(session, labelOf(session.clientId), memories.stateOf(session.clientId))

  function depart(session: Session, state: SensorState, peer: Peer | undefined): void {
    const { clientId } = session
    gone.delete(clientId)
    gone.set(clientId, {
      ...rowOf(session),
      state,
      departed: true,
      address: peer && describePeer(peer),
      listener: peer?.listener.name,
      topics: 0,
      subscriptions: 0,
      queued: 0,
      queuedOctets: 0,
      upstream: 'closed',
    })
    const most = Math.min(MOST, Math.max(LEAST, sensors()))
    for (const oldest of gone.keys()) {
      if (gone.size <= most) break
      forget(oldest)
    }
  }

  function forget(clientId: string): void {
    gone.delete(clientId)
    if (byClientId.has(clientId)) return
    forgotten += 1
    memories.forget(clientId)
  }

  function forgetOld(): void {
    const before = Date.now() - LONGEST
    for (const [clientId, { since = 0 }] of gone) {
      if (since >= before) return
      forget(clientId)
    }
  }

  const stop = gateway.observe({
    effect(effect) {
      if (effect.type === 'changed') {
        const { session, to, peer } = effect
        if (to === 'disconnected' || to === 'lost') depart(session, to, peer)
        else gone.delete(session.clientId)
      } else if (effect.type === 'forget') {
        const { clientId } = effect.session
        if (!gone.has(clientId)) memories.forget(clientId)
      }
    },
  })

  function* departedRows(): Generator<SensorSummary> {
    for (const [clientId, row] of gone) if (!byClientId.has(clientId)) yield row
  }

  return {
    count() {
      forgetOld()
      const counts = noSensors()
      let departed = 0
      for (const { state } of byClientId.values()) counts[state] += 1
      for (const { state } of departedRows()) {
        counts[state] += 1
        departed += 1
      }
      return { sensors: counts, departed, forgotten }
    },
    list(query) {
      forgetOld()
      const found: SensorSummary[] = []
      for (const session of byClientId.values()) {
        const row = rowOf(session)
        if (fitsQuery(row, query, session)) found.push(row)
      }
      for (const row of departedRows()) if (fitsQuery(row, query, undefined)) found.push(relabelled(row))
      found.sort(orderOf(query))
      return { total: found.length, items: found.slice(query.offset, query.offset + query.limit) }
    },
    departed(clientId) {
      const row = byClientId.has(clientId) ? undefined : gone.get(clientId)
      return row && relabelled(row)
    },
    close: stop,
  }

  function relabelled(row: SensorSummary): SensorSummary {
    const { name, tags } = labelOf(row.clientId)
    return { ...row, name, tags }
  }
}
