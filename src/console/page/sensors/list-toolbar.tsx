// What stands above the list of sensors: searches, the order where there are no headings, how many were found, downloads.

import type { RefObject } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { ExportLinks } from '../parts/export-links.tsx'
import { count, plural } from '../parts/format.ts'
import { SORTS, type SortKey } from './columns.ts'
import { isAll, type Wanted } from './list-address.ts'

/** Milliseconds without a further letter before a search is made. */
const TYPING = 120

interface ListToolbarProps {
  readonly wanted: Wanted
  /** undefined: not known yet */
  readonly total: number | undefined
  readonly search: RefObject<HTMLInputElement | null>
  readonly want: (changed: Partial<Wanted>) => void
  readonly sortBy: (sort: SortKey) => void
}

export function ListToolbar({ wanted, total, search, want, sortBy }: ListToolbarProps) {
  const typed = useRef<number>(undefined)
  const topic = useRef<HTMLInputElement>(null)
  useEffect(() => () => clearTimeout(typed.current), [])
  // "Show all sensors" empties it, but nobody's typing is overwritten.
  useEffect(() => {
    if (topic.current !== null && topic.current !== document.activeElement) topic.current.value = wanted.topic
  }, [wanted.topic])
  const later = (act: () => void) => {
    clearTimeout(typed.current)
    typed.current = setTimeout(act, TYPING)
  }
  return (
    <div class="toolbar">
      <h1>Sensors</h1>
      <input
        ref={search}
        type="search"
        placeholder="ClientId, name, tag or address"
        aria-label="Search sensors"
        aria-keyshortcuts="/"
        spellcheck={false}
        autocomplete="off"
        defaultValue={wanted.search}
        onInput={() => later(() => want({ search: search.current?.value.trim() ?? '' }))}
      />
      <input
        ref={topic}
        type="search"
        class="by-topic"
        placeholder="Topic, such as hall/#"
        aria-label="Search by topic"
        autocomplete="off"
        spellcheck={false}
        defaultValue={wanted.topic}
        onInput={({ currentTarget: { value } }) => later(() => want({ topic: value.trim() }))}
      />
      {wanted.tag !== '' && (
        <button type="button" class="chip" aria-pressed onClick={() => want({ tag: '' })}>
          {`Tag ${wanted.tag} ×`}
        </button>
      )}
      <select
        class="order"
        aria-label="Sort by"
        value={wanted.sort}
        onChange={({ currentTarget: { value } }) => sortBy(value as SortKey)}
      >
        {SORTS.map(({ name, sort }) => (
          <option key={sort} value={sort}>{`Sort: ${name}`}</option>
        ))}
      </select>
      <span class="muted found" role="status">
        {total === undefined ? '' : isAll(wanted) ? plural(total, 'sensor') : `${count(total)} found`}
      </span>
      <ExportLinks kind="sensors" query={wanted} />
    </div>
  )
}
