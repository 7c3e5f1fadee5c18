// The first page: is everything well, how much happens, what happened lately.

import { checks, verdict } from '../data/health.js'
import { STATES, stateWords, TERMS } from '../data/words.js'
import { badge, emptyState, h, keyed, panel, setAttribute, setText, term } from '../parts/dom.js'
import { count, duration, time } from '../parts/format.js'
import { createPlot } from '../parts/plot.js'

const PLOTS = [
  {
    title: 'Network of the sensors',
    unit: '/s',
    series: [
      { name: 'received', label: 'in', ink: 'one', tip: `${TERMS.datagrams} From the sensors.` },
      { name: 'sent', label: 'out', ink: 'two', tip: `${TERMS.datagrams} To the sensors.` },
    ],
  },
  {
    title: 'Application messages',
    unit: '/s',
    series: [
      { name: 'published', label: 'published', ink: 'one', tip: TERMS.published },
      { name: 'delivered', label: 'delivered', ink: 'two', tip: TERMS.delivered },
    ],
  },
  {
    title: 'Events',
    unit: '/s',
    series: [
      { name: 'changes', label: 'state changes', ink: 'three', tip: TERMS.changes },
      { name: 'dropped', label: 'drops', ink: 'bad', tip: TERMS.dropped },
    ],
  },
  {
    title: 'Messages waiting for sensors',
    unit: '',
    series: [{ name: 'queued', label: 'waiting', ink: 'three', tip: TERMS.queue }],
  },
]

const SPANS = [2, 5, 15]
const ORDER = ['active', 'awake', 'asleep', 'connecting', 'willtopic', 'willmsg', 'disconnected', 'lost']
let minutes = 5

export function open({ live }) {
  const headline = h('h1')
  const next = h('p')
  const since = h('p', { class: 'muted' })
  const banner = h(
    'section',
    { class: 'verdict', 'aria-label': 'Verdict' },
    h('span', { class: 'dot', 'aria-hidden': 'true' }),
    h('div', {}, headline, next),
    since,
  )
  const grid = h('ul', { class: 'checks' })
  const bar = h('div', { class: 'bar', 'aria-hidden': 'true' })
  const legend = h('ul', { class: 'legend' })
  const plots = PLOTS.map(createPlot)
  const spans = SPANS.map((value) =>
    h('button', { type: 'button', text: `${value} min`, on: { click: () => choose(value) } }),
  )
  const log = h('ol', { class: 'log' })
  const quiet = emptyState(
    'Nothing has happened yet',
    'Every change of state of a sensor will appear here, with the reason.',
  )
  const body = h(
    'div',
    { class: 'stack' },
    grid,
    panel('Sensors by state', { tip: TERMS.sensor }, bar, legend),
    h(
      'div',
      { class: 'row' },
      h('h2', { text: 'Rates' }),
      h('div', { class: 'segments', role: 'group', 'aria-label': 'Time shown' }, spans),
    ),
    h(
      'div',
      { class: 'charts' },
      plots.map(({ element }) => element),
    ),
    panel('What happened lately', {}, log, quiet),
  )
  const waiting = emptyState('Waiting for the gateway', 'Its figures will appear here as soon as it answers.')
  const element = h('div', { class: 'page stack' }, banner, body, waiting)

  function choose(value) {
    minutes = value
    update()
  }

  function showChecks() {
    const all = checks({
      info: live.info,
      broker: live.broker,
      listeners: live.listeners,
      recent: live.recent(),
    })
    const result =
      live.status === 'away'
        ? {
            tone: 'off',
            headline: 'The gateway does not answer.',
            next: 'What follows is the last that it said.',
          }
        : verdict(all)
    setAttribute(banner, 'data-tone', result.tone)
    setText(headline, result.headline)
    setText(next, result.next)
    next.hidden = result.next === ''
    const { version, gwId, startedAt } = live.info
    setText(
      since,
      `Version ${version}, gateway id ${gwId}, up for ${duration((Date.now() - startedAt) / 1000)}`,
    )
    keyed(grid, all, ({ id }) => id, createCheck, updateCheck)
  }

  function showStates() {
    const { sensors } = live.info
    const present = ORDER.filter((state) => sensors[state] > 0)
    keyed(
      bar,
      present,
      (state) => state,
      (state) => h('span', { 'data-state': state }),
      (part, state) => {
        part.style.flexGrow = String(sensors[state])
      },
    )
    keyed(
      legend,
      ORDER.filter((state) => sensors[state] > 0 || STATES[state].tone !== 'busy'),
      (state) => state,
      (state) =>
        h('li', {}, h('a', { href: `#/sensors?state=${state}` }, badge(stateWords(state), state), h('b'))),
      (item, state) => setText(item.querySelector('b'), count(sensors[state])),
    )
  }

  function update() {
    const ready = live.info !== undefined && live.broker !== undefined && live.listeners !== undefined
    body.hidden = !ready
    banner.hidden = !ready
    waiting.hidden = ready
    if (!ready) return
    showChecks()
    showStates()
    for (const [i, button] of spans.entries())
      setAttribute(button, 'aria-pressed', String(SPANS[i] === minutes))
    for (const plot of plots) plot.update(live.history, minutes * 60)
    keyed(log, live.changes.slice(0, 40), keyOf, createEntry)
    quiet.hidden = live.changes.length > 0
  }

  return {
    title: 'Overview',
    element,
    update,
    close() {
      for (const plot of plots) plot.close()
    },
  }
}

function createCheck() {
  return h(
    'li',
    {},
    h(
      'a',
      { class: 'check-card' },
      h('span', { class: 'check-title' }, h('span', { class: 'dot', 'aria-hidden': 'true' }), h('span')),
      h('strong'),
      h('span', { class: 'check-text' }),
    ),
  )
}

function updateCheck(item, { title, value, tone, text, link }) {
  const card = item.firstChild
  setAttribute(card, 'href', link)
  setAttribute(card, 'data-tone', tone)
  setText(card.querySelector('.check-title span:last-child'), title)
  setText(card.querySelector('strong'), value)
  setText(card.querySelector('.check-text'), text)
}

const keyOf = ({ at, clientId, from, to }) => `${at} ${clientId} ${from} ${to}`

const createEntry = ({ at, clientId, from, to, why }) =>
  h(
    'li',
    {},
    h('time', { text: time(at) }),
    h('a', { href: `#/sensor/${encodeURIComponent(clientId)}`, text: clientId, class: 'name' }),
    h(
      'span',
      { class: 'move' },
      term(stateWords(from).label, stateWords(from).text),
      h('span', { class: 'muted', text: ' → ' }),
      badge(stateWords(to), to),
    ),
    h('span', { class: 'muted why', text: why }),
  )
