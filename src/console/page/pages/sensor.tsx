// One sensor in depth: is it all right, what goes either way, what waits and why, what it says, what can be done.

import type { SensorDetail } from '../../contract/sensors.ts'
import type { ApiError } from '../data/api.ts'
import { useClock, useLive } from '../data/use-live.ts'
import { Failure } from '../parts/failure.tsx'
import { Happened } from '../parts/happened.tsx'
import { usePageKeys } from '../parts/keyboard.ts'
import { listAddress, type PageProps } from '../parts/navigation.ts'
import { EmptyState, Facts, Panel } from '../parts/panel.tsx'
import { Badge } from '../parts/term.tsx'
import { SensorActions } from '../sensor/actions.tsx'
import { Conversation, conversationKey } from '../sensor/conversation.tsx'
import { explainState, whyNoMessages } from '../sensor/diagnosis.ts'
import { RefusalsOfSensor } from '../sensor/refusals-of-sensor.tsx'
import { SensorLists } from '../sensor/sensor-lists.tsx'
import { factsOf } from '../sensor/session-facts.ts'
import { Traffic } from '../sensor/traffic.tsx'
import { useSensor } from '../sensor/use-sensor.ts'
import { AllRight, Answered } from '../sensor/verdict.tsx'
import { stateWords } from '../words/states.ts'

function NotHere({ clientId, error, retry }: { clientId: string; error: ApiError; retry: () => void }) {
  const events = useLive().happened.filter((event) => event.clientId === clientId)
  if (error.status !== 404)
    return <Failure title="The sensor could not be loaded" error={error} retry={retry} />
  return (
    <>
      <EmptyState title="The gateway does not know this sensor">
        <p>
          It has never connected since the gateway started, or it was forgotten. This page shows it as soon as
          it connects. <a href="#/drops">Who was refused, and why</a>
        </p>
        <p>
          <a href="#/sensors">See all sensors</a>
        </p>
      </EmptyState>
      {events.length > 0 && (
        <Panel title="What happened">
          <Happened events={events.slice(0, 3)} />
        </Panel>
      )}
    </>
  )
}

interface HeadProps {
  readonly clientId: string
  readonly sensor: SensorDetail | undefined
  readonly now: number
  readonly reload: () => void
}

function Head({ clientId, sensor, now, reload }: HeadProps) {
  return (
    <div class="sensor-head">
      <p class="back">
        <a href={listAddress()}>← All sensors</a>
      </p>
      <div class="row">
        <div class="title">
          <h1>{clientId}</h1>
          {sensor !== undefined && <Badge words={stateWords(sensor.state)} state={sensor.state} />}
          {sensor?.name !== undefined && <span class="friendly">{sensor.name}</span>}
          {sensor?.tags.map((tag) => (
            <a key={tag} class="tag" href={`#/sensors?tag=${encodeURIComponent(tag)}`}>
              {tag}
            </a>
          ))}
        </div>
        {sensor !== undefined && <SensorActions sensor={sensor} done={reload} />}
      </div>
      {sensor?.description !== undefined && <p class="description">{sensor.description}</p>}
      {sensor !== undefined && <p class="lead">{explainState(sensor, now)}</p>}
    </div>
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
  if (sensor === undefined)
    return (
      <div class="page stack">
        <Head clientId={clientId} sensor={undefined} now={now} reload={reload} />
        {error !== undefined && <NotHere clientId={clientId} error={error} retry={reload} />}
      </div>
    )
  const answer = whyNoMessages(sensor, { healthy: broker?.healthy ?? true, now })
  return (
    <div class="page stack">
      <Head clientId={clientId} sensor={sensor} now={now} reload={reload} />
      <div class="questions">
        <AllRight findings={sensor.findings} />
        <Answered
          id="why-title"
          question="Why does it get no messages?"
          tone={answer.tone}
          headline={answer.headline}
          findings={answer.findings}
        />
      </div>
      <Traffic sensor={sensor} now={now} />
      <div class="columns">
        <Conversation clientId={clientId} transcript={transcript} drawn={drawn} arrived={arrived} />
        <div class="side">
          <RefusalsOfSensor refusals={sensor.refusals} now={now} />
          <Panel
            title="Session"
            actions={<a href={`#/events?sensor=${encodeURIComponent(clientId)}`}>Its events</a>}
          >
            <Facts facts={factsOf(sensor, now)} />
          </Panel>
          <SensorLists sensor={sensor} now={now} />
        </div>
      </div>
    </div>
  )
}
