// A small plot of rates over the last minutes, drawn by uPlot, in the colours of the page.

import { h, setAttribute, setText, term } from './dom.js'
import { rate } from './format.js'

/** Without uPlot the page still works, with figures instead of plots. */
const library = import('/uplot.js').then(
  (module) => module.default,
  () => undefined,
)

const HEIGHT = 116
const dark = matchMedia('(prefers-color-scheme: dark)')

/** A colour of the style sheet as the canvas wants it. */
function colour(name) {
  const probe = h('span', { class: `ink-${name}`, hidden: true })
  document.body.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}

/**
 * Makes a plot. `series`: `{ name, label, ink, tip }` with the name of a column of the history and the name of a colour;
 * `unit` follows the figures. Gives back the element, `update(history, seconds)` and `close()`.
 */
export function createPlot({ title, series, unit }) {
  const figures = series.map(({ ink, label, tip }) => {
    const value = h('output', { text: '–' })
    const item = h(
      'span',
      { class: 'figure' },
      h('i', { class: `key key-${ink}`, 'aria-hidden': 'true' }),
      term(label, tip),
      ' ',
      value,
      h('small', { text: unit }),
    )
    return { item, value }
  })
  const area = h('div', { class: 'plot', role: 'img' })
  const element = h(
    'figure',
    { class: 'panel chart' },
    h(
      'figcaption',
      {},
      h('h2', { text: title }),
      h(
        'div',
        { class: 'figures' },
        figures.map(({ item }) => item),
      ),
    ),
    area,
  )
  let plot
  let uPlot
  let latest
  let closed = false

  function draw() {
    plot?.destroy()
    plot = undefined
    const width = area.clientWidth
    if (uPlot === undefined || width === 0 || closed) return
    const axis = {
      stroke: colour('muted'),
      font: '11px system-ui, sans-serif',
      grid: { stroke: colour('line'), width: 1 },
      ticks: { show: false },
    }
    plot = new uPlot(
      {
        width,
        height: HEIGHT,
        padding: [8, 6, 0, 0],
        legend: { show: false },
        cursor: { y: false, points: { size: 6 }, sync: { key: 'rates' }, drag: { x: false, y: false } },
        scales: {
          x: { time: true, range: () => range() },
          y: { range: (_self, _low, high) => [0, Math.max(1, (high ?? 0) * 1.15)] },
        },
        axes: [
          { ...axis, grid: { show: false }, size: 24, space: 70, values: (_self, ticks) => ticks.map(clock) },
          { ...axis, size: 46, space: 30, values: (_self, ticks) => ticks.map((tick) => compact(tick)) },
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
      },
      data(),
      area,
    )
    plot.over.addEventListener('mousemove', showValues)
    plot.over.addEventListener('mouseleave', () => showValues())
  }

  const range = () => {
    const end = Date.now() / 1000
    return [end - (latest?.seconds ?? 300), end]
  }
  const data = () => latest?.history.columns(series.map(({ name }) => name)) ?? [[], ...series.map(() => [])]

  /** Under the pointer the values of that moment, else the latest. */
  function showValues() {
    const at = plot?.cursor.idx
    const hovering = at !== undefined && at !== null && plot.cursor.left >= 0
    series.forEach(({ name }, i) => {
      const value = hovering ? data()[i + 1][at] : latest?.history.latest(name)
      setText(figures[i].value, rate(value))
    })
  }

  const observer = new ResizeObserver(() => {
    if (plot === undefined) draw()
    else if (area.clientWidth > 0) plot.setSize({ width: area.clientWidth, height: HEIGHT })
  })
  observer.observe(area)
  dark.addEventListener('change', draw)
  addEventListener('themechange', draw)
  library.then((found) => {
    uPlot = found
    if (found === undefined) area.append(h('p', { class: 'muted', text: 'The plots could not be loaded.' }))
    else draw()
  })

  return {
    element,
    update(history, seconds) {
      latest = { history, seconds }
      showValues()
      const words = series
        .map(({ name, label }) => `${label} ${rate(history.latest(name))}${unit}`)
        .join(', ')
      setAttribute(area, 'aria-label', `${title} over the last ${seconds / 60} minutes; now ${words}`)
      plot?.setData(data())
    },
    close() {
      closed = true
      observer.disconnect()
      dark.removeEventListener('change', draw)
      removeEventListener('themechange', draw)
      plot?.destroy()
    },
  }
}

const clock = (seconds) => {
  const date = new Date(seconds * 1000)
  const two = (value) => String(value).padStart(2, '0')
  const minutes = `${two(date.getHours())}:${two(date.getMinutes())}`
  return date.getSeconds() === 0 ? minutes : `${minutes}:${two(date.getSeconds())}`
}

const compact = (value) => (value >= 10_000 ? `${value / 1000}k` : String(value))
