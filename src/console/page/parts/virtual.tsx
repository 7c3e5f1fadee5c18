// A long list of which only the visible rows exist: 5,000 sensors cost as much as 40.

import type { ComponentChildren } from 'preact'
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'

/** rows beyond the visible ones, so that a quick scroll finds them made */
const OVERSCAN = 8

/** The rows that are drawn, by their index; none: `last` is before `first`. */
export interface Range {
  readonly first: number
  readonly last: number
}

/** Which rows of `total` are to be drawn in a viewport that scrolls. */
export function useVisibleRows(
  viewport: { current: HTMLElement | null },
  total: number,
  height: number,
): Range {
  const [range, setRange] = useState<Range>({ first: 0, last: -1 })
  const measure = useCallback(() => {
    if (viewport.current === null) return
    const { scrollTop, clientHeight } = viewport.current
    const first = Math.max(0, Math.min(Math.floor(scrollTop / height) - OVERSCAN, total - 1))
    const last = Math.min(total - 1, Math.ceil((scrollTop + clientHeight) / height) + OVERSCAN)
    setRange((old) => (old.first === first && old.last === last ? old : { first, last }))
  }, [viewport, total, height])
  const latest = useRef(measure)
  latest.current = measure
  useLayoutEffect(measure, [measure])
  useEffect(() => {
    const place = viewport.current
    if (place === null) return
    let frame = 0
    const soon = () => {
      cancelAnimationFrame(frame)
      frame = requestAnimationFrame(() => latest.current())
    }
    const observer = new ResizeObserver(soon)
    observer.observe(place)
    place.addEventListener('scroll', soon, { passive: true })
    return () => {
      cancelAnimationFrame(frame)
      observer.disconnect()
      place.removeEventListener('scroll', soon)
    }
  }, [viewport])
  return range
}

interface RowsProps {
  readonly range: Range
  readonly total: number
  readonly height: number
  /** draws one row, at this place */
  readonly row: (index: number, place: string) => ComponentChildren
}

/** The rows in view, in a space as high as all of them. */
export function VirtualRows({ range: { first, last }, total, height, row }: RowsProps) {
  const indices = Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i)
  return (
    <div class="space" role="rowgroup" style={{ height: `${total * height}px` }}>
      {indices.map((index) => row(index, `translateY(${index * height}px)`))}
    </div>
  )
}
