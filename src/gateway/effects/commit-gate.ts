// What waits for the store, of each sensor in two lanes: one towards the sensor, one towards the broker. Within a lane
// the order is kept; lanes and sensors do not wait for each other. Nothing is kept here of a sensor without fresh writes.

import type { PacketType } from '../../codec/v1/messages.ts'
import type { Effect } from '../../session/events.ts'
import type { Session } from '../../session/session.ts'
import type { Store } from '../../store/store.ts'

/** What the lanes work with. */
export interface LanesParts {
  readonly store: Pick<Store, 'written' | 'durable' | 'onDurable'>
  /** performs an effect that has waited; never throws */
  release(effect: Effect, session: Session): void
  /** a write failed: what waits for it goes on waiting */
  onFailure(): void
}

export interface Lanes {
  /** Whether the effect has to wait; it is kept then, and released in its turn. */
  hold(effect: Effect): boolean
  /** Notes that something of this session was written, which what follows has to wait for. */
  wrote(session: Session): void
  /** Forgets what concerned the connection to the broker that is gone; the session asks for the rest again. */
  connectionLost(session: Session): void
  /** Sessions for which too much waited: all of it was thrown away. Each is named once. */
  takeOverfull(): readonly Session[]
  /** effects that wait */
  readonly held: number
}

const none: readonly Session[] = []

/** Effects that may wait for one sensor, and for all together. */
const MOST_OF_ONE = 2000
const MOST_OF_ALL = 100_000
/** So many that sensors should ask for nothing new: above the bound sessions end. */
export const MANY_HELD = MOST_OF_ALL / 2

type LaneName = 'sensor' | 'broker'
/** `after`: the write that must be durable first; 0 if only its place in the lane matters. */
interface Held {
  readonly effect: Effect
  readonly session: Session
  readonly after: number
}

/** `mark`: the last write that others may have to wait for. */
interface Waiting extends Record<LaneName, Held[]> {
  mark: number
}

const laneOf: Partial<Record<Effect['type'], LaneName>> = {
  send: 'sensor',
  connect: 'broker',
  publish: 'broker',
  release: 'broker',
  subscribe: 'broker',
  unsubscribe: 'broker',
  acknowledge: 'broker',
  close: 'broker',
}

/** Nobody relies on these: a repetition after a crash does no harm. */
const harmless: ReadonlySet<PacketType> = new Set<PacketType>(['pingresp', 'willtopicreq', 'willmsgreq'])

/** Whether somebody else learns of it who may then rely on what was written. */
function tells(effect: Effect): boolean {
  if (effect.type === 'send') {
    // a sensor keeps the MsgId of a QoS 1 or 2 PUBLISH, which must not mean another message after a crash
    return effect.packet.type === 'publish' ? effect.packet.qos > 0 : !harmless.has(effect.packet.type)
  }
  if (effect.type === 'publish') return effect.qos === 2 // a repetition after a crash must be known as one
  return effect.type === 'acknowledge' || effect.type === 'release'
}

/** What is asked for again after a lost connection, or has no meaning on another one. */
const endsWithConnection = ({ effect }: Held): boolean =>
  effect.type === 'acknowledge' || effect.type === 'release' || (effect.type === 'publish' && effect.qos > 0)

/** Empty lanes; one object for the life of a gateway. */
export function createLanes({ store, release, onFailure }: LanesParts): Lanes {
  /** by ClientId, since a new session of the same sensor must not overtake the old one */
  const waiting = new Map<string, Waiting>()
  const overfull = new Set<Session>()
  let held = 0
  let asked = false

  function ask(): void {
    if (asked || waiting.size === 0) return
    asked = true
    store.onDurable(onGroup)
  }

  function onGroup(error?: Error): void {
    asked = false
    if (error !== undefined) onFailure()
    for (const [clientId, one] of waiting) {
      drain(one, 'broker')
      drain(one, 'sensor')
      const empty = one.broker.length + one.sensor.length === 0
      if (empty && one.mark <= store.durable) waiting.delete(clientId)
    }
    ask()
  }

  function drain(one: Waiting, lane: LaneName): void {
    const all = one[lane]
    let ready = 0
    for (const { after } of all) {
      if (after > store.durable) break
      ready += 1
    }
    if (ready === 0) return
    one[lane] = all.slice(ready)
    held -= ready
    for (const { effect, session } of all.slice(0, ready)) release(effect, session)
  }

  function empty(one: Waiting): void {
    held -= one.sensor.length + one.broker.length
    one.sensor = []
    one.broker = []
  }

  return {
    hold(effect) {
      if (waiting.size === 0) return false
      const lane = laneOf[effect.type]
      if (lane === undefined) return false
      const session = 'session' in effect ? effect.session : undefined
      if (session === undefined) return false
      const one = waiting.get(session.clientId)
      if (one === undefined) return false
      const after = one.mark > store.durable && tells(effect) ? one.mark : 0
      if (after === 0 && one[lane].length === 0) return false
      if (one.sensor.length + one.broker.length >= MOST_OF_ONE || held >= MOST_OF_ALL) {
        empty(one)
        overfull.add(session)
        return true
      }
      one[lane].push({ effect, session, after })
      held += 1
      return true
    },
    wrote({ clientId }) {
      const { written } = store
      if (written === store.durable) return
      const one = waiting.get(clientId)
      if (one === undefined) waiting.set(clientId, { mark: written, sensor: [], broker: [] })
      else one.mark = written
      ask()
    },
    connectionLost(session) {
      const one = waiting.get(session.clientId)
      if (one === undefined || one.broker.length === 0) return
      const before = one.broker.length
      one.broker = one.broker.filter((entry) => entry.session !== session || !endsWithConnection(entry))
      held -= before - one.broker.length
    },
    takeOverfull() {
      if (overfull.size === 0) return none
      const sessions = [...overfull]
      overfull.clear()
      for (const { clientId } of sessions) {
        const one = waiting.get(clientId)
        if (one !== undefined) empty(one)
      }
      return sessions
    },
    get held() {
      return held
    },
  }
}
