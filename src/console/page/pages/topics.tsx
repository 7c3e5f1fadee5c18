// Predefined topics: numbers that sensors and gateway know beforehand.

import { useRef, useState } from 'preact/hooks'
import { api } from '../data/api.ts'
import { useAnswer } from '../data/use-answer.ts'
import { Failure } from '../parts/failure.tsx'
import { count } from '../parts/format.ts'
import { usePageKeys } from '../parts/keyboard.ts'
import { EmptyState, Intro, Panel } from '../parts/panel.tsx'
import { TERMS } from '../words/terms.ts'

interface PredefinedTopic {
  readonly topicId: number
  readonly name: string
}

function Found({ topics, wanted }: { topics: readonly PredefinedTopic[]; wanted: string }) {
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
    <table class="plain">
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
  const { value: topics, error, reload } = useAnswer(api.predefined)
  const [wanted, setWanted] = useState('')
  const search = useRef<HTMLInputElement>(null)
  usePageKeys({ search: () => search.current?.focus() })
  return (
    <div class="page stack">
      <Intro title="Predefined topics">
        {`${TERMS.predefined} These hold for all sensors; some sensors may have their own besides, see their pages.`}
      </Intro>
      <input
        ref={search}
        type="search"
        placeholder="Filter by number or name"
        aria-label="Filter topics"
        value={wanted}
        onInput={({ currentTarget }) => setWanted(currentTarget.value)}
      />
      <Panel title="All sensors">
        {error !== undefined && topics === undefined && (
          <Failure title="The topics could not be loaded" error={error} retry={reload} />
        )}
        {topics !== undefined && <Found topics={topics} wanted={wanted} />}
      </Panel>
    </div>
  )
}
