// All sensors: searched, filtered by state, sorted, live; with thousands of rows as quick as with ten.

import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { useLive } from '../data/use-live.ts'
import { Failure } from '../parts/failure.tsx'
import { usePageKeys } from '../parts/keyboard.ts'
import { listLeft, type PageProps, sensorAddress } from '../parts/navigation.ts'
import { type Range, useVisibleRows, VirtualRows } from '../parts/virtual.tsx'
import { Chosen } from '../sensors/chosen.tsx'
import { COLUMNS, type SortKey, useRowSizes } from '../sensors/columns.ts'
import { Headings } from '../sensors/headings.tsx'
import { type Wanted, wantedBy, writeAddress } from '../sensors/list-address.ts'
import { ListToolbar } from '../sensors/list-toolbar.tsx'
import { NothingFound } from '../sensors/nothing-found.tsx'
import { SensorRow } from '../sensors/sensor-row.tsx'
import { StateChips } from '../sensors/state-chips.tsx'
import { useChoice } from '../sensors/use-choice.ts'
import { useSensorRows } from '../sensors/use-sensor-rows.ts'

const STEPS: Readonly<Record<string, number>> = {
  j: 1,
  ArrowDown: 1,
  k: -1,
  ArrowUp: -1,
  PageDown: 12,
  PageUp: -12,
}

function openSensor(clientId: string): void {
  listLeft.selected = clientId
  location.hash = sensorAddress(clientId)
}

