// Status on the broker, where it is switched on: one retained topic for the gateway, with a will, and one per sensor.

import type { Config } from '../../config/schema.ts'
import type { Sessions } from '../../sessions/table.ts'
import type { Observer } from '../observer.ts'
import type { WorkerShare } from '../worker-share.ts'
import { type OwnUpstream, SensorStatus } from './sensor-status.ts'
import { json, offlineMessage, statusTopicOf } from './topics.ts'

/** How often the connection to the broker is checked, and what had to wait is published, milliseconds. */
const LOOK = 500

/** The gateway itself, as far as it is needed. */
interface Published {
  readonly sessions: Pick<Sessions, 'byClientId'>
  observe(observer: Observer): () => void
}

/** Who says what. */
export interface StatusParts {
  /** whether it says the status of the whole gateway; that can change where several nodes serve */
  speaks(): boolean
  readonly share?: WorkerShare | undefined
}

/**
 * Publishes the states of gateway and sensors, retained, until the returned function is called. After a lost connection
 * everything is published anew.
 */
export function publishStatus(
  gateway: Published,
  upstream: OwnUpstream,
  config: Config,
  { speaks, share }: StatusParts,
): () => void {
  const topic = statusTopicOf(config)
  if (topic === undefined) return () => {}
  const startedAt = Date.now()
  const online = () => {
    // one of several gateways does not know how many sensors the others have
    const sensors = share === undefined ? gateway.sessions.byClientId.size : undefined
    return json({ state: 'online', startedAt, sensors })
  }
  const { discovery, refresh } = config.homeAssistant
  const pause = discovery && refresh > 0 ? refresh : Number.POSITIVE_INFINITY
  const sensors = new SensorStatus(gateway.sessions, upstream, config, share?.speaks !== false)
  let healthy = false
  let told = 0
  let spoke = false
  let changesAt = 0
  const look = () => {
    healthy = upstream.healthy
    if (!healthy) return
    const now = performance.now()
    // a connection may have been lost and opened again since the last look, at another broker even
    const { ownOpenings } = upstream
    const isNew = ownOpenings !== told
    const isSpeaker = speaks()
    if (isSpeaker && (isNew || !spoke)) sensors.sayFirst({ topic, message: { make: online } })
    spoke = isSpeaker
    if (isNew) sensors.sayAll()
    else if (now >= changesAt) sensors.sayChanges()
    if (isNew || now >= changesAt) changesAt = now + pause
    told = ownOpenings
    sensors.send(now)
  }
  const timer = setInterval(look, LOOK)
  const stop = gateway.observe({
    effect(effect) {
      if (effect.type === 'changed') {
        sensors.say(effect.session, effect.to)
        if (healthy) sensors.send(performance.now())
      } else if (effect.type === 'forget') {
        sensors.forget(effect.session)
        if (healthy) sensors.send(performance.now())
      }
    },
    moved: (session, how) => (how === 'adopted' ? sensors.adopt(session) : sensors.release(session)),
  })
  return () => {
    clearInterval(timer)
    stop()
    if (speaks()) upstream.publishOwn(topic, offlineMessage(), true)
  }
}
