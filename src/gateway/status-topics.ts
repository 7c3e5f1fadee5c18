// Status on the broker, where it is switched on: one retained topic for the gateway, with a will, and one per sensor.

import { toWall } from '../clock.ts'
import type { Config } from '../config/schema.ts'
import { isTopicName } from '../mqtt-topics.ts'
import { describePeer } from '../session/peers.ts'
import type { Session } from '../session/session.ts'
import { silenceDeadline } from '../session/setup/keep-alive.ts'
import type { Sessions } from '../sessions/table.ts'
import type { Observer } from './observer.ts'
import type { WorkerShare } from './worker-share.ts'

const encoder = new TextEncoder()
const json = (value: object): Uint8Array => encoder.encode(JSON.stringify(value))

/** The steps of a connection setup are of no interest to others. */
const ofInterest = new Set(['active', 'asleep', 'awake', 'disconnected', 'lost'])

/** An empty message takes a retained one away [MQTT 3.3.1.3]. */
const nothing = new Uint8Array(0)

/** How often the connection to the broker is checked, milliseconds. */
const LOOK = 500

/** Topic of the gateway's own status, undefined where status is switched off. */
export function statusTopicOf({ status: { enabled, prefix }, gateway: { id } }: Config): string | undefined {
  return enabled ? `${prefix}/gateway/${id}/status` : undefined
}

/** The will of the gateway: the broker publishes it when the connection is lost. */
export const offlineMessage = (): Uint8Array => json({ state: 'offline' })

/** The gateway itself, as far as it is needed. */
interface Published {
  readonly sessions: Pick<Sessions, 'byClientId'>
  isHealthy(): boolean
  /** how often the connection has been opened that carries the status */
  readonly brokerOpenings: number
  publish(topic: string, payload: Uint8Array, retain: boolean): boolean
  observe(observer: Observer): () => void
}

/**
 * Publishes the states of gateway and sensors, retained, until the returned function is called. After a lost connection
 * everything is published anew. A sensor whose ClientId cannot be part of a topic is left out; the topic of one that is
 * forgotten is cleared.
 */
export function publishStatus(gateway: Published, config: Config, share?: WorkerShare): () => void {
  const topic = statusTopicOf(config)
  if (topic === undefined) return () => {}
  const speaks = share?.speaks !== false
  const startedAt = Date.now()
  const { byClientId } = gateway.sessions
  let healthy = false
  let told = 0
  /** sensors whose topic holds a message, and those of them whose topic is still to be cleared */
  const shown = new Set<string>()
  const leftOver = new Set<string>()

  const topicOf = (clientId: string) =>
    `${config.status.prefix}/gateway/${config.gateway.id}/sensor/${clientId}`
  const publishSensor = (session: Session, state: string) => {
    const { clientId } = session
    const sensorTopic = topicOf(clientId)
    if (!isTopicName(sensorTopic) || clientId.includes('/')) return
    if (gateway.publish(sensorTopic, json(stateOf(session, state, config)), true)) shown.add(clientId)
    leftOver.delete(clientId)
  }
  const clear = (clientId: string) => {
    if (gateway.publish(topicOf(clientId), nothing, true)) leftOver.delete(clientId)
    else leftOver.add(clientId)
  }
  const look = () => {
    healthy = gateway.isHealthy()
    if (!healthy) return
    for (const clientId of leftOver) clear(clientId)
    // a connection may have been lost and opened again since the last look, at another broker even
    const { brokerOpenings } = gateway
    if (brokerOpenings === told) return
    told = brokerOpenings
    // one of several gateways does not know how many sensors the others have
    const sensors = share === undefined ? byClientId.size : undefined
    if (speaks) gateway.publish(topic, json({ state: 'online', startedAt, sensors }), true)
    for (const session of byClientId.values()) publishSensor(session, session.state)
  }
  const timer = setInterval(look, LOOK)
  const stop = gateway.observe({
    effect(effect) {
      if (effect.type === 'changed' && healthy && ofInterest.has(effect.to))
        publishSensor(effect.session, effect.to)
      if (effect.type !== 'forget') return
      const { clientId } = effect.session
      if (!byClientId.has(clientId) && shown.delete(clientId)) clear(clientId)
    },
  })
  return () => {
    clearInterval(timer)
    stop()
    if (speaks) gateway.publish(topic, offlineMessage(), true)
  }
}

function stateOf(session: Session, state: string, config: Config): object {
  const asleep = state === 'asleep'
  const until = asleep ? silenceDeadline(session, config.timers.inactivity) : Number.POSITIVE_INFINITY
  return {
    state,
    at: Date.now(),
    address: session.peer && describePeer(session.peer),
    queued: session.downlink.queue.length,
    ...(Number.isFinite(until) && { asleepUntil: Math.round(toWall(until)) }),
  }
}
