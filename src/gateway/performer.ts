// Performs the effects that the session core asks for: the only way from it to the broker and the store.

import type { Effect, Event } from '../session/events.ts'
import type { Session } from '../session/session.ts'
import type { Store } from '../store/store.ts'
import type { Upstream, UpstreamConnection } from '../upstream/upstream.ts'
import { type Counters, count } from './counters.ts'
import { type Histogram, observe } from './latency.ts'
import type { Surroundings } from './surroundings.ts'

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
  /** takes the error of a store that cannot write: nobody is told what should have followed the write */
  onStoreError(error: unknown): void
  /** runs what no event is waiting for, and takes what it throws */
  attempt(step: () => void): void
}

export interface Performer {
  /** In order and completely; what follows a write that is not yet durable waits for it. */
  perform(effects: readonly Effect[]): void
}

/** Whether somebody else learns of it, who may then rely on it. */
const tells = ({ type }: Effect): boolean => type === 'send' || type === 'acknowledge'

/** A session's way to the broker; `sentAt`: when each open QoS 1 and 2 publish was given to it, by token. */
interface Upward {
  readonly connection: UpstreamConnection
  readonly sentAt: Map<number, number>
}

/** One performer for the life of a gateway. */
export function createPerformer(parts: PerformerParts): Performer {
  const { upstream, store, surroundings, counters, latency } = parts
  const upwards = new WeakMap<Session, Upward>()

  function upwardOf(session: Session): Upward {
    let upward = upwards.get(session)
    if (upward === undefined) {
      const sentAt = new Map<number, number>()
      const connection = upstream.connection((event) => {
        if (event.type === 'message') counters.delivered += 1
        else if (event.type === 'published') observeAnswer(sentAt, event.token)
        parts.onEvent(session, event)
      })
      upward = { connection, sentAt }
      upwards.set(session, upward)
    }
    return upward
  }

  const connectionOf = (session: Session): UpstreamConnection => upwardOf(session).connection

  function observeAnswer(sentAt: Map<number, number>, token: number): void {
    const at = sentAt.get(token)
    if (sentAt.delete(token) && at !== undefined) observe(latency, (performance.now() - at) / 1000)
  }

  /** what waits for a write to be durable, and all that came after it, from whatever session */
  let held: Effect[] = []

  function perform(effects: readonly Effect[]): void {
    if (held.length > 0) {
      held.push(...effects)
      return
    }
    let unsaved = false
    for (let i = 0; i < effects.length; i++) {
      const effect = effects[i] as Effect
      if (unsaved && tells(effect)) {
        held = effects.slice(i)
        store.flushed().then(
          () => release(held),
          (error) => {
            parts.onStoreError(error)
            release(held.filter((one) => !tells(one)))
          },
        )
        return
      }
      parts.towardsSensor(effect)
      performOne(effect)
      unsaved ||= (effect.type === 'save' || effect.type === 'keepMessage') && !store.durable
    }
  }

  function release(effects: readonly Effect[]): void {
    held = []
    parts.attempt(() => perform(effects))
  }

  function performOne(effect: Effect): void {
    switch (effect.type) {
      case 'publish': {
        const { session, token, topic, payload, qos, retain } = effect
        counters.published += 1
        const { connection, sentAt } = upwardOf(session)
        if (qos > 0) sentAt.set(token, performance.now())
        return connection.publish(token, topic, payload, qos, retain)
      }
      case 'publishAnonymous':
        if (upstream.publishAnonymous(effect.topic, effect.payload, effect.retain)) counters.published += 1
        else count(counters.dropped, 'upstream-down')
        return
      case 'acknowledge':
        return connectionOf(effect.session).acknowledge(effect.ack)
      case 'connect': {
        const { session, clean, fresh, mend, will } = effect
        const { connection, sentAt } = upwardOf(session)
        const identity = surroundings.identityOf(session.clientId)
        if (fresh) sentAt.clear()
        return connection.connect({ identity, clean, fresh, mend, will })
      }
      case 'subscribe':
        return connectionOf(effect.session).subscribe(effect.token, effect.filter, effect.qos, effect.replay)
      case 'unsubscribe':
        return connectionOf(effect.session).unsubscribe(effect.token, effect.filter)
      case 'close': {
        const upward = upwards.get(effect.session)
        upward?.sentAt.clear()
        return upward?.connection.close(effect.publishWill)
      }
      case 'save':
        return store.save(effect.session)
      case 'keepMessage':
        return store.keepMessage(effect.session.clientId, effect.message)
      case 'dropMessage':
        return store.dropMessage(effect.session.clientId, effect.message.id)
      case 'forget':
        return store.forget(effect.session.clientId)
      case 'drop':
        return count(counters.dropped, effect.reason)
      case 'send':
      case 'changed':
      case 'gwinfo':
        return // done above
    }
  }

  return { perform }
}
