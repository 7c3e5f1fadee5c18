// Effects towards the broker: each session has a connection of its own, made when it is first needed.

import { addObservation, type Histogram } from '../../histogram.ts'
import type { Log } from '../../log.ts'
import type { UpstreamEvent } from '../../session/events.ts'
import type { Session } from '../../session/session.ts'
import { SparseMap } from '../../session/sparse.ts'
import type { Sessions } from '../../sessions/table.ts'
import type { Upstream, UpstreamConnection } from '../../upstream/upstream.ts'
import type { Counters } from '../counters.ts'
import { createRefusalLog } from '../reports/refusal-log.ts'
import type { SensorRules } from '../rules/sensor-rules.ts'
import type { EffectTable } from './effect-table.ts'
import { createSessionEndings } from './session-endings.ts'

/** What effects towards the broker work with. */
export interface BrokerEffectsParts {
  readonly upstream: Upstream
  readonly sessions: Pick<Sessions, 'byClientId'>
  readonly rules: Pick<SensorRules, 'identityOf' | 'matchOf'>
  readonly log: Log
  readonly counters: Counters
  readonly latency: Histogram
  /** takes what a session's connection reports */
  onUpstreamEvent(session: Session, event: UpstreamEvent): void
}

type BrokerEffects = EffectTable<
  | 'connect'
  | 'close'
  | 'publish'
  | 'release'
  | 'publishAnonymous'
  | 'acknowledge'
  | 'subscribe'
  | 'unsubscribe'
  | 'endAtBroker'
>

/** A session's way to the broker; `sentAt`: when each open QoS 1 and 2 publish was given to it, by token. */
interface Way {
  readonly connection: UpstreamConnection
  readonly sentAt: SparseMap<number, number>
}

/** How each of them is performed; one object for the life of a gateway. */
export function createBrokerEffects(parts: BrokerEffectsParts): BrokerEffects {
  const { upstream, sessions, rules, counters, latency, log } = parts
  const ways = new WeakMap<Session, Way>()
  const logRefusal = createRefusalLog(log)

  function wayOf(session: Session): Way {
    let way = ways.get(session)
    if (way === undefined) {
      const sentAt = new SparseMap<number, number>()
      const connection = upstream.connection((event) => {
        if (event.type === 'message') counters.delivered += 1
        else if (event.type === 'published') {
          observeAnswer(sentAt, event.token)
          if (event.reason !== undefined && session.policy.ack === 'store')
            logRefusal(session, rules.matchOf(session), event.reason)
        }
        parts.onUpstreamEvent(session, event)
      })
      way = { connection, sentAt }
      ways.set(session, way)
    }
    return way
  }

  function observeAnswer(sentAt: SparseMap<number, number>, token: number): void {
    const at = sentAt.get(token)
    if (sentAt.delete(token) && at !== undefined) addObservation(latency, (performance.now() - at) / 1000)
  }

  const endings = createSessionEndings(upstream, rules)

  return {
    endAtBroker: ({ session, expired }) => endings.end(session, expired),
    connect({ session, clean, mend, will }) {
      endings.cancel(session.clientId) // the sensor is back
      const { connection, sentAt } = wayOf(session)
      sentAt.clear() // what is unfinished is published again
      // Looked up now and not carried by the effect: credentials that a reload has replaced meanwhile must not be used, and
      // secrets must not pass those who observe effects.
      const identity = rules.identityOf(session)
      connection.connect({ identity, clean, mend, will, sensors: sessions.byClientId.size })
    },
    close({ session, publishWill, cleanSession }) {
      const way = ways.get(session)
      way?.sentAt.clear()
      way?.connection.close(publishWill, cleanSession)
    },
    publish({ session, token, topic, payload, qos, retain, repeated }) {
      if (!repeated) counters.published += 1
      const { connection, sentAt } = wayOf(session)
      if (qos > 0) sentAt.set(token, performance.now())
      connection.publish(token, topic, payload, qos, retain, repeated)
    },
    release: ({ session, token }) => wayOf(session).connection.release(token),
    publishAnonymous({ topic, payload, retain, peer }) {
      if (upstream.publishAnonymous(topic, payload, retain, peer?.address)) counters.published += 1
    },
    acknowledge: ({ session, ack }) => wayOf(session).connection.acknowledge(ack),
    subscribe: ({ session, token, filter, qos, replay }) =>
      wayOf(session).connection.subscribe(token, filter, qos, replay),
    unsubscribe: ({ session, token, filter }) => wayOf(session).connection.unsubscribe(token, filter),
  }
}
