// The commit gate: an effect that others may rely on is held until what was written before it is durable. The rules are in
// `session/durability.ts`. Effects of one sensor keep their order within a lane; lanes and sensors do not wait for each other,
// and nothing is kept here of a sensor without fresh writes.

import { durabilityOf, type Lane } from '../../session/durability.ts'
import type { Effect } from '../../session/events.ts'
import type { Session } from '../../session/session.ts'
import type { Store } from '../../store/store.ts'

/** What a commit gate works with. */
export interface CommitGateParts {
  readonly store: Pick<Store, 'written' | 'durable' | 'onDurable' | 'isFailing' | 'isShared'>
  /** performs an effect that was held; never throws */
  release(effect: Effect, session: Session): void
  /** a write failed: what waits for it is held until a later one succeeds */
  onFailure(): void
}

export interface CommitGate {
  /** Whether the effect has to wait; it is kept then, and released in its turn. */
  hold(effect: Effect): boolean
  /** Notes that an effect was performed: if it is a write that counts, what follows in its session has to wait for it. */
  notePerformed(effect: Effect): void
  /** Forgets what concerned the connection to the broker that is gone; the session asks for the rest again. */
  forgetConnection(session: Session): void
  /**
   * Whether the end of its connection to the broker is held: to the session it is closed already, so that nothing it reports means
   * anything any more. What it brings, the broker brings again.
   */
  isClosing(session: Session): boolean
  /** Whether something that the broker is to be told for this sensor is held: what follows comes after it. */
  isHolding(clientId: string): boolean
  /** Forgets all that is held of a sensor: somebody else goes on with it, from what is durable. */
  forgetSession(clientId: string): void
  /** Sessions of which too many effects were held: all of those were thrown away. Each session is named once. */
  takeOverfull(): readonly Session[]
  /** effects that are held */
  readonly held: number
}

const none: readonly Session[] = []

/** Effects that may be held of one sensor, and of all together. */
const MOST_OF_ONE = 2000
const MOST_OF_ALL = 100_000
/** So many are held that sensors should ask for nothing new: above the bound sessions end. */
export const MANY_HELD = MOST_OF_ALL / 2

/** `after`: the write that must be durable first; 0 if only its place in the lane matters. */
interface Held {
  readonly effect: Effect
  readonly session: Session
  readonly after: number
}

/** Whether it means nothing after the connection to the broker is lost. */
const endsWithConnection = ({ effect }: Held): boolean =>
  durabilityOf(effect).endsWithConnection?.(effect) === true

/** What is held of one sensor. `mark`: the last write that others may have to wait for. */
interface Waiting extends Record<Lane, Held[]> {
  mark: number
}

