// What has happened, also before this page was opened: filtered by kind, time and words.

import { useEffect, useRef, useState } from 'preact/hooks'
import type { HappeningKind } from '../../contract/happenings.ts'
import { api } from '../data/api.ts'
import { live } from '../data/live.ts'
import { useAnswer } from '../data/use-answer.ts'
import { ExportLinks } from '../parts/export-links.tsx'
import { Failure } from '../parts/failure.tsx'
import { count } from '../parts/format.ts'
import { Happened } from '../parts/happened.tsx'
import { usePageKeys } from '../parts/keyboard.ts'
import type { PageProps } from '../parts/navigation.ts'
import { EmptyState, Intro, Panel } from '../parts/panel.tsx'
import { HAPPENINGS } from '../words/happenings.ts'

const STEP = 100
const TYPING = 150
const HOUR = 3_600_000
const SPANS: readonly (readonly [label: string, milliseconds: number | undefined])[] = [
  ['Last hour', HOUR],
  ['Last day', 24 * HOUR],
  ['Last week', 168 * HOUR],
  ['All that is remembered', undefined],
]
const KINDS = Object.keys(HAPPENINGS) as HappeningKind[]

export function EventsPage({ place: { query } }: PageProps) {
  const [kind, setKind] = useState(() => KINDS.find((one) => one === query.get('kind')))
  const [sensor, setSensor] = useState(query.get('sensor') ?? undefined)
  const [words, setWords] = useState('')
  const [span, setSpan] = useState<number>()
  const [limit, setLimit] = useState(STEP)
  const search = useRef<HTMLInputElement>(null)
  const typed = useRef<number>(undefined)
  const wanted = {
    kind,
    sensor,
    search: words === '' ? undefined : words,
    since: span === undefined ? undefined : Math.floor((Date.now() - span) / 60_000) * 60_000,
  }
  const { value, error, reload } = useAnswer(() => api.happenings({ ...wanted, limit }))
  useEffect(reload, [kind, sensor, words, span, limit])
  useEffect(() => live.on('happened', reload), [])
  usePageKeys({ search: () => search.current?.focus() })
  const isFiltered = kind !== undefined || sensor !== undefined || words !== '' || span !== undefined
  const clear = () => {
    setKind(undefined)
    setSensor(undefined)
    setWords('')
    setSpan(undefined)
    if (search.current !== null) search.current.value = ''
  }
  return (
    <div class="page stack">
      <Intro title="Events">
        What people want to know of: losses, refusals, drops, dead letters, the broker, reloads. Sensors that
        fall asleep and wake up are not listed. The gateway remembers it, so nothing is missing that happened
        before this page was opened.
      </Intro>
      <div class="toolbar">
        <input
          ref={search}
          type="search"
          placeholder="ClientId, address or words"
          aria-label="Search events"
          onInput={({ currentTarget }) => {
            clearTimeout(typed.current)
            typed.current = setTimeout(() => setWords(currentTarget.value.trim()), TYPING)
          }}
        />
        <select
          aria-label="Time"
          value={span === undefined ? '' : String(span)}
          onChange={({ currentTarget: { value: chosen } }) =>
            setSpan(chosen === '' ? undefined : Number(chosen))
          }
        >
          {SPANS.toReversed().map(([label, milliseconds]) => (
            <option key={label} value={milliseconds === undefined ? '' : String(milliseconds)}>
              {label}
            </option>
          ))}
        </select>
        <span class="muted found" role="status">
          {value === undefined ? '' : `${count(value.total)} found`}
        </span>
        <ExportLinks kind="happenings" query={wanted} />
      </div>
      <div class="chips" role="group" aria-label="Filter by kind">
        {KINDS.map((one) => (
          <button
            key={one}
            type="button"
            class="chip"
            aria-pressed={kind === one}
            data-tip={HAPPENINGS[one].text}
            onClick={() => setKind(kind === one ? undefined : one)}
          >
            {HAPPENINGS[one].label}
          </button>
        ))}
        {sensor !== undefined && (
          <button type="button" class="chip" aria-pressed onClick={() => setSensor(undefined)}>
            {`Only ${sensor} ×`}
          </button>
        )}
      </div>
      <Panel title="Latest first">
        {error !== undefined && value === undefined && (
          <Failure title="The events could not be loaded" error={error} retry={reload} />
        )}
        {value !== undefined && <Happened events={value.items} />}
        {value?.total === 0 && (
          <EmptyState title={isFiltered ? 'No event matches' : 'Nothing has happened'}>
            {isFiltered ? (
              <button type="button" onClick={clear}>
                Show all events
              </button>
            ) : (
              'No sensor was lost or refused, nothing was dropped, the broker was there.'
            )}
          </EmptyState>
        )}
        {value !== undefined && value.total > value.items.length && (
          <p class="more">
            <button type="button" onClick={() => setLimit(limit + STEP)}>
              {`Show more of ${count(value.total)}`}
            </button>
          </p>
        )}
      </Panel>
    </div>
  )
}
