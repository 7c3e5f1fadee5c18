// What is wrong with a sensor, in sentences that say what to do next: made when somebody looks at it.

import { docsOf, type Subject } from '../../console/contract/docs.ts'
import type { Tone } from '../../console/contract/happenings.ts'
import type { Finding, SensorDetail } from '../../console/contract/sensors.ts'
import type { TopicUse } from '../../console/contract/topics.ts'
import { DROPPED, type Dropped } from '../../gateway/reports/dropped-messages.ts'
import { codeText } from './recent-packets.ts'
import type { Remembered } from './sensor-memory.ts'

/** What findings are made of. */
type Looked = Omit<SensorDetail, 'findings'>

/** Older than so many milliseconds, a refusal or drop is only noted. */
const LATELY = 3_600_000

/** Findings of one kind that are listed. */
const MOST = 5

const WORST_FIRST: readonly Tone[] = ['bad', 'warn', 'note', 'good']

/** All findings, worst first. */
export function findingsOf(detail: Looked, remembered: Remembered, now = Date.now()): Finding[] {
  const all = [
    ...ofState(detail),
    ...ofBroker(detail),
    ...ofTwin(remembered, now),
    ...ofTopics(detail, remembered),
  ]
  // One cause is one finding: what the docs explain in the same paragraph is told once, by who knows most of it. Of a refused
  // topic there are two sides, which topic it is and why it was refused.
  for (const one of [...ofRefusals(detail, now), ...ofDrops(detail, remembered, now)])
    if (one.docs === docsOf('topic-refused') || !all.some(({ docs }) => docs === one.docs)) all.push(one)
  return all.sort((a, b) => WORST_FIRST.indexOf(a.tone) - WORST_FIRST.indexOf(b.tone))
}

const finding = (
  id: string,
  tone: Tone,
  subject: Subject,
  text: string,
  next: string,
  key?: string,
): Finding => ({
  id,
  tone,
  text,
  next,
  key,
  docs: docsOf(subject),
})

const plural = (number: number, one: string): string => `${number} ${one}${number === 1 ? '' : 's'}`

function ofState({ state, why, keepAlive, queued, outstanding, waiting }: Looked): Finding[] {
  if (state === 'lost') {
    const text = `It is lost: ${why ?? 'it was silent for longer than it promised'}.`
    const next = `See whether it has power and reaches the network; its keep-alive is ${keepAlive} s. It must connect again by itself.`
    return [finding('lost', 'bad', 'sensor-lost', text, next)]
  }
  if (state === 'asleep' && queued > 0) {
    const text = `It is asleep, and ${plural(queued, 'message')} wait until it wakes up and asks for them.`
    const next = 'If that takes too long, let it sleep for a shorter time.'
    return [finding('asleep', 'note', 'sensor-asleep', text, next)]
  }
  if (waiting.some(({ why }) => why === 'paused')) {
    const text = 'It did not acknowledge the last message, and nothing more is sent until it says something.'
    const next =
      'See whether it still listens; a sensor that switches its radio off should say so with DISCONNECT and a duration.'
    return [finding('paused', 'warn', 'sensor-does-not-answer', text, next, 'timers.tRetry, timers.nRetry')]
  }
  if (outstanding !== undefined && outstanding.tries > 0) {
    const text = `It has not answered ${outstanding.kind}, which was sent again ${plural(outstanding.tries, 'time')}.`
    const next = 'The network is lossy, or the sensor is slower than the pause between two transmissions.'
    return [finding('unanswered', 'note', 'sensor-does-not-answer', text, next, 'timers.tRetry')]
  }
  return []
}

function ofBroker({ lastError, upstream, deadLetters, clientId }: Looked): Finding[] {
  const found: Finding[] = []
  if (lastError !== undefined) {
    const next = 'Compare its user name and password with those of the broker; the sensor must connect again.'
    found.push(
      finding('login', 'bad', 'login-refused', `Its last connection setup failed: ${lastError}.`, next),
    )
  }
  if (upstream === 'retrying') {
    const next = 'The gateway tries again with growing pauses; see the page of connections.'
    found.push(finding('broker-away', 'warn', 'broker-away', 'Its connection to the broker was lost.', next))
  }
  if (deadLetters.length > 0) {
    const [{ topic } = { topic: '' }] = deadLetters
    const text = `The broker will not have ${plural(deadLetters.length, 'message')} that the gateway acknowledged to it, such as to "${topic}".`
    const next = `Let the broker permit the topic to ${clientId}, then send them again; or discard them.`
    found.push(finding('dead-letters', 'bad', 'dead-letters', text, next))
  }
  return found
}

