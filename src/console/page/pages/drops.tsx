// What the gateway discarded and whom it refused: by reason, with address and ClientId, in plain words.

import type { ComponentChildren } from 'preact'
import type { DropEntry, RefusalEntry } from '../../contract/happenings.ts'
import { api } from '../data/api.ts'
import { useAnswer } from '../data/use-answer.ts'
import { useLive } from '../data/use-live.ts'
import { DocsLink } from '../parts/docs-link.tsx'
import { ExportLinks } from '../parts/export-links.tsx'
import { ago, count, plural } from '../parts/format.ts'
import { sensorAddress } from '../parts/navigation.ts'
import { EmptyState, Intro, Panel } from '../parts/panel.tsx'
import { Plot, type Series } from '../parts/plot.tsx'
import { DROPS, dropWords } from '../words/drops.ts'
import { TERMS } from '../words/terms.ts'

const SERIES: readonly Series[] = [{ name: 'dropped', label: 'dropped', ink: 'bad', tip: TERMS.dropped }]
const REFRESH = 2000
/** Addresses that are shown of a reason. */
const MOST_SOURCES = 8

interface ReasonProps {
  readonly times?: string
  readonly lately?: string
  readonly isLate?: boolean
  readonly heading: ComponentChildren
  readonly code: string
  readonly text: string
  readonly next: ComponentChildren
  readonly docs: string | undefined
  readonly children?: ComponentChildren
}

function Reason({ times, lately, isLate = false, heading, code, text, next, docs, children }: ReasonProps) {
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
        <p class="muted">
          {next} <DocsLink path={docs} />
        </p>
        {children}
      </div>
    </li>
  )
}

/** Where what was dropped came from: no drop without the address of its sender. */
function Sources({ sources }: { sources: readonly DropEntry[] }) {
  if (sources.length === 0) return null
  return (
    <details class="sources">
      <summary>{sources.length === 1 ? 'From 1 address' : `From ${count(sources.length)} addresses`}</summary>
      <ul>
        {sources.slice(0, MOST_SOURCES).map(({ address, clientId, times, at }) => (
          <li key={`${address} ${clientId}`}>
            {clientId === undefined ? (
              <code>{address ?? 'the broker'}</code>
            ) : (
              <>
                <a class="name" href={sensorAddress(clientId)}>
                  {clientId}
                </a>{' '}
                <code>{address}</code>
              </>
            )}
            <span class="muted">{` ${plural(times, 'time')}, ${ago(at)}`}</span>
          </li>
        ))}
      </ul>
    </details>
  )
}

interface DropProps {
  readonly reason: string
  readonly times?: number
  readonly lately?: number
  readonly sources?: readonly DropEntry[]
}

function Drop({ reason, times, lately = 0, sources = [] }: DropProps) {
  const { label, text, next, docs } = dropWords(reason)
  const words = lately === 0 ? 'none within 5 min' : `${count(lately)} within 5 min`
  const amount = times === undefined ? {} : { times: count(times), lately: words }
  return (
    <Reason heading={label} code={reason} text={text} next={next} docs={docs} isLate={lately > 0} {...amount}>
      <Sources sources={sources} />
    </Reason>
  )
}

function Refusal({ entry }: { entry: RefusalEntry }) {
  const { reason, text, next: remedy, key, address, clientId, detail, times, at, listener, docs } = entry
  const who =
    clientId === undefined ? (
      address
    ) : (
      <>
        <a href={sensorAddress(clientId)}>{clientId}</a> {`at ${address}`}
      </>
    )
  const next = (
    <>
      {detail !== undefined && `${detail}. `}
      {remedy !== undefined && `${remedy} `}
      {key !== undefined && (
        <>
          See <code>{key}</code> in the configuration.
        </>
      )}{' '}
      {`Heard on ${listener}.`}
    </>
  )
  return (
    <Reason
      heading={who}
      code={reason}
      text={`Refused: ${text}.`}
      next={next}
      docs={docs}
      times={count(times)}
      lately={ago(at)}
    />
  )
}

function Refusals() {
  const { value } = useAnswer(api.refusals, REFRESH)
  return (
    <Panel title="Refused lately" actions={<ExportLinks kind="refusals" />}>
      <ul class="reasons">
        {value?.map((entry) => (
          <Refusal key={`${entry.reason} ${entry.address} ${entry.clientId ?? ''}`} entry={entry} />
        ))}
      </ul>
      {value?.length === 0 && (
        <EmptyState title="Nobody was refused lately">Every sensor that wanted something got it.</EmptyState>
      )}
    </Panel>
  )
}

export function DropsPage() {
  const { info, history } = useLive()
  const { value: sources = [] } = useAnswer(api.drops, REFRESH)
  const dropped = info?.counters.dropped ?? {}
  const latest = history.drops()
  const seen = Object.entries(dropped)
    .filter(([, times]) => times > 0)
    .sort((a, b) => b[1] - a[1])
  return (
    <div class="page stack">
      <Intro title="Drops and refusals">
        A drop is never silent: each is counted under the reason that explains it, with the address that it
        came from. A few are normal on a radio network.
      </Intro>
      <Refusals />
      <Plot title="Drops" unit="/s" series={SERIES} history={history} seconds={900} />
      <Panel title="Dropped since the start">
        <ul class="reasons">
          {seen.map(([reason, times]) => (
            <Drop
              key={reason}
              reason={reason}
              times={times}
              lately={latest[reason] ?? 0}
              sources={sources.filter((source) => source.reason === reason)}
            />
          ))}
        </ul>
        {info !== undefined && seen.length === 0 && (
          <EmptyState title="Nothing was dropped since the start">
            Everything that came was understood and went where it should.
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
