// Effects towards the broker: each session has a connection of its own, or its part of one that sensors share.

import { addObservation, type Histogram } from '../../histogram.ts'
import type { Log } from '../../log.ts'
import type { UpstreamEvent } from '../../session/events.ts'
import type { Session } from '../../session/session.ts'
import { SparseMap } from '../../session/sparse.ts'
import type { Leaving } from '../../sessions/ownership/let-go.ts'
import type { Sessions } from '../../sessions/table.ts'
import type { SharingSensor } from '../../upstream/aggregating/contract.ts'
import type { OnUpstreamEvent, SharedMember, Upstream, UpstreamConnection } from '../../upstream/upstream.ts'
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

interface BrokerEffects
  extends EffectTable<
    | 'attach'
    | 'connect'
    | 'close'
    | 'publish'
    | 'release'
    | 'publishAnonymous'
    | 'acknowledge'
    | 'subscribe'
    | 'unsubscribe'
    | 'endAtBroker'
  > {
  /** The session is forgotten: so is what it has on a connection that it shares. */
  leaveShared(session: Session): void
  /** Whether all that was said for the session has left this process. */
  isFlushed(session: Session): boolean
  /** Somebody else goes on with the session: its connection ends here, and nothing of it is heard any more. */
  letGo(session: Session, how: Leaving): void
}

/** A session's way to the broker; `sentAt`: when each open QoS 1 and 2 publish was given to it, by token. */
interface Way {
  readonly connection: UpstreamConnection
  /** the same, on a connection that it shares with others of this pool */
  readonly member: SharedMember | undefined
  readonly pool: string | undefined
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
      way = openWay(session)
      ways.set(session, way)
      if (session.established) way.member?.attach(subscriptionsOf(session))
    }
    return way
  }

  function openWay(session: Session): Way {
    const { pool } = session.link
    const sentAt = new SparseMap<number, number>()
    const onEvent: OnUpstreamEvent = (event) => {
      if (event.type === 'message') counters.delivered += 1
      else if (event.type === 'published') {
        observeAnswer(sentAt, event.token)
        if (event.reason !== undefined && session.policy.ack === 'store')
          logRefusal(session, rules.matchOf(session), event.reason)
      }
      parts.onUpstreamEvent(session, event)
    }
    if (pool === undefined)
      return { connection: upstream.connection(onEvent), member: undefined, pool, sentAt }
    const member = upstream.member(sharingSensor(session, pool), onEvent)
    return { connection: member, member, pool, sentAt }
  }

  /** Its rules have changed, and it uses other connections from now on: those of before forget it. */
  function leaveOther(session: Session): void {
    const way = ways.get(session)
    if (way === undefined || way.pool === session.link.pool) return
    ways.delete(session)
    if (way.member !== undefined) return way.member.forget()
    way.connection.close(false, true)
    if (!session.cleanSession) endings.end(session, false)
  }

  function observeAnswer(sentAt: SparseMap<number, number>, token: number): void {
    const at = sentAt.get(token)
    if (sentAt.delete(token) && at !== undefined) addObservation(latency, (performance.now() - at) / 1000)
  }

  const endings = createSessionEndings(upstream, rules)

  return {
    endAtBroker({ session, expired }) {
      if (session.link.pool === undefined) endings.end(session, expired) // others share what the broker has of it
    },
    isFlushed: (session) => ways.get(session)?.connection.isFlushed() !== false,
    leaveShared: (session) => ways.get(session)?.member?.forget(),
    letGo(session, how) {
      const way = ways.get(session)
      ways.delete(session)
      if (how === 'deposed') way?.connection.cut()
      else if (way?.member !== undefined) way.member.forget()
      else way?.connection.close(false, false)
    },
    attach: ({ session }) => void wayOf(session),
    connect({ session, clean, mend, will }) {
      endings.cancel(session.clientId) // the sensor is back
      leaveOther(session)
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

/** What a shared connection is to know of a session. */
const sharingSensor = ({ clientId, downlink, uplink }: Session, pool: string): SharingSensor => ({
  clientId,
  pool,
  received: () => downlink.received,
  needs: (token) => uplink.outgoing.has(token) || uplink.backlog?.inMemory.has(token) === true,
})

const subscriptionsOf = ({ subscriptions }: Session): [string, 0 | 1 | 2][] =>
  [...subscriptions].map(([filter, { qos }]) => [filter, qos])
