// Topics as messages pass on them, with the last value; and the predefined ones, which sensors and gateway know beforehand.

import { useEffect, useRef, useState } from 'preact/hooks'
import type { LiveTopic, LiveTopicList } from '../../contract/topics.ts'
import { api } from '../data/api.ts'
import { useAnswer } from '../data/use-answer.ts'
import { ExportLinks } from '../parts/export-links.tsx'
import { Failure } from '../parts/failure.tsx'
import { ago, count, fromHex, octets, plural, ratePerMinute, time } from '../parts/format.ts'
import { usePageKeys } from '../parts/keyboard.ts'
import { sensorAddress } from '../parts/navigation.ts'
import { EmptyState, Intro, Panel, WideTable } from '../parts/panel.tsx'
import { contentInWords } from '../sensor/message-summary.ts'
import { TERMS } from '../words/terms.ts'

const REFRESH = 2000
const MOST = 200

type Direction = LiveTopic['direction']
const WAYS: Readonly<Record<Direction, string>> = { up: 'from sensors', down: 'to sensors' }

function Row({ topic: one }: { topic: LiveTopic }) {
  const { topic, direction, times, perMinute, lastAt, clientId, qos, retain, octets: size, payload } = one
  return (
    <tr>
      <th scope="row">
        <code>{topic}</code>
        <span class="muted way">{WAYS[direction]}</span>
      </th>
      <td class="value">
        {payload === undefined ? octets(size) : contentInWords(fromHex(payload), 60)}
        <span class="muted">{` QoS ${qos}${retain ? ', retained' : ''}`}</span>
      </td>
      <td>
        {clientId !== undefined && (
          <a class="name" href={sensorAddress(clientId)}>
            {clientId}
          </a>
        )}
      </td>
      <td class="number" data-label="Rate">
        {perMinute === undefined ? '–' : ratePerMinute(perMinute)}
      </td>
      <td class="number" data-label="Times">
        {count(times)}
      </td>
      <td class="number" data-label="Last">
        {ago(lastAt)}
      </td>
    </tr>
  )
}

function LiveTopics({ list, isFiltered }: { list: LiveTopicList; isFiltered: boolean }) {
  const { items, total, unlisted, since } = list
  if (total === 0)
    return (
      <EmptyState title={isFiltered ? 'No topic matches' : 'No message has passed yet'}>
        {isFiltered
          ? 'Topics are listed as soon as a message passes on them.'
          : `Topics are recorded while somebody looks, since ${time(since)}. The next message will appear here.`}
      </EmptyState>
    )
  return (
    <>
      <WideTable label="Topics">
        <table class="plain stacked">
          <thead>
            <tr>
              <th scope="col">Topic</th>
              <th scope="col">Last value</th>
              <th scope="col">Sensor</th>
              <th scope="col" class="number">
                Rate
              </th>
              <th scope="col" class="number">
                Times
              </th>
              <th scope="col" class="number">
                Last
              </th>
            </tr>
          </thead>
          <tbody>
            {items.map((topic) => (
              <Row key={`${topic.direction} ${topic.topic}`} topic={topic} />
            ))}
          </tbody>
        </table>
      </WideTable>
      {total > items.length && (
        <p class="muted">{`${count(total - items.length)} more: narrow the search down, or export all.`}</p>
      )}
      {unlisted > 0 && (
        <p class="muted">{`${plural(unlisted, 'further topic')} had no place in this list.`}</p>
      )}
    </>
  )
}

function Predefined({ wanted }: { wanted: string }) {
  const { value: topics, error, reload } = useAnswer(api.predefined)
  if (topics === undefined)
    return error === undefined ? null : (
      <Failure title="The topics could not be loaded" error={error} retry={reload} />
    )
  const found = topics
    .filter(({ topicId, name }) => `${topicId} ${name}`.toLowerCase().includes(wanted.toLowerCase()))
    .sort((a, b) => a.topicId - b.topicId)
  if (topics.length === 0)
    return (
      <EmptyState title="No topic is predefined">
        Add some under “predefined” in the configuration, such as "1": "home/button". Buttons that never
        connect need them.
      </EmptyState>
    )
  if (found.length === 0)
    return (
      <EmptyState title="Nothing matches">
        {`None of ${count(topics.length)} topics matches “${wanted}”.`}
      </EmptyState>
    )
  return (
    <table class="plain stacked">
      <thead>
        <tr>
          <th scope="col" class="number narrow">
            Number
          </th>
          <th scope="col">Topic</th>
        </tr>
      </thead>
      <tbody>
        {found.map(({ topicId, name }) => (
          <tr key={topicId}>
            <td class="number">{topicId}</td>
            <td>
              <code>{name}</code>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

export function TopicsPage() {
  const [wanted, setWanted] = useState('')
  const [direction, setDirection] = useState<Direction>()
  const search = useRef<HTMLInputElement>(null)
  const query = { search: wanted, direction, sort: 'lastAt', descending: true } as const
  const { value, error, reload } = useAnswer(() => api.topics({ ...query, limit: MOST }), REFRESH)
  useEffect(reload, [wanted, direction])
  usePageKeys({ search: () => search.current?.focus() })
  return (
    <div class="page stack">
      <Intro title="Topics">
        What messages are about: each topic with its last value, as messages pass.{' '}
        {value?.payloads === false &&
          'Contents are not shown: “console.payloads” or “log.payloads” in the configuration would allow it.'}
      </Intro>
      <div class="toolbar">
        <input
          ref={search}
          type="search"
          placeholder="Part of a topic, a filter such as hall/+/set, or a number"
          aria-label="Filter topics"
          value={wanted}
          onInput={({ currentTarget }) => setWanted(currentTarget.value)}
        />
        <div class="segments" role="group" aria-label="Direction">
          {([undefined, 'up', 'down'] as const).map((one) => (
            <button
              key={one ?? ''}
              type="button"
              aria-pressed={direction === one}
              onClick={() => setDirection(one)}
            >
              {one === undefined ? 'Both ways' : WAYS[one]}
            </button>
          ))}
        </div>
        <span class="muted found" role="status">
          {value === undefined ? '' : plural(value.total, 'topic')}
        </span>
        <ExportLinks kind="topics" query={query} />
      </div>
      <Panel title="Latest first">
        {value === undefined && error !== undefined && (
          <Failure title="The topics could not be loaded" error={error} retry={reload} />
        )}
        {value !== undefined && (
          <LiveTopics list={value} isFiltered={wanted !== '' || direction !== undefined} />
        )}
      </Panel>
      <Panel title="Predefined topics" tip={TERMS.predefined}>
        <p class="muted">
          These hold for all sensors; some sensors may have their own besides, see their pages.
        </p>
        <Predefined wanted={wanted} />
      </Panel>
    </div>
  )
}
