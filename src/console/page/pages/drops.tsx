// What the gateway discarded, by reason, in plain words; and who was refused.

import type { ComponentChildren } from 'preact'
import type { RefusalEntry } from '../../contract/happenings.ts'
import { api } from '../data/api.ts'
import { useAnswer } from '../data/use-answer.ts'
import { useLive } from '../data/use-live.ts'
import { ago, count } from '../parts/format.ts'
import { EmptyState, Intro, Panel } from '../parts/panel.tsx'
import { Plot, type Series } from '../parts/plot.tsx'
import { DROPS, dropWords } from '../words/drops.ts'
import { TERMS } from '../words/terms.ts'

const SERIES: readonly Series[] = [{ name: 'dropped', label: 'dropped', ink: 'bad', tip: TERMS.dropped }]
const REFRESH = 2000

interface ReasonProps {
  readonly times?: string
  readonly lately?: string
  readonly isLate?: boolean
  readonly heading: ComponentChildren
  readonly code: string
  readonly text: string
  readonly next: string
}

function Reason({ times, lately, isLate = false, heading, code, text, next }: ReasonProps) {
  return (
    <li data-lately={isLate ? 'true' : undefined}>
      <div class="amount">
        <b class="times">{times}</b>
        <span class="lately muted">{lately}</span>
      </div>
      <div>
        <h3>
          {heading} <code>{code}</code>
        </h3>
        <p>{text}</p>
        <p class="muted">{next}</p>
      </div>
    </li>
  )
}

function Drop({ reason, times, lately }: { reason: string; times?: number; lately?: number }) {
  const { label, text, next } = dropWords(reason)
  const words = (lately ?? 0) === 0 ? 'none within a minute' : `${count(lately)} within a minute`
  const amount = times === undefined ? {} : { times: count(times), lately: words }
  return (
    <Reason heading={label} code={reason} text={text} next={next} isLate={(lately ?? 0) > 0} {...amount} />
  )
}

function Refusal({ entry }: { entry: RefusalEntry }) {
  const { reason, text, key, address, clientId, detail, times, at } = entry
  const next = [detail, key === undefined ? undefined : `See "${key}" in the configuration.`]
  return (
    <Reason
      heading={clientId === undefined ? address : `${clientId} at ${address}`}
      code={reason}
      text={`Refused: ${text}.`}
      next={next.filter(Boolean).join(' ')}
      times={count(times)}
      lately={ago(at)}
    />
  )
}

export function DropsPage() {
  const { info, history } = useLive()
  const refusals = useAnswer(api.refusals, REFRESH)
  const dropped = info?.counters.dropped ?? {}
  const minute = history.drops()
  const seen = Object.entries(dropped)
    .filter(([, times]) => times > 0)
    .sort((a, b) => b[1] - a[1])
  return (
    <div class="page stack">
      <Intro title="Drops">
        A drop is never silent: each is counted under the reason that explains it. A few are normal on a radio
        network.
      </Intro>
      <Plot title="Drops" unit="/s" series={SERIES} history={history} seconds={900} />
      <Panel title="Since the start">
        <ul class="reasons">
          {seen.map(([reason, times]) => (
            <Drop key={reason} reason={reason} times={times} lately={minute[reason] ?? 0} />
          ))}
        </ul>
        {info !== undefined && seen.length === 0 && (
          <EmptyState title="Nothing was dropped since the start">
            Everything that came was understood and went where it should.
          </EmptyState>
        )}
      </Panel>
      <Panel title="Refused lately">
        <ul class="reasons">
          {refusals.value?.map((entry) => (
            <Refusal key={`${entry.reason} ${entry.address} ${entry.clientId ?? ''}`} entry={entry} />
          ))}
        </ul>
        {refusals.value?.length === 0 && (
          <EmptyState title="Nobody was refused lately">
            Every sensor that wanted something got it.
          </EmptyState>
        )}
      </Panel>
      <details class="panel">
        <summary>Reasons that did not occur</summary>
        <ul class="reasons quiet">
          {Object.keys(DROPS)
            .filter((reason) => (dropped[reason] ?? 0) === 0)
            .map((reason) => (
              <Drop key={reason} reason={reason} />
            ))}
        </ul>
      </details>
    </div>
  )
}