function ofTwin({ contestedAt, contestedBy }: Remembered, now: number): Finding[] {
  if (contestedAt === undefined) return []
  const text = `Two devices seem to have its ClientId: ${contestedBy}.`
  const tone = now - contestedAt < LATELY ? 'bad' : 'note'
  return [finding('same-client-id', tone, 'same-client-id', text, 'Give each device a ClientId of its own.')]
}

function ofRefusals({ refusals }: Looked, now: number): Finding[] {
  return refusals.slice(0, MOST).map(({ reason, text, next, key, at, times, detail, docs }) => ({
    id: `refused: ${reason}`,
    tone: now - at < LATELY ? 'bad' : 'note',
    text: `It was refused ${plural(times, 'time')}: ${text}${detail === undefined ? '' : ` (${detail})`}.`,
    next: next ?? (key === undefined ? 'Look at the software of the sensor.' : 'The configuration decides.'),
    key,
    docs,
  }))
}

function ofTopics({ published, delivered, refusedTopics }: Looked, { packets }: Remembered): Finding[] {
  const found: Finding[] = []
  const refused = (uses: readonly TopicUse[]) => uses.filter((use) => use.refused > 0).slice(0, MOST)
  for (const { topic, refused: times, lastRefusal, lastCode } of refused(published)) {
    const text = `Its PUBLISH to "${topic}" was refused ${plural(times, 'time')}, at last with 0x0${lastCode}, ${lastRefusal}.`
    const isUnknown = lastCode === 2
    const next = isUnknown
      ? 'It uses a topic id that it has not registered in this session: let it REGISTER after each CONNECT, or list the id as a predefined one.'
      : 'See why among its refusals.'
    const subject = isUnknown ? 'topic-id-unknown' : 'topic-refused'
    const key = isUnknown ? 'predefined' : undefined
    found.push(finding(`publish: ${topic}`, 'bad', subject, text, next, key))
  }
  for (const { topic, refused: times, lastRefusal } of refused(delivered)) {
    const text = `It refused a message of "${topic}" ${plural(times, 'time')}: ${lastRefusal}.`
    const next = 'Its memory for topics may be full, or it forgot the topic id.'
    found.push(finding(`delivery: ${topic}`, 'warn', 'not-taken', text, next))
  }
  let asked = ''
  for (const { type, topic, returnCode } of packets) {
    if (type === 'subscribe') asked = topic
    if (type !== 'suback' || returnCode === undefined || returnCode === 0) continue
    const text = `Its SUBSCRIBE to "${asked}" was refused: ${codeText(returnCode)}.`
    const next = 'See why among its refusals, and what the broker permits.'
    if (!found.some(({ id }) => id === `subscribe: ${asked}`))
      found.push(finding(`subscribe: ${asked}`, 'bad', 'topic-refused', text, next))
  }
  if (refusedTopics.length > 0) {
    const text = `It refused to be told of ${plural(refusedTopics.length, 'topic')}, such as "${refusedTopics[0]}": their messages are dropped.`
    const next = 'Its memory for topics may be full; predefined topic ids need none.'
    found.push(finding('refused-topics', 'warn', 'not-taken', text, next, 'predefined'))
  }
  return found
}

function ofDrops({ dropped }: Looked, { droppedAt = 0 }: Remembered, now: number): Finding[] {
  return Object.entries(dropped).flatMap(([reason, times]) => {
    const known: Dropped | undefined = DROPPED.get(reason)
    if (known === undefined || known.isHarmless) return []
    const tone = now - droppedAt < LATELY ? 'warn' : 'note'
    const text = `${plural(times, 'message')} to or from it were dropped: ${known.text}.`
    return [finding(`dropped: ${reason}`, tone, known.subject, text, known.next, known.key)]
  })
}
