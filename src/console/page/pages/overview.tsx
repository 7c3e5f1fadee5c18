// The first page: is everything well, how much happens, what happened lately.

import { useState } from 'preact/hooks'
import type { StateChange } from '../../contract/live.ts'
import type { SensorState } from '../../states.ts'
import { type Check, type Condition, checks } from '../data/health.ts'
import { recently } from '../data/recent.ts'
import { useLive } from '../data/use-live.ts'
import { verdict } from '../data/verdict.ts'
import { DocsLink } from '../parts/docs-link.tsx'
import { count, duration, time } from '../parts/format.ts'
import { Happened } from '../parts/happened.tsx'
import { sensorAddress } from '../parts/navigation.ts'
import { EmptyState, Panel } from '../parts/panel.tsx'
import { Plot, type Series } from '../parts/plot.tsx'
import { Badge, Dot, Term } from '../parts/term.tsx'
import { STATES, stateWords } from '../words/states.ts'
import { TERMS } from '../words/terms.ts'

const PLOTS: readonly { title: string; unit: string; series: readonly Series[] }[] = [
  {
    title: 'Network of the sensors',
    unit: '/s',
    series: [
      { name: 'received', label: 'in', ink: 'one', tip: `${TERMS.datagrams} From the sensors.` },
      { name: 'sent', label: 'out', ink: 'two', tip: `${TERMS.datagrams} To the sensors.` },
    ],
  },
  {
    title: 'Application messages',
    unit: '/s',
    series: [
      { name: 'published', label: 'published', ink: 'one', tip: TERMS.published },
      { name: 'delivered', label: 'delivered', ink: 'two', tip: TERMS.delivered },
    ],
  },
  {
    title: 'Events',
    unit: '/s',
    series: [
      { name: 'changes', label: 'state changes', ink: 'three', tip: TERMS.changes },
      { name: 'dropped', label: 'drops', ink: 'bad', tip: TERMS.dropped },
    ],
  },
  {
    title: 'Messages waiting for sensors',
    unit: '',
    series: [{ name: 'queued', label: 'waiting', ink: 'three', tip: TERMS.queue }],
  },
]

const SPANS = [2, 5, 15]
const ORDER: readonly SensorState[] = [
  'active',
  'awake',
  'asleep',
  'connecting',
  'willtopic',
  'willmsg',
  'disconnected',
  'lost',
]
/** Changes of state that are shown. */
const LATEST = 40
/** Events that are shown. */
const LATEST_EVENTS = 12
/** The span that was chosen last, on whatever page one was meanwhile. */
let chosenSpan = 5

function Verdict({ all, condition }: { all: readonly Check[]; condition: Condition }) {
  const { status } = useLive()
  const { version, gwId, startedAt, clusterNode } = condition.info
  const { tone, headline, next, reasons } =
    status === 'away'
      ? {
          tone: 'off' as const,
          headline: 'The gateway does not answer.',
          next: 'What follows is the last that it said.',
          reasons: [],
        }
      : verdict(all)
  const [only, ...others] = reasons
  return (
    <section class="verdict" aria-label="Verdict" data-tone={tone}>
      <Dot />
      <div>
        <h1>{headline}</h1>
        {next !== '' && <p>{next}</p>}
        {others.length === 0 ? (
          <DocsLink path={only?.docs} />
        ) : (
          <ul class="reasons-why">
            {reasons.map(({ id, tone: how, text, next: what, docs, link }) => (
              <li key={id} data-tone={how}>
                <Dot />
                <span>
                  <a href={link}>{text}</a> <span class="muted">{what}</span> <DocsLink path={docs} />
                </span>
              </li>
            ))}
          </ul>
        )}
      </div>
      <p class="muted">
        {`${clusterNode === undefined ? '' : `Node ${clusterNode}, `}${clusterNode === undefined ? 'V' : 'v'}ersion ${version}, gateway id ${gwId}, up for ${duration((Date.now() - startedAt) / 1000)}`}
      </p>
    </section>
  )
}

