// Status on the broker, where it is switched on: one retained topic for the gateway, with a will, and one per sensor.

import type { Config } from '../config/schema.ts'
import type { Gateway } from '../gateway.ts'
import { describePeer } from '../session/peers.ts'
import type { Session } from '../session/session.ts'
import { silenceDeadline } from '../session/sleep.ts'
import { isTopicName } from '../session/topics.ts'
import { wall } from './portrait.ts'

const encoder = new TextEncoder()
const json = (value: object): Uint8Array => encoder.encode(JSON.stringify(value))

/** The steps of a connection setup are of no interest to others. */
const ofInterest = new Set(['active', 'asleep', 'awake', 'disconnected', 'lost'])

/** How often it is looked whether the connection to the broker has come back, milliseconds. */
const LOOK = 500

/** Topic of the gateway's own status, undefined where status is switched off. */
export function statusTopic({ status: { enabled, prefix }, gateway: { id } }: Config): string | undefined {
  return enabled ? `${prefix}/gateway/${id}/status` : undefined
}

/** What the broker publishes when the gateway is gone without a word. */
export const offline = (): Uint8Array => json({ state: 'offline' })

/**
 * Publishes the states of gateway and sensors, retained, until the returned function is called. After a lost connection
 * everything is published anew. A sensor whose ClientId cannot be part of a topic is left out.
 */
export function publishStatus(gateway: Gateway, config: Config): () => void {
  const topic = statusTopic(config)
  if (topic === undefined) return () => {}
  const startedAt = Date.now()
  let healthy = false

  const publishSensor = (session: Session, state: string) => {
    const sensorTopic = `${config.status.prefix}/gateway/${config.gateway.id}/sensor/${session.clientId}`
    if (isTopicName(sensorTopic) && !session.clientId.includes('/')) {
      gateway.publish(sensorTopic, json(stateOf(session, state, config)), true)
    }
  }
  const look = () => {
    const was = healthy
    healthy = gateway.isHealthy()
    if (!healthy || was) return
    gateway.publish(
      topic,
      json({ state: 'online', startedAt, sensors: gateway.sessions.byClientId.size }),
      true,
    )
    for (const session of gateway.sessions.byClientId.values()) publishSensor(session, session.state)
  }
  const timer = setInterval(look, LOOK)
  const stop = gateway.observe({
    effect(effect) {
      if (effect.type === 'changed' && healthy && ofInterest.has(effect.to))
        publishSensor(effect.session, effect.to)
    },
  })
  return () => {
    clearInterval(timer)
    stop()
    gateway.publish(topic, offline(), true)
  }
}

function stateOf(session: Session, state: string, config: Config): object {
  const asleep = state === 'asleep'
  const until = asleep ? silenceDeadline(session, config.timers.inactivity) : Number.POSITIVE_INFINITY
  return {
    state,
    at: Date.now(),
    address: session.peer && describePeer(session.peer),
    queued: session.queue.length,
    ...(Number.isFinite(until) && { asleepUntil: Math.round(wall(until)) }),
  }
}
