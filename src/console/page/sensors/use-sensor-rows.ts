// The rows of the list of sensors for a component: kept fresh while they are seen.

import { useEffect, useMemo, useReducer, useRef, useState } from 'preact/hooks'
import { type ApiError, api } from '../data/api.ts'
import { live } from '../data/live.ts'
import type { Range } from '../parts/virtual.tsx'
import { SensorRows } from './sensor-rows.ts'

const REFRESH = 2000

/** `range` is what can be seen. */
export function useSensorRows(range: { readonly current: Range }): {
  readonly rows: SensorRows
  readonly error: ApiError | undefined
} {
  const [, redraw] = useReducer((drawn: number) => drawn + 1, 0)
  const [error, setError] = useState<ApiError>()
  const isOpen = useRef(true)
  const rows = useMemo(
    () =>
      new SensorRows({
        fetch: api.sensors,
        onRows: () => isOpen.current && redraw(undefined),
        onError: (found) => isOpen.current && setError(found),
      }),
    [],
  )
  useEffect(() => {
    const refresh = () => {
      const { first, last } = range.current
      void rows.need(first, Math.max(0, last), true)
    }
    const stops = [live.on('change', (change) => rows.change(change)), live.on('more', refresh)]
    const timer = setInterval(() => {
      if (!document.hidden) refresh()
    }, REFRESH)
    return () => {
      isOpen.current = false
      for (const stop of stops) stop()
      clearInterval(timer)
      rows.close()
    }
  }, [rows, range])
  return { rows, error }
}
