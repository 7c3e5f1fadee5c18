// A small plot of rates over the last minutes, drawn by uPlot, in the colours of the page.

import { useEffect, useRef, useState } from 'preact/hooks'
import UPlot from 'uplot'
import type { ColumnName, History } from '../data/history.ts'
import { rate } from './format.ts'
import { Term } from './term.tsx'

const HEIGHT = 116
const dark = matchMedia('(prefers-color-scheme: dark)')

/** One line of a plot: a column of the history, in an ink of the style sheet. */
export interface Series {
  readonly name: ColumnName
  readonly label: string
  readonly ink: 'one' | 'two' | 'three' | 'bad'
  readonly tip: string
}

interface PlotProps {
  readonly title: string
  readonly series: readonly Series[]
  /** follows the figures */
  readonly unit: string
  readonly history: History
  /** how much of the history is shown */
  readonly seconds: number
}

/** A colour of the style sheet as the canvas wants it. */
function colour(name: string): string {
  const probe = document.createElement('span')
  probe.className = `ink-${name}`
  document.body.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}

function clock(seconds: number): string {
  const date = new Date(seconds * 1000)
  const two = (value: number) => String(value).padStart(2, '0')
  const minutes = `${two(date.getHours())}:${two(date.getMinutes())}`
  return date.getSeconds() === 0 ? minutes : `${minutes}:${two(date.getSeconds())}`
}

const compact = (value: number) => (value >= 10_000 ? `${value / 1000}k` : String(value))

/** The parts of a plot that never change; `seconds()` is how much of the time axis is shown. */
function optionsOf(series: readonly Series[], width: number, seconds: () => number): UPlot.Options {
  const axis = {
    stroke: colour('muted'),
    font: '11px system-ui, sans-serif',
    grid: { stroke: colour('line'), width: 1 },
    ticks: { show: false },
  }
  return {
    width,
    height: HEIGHT,
    padding: [8, 6, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 6 }, sync: { key: 'rates' }, drag: { x: false, y: false } },
    scales: {
      x: { time: true, range: () => [Date.now() / 1000 - seconds(), Date.now() / 1000] },
      y: { range: (_self, _low, high) => [0, Math.max(1, (high ?? 0) * 1.15)] },
    },
    axes: [
      { ...axis, grid: { show: false }, size: 24, space: 70, values: (_self, ticks) => ticks.map(clock) },
      { ...axis, size: 46, space: 30, values: (_self, ticks) => ticks.map(compact) },
    ],
    series: [
      {},
      ...series.map(({ label, ink }) => ({
        label,
        stroke: colour(ink),
        width: 1.6,
        fill: colour(`${ink}-soft`),
        points: { show: false },
        spanGaps: false,
      })),
    ],
  }
}

export function Plot({ title, series, unit, history, seconds }: PlotProps) {
  const area = useRef<HTMLDivElement>(null)
  const plot = useRef<UPlot>(undefined)
  const shownSeconds = useRef(seconds)
  /** the point under the pointer */
  const [hovered, setHovered] = useState<number>()
  shownSeconds.current = seconds
  const data = () => history.columns(series.map(({ name }) => name)) as UPlot.AlignedData

  useEffect(() => {
    const place = area.current
    if (place === null) return
    function draw(): void {
      plot.current?.destroy()
      plot.current = undefined
      if (place === null || place.clientWidth === 0) return
      const made = new UPlot(
        optionsOf(series, place.clientWidth, () => shownSeconds.current),
        data(),
        place,
      )
      made.over.addEventListener('mousemove', () => setHovered(made.cursor.idx ?? undefined))
      made.over.addEventListener('mouseleave', () => setHovered(undefined))
      plot.current = made
    }
    const observer = new ResizeObserver(() => {
      if (plot.current === undefined) draw()
      else if (place.clientWidth > 0) plot.current.setSize({ width: place.clientWidth, height: HEIGHT })
    })
    observer.observe(place)
    dark.addEventListener('change', draw)
    addEventListener('themechange', draw)
    return () => {
      observer.disconnect()
      dark.removeEventListener('change', draw)
      removeEventListener('themechange', draw)
      plot.current?.destroy()
    }
  }, [])
  useEffect(() => plot.current?.setData(data()))

  const columns = data()
  /** What is seen in a second says little where messages are rare: then it is what came within a minute. */
  const figureOf = (name: ColumnName, i: number): readonly [value: string, unit: string] => {
    if (hovered !== undefined) return [rate(columns[i + 1]?.[hovered]), unit]
    const minute = history.volume(name, 60)
    const isRare = unit === '/s' && minute > 0 && minute < 60
    return isRare ? [rate(minute), '/min'] : [rate(history.latest(name)), unit]
  }
  const words = series.map(({ name, label }) => `${label} ${rate(history.latest(name))}${unit}`).join(', ')
  return (
    <figure class="panel chart">
      <figcaption>
        <h2>{title}</h2>
        <div class="figures">
          {series.map(({ name, label, ink, tip }, i) => {
            const [value, per] = figureOf(name, i)
            return (
              <span key={name} class="figure">
                <i class={`key key-${ink}`} aria-hidden="true" />
                <Term tip={tip}>{label}</Term> <output>{value}</output>
                <small>{per}</small>
              </span>
            )
          })}
        </div>
      </figcaption>
      <div
        ref={area}
        class="plot"
        role="img"
        aria-label={`${title} over the last ${seconds / 60} minutes; now ${words}`}
      />
    </figure>
  )
}
