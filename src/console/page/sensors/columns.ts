// The columns of the list of sensors, and how high its rows are.

import { useEffect, useState } from 'preact/hooks'
import type { SensorQuery } from '../../contract/sensors.ts'
import { TERMS } from '../words/terms.ts'

export type SortKey = NonNullable<SensorQuery['sort']>

interface ListColumn {
  readonly name: string
  readonly class: string
  readonly sort?: SortKey
  /** what is most comes first */
  readonly descending?: boolean
  readonly tip?: string
}

export const COLUMNS: readonly ListColumn[] = [
  { name: '', class: 'c-choice' },
  { name: 'Sensor', sort: 'clientId', class: 'c-id' },
  { name: 'State', sort: 'state', class: 'c-state' },
  { name: 'Address', class: 'c-address' },
  { name: 'Last heard', sort: 'heardAt', class: 'c-heard', descending: true },
  { name: 'Topics', sort: 'topics', class: 'c-topics', descending: true, tip: TERMS.topic },
  { name: 'Queue', sort: 'queued', class: 'c-queue', descending: true, tip: TERMS.queue },
  { name: 'Broker', class: 'c-broker', tip: 'The connection to the broker that belongs to this sensor.' },
]

/** Those that one may sort by. */
export const SORTS = COLUMNS.flatMap(({ name, sort }) => (sort === undefined ? [] : [{ name, sort }]))

/** Below this width a sensor is two lines instead of columns. */
const narrow = matchMedia('(max-width: 720px)')

// As in sensors.css: rows are placed before they are drawn.
const sizes = () => (narrow.matches ? { row: 62, header: 0 } : { row: 38, header: 36 })

/** Heights in pixels. */
export function useRowSizes(): { row: number; header: number } {
  const [size, setSize] = useState(sizes)
  useEffect(() => {
    const changed = () => setSize(sizes())
    narrow.addEventListener('change', changed)
    return () => narrow.removeEventListener('change', changed)
  }, [])
  return size
}
