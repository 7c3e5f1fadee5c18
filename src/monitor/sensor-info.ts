// A session as the console shows it: a row in a list, and a page of its own.

import { toWall } from '../clock.ts'
import type { Config } from '../config/schema.ts'
import type { SensorDetail, SensorQuery, SensorSummary, TopicEntry } from '../console/view.ts'
import { describePeer } from '../session/peers.ts'
import type { Session } from '../session/session.ts'
import { silenceDeadline } from '../session/setup/keep-alive.ts'

function upstreamOf({ link }: Session): SensorSummary['upstream'] {
  return link.state !== 'up' && link.lostAt !== undefined ? 'retrying' : link.state
}

/** A session as a row. */
export function summaryOf(session: Session): SensorSummary {
  const { clientId, state, peer, heardAt, topics, subscriptions, downlink } = session
  return {
    clientId,
    state,
    address: peer && describePeer(peer),
    listener: peer?.listener.name,
    heardAt: heardAt === 0 ? undefined : toWall(heardAt),
    topics: topics.byId.size,
    subscriptions: subscriptions.size,
    queued: downlink.queue.length,
    queuedOctets: downlink.octets,
    upstream: upstreamOf(session),
  }
}

/** Whether a row matches the query. */
export function fitsQuery(sensor: SensorSummary, { search, state }: SensorQuery): boolean {
  if (state !== undefined && sensor.state !== state) return false
  if (search === undefined || search === '') return true
  const wanted = search.toLowerCase()
  return sensor.clientId.toLowerCase().includes(wanted) || (sensor.address?.includes(wanted) ?? false)
}

/** Compares rows by the order that the query asks for, and by ClientId where that does not decide. */
export function comparison({ sort = 'clientId', descending = false }: SensorQuery) {
  const sign = descending ? -1 : 1
  return (a: SensorSummary, b: SensorSummary): number => {
    const [x = 0, y = 0] = [a[sort], b[sort]]
    if (x !== y) return x < y ? -sign : sign
    return a.clientId < b.clientId ? -1 : 1
  }
}

/** The details of a sensor that has no session any more. */
export const nothingKnown: Omit<SensorDetail, keyof SensorSummary | 'recent' | 'dropped' | 'lastError'> = {
  cleanSession: true,
  keepAlive: 0,
  lostAt: undefined,
  sleep: undefined,
  will: undefined,
  registry: [],
  predefined: [],
  subscribed: [],
  queue: [],
  outstanding: undefined,
  held: undefined,
  refusedTopics: [],
  deadLetters: [],
}

const MOST_QUEUED = 100

/** What only the console wants to know of a sensor, and its session does not keep. */
export type Remembered = Pick<SensorDetail, 'recent' | 'dropped' | 'lastError'>

/** A session in depth, with what is remembered of its sensor. */
export function detailOf(session: Session, remembered: Remembered, config: Config): SensorDetail {
  const { will, topics, policy, state } = session
  const { outstanding } = session.downlink
  const deadline = silenceDeadline(session, config.timers.inactivity)
  const entry = ([topicId, name]: readonly [number, string], confirmed: boolean): TopicEntry => ({
    topicId,
    name,
    confirmed,
  })
  return {
    ...summaryOf(session),
    ...remembered,
    cleanSession: session.cleanSession,
    keepAlive: session.keepAlive,
    lostAt: Number.isFinite(deadline) ? toWall(deadline) : undefined,
    sleep: state === 'asleep' || state === 'awake' ? session.sleep : undefined,
    will: will.topic && {
      topic: will.topic.name,
      qos: will.topic.qos,
      retain: will.topic.retain,
      octets: will.message?.length ?? 0,
    },
    registry: [...topics.byId].map((pair) => entry(pair, topics.confirmed.has(pair[0]))),
    predefined: [...policy.predefined.byId].map((pair) => entry(pair, true)),
    subscribed: [...session.subscriptions].map(([filter, subscription]) => ({ filter, ...subscription })),
    queue: session.downlink.queue.slice(0, MOST_QUEUED).map(({ id, topic, qos, retain, payload, at }) => ({
      id,
      topic,
      qos,
      retain,
      octets: payload.length,
      at: toWall(at),
    })),
    outstanding: outstanding && {
      kind: outstanding.packet.type.toUpperCase(),
      msgId: 'msgId' in outstanding.packet ? outstanding.packet.msgId : 0,
      tries: outstanding.tries,
    },
    held: heldBecause(session),
    refusedTopics: [...topics.suppressed],
    deadLetters: [...session.uplink.dead.values()]
      .slice(0, MOST_QUEUED)
      .map((letter) => ({ ...letter, at: toWall(letter.at) })),
  }
}

/** Why nothing is delivered right now, for people. */
function heldBecause(session: Session): string | undefined {
  const { state, subscribing } = session
  const { outstanding, paused, holdUntil = 0 } = session.downlink
  if (state === 'disconnected' || state === 'lost') return 'It is not connected.'
  if (state === 'asleep') return 'It is asleep: messages wait until it wakes up and asks for them.'
  if (state !== 'active' && state !== 'awake') return 'It is still connecting.'
  if (paused) return 'It did not acknowledge the last message: nothing more is sent until it says something.'
  if (holdUntil > performance.now()) return 'It reported congestion and is left alone for a while.'
  if (outstanding !== undefined) return `It has not answered ${outstanding.packet.type.toUpperCase()} yet.`
  if ([...subscribing.requests.values()].some(({ type }) => type === 'subscribe'))
    return 'The broker has not answered its SUBSCRIBE yet.'
  return undefined
}