/** A gate that holds nothing yet; one object for the life of a gateway. */
export function createCommitGate({ store, release, onFailure }: CommitGateParts): CommitGate {
  /** by ClientId, since a new session of the same sensor must not overtake the old one */
  const waiting = new Map<string, Waiting>()
  const overfull = new Set<Session>()
  /** how many ends of its connection are held */
  const closing = new Map<Session, number>()
  let held = 0
  let isRequested = false

  /** Asks the store for one call when all that is written by now is durable. */
  function requestCall(): void {
    if (isRequested || waiting.size === 0) return
    isRequested = true
    store.onDurable(onDurable)
  }

  function onDurable(error?: Error): void {
    isRequested = false
    if (error !== undefined) onFailure()
    for (const [clientId, one] of waiting) {
      drain(one, 'broker')
      drain(one, 'sensor')
      const isEmpty = one.broker.length + one.sensor.length === 0
      if (isEmpty && one.mark <= store.durable) waiting.delete(clientId)
    }
    requestCall()
  }

  function drain(one: Waiting, lane: Lane): void {
    const all = one[lane]
    let ready = 0
    for (const { after } of all) {
      if (after > store.durable) break
      ready += 1
    }
    const going = all.slice(0, ready)
    if (store.isFailing) going.push(...all.slice(ready).filter(overtakes)) // it came when that was not known yet
    if (going.length === 0) return
    one[lane] = going.length === ready ? all.slice(ready) : all.filter((entry) => !going.includes(entry))
    held -= going.length
    for (const { effect, session } of going) {
      if (effect.type === 'close') noteClose(session, -1)
      if (durabilityOf(effect).lapses?.(effect) !== true) release(effect, session)
    }
  }

  const overtakes = ({ effect }: Held): boolean =>
    durabilityOf(effect).overtakes?.(effect, store.isShared) === true

  function noteClose(session: Session, more: 1 | -1): void {
    const count = (closing.get(session) ?? 0) + more
    if (count > 0) closing.set(session, count)
    else closing.delete(session)
  }

  /**
   * Whether the end of a connection is told to somebody whose session is gone already, and who is about to be told: it asks again
   * since it has not heard, and after a crash that session would be there once more.
   */
  function isToCome(effect: Effect): boolean {
    if (store.isFailing && !store.isShared) return false
    if (effect.type !== 'send' || effect.packet.type !== 'disconnect') return false
    const { key } = effect.peer
    for (const { sensor } of waiting.values())
      for (const { effect: waits } of sensor)
        if (waits.type === 'send' && waits.packet.type === 'disconnect' && waits.peer.key === key) return true
    return false
  }

  function throwAway(one: Waiting): void {
    held -= one.sensor.length + one.broker.length
    for (const { effect, session } of one.broker) if (effect.type === 'close') noteClose(session, -1)
    one.sensor = []
    one.broker = []
  }

  return {
    hold(effect) {
      if (waiting.size === 0) return false
      const rule = durabilityOf(effect)
      const { lane } = rule
      if (lane === undefined) return false
      const session = 'session' in effect ? effect.session : undefined
      if (session === undefined) return isToCome(effect)
      const one = waiting.get(session.clientId)
      if (one === undefined) return false
      const after = one.mark > store.durable && rule.tells?.(effect) ? one.mark : 0
      if (after === 0 && one[lane].length === 0) return false
      if (store.isFailing) {
        if (rule.overtakes?.(effect, store.isShared)) return false
        const refusal = rule.refusal?.(effect)
        if (refusal !== undefined) {
          release(refusal, session)
          return true
        }
      }
      const last = one[lane].at(-1)
      if (last?.session === session && rule.repeats?.(effect, last.effect)) {
        one[lane].splice(-1, 1, { ...last, after: Math.max(last.after, after) })
        return true
      }
      if (one.sensor.length + one.broker.length >= MOST_OF_ONE || held >= MOST_OF_ALL) {
        throwAway(one)
        overfull.add(session)
        return true
      }
      one[lane].push({ effect, session, after })
      if (effect.type === 'close') noteClose(session, 1)
      held += 1
      return true
    },
    notePerformed(effect) {
      if (!durabilityOf(effect).isAwaited?.(effect) || !('session' in effect)) return
      const { written } = store
      if (written === store.durable || effect.session === undefined) return
      const { clientId } = effect.session
      const one = waiting.get(clientId)
      if (one === undefined) waiting.set(clientId, { mark: written, sensor: [], broker: [] })
      else one.mark = written
      requestCall()
    },
    forgetConnection(session) {
      const one = waiting.get(session.clientId)
      if (one === undefined || one.broker.length === 0) return
      const before = one.broker.length
      one.broker = one.broker.filter((entry) => entry.session !== session || !endsWithConnection(entry))
      held -= before - one.broker.length
    },
    isClosing: (session) => closing.size > 0 && closing.has(session),
    isHolding: (clientId) => (waiting.get(clientId)?.broker.length ?? 0) > 0,
    forgetSession(clientId) {
      const one = waiting.get(clientId)
      if (one !== undefined) throwAway(one)
      waiting.delete(clientId)
    },
    takeOverfull() {
      if (overfull.size === 0) return none
      const sessions = [...overfull]
      overfull.clear()
      for (const { clientId } of sessions) {
        const one = waiting.get(clientId)
        if (one !== undefined) throwAway(one)
      }
      return sessions
    },
    get held() {
      return held
    },
  }
}
