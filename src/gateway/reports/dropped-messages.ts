// Messages of sensors that were dropped: what each reason means, what to do, and one line of the log with the ClientId, rate limited.

import type { Subject } from '../../console/contract/docs.ts'
import type { Log } from '../../log.ts'
import type { DropReason } from '../../session/events.ts'
import type { Session } from '../../session/session.ts'

/** What is said of one reason. */
export interface Dropped {
  readonly text: string
  readonly next: string
  /** the keys of the configuration that decide */
  readonly key?: string
  readonly subject: Subject
  /** it is as somebody wants it, or costs nothing: neither logged nor an event */
  readonly isHarmless?: true
}

/** The reasons that concern messages of a known sensor. */
const REASONS: Readonly<Partial<Record<DropReason, Dropped>>> = {
  'queue-full': {
    text: 'more waited for it than may',
    next: 'Let it wake up more often or subscribe to less, or raise the limit.',
    key: 'limits.queuedMessages, limits.queuedOctets, queues',
    subject: 'queue-full',
  },
  'spool-full': {
    text: 'more of it waited for the broker than may',
    next: 'Bring the broker back, or let more wait.',
    key: 'sensors[].spool, limits.totalSpooledMessages',
    subject: 'spool-grows',
  },
  expired: {
    text: 'they waited for longer than they may',
    next: 'Let it wake up more often, or give messages more time.',
    key: 'queues[].age, sensors[].spool.age',
    subject: 'queue-full',
  },
  'too-long': {
    text: 'they are too long for its link or its device',
    next: 'Send it shorter messages, or allow longer ones where its network carries them.',
    key: 'listeners[].maxMessageSize, sensors[].maxMessageSize',
    subject: 'message-too-long',
  },
  rejected: {
    text: 'it refused them',
    next: 'See which topics it refuses; its memory for topics may be full.',
    subject: 'not-taken',
  },
  unregistered: {
    text: 'it never confirmed the topic id',
    next: 'See whether it answers at all; predefined topic ids need no REGISTER.',
    key: 'predefined',
    subject: 'not-taken',
  },
  undeliverable: {
    text: 'it is there and does not take them',
    next: 'They may be longer than the buffer of the device, or of a QoS that it does not know.',
    key: 'sensors[].maxMessageSize',
    subject: 'not-taken',
  },
  refused: {
    text: 'the broker refuses them for good',
    next: 'Let the broker permit the topic, then send them again; or discard them.',
    subject: 'dead-letters',
  },
  'hung-up': {
    text: 'the broker closes the connection at them',
    next: 'See the log of the broker: the topic may not be permitted, or the message too large for it.',
    subject: 'poison-topic',
  },
  'dead-letters-full': {
    text: 'it or all sensors together have as many dead letters as may be, and the oldest went',
    next: 'Send them again or discard them; find out why the broker does not take them.',
    key: 'sensors[].spool, limits.totalDeadLetters, limits.totalDeadLetterOctets',
    subject: 'dead-letters',
  },
  unreadable: {
    text: 'the store could not read them any more',
    next: 'Check the disk: it has changed what was written.',
    key: 'store.path',
    subject: 'store-fails',
  },
  'store-failing': {
    text: 'the store cannot write',
    next: 'Free some space on the disk of the store.',
    key: 'store.path',
    subject: 'store-fails',
  },
  overloaded: {
    text: 'the gateway gets more than it can handle',
    next: 'Find who sends so much; give the gateway more processor time, or several workers.',
    key: 'workers, limits.waitingDatagrams',
    subject: 'overloaded',
  },
  congestion: {
    text: 'the connection to the broker was full',
    next: 'Look at the load of the broker. What must not be lost should be sent with QoS 1.',
    key: 'broker.writeBuffer',
    subject: 'broker-slow',
  },
  'upstream-down': {
    text: 'the broker was away, and they were of QoS 0',
    next: 'What must not be lost should be sent with QoS 1.',
    subject: 'broker-away',
  },
  'topic-forgotten': {
    text: 'it has more topics than it may, so that ids are given out again',
    next: 'Let it subscribe to fewer topics, or allow more.',
    key: 'limits.topicsPerSensor',
    subject: 'topics-forgotten',
  },
  'out-of-state': {
    text: 'they make no sense in its state, such as a publish while it sleeps',
    next: 'Read its conversation: often its software restarted and forgot where it was.',
    subject: 'sensor-asleep',
    isHarmless: true,
  },
  superseded: {
    text: 'a newer one of the same topic took their place, as the queue rule says',
    next: 'Nothing is wrong.',
    key: 'queues[].overflow',
    subject: 'queue-full',
    isHarmless: true,
  },
  asleep: {
    text: 'they were of QoS 0, and the queue rule keeps none of those while it sleeps',
    next: 'Publish with QoS 1 what must arrive.',
    key: 'queues[].qos0',
    subject: 'sensor-asleep',
    isHarmless: true,
  },
}

export const DROPPED: ReadonlyMap<string, Dropped> = new Map(Object.entries(REASONS))

/** Milliseconds between two lines about the same sensor and reason, lines in that time, and what is remembered for it. */
const INTERVAL = 60_000
const MOST_LINES = 20
const MOST_KNOWN = 2000

/**
 * Logs whose messages are dropped: one line a minute for each sensor and reason, `times` counts those since. The loss report
 * counts them all. `now`: milliseconds.
 */
export function createDroppedLog(
  log: Log,
  now: () => number = () => performance.now(),
): (session: Pick<Session, 'clientId'>, reason: DropReason, topic?: string) => void {
  const lines = new Map<string, { at: number; since: number }>()
  let begun = Number.NEGATIVE_INFINITY
  let spent = 0
  return ({ clientId }, reason, topic) => {
    const dropped = REASONS[reason]
    // names that are forgotten have a line of their own
    if (dropped === undefined || dropped.isHarmless === true || reason === 'topic-forgotten') return
    const at = now()
    const name = `${reason} ${clientId}`
    const known = lines.get(name)
    if (known !== undefined && at - known.at < INTERVAL) {
      known.since += 1
      return
    }
    if (at - begun >= INTERVAL) [begun, spent] = [at, 0]
    spent += 1
    if (spent > MOST_LINES) return
    if (lines.size >= MOST_KNOWN) lines.clear()
    lines.set(name, { at, since: 0 })
    const { text, key } = dropped
    log.warn(
      { clientId, reason, topic, key, times: 1 + (known?.since ?? 0) },
      `messages of a sensor were dropped: ${text}`,
    )
  }
}
