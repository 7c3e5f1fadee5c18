// Says whose topic names are more than it may have: such a sensor is served, but learns names again and again.

import type { Log } from '../../log.ts'
import type { Session } from '../../session/session.ts'

/** Milliseconds between two lines of one sensor, and sensors that are remembered for that. */
const INTERVAL = 60_000
const MOST_SENSORS = 1000

/** Warns once a minute per sensor; `now` in milliseconds. */
export function createTopicWarnings(log: Log, now: () => number = performance.now.bind(performance)) {
  const warnedAt = new Map<string, number>()
  return ({ clientId, topics }: Session): void => {
    const last = warnedAt.get(clientId)
    if (last !== undefined && now() - last < INTERVAL) return
    if (warnedAt.size >= MOST_SENSORS) warnedAt.clear()
    warnedAt.set(clientId, now())
    const remedy = 'raise limits.topicsPerSensor, or let it subscribe to fewer topics'
    log.warn({ clientId, names: topics.byName.size, remedy }, 'topic names of a sensor are forgotten')
  }
}
