// A session as the console shows it: a row in a list, and a page of its own.

import { toWall } from '../../clock.ts'
import type { Config } from '../../config/schema.ts'
import type { DeadLetterEntry, RefusalEntry } from '../../console/contract/happenings.ts'
import type { SensorDetail, SensorLabel, SensorSummary } from '../../console/contract/sensors.ts'
import type { TopicEntry } from '../../console/contract/topics.ts'
import type { DeadLetter } from '../../session/message.ts'
import { describePeer } from '../../session/peers.ts'
import type { Session } from '../../session/session.ts'
import { silenceDeadline } from '../../session/setup/keep-alive.ts'
import { findingsOf } from './findings.ts'
import { entriesOf } from './recent-packets.ts'
import { securityOf } from './secure-session.ts'
import type { Remembered } from './sensor-memory.ts'
import { topicUses } from './topic-uses.ts'
import { waitingOf } from './waiting.ts'

/** What people call a sensor, and who says so. */
export interface Labelled extends SensorLabel {
  readonly labelledBy: 'rule' | 'console' | undefined
}

export const unlabelled: Labelled = {
  name: undefined,
  description: undefined,
  tags: [],
  labelledBy: undefined,
}

function upstreamOf({ link }: Session): SensorSummary['upstream'] {
  return link.state !== 'up' && link.lostAt !== undefined ? 'retrying' : link.state
}

/** A session as a row. */
export function summaryOf(
  session: Session,
  { name, tags }: Labelled,
  { since, why }: Pick<Remembered, 'since' | 'why'>,
): SensorSummary {
  const { clientId, state, peer, heardAt, topics, subscriptions, downlink } = session
  return {
    clientId,
    name,
    tags,
    state,
    departed: false,
    since,
    why,
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

/** What is known of a sensor besides its session. */
export interface Known {
  readonly remembered: Remembered
  readonly label: Labelled
  /** latest first */
  readonly refusals: readonly RefusalEntry[]
}

const MOST_REFUSALS = 20

/** What comes of the memory alone. */
function recollection({ remembered, label, refusals }: Known, departed: boolean) {
  const { packets, dropped, lastError, since, why } = remembered
  const { name, description, tags, labelledBy } = label
  return {
    name,
    description,
    tags,
    labelledBy,
    since,
    why,
    departed,
    recent: entriesOf(packets),
    published: topicUses(packets, 'received'),
    delivered: topicUses(packets, 'sent'),
    refusals: refusals.slice(0, MOST_REFUSALS),
    dropped,
    lastError,
  }
}

/** A sensor that has no session any more. */
export function detailOfDeparted(row: SensorSummary, known: Known): SensorDetail {
  const detail = {
    secure: undefined,
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
    waiting: [],
    refusedTopics: [],
    deadLetters: [],
    ...row,
    ...recollection(known, true),
  }
  return { ...detail, findings: findingsOf(detail, known.remembered) }
}

const MOST_QUEUED = 100

/** A session in depth, with what is remembered of its sensor. */
export function detailOf(session: Session, known: Known, config: Config): SensorDetail {
  const { will, topics, policy, state } = session
  const { outstanding } = session.downlink
  const deadline = silenceDeadline(session, config.timers.inactivity)
  const waiting = waitingOf(session, performance.now())
  const entry = ([topicId, name]: readonly [number, string], confirmed: boolean): TopicEntry => ({
    topicId,
    name,
    confirmed,
  })
  const detail = {
    ...summaryOf(session, known.label, known.remembered),
    ...recollection(known, false),
    secure: securityOf(session.peer),
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
    held: waiting.held,
    waiting: waiting.all,
    refusedTopics: [...topics.suppressed],
    deadLetters: [...session.uplink.dead.values()].slice(0, MOST_QUEUED).map(deadLetterOf),
  }
  return { ...detail, findings: findingsOf(detail, known.remembered) }
}

/** A dead letter as it is shown, without its contents. */
export const deadLetterOf = (letter: DeadLetter): DeadLetterEntry => ({ ...letter, at: toWall(letter.at) })
