// The topics of the gateway's status and of its sensors, and what stands in them.

import { toWall } from '../../clock.ts'
import type { Config } from '../../config/schema.ts'
import { isText } from '../../mqtt-topics.ts'
import { describePeer } from '../../session/peers.ts'
import type { Session } from '../../session/session.ts'
import { silenceDeadline } from '../../session/setup/keep-alive.ts'

const encoder = new TextEncoder()

/** A payload. */
export const json = (value: object): Uint8Array => encoder.encode(JSON.stringify(value))

/** Where everything of this gateway stands. */
const rootOf = ({ status, gateway }: Config): string => `${status.prefix}/gateway/${gateway.id}`

/** Topic of the gateway's own status, undefined where status is switched off. */
export const statusTopicOf = (config: Config): string | undefined =>
  config.status.enabled ? `${rootOf(config)}/status` : undefined

/** The will of the gateway: the broker publishes it when the connection is lost. */
export const offlineMessage = (): Uint8Array => json({ state: 'offline' })

/** Topic of a sensor's status. */
export const sensorTopicOf = (config: Config, clientId: string): string =>
  `${rootOf(config)}/sensor/${topicLevelOf(clientId)}`

/**
 * The ClientId as one level of a topic: as it is, unless that is impossible. Then it begins with `%` and is percent-encoded,
 * so that no two ClientIds have one topic.
 */
export function topicLevelOf(clientId: string): string {
  if (isText(clientId) && !/^%|[/+#]/.test(clientId)) return clientId
  return `%${encodeURIComponent(clientId.toWellFormed())}`
}

/** What is said of a sensor. */
export function sensorStatusOf(session: Session, state: string, config: Config): object {
  const asleep = state === 'asleep'
  const until = asleep ? silenceDeadline(session, config.timers.inactivity) : Number.POSITIVE_INFINITY
  return {
    state,
    at: Date.now(),
    address: session.peer && describePeer(session.peer),
    ...(session.heardAt !== 0 && { heardAt: Math.round(toWall(session.heardAt)) }),
    queued: session.downlink.queue.length,
    ...(Number.isFinite(until) && { asleepUntil: Math.round(toWall(until)) }),
  }
}