export function SensorsPage({ place: { query } }: PageProps) {
  const { info, listeners = [] } = useLive()
  const [wanted, setWanted] = useState(() => wantedBy(query))
  /** for what happens later, such as the end of typing */
  const latest = useRef(wanted)
  const [selected, setSelected] = useState<{ index: number; clientId: string | undefined }>({
    index: -1,
    clientId: listLeft.selected,
  })
  const { chosen, choose, chooseAll, chooseNone } = useChoice(wanted)
  const search = useRef<HTMLInputElement>(null)
  const viewport = useRef<HTMLDivElement>(null)
  const seen = useRef<Range>({ first: 0, last: 0 })
  const sizes = useRowSizes()
  const { rows, error } = useSensorRows(seen)
  const total = rows.total ?? 0
  const range = useVisibleRows(viewport, total, sizes.row)
  seen.current = range

  // A row that is selected by its number has a name as soon as it is here; one that is known by its name has a number.
  const byName = selected.clientId === undefined ? -1 : rows.indexOf(selected.clientId)
  const selectedIndex = byName === -1 ? selected.index : byName
  const selectedId = selected.clientId ?? rows.at(selectedIndex)?.clientId

  const ask = (next: Wanted) => {
    writeAddress(next)
    return rows.ask(next, seen.current.first, Math.max(0, seen.current.last))
  }
  function want(changed: Partial<Wanted>): Promise<void> {
    const next = { ...latest.current, ...changed }
    latest.current = next
    setWanted(next)
    setSelected(({ clientId }) => ({ index: -1, clientId }))
    viewport.current?.scrollTo(0, 0)
    return ask(next)
  }
  const sortBy = (sort: SortKey) =>
    void want(
      wanted.sort === sort
        ? { descending: !wanted.descending }
        : { sort, descending: COLUMNS.find((column) => column.sort === sort)?.descending ?? false },
    )
  const searchNow = () => want({ search: search.current?.value.trim() ?? '' })

  useEffect(() => {
    void ask(wanted).then(() => {
      if (listLeft.isReturning) viewport.current?.scrollTo(0, listLeft.scroll)
      listLeft.isReturning = false
    })
  }, [])
  useEffect(() => void rows.need(range.first, Math.max(0, range.last)), [range])
  // The list has the keys, so that they scroll it; or the search has them, for those who asked for it.
  useLayoutEffect(() => {
    const grid = viewport.current
    ;(query.get('focus') === '1' ? search.current : grid)?.focus()
    return () => Object.assign(listLeft, { scroll: grid?.scrollTop ?? 0, isReturning: true })
  }, [])
  useEffect(() => {
    listLeft.selected = selectedId
  }, [selectedId])

  function select(index: number): void {
    if (total === 0 || viewport.current === null) return
    const next = Math.max(0, Math.min(total - 1, index))
    setSelected({ index: next, clientId: rows.at(next)?.clientId })
    const [top, { scrollTop, clientHeight }] = [next * sizes.row, viewport.current]
    if (top < scrollTop) viewport.current.scrollTop = top
    else if (top + sizes.row > scrollTop + clientHeight - sizes.header)
      viewport.current.scrollTop = top + sizes.row - clientHeight + sizes.header
    void rows.need(next, next)
  }

  usePageKeys({
    key({ target, key }) {
      if (target instanceof HTMLButtonElement && key === 'Enter') return false
      const step = STEPS[key]
      const firstVisible = Math.ceil((viewport.current?.scrollTop ?? 0) / sizes.row)
      // One step from nowhere is the first row in view; a whole page is a page further.
      const first = Math.abs(step ?? 0) > 1 ? firstVisible + (step ?? 0) : firstVisible
      if (step !== undefined) select(selectedIndex === -1 ? first : selectedIndex + step)
      else if (key === 'Home') select(0)
      else if (key === 'End') select(total - 1)
      else if (key === 'Enter' && selectedId !== undefined && selectedIndex !== -1) openSensor(selectedId)
      else return false
      return true
    },
    search() {
      search.current?.focus()
      search.current?.select()
    },
    /** In the search field: down into the list, Enter opens the only or first one. */
    typingKey({ target, key }) {
      if (target !== search.current) return false
      if (key === 'ArrowDown') {
        viewport.current?.focus()
        select(Math.max(0, selectedIndex))
        return true
      }
      if (key !== 'Enter') return false
      void searchNow().then(() => {
        const first = rows.at(0)
        if (first !== undefined) openSensor(first.clientId)
      })
      return true
    },
    escape() {
      if (document.activeElement !== search.current || search.current?.value === '') return false
      if (search.current !== null) search.current.value = ''
      void searchNow()
      return true
    },
  })

  const clear = () => {
    if (search.current !== null) search.current.value = ''
    void want({ search: '', topic: '', tag: '', state: undefined })
  }
  return (
    <div class="page sensors">
      <ListToolbar
        wanted={wanted}
        total={rows.total}
        search={search}
        want={(changed) => void want(changed)}
        sortBy={sortBy}
      />
      <Chosen clientIds={[...chosen]} none={chooseNone} changed={() => void ask(wanted)} />
      <StateChips
        sensors={info?.sensors}
        chosen={wanted.state}
        choose={(state) => void want({ state: wanted.state === state ? undefined : state })}
      />
      <div class="panel grid-panel">
        <div
          ref={viewport}
          class="grid"
          role="grid"
          tabIndex={0}
          aria-label="Sensors"
          aria-keyshortcuts="j k Enter"
          aria-rowcount={total + 1}
          aria-activedescendant={selectedIndex === -1 ? undefined : `row-${selectedIndex}`}
        >
          <Headings
            sort={wanted.sort}
            descending={wanted.descending}
            sortBy={sortBy}
            areAllChosen={total > 0 && chosen.size === total}
            chooseAll={chooseAll}
          />
          <VirtualRows
            range={range}
            total={total}
            height={sizes.row}
            row={(index, at) => (
              <SensorRow
                key={index}
                id={`row-${index}`}
                index={index}
                place={at}
                sensor={rows.at(index)}
                isSelected={index === selectedIndex}
                open={openSensor}
                isChosen={chosen.has(rows.at(index)?.clientId ?? '')}
                choose={choose}
              />
            )}
          />
        </div>
        {total === 0 && (
          <div class="over">
            {/* old rows are better than none; the top of the page tells of the trouble */}
            {rows.total === undefined && error !== undefined && (
              <Failure title="The list could not be loaded" error={error} retry={() => void ask(wanted)} />
            )}
            {rows.total !== undefined && <NothingFound query={wanted} listeners={listeners} clear={clear} />}
          </div>
        )}
      </div>
    </div>
  )
}
