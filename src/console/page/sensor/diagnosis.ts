// What a person on call asks about one sensor, answered in sentences: how is it, and why does it get no messages? Pure.

import type { SensorDetail } from '../../contract/sensors.ts'
import { ago, count, duration, octets, plural, time, until } from '../parts/format.ts'
import { dropWords } from '../words/drops.ts'
import { severityOf, type Tone } from '../words/explained.ts'

/** Something that is in the way, and what to do about it. */
export interface Finding {
  readonly tone: Tone
  readonly headline: string
  readonly text: string
  readonly next: string
}

/** The answer to a question, and the findings behind it, the most severe first. */
export interface Diagnosis {
  readonly tone: Tone
  readonly headline: string
  readonly findings: readonly Finding[]
}

/** How the sensor is, in one or two sentences. */
export function explainState(sensor: SensorDetail, now: number): string {
  const heard = sensor.heardAt === undefined ? '' : ` It was last heard ${ago(sensor.heardAt, now)}.`
  const supervised =
    sensor.lostAt === undefined
      ? ' Its silence is not supervised, so it is never counted as lost.'
      : ` If it stays silent until ${time(sensor.lostAt, now)} (${until(sensor.lostAt, now)}), it counts as lost.`
  switch (sensor.state) {
    case 'active':
      return `It is connected and listening.${heard}${supervised}`
    case 'asleep':
      return `It sleeps, and said that it would be back within ${duration(sensor.sleep ?? 0)}.${heard}${supervised}`
    case 'awake':
      return 'It has woken up to collect its messages, and goes back to sleep after the last one.'
    case 'connecting':
      return 'It asked to connect, and the gateway waits for the broker to accept it.'
    case 'willtopic':
    case 'willmsg':
      return 'It is connecting, and the gateway waits for it to tell its will.'
    case 'lost':
      return `It was silent for longer than it promised, so its connection was ended and its will published.${heard}`
    default:
      return `It is not connected; only the sensor itself can change that.${heard}`
  }
}

/**
 * Why the sensor gets no messages, or that nothing is in the way: a headline, its tone, and the findings behind it,
 * the most severe first, each with what to do next.
 */
export function whyNoMessages(
  sensor: SensorDetail,
  { healthy, now }: { readonly healthy: boolean; readonly now: number },
): Diagnosis {
  const findings = [
    ...ofConnection(sensor, healthy),
    ...ofWaiting(sensor, now),
    ...ofSubscriptions(sensor),
    ...ofDrops(sensor),
  ].sort((a, b) => severityOf(b) - severityOf(a))
  const { tone, headline } = findings[0] ?? {
    tone: 'good' as const,
    headline: `Nothing is in the way: messages of its ${plural(sensor.subscribed.length, 'subscription')} are delivered at once.`,
  }
  return { tone, headline, findings }
}

const finding = (tone: Tone, headline: string, text: string, next = ''): Finding => ({
  tone,
  headline,
  text,
  next,
})

function* ofConnection({ state, upstream, lastError }: SensorDetail, healthy: boolean): Generator<Finding> {
  if (lastError !== undefined) {
    yield finding(
      'bad',
      'It gets none: it could not connect.',
      `Its last attempt to connect failed: ${sentence(lastError)}`,
      'If the broker refused it, compare the user name and password in "sensors" of the configuration with the broker\'s list.',
    )
  }
  if (state === 'lost' || state === 'disconnected') {
    yield finding(
      'bad',
      state === 'lost' ? 'It gets none: it is lost.' : 'It gets none: it is not connected.',
      'Messages can only reach a sensor that has connected.',
      state === 'lost'
        ? 'Check its power, its network, and whether its address changed. It must connect again by itself.'
        : 'Wait until it connects, or restart it.',
    )
    return
  }
  if (!healthy) {
    yield finding(
      'bad',
      'It gets none: the broker cannot be reached.',
      'No sensor gets messages while the broker is away.',
      'See the page "Connections".',
    )
  } else if (upstream === 'retrying' || upstream === 'closed') {
    yield finding(
      'bad',
      'It gets none: its connection to the broker is away.',
      'The broker can be reached, but the connection of this sensor does not stand.',
      'See the log of the broker for the ClientId: it may refuse it, or another client may use the same one.',
    )
  }
}

function* ofWaiting(
  { state, held, outstanding, queued, queuedOctets, lostAt }: SensorDetail,
  now: number,
): Generator<Finding> {
  const waiting =
    queued === 0
      ? 'No message waits'
      : `${plural(queued, 'message')} (${octets(queuedOctets)}) ${queued === 1 ? 'waits' : 'wait'}`
  if (state === 'asleep') {
    const latest = lostAt === undefined ? '' : `, at the latest ${until(lostAt, now)}`
    yield finding(
      'note',
      `Not now: it sleeps. Messages wait until it wakes up${latest}.`,
      `${waiting} for it at the moment.`,
    )
  } else if (held !== undefined && state !== 'lost' && state !== 'disconnected') {
    const asked = outstanding?.tries ?? 0
    const tries = asked === 0 ? '' : ` ${outstanding?.kind} was sent ${plural(asked + 1, 'time')} so far.`
    yield finding(
      asked > 0 || queued > 5 ? 'warn' : 'note',
      'Not at this moment: the sensor or the broker has to answer first.',
      `${held}${tries} ${waiting} for it.`,
      asked > 0
        ? 'Watch the conversation: if its answers are missing, its radio or its software is in the way.'
        : '',
    )
  }
}

function* ofSubscriptions({ state, subscribed, refusedTopics }: SensorDetail): Generator<Finding> {
  if (subscribed.length === 0 && state !== 'lost' && state !== 'disconnected') {
    yield finding(
      'note',
      'It asks for none: it has not subscribed to anything.',
      'The broker sends a sensor only what it has subscribed to.',
      'If it should get messages, look for SUBSCRIBE in its conversation, and for a refusal in the answer.',
    )
  }
  if (refusedTopics.length > 0) {
    yield finding(
      'warn',
      `It refuses ${plural(refusedTopics.length, 'topic')}.`,
      `It did not want to know of: ${refusedTopics.slice(0, 5).join(', ')}${refusedTopics.length > 5 ? ' and more' : ''}. Their messages are dropped.`,
      'Its memory for topics may be full. Predefined topics need none.',
    )
  }
}

/** Only what befalls messages on their way to the sensor. */
const TO_SENSOR = ['queue-full', 'asleep', 'expired', 'too-long', 'rejected', 'unregistered', 'undeliverable']

function* ofDrops({ dropped }: SensorDetail): Generator<Finding> {
  for (const reason of TO_SENSOR) {
    const times = dropped[reason] ?? 0
    if (times === 0) continue
    const { text, next } = dropWords(reason)
    yield finding(
      'warn',
      'Some did not reach it.',
      `${plural(times, 'message')} dropped (${reason}): ${text}`,
      next,
    )
  }
}

const sentence = (words: string) => (/[.!?]$/.test(words) ? words : `${words}.`)

/** The outcome of a look at `outstanding`, for the facts. */
export const outstandingInWords = (outstanding: SensorDetail['outstanding']): string =>
  outstanding === undefined
    ? 'nothing'
    : `an answer to ${outstanding.kind}${outstanding.tries === 0 ? '' : `, sent ${count(outstanding.tries + 1)} times`}`
