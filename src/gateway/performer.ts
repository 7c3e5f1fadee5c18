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
  /** takes the error of a store that cannot write: what should have followed the write does not happen */
  onStoreError(error: unknown): void
}

export interface Performer {
  /** In order and completely; what follows a write that is not yet durable waits for it. */
  perform(effects: readonly Effect[]): void
}

/** One performer for the life of a gateway. */
export function createPerformer(parts: PerformerParts): Performer {
  const { upstream, store, surroundings, counters, latency } = parts
  const connections = new Map<Session, UpstreamConnection>()

  function connectionOf(session: Session): UpstreamConnection {
    let connection = connections.get(session)
    if (connection === undefined) {
      connection = upstream.connection((event) => {
        if (event.type === 'message') counters.delivered += 1
        else if (event.type === 'published') observeAnswer(session, event.token)
        parts.onEvent(session, event)
      })
      connections.set(session, connection)
    }
    return connection
  }

  /** when each QoS 1 and 2 publish was given to the broker connection, by session and token */
  const sentAt = new Map<Session, Map<number, number>>()

  function noteSent(session: Session, token: number): void {
    let tokens = sentAt.get(session)
    if (tokens === undefined) {
      tokens = new Map()
      sentAt.set(session, tokens)
    }
    tokens.set(token, performance.now())
  }

  function observeAnswer(session: Session, token: number): void {
    const tokens = sentAt.get(session)
    const at = tokens?.get(token)
    if (at === undefined) return
    tokens?.delete(token)
    observe(latency, (performance.now() - at) / 1000)
  }

  function perform(effects: readonly Effect[], from: number): void {
    let unsaved = false
    for (let i = from; i < effects.length; i++) {
      const effect = effects[i] as Effect
      if (unsaved && (effect.type === 'send' || effect.type === 'acknowledge')) {
        store.flushed().then(() => perform(effects, i), parts.onStoreError)
        return
      }
      parts.towardsSensor(effect)
      performOne(effect)
      unsaved ||= (effect.type === 'save' || effect.type === 'keepMessage') && !store.durable
    }
  }

  function performOne(effect: Effect): void {
    switch (effect.type) {
      case 'publish': {
        const { session, token, topic, payload, qos, retain } = effect
        counters.published += 1
        if (qos > 0) noteSent(session, token)
        return connectionOf(session).publish(token, topic, payload, qos, retain)
      }
      case 'publishAnonymous':
        if (upstream.publishAnonymous(effect.topic, effect.payload, effect.retain)) counters.published += 1
        else count(counters.dropped, 'upstream-down')
        return
      case 'acknowledge':
        return connectionOf(effect.session).acknowledge(effect.ack)
      case 'connect': {
        const { session, clean, fresh, will } = effect
        const identity = surroundings.identityOf(session.clientId)
        return connectionOf(session).connect({ identity, clean, fresh, will })
      }
      case 'subscribe':
        return connectionOf(effect.session).subscribe(effect.token, effect.filter, effect.qos, effect.replay)
      case 'unsubscribe':
        return connectionOf(effect.session).unsubscribe(effect.token, effect.filter)
      case 'close':
        sentAt.delete(effect.session)
        return connections.get(effect.session)?.close(effect.publishWill)
      case 'save':
        return store.save(effect.session)
      case 'keepMessage':
        return store.keepMessage(effect.session.clientId, effect.message)
      case 'dropMessage':
        return store.dropMessage(effect.session.clientId, effect.message.id)
      case 'forget':
        connections.delete(effect.session)
        return store.forget(effect.session.clientId)
      case 'drop':
        return count(counters.dropped, effect.reason)
      case 'send':
      case 'changed':
      case 'gwinfo':
        return // done above
    }
  }

  return { perform: (effects) => perform(effects, 0) }
}
