// Performs the effects that the session core asks for: the only way from it to the broker and the store.

import type { Effect, Event } from '../../session/events.ts'
import type { Session } from '../../session/session.ts'
import { SparseMap } from '../../session/sparse.ts'
import type { Store } from '../../store/store.ts'
import type { Upstream, UpstreamConnection } from '../../upstream/upstream.ts'
import { type Counters, count } from '../counters.ts'
import { type Histogram, observe } from '../histogram.ts'
import type { Surroundings } from '../rules/sensor-rules.ts'
import { createLanes } from './commit-gate.ts'

/** What a performer works with. `send`, `changed` and `gwinfo` concern the sensors' side, which is the caller's. */
export interface PerformerParts {
  readonly upstream: Upstream
  readonly store: Store
  readonly surroundings: Surroundings
  readonly counters: Counters
  readonly latency: Histogram
  /** hears every effect before it is performed, and performs those for the sensors' side */
  towardsSensor(effect: Effect): void
  /** takes what a broker connection reports */
  onEvent(session: Session, event: Event): void
  /** takes a session for which too much waited for the store: nothing of that will be performed */
  onOverfull(session: Session): void
  /** performs what has waited for the store, and takes what that throws */
  attempt(session: Session, step: () => void): void
}

export interface Performer {
  /** In order and completely; what others may rely on waits for the session's writes before it to be durable. */
  perform(effects: readonly Effect[]): void
  /** effects that wait for the store */
  readonly held: number
}

/** What has to be durable before others are told. */
type Write = Extract<
  Effect,
  { type: 'save' | 'saveProgress' | 'keepMessage' | 'keepUplink' | 'dropUplink' | 'forget' }
>

/** A session's way to the broker; `sentAt`: when each open QoS 1 and 2 publish was given to it, by token. */
interface Upward {
  readonly connection: UpstreamConnection
  readonly sentAt: SparseMap<number, number>
}

/** One performer for the life of a gateway. */
export function createPerformer(parts: PerformerParts): Performer {
  const { upstream, store, surroundings, counters, latency } = parts
  const upwards = new WeakMap<Session, Upward>()
  const lanes = createLanes({
    store,
    release: (effect, session) => parts.attempt(session, () => performNow(effect)),
    onFailure() {
      counters.storeFailures += 1
    },
  })

  function upwardOf(session: Session): Upward {
    let upward = upwards.get(session)
    if (upward === undefined) {
      const sentAt = new SparseMap<number, number>()
      const connection = upstream.connection((event) => {
        if (event.type === 'message') counters.delivered += 1
        else if (event.type === 'closed') lanes.connectionLost(session)
        else if (event.type === 'published') observeAnswer(sentAt, event.token)
        parts.onEvent(session, event)
      })
      upward = { connection, sentAt }
      upwards.set(session, upward)
    }
    return upward
  }

  const connectionOf = (session: Session): UpstreamConnection => upwardOf(session).connection

  function observeAnswer(sentAt: SparseMap<number, number>, token: number): void {
    const at = sentAt.get(token)
    if (sentAt.delete(token) && at !== undefined) observe(latency, (performance.now() - at) / 1000)
  }

  function perform(effects: readonly Effect[]): void {
    for (const effect of effects) if (!lanes.hold(effect)) performNow(effect)
    for (const session of lanes.takeOverfull()) parts.onOverfull(session)
  }

  function performNow(effect: Effect): void {
    parts.towardsSensor(effect)
    performOne(effect)
  }

  function performOne(effect: Effect): void {
    switch (effect.type) {
      case 'publish': {
        const { session, token, topic, payload, qos, retain, repeated } = effect
        if (!repeated) counters.published += 1
        const { connection, sentAt } = upwardOf(session)
        if (qos > 0) sentAt.set(token, performance.now())
        return connection.publish(token, topic, payload, qos, retain, repeated)
      }
      case 'release':
        return connectionOf(effect.session).release(effect.token)
      case 'publishAnonymous':
        if (upstream.publishAnonymous(effect.topic, effect.payload, effect.retain)) counters.published += 1
        else count(counters.dropped, 'upstream-down')
        return
      case 'acknowledge':
        return connectionOf(effect.session).acknowledge(effect.ack)
      case 'connect': {
        const { session, clean, mend, will } = effect
        const { connection, sentAt } = upwardOf(session)
        const identity = surroundings.identityOf(session.clientId)
        sentAt.clear() // what is unfinished is published again
        return connection.connect({ identity, clean, mend, will })
      }
      case 'subscribe':
        return connectionOf(effect.session).subscribe(effect.token, effect.filter, effect.qos, effect.replay)
      case 'unsubscribe':
        return connectionOf(effect.session).unsubscribe(effect.token, effect.filter)
      case 'close': {
        const upward = upwards.get(effect.session)
        upward?.sentAt.clear()
        return upward?.connection.close(effect.publishWill, effect.session.cleanSession)
      }
      case 'dropMessage': // a message that is delivered twice does less harm than waiting
        return store.dropMessage(effect.session.clientId, effect.message.id)
      case 'save':
      case 'saveProgress':
      case 'keepMessage':
      case 'keepUplink':
      case 'dropUplink':
      case 'forget':
        write(effect)
        if (effect.type !== 'saveProgress' || !effect.lazy) lanes.wrote(effect.session)
        return
      case 'drop':
        return count(counters.dropped, effect.reason)
      case 'send':
      case 'changed':
      case 'gwinfo':
        return // done above
    }
  }

  function write(effect: Write): void {
    const { clientId } = effect.session
    switch (effect.type) {
      case 'save':
        return store.save(effect.session)
      case 'saveProgress':
        return store.saveProgress(effect.session)
      case 'keepMessage':
        return store.keepMessage(clientId, effect.message)
      case 'keepUplink':
        return store.keepUplink(clientId, effect.uplink)
      case 'dropUplink':
        return store.dropUplink(clientId, effect.uplink.token)
      case 'forget':
        return store.forget(clientId)
    }
  }

  return {
    perform,
    get held() {
      return lanes.held
    },
  }
}
