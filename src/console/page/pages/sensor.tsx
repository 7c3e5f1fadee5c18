// One sensor in depth: how it is, why it gets no messages, what it knows and wants, what it says, what can be done.

import type { ApiError } from '../data/api.ts'
import { useClock, useLive } from '../data/use-live.ts'
import { Failure } from '../parts/failure.tsx'
import { usePageKeys } from '../parts/keyboard.ts'
import { listAddress, type PageProps } from '../parts/navigation.ts'
import { EmptyState, Facts, Panel } from '../parts/panel.tsx'
import { Badge, Dot } from '../parts/term.tsx'
import { SensorActions } from '../sensor/actions.tsx'
import { Conversation, conversationKey } from '../sensor/conversation.tsx'
import { type Diagnosis, explainState, whyNoMessages } from '../sensor/diagnosis.ts'
import { SensorLists } from '../sensor/sensor-lists.tsx'
import { factsOf } from '../sensor/session-facts.ts'
import { useSensor } from '../sensor/use-sensor.ts'
import { stateWords } from '../words/states.ts'

function Why({ question, diagnosis }: { question: string; diagnosis: Diagnosis }) {
  const { tone, headline, findings } = diagnosis
  return (
    <section class="why panel" aria-labelledby="why-title" data-tone={tone}>
      <p class="question">{question}</p>
      <h2 id="why-title">{headline}</h2>
      {findings.length > 0 && (
        <ul>
          {findings.map((finding) => (
            <li key={finding.headline + finding.text.slice(0, 24)} data-tone={finding.tone}>
              <Dot />
              <div>
                <p>{finding.text}</p>
                {finding.next !== '' && <p class="muted">{finding.next}</p>}
              </div>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

function NotHere({ error, retry }: { error: ApiError; retry: () => void }) {
  if (error.status !== 404)
    return <Failure title="The sensor could not be loaded" error={error} retry={retry} />
  return (
    <EmptyState title="The gateway does not know this sensor">
      <p>
        It has never connected since the gateway started, or it was forgotten. This page shows it as soon as
        it connects.
      </p>
      <p>
        <a href="#/sensors">See all sensors</a>
      </p>
    </EmptyState>
  )
}

export function SensorPage({ place: { rest: clientId } }: PageProps) {
  const { broker } = useLive()
  const { sensor, error, transcript, drawn, arrived, reload } = useSensor(clientId)
  const now = useClock()
  usePageKeys({
    key: (event) => conversationKey(transcript, event),
    escape() {
      location.hash = listAddress()
      return true
    },
  })
  return (
    <div class="page stack">
      <div class="sensor-head">
        <p class="back">
          <a href={listAddress()}>← All sensors</a>
        </p>
        <div class="row">
          <div class="title">
            <h1>{clientId}</h1>
            {sensor !== undefined && <Badge words={stateWords(sensor.state)} state={sensor.state} />}
          </div>
          {sensor !== undefined && <SensorActions clientId={clientId} done={reload} />}
        </div>
        {sensor !== undefined && <p class="lead">{explainState(sensor, now)}</p>}
      </div>
      {sensor === undefined && error !== undefined && <NotHere error={error} retry={reload} />}
      {sensor !== undefined && (
        <div class="stack">
          <Why
            question="Why does it get no messages?"
            diagnosis={whyNoMessages(sensor, { healthy: broker?.healthy ?? true, now })}
          />
          <div class="columns">
            <Conversation clientId={clientId} transcript={transcript} drawn={drawn} arrived={arrived} />
            <div class="side">
              <Panel title="Session">
                <Facts facts={factsOf(sensor, now)} />
              </Panel>
              <SensorLists sensor={sensor} now={now} />
            </div>
          </div>
        </div>
      )}
    </div>
  )
}