function CheckCard({ check: { title, value, tone, text, next, link } }: { check: Check }) {
  return (
    <li>
      <a class="check-card" href={link} data-tone={tone} data-tip={next}>
        <span class="check-title">
          <Dot />
          <span>{title}</span>
        </span>
        <strong>{value}</strong>
        <span class="check-text">{text}</span>
      </a>
    </li>
  )
}

function States({ sensors }: { sensors: Condition['info']['sensors'] }) {
  return (
    <Panel title="Sensors by state" tip={TERMS.sensor}>
      <div class="bar" aria-hidden="true">
        {ORDER.filter((state) => sensors[state] > 0).map((state) => (
          <span key={state} data-state={state} style={{ flexGrow: String(sensors[state]) }} />
        ))}
      </div>
      <ul class="legend">
        {ORDER.filter((state) => sensors[state] > 0 || STATES[state].tone !== 'busy').map((state) => (
          <li key={state}>
            <a href={`#/sensors?state=${state}`}>
              <Badge words={STATES[state]} state={state} />
              <b>{count(sensors[state])}</b>
            </a>
          </li>
        ))}
      </ul>
    </Panel>
  )
}

function Change({ change: { at, clientId, from, to, why } }: { change: StateChange }) {
  return (
    <li>
      <time>{time(at)}</time>
      <a href={sensorAddress(clientId)} class="name">
        {clientId}
      </a>
      <span class="move">
        <Term tip={stateWords(from).text}>{stateWords(from).label}</Term>
        <span class="muted"> → </span>
        <Badge words={stateWords(to)} state={to} />
      </span>
      <span class="muted why">{why}</span>
    </li>
  )
}

function Body({ condition }: { condition: Condition }) {
  const { history, changes, happened } = useLive()
  const [span, setSpan] = useState(chosenSpan)
  const all = checks(condition)
  chosenSpan = span
  return (
    <>
      <Verdict all={all} condition={condition} />
      <div class="stack">
        <ul class="checks">
          {all.map((check) => (
            <CheckCard key={check.id} check={check} />
          ))}
        </ul>
        <States sensors={condition.info.sensors} />
        <div class="row">
          <h2>Rates</h2>
          <div class="segments" role="group" aria-label="Time shown">
            {SPANS.map((minutes) => (
              <button
                key={minutes}
                type="button"
                aria-pressed={minutes === span}
                onClick={() => setSpan(minutes)}
              >
                {`${minutes} min`}
              </button>
            ))}
          </div>
        </div>
        <div class="charts">
          {PLOTS.map((plot) => (
            <Plot key={plot.title} {...plot} history={history} seconds={span * 60} />
          ))}
        </div>
        <Panel
          title="What happened"
          actions={
            <a href="#/events" class="muted">
              All events
            </a>
          }
        >
          <Happened events={happened.slice(0, LATEST_EVENTS)} />
          {happened.length === 0 && (
            <EmptyState title="Nothing to worry about has happened">
              Losses, refusals, drops, dead letters, the broker and reloads will appear here.
            </EmptyState>
          )}
        </Panel>
        <Panel title="Changes of state, as this page saw them">
          <ol class="log">
            {changes.slice(0, LATEST).map((change) => (
              <Change key={`${change.at} ${change.clientId} ${change.to}`} change={change} />
            ))}
          </ol>
          {changes.length === 0 && (
            <EmptyState title="No sensor has changed its state yet">
              Every change of state of a sensor will appear here, with the reason.
            </EmptyState>
          )}
        </Panel>
      </div>
    </>
  )
}

export function OverviewPage() {
  const { info, broker, listeners, cluster } = useLive()
  return (
    <div class="page stack">
      {info === undefined || broker === undefined || listeners === undefined ? (
        <EmptyState title="Waiting for the gateway">
          Its figures will appear here as soon as it answers.
        </EmptyState>
      ) : (
        <Body condition={{ info, broker, listeners, recent: recently(), cluster }} />
      )}
    </div>
  )
}
