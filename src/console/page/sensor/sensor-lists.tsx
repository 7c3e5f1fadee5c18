// What a sensor has: subscriptions, waiting messages, topics, and what was dropped; a panel each.

import type { SensorDetail } from '../../contract/sensors.ts'
import { ago, count, octets, plural } from '../parts/format.ts'
import { Panel } from '../parts/panel.tsx'
import { dropWords } from '../words/drops.ts'
import { TERMS } from '../words/terms.ts'

interface Entry {
  readonly key: string | number
  readonly title: string
  readonly text: string
  readonly tip?: string
}

interface EntriesProps {
  readonly title: string
  readonly tip?: string
  /** what is said where there are none; absent: then there is no panel at all */
  readonly empty?: string
  readonly amount?: string
  readonly entries: readonly Entry[]
}

function Entries({ title, tip, empty, amount, entries }: EntriesProps) {
  if (entries.length === 0 && empty === undefined) return null
  const words = entries.length === 0 ? '' : (amount ?? count(entries.length))
  return (
    <Panel title={title} tip={tip} actions={<span class="amount muted">{words}</span>}>
      {entries.length === 0 ? (
        <p class="muted">{empty}</p>
      ) : (
        <ul class="entries">
          {entries.map((entry) => (
            <li key={entry.key} data-tip={entry.tip}>
              <code>{entry.title}</code>
              <span class="muted">{entry.text}</span>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  )
}

const subscriptionsOf = ({ subscribed }: SensorDetail): Entry[] =>
  subscribed.map(({ filter, qos, topicIdType, topicId }) => {
    const kind = topicIdType === 'normal' ? '' : `, ${topicIdType}`
    const number = topicId === 0 || topicIdType === 'short' ? '' : `, number ${topicId}`
    return { key: filter, title: filter, text: `QoS ${qos}${kind}${number}` }
  })

const queueOf = ({ queue }: SensorDetail, now: number): Entry[] =>
  queue.map(({ id, topic, qos, retain, octets: size, at }) => ({
    key: id,
    title: topic,
    text: `QoS ${qos}${retain ? ', retained' : ''}, ${octets(size)}, ${ago(at, now)}`,
  }))

const topicsOf = ({ registry }: SensorDetail): Entry[] =>
  registry.map(({ topicId, name, confirmed }) => ({
    key: topicId,
    title: name,
    text: `number ${topicId}${confirmed ? '' : ', not confirmed'}`,
    ...(confirmed ? {} : { tip: TERMS.confirmed }),
  }))

const deadLettersOf = ({ deadLetters }: SensorDetail, now: number): Entry[] =>
  deadLetters.map(({ token, topic, qos, octets: size, at, why }) => ({
    key: token,
    title: topic,
    text: `QoS ${qos}, ${octets(size)}, ${ago(at, now)}, ${dropWords(why).label.toLowerCase()}`,
  }))

const dropsOf = ({ dropped }: SensorDetail): Entry[] =>
  Object.entries(dropped).map(([reason, times]) => {
    const { label, text } = dropWords(reason)
    return { key: reason, title: label, text: count(times), tip: text }
  })

export function SensorLists({ sensor, now }: { sensor: SensorDetail; now: number }) {
  const { queue, queued } = sensor
  return (
    <>
      <Entries
        title="Subscriptions"
        empty="It has not subscribed to anything, so the broker sends it nothing."
        entries={subscriptionsOf(sensor)}
      />
      <Entries
        title="Queue"
        tip={TERMS.queue}
        empty="Nothing waits for it."
        amount={
          queued > queue.length
            ? `the oldest ${count(queue.length)} of ${count(queued)}`
            : plural(queued, 'message')
        }
        entries={queueOf(sensor, now)}
      />
      <Entries
        title="Topics"
        tip={TERMS.topic}
        empty="No topic numbers are agreed on."
        entries={topicsOf(sensor)}
      />
      <Entries
        title="Predefined topics"
        tip={TERMS.predefined}
        entries={sensor.predefined.map(({ topicId, name }) => ({
          key: topicId,
          title: name,
          text: `number ${topicId}`,
        }))}
      />
      <Entries
        title="Dead letters"
        tip="Messages of the sensor that were acknowledged to it, and that the broker will not have. Send them again, or discard them."
        entries={deadLettersOf(sensor, now)}
      />
      <Entries
        title="Refused topics"
        tip="Topics that the sensor did not want to know of. Their messages are dropped."
        entries={sensor.refusedTopics.map((name) => ({ key: name, title: name, text: '' }))}
      />
      <Entries
        title="Drops"
        tip="What was discarded from this sensor, or for it."
        entries={dropsOf(sensor)}
      />
    </>
  )
}
