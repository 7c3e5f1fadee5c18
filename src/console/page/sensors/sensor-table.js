// How the list of sensors looks: its columns, a row, and what stands there when there is none.

import { stateWords, TERMS, upstreamWords } from '../data/words.js'
import { badge, emptyState, h, setAttribute, setBadge, setText } from '../parts/dom.js'
import { ago, count, octets, plural } from '../parts/format.js'

export const COLUMNS = [
  { name: 'Sensor', sort: 'clientId', class: 'c-id' },
  { name: 'State', sort: 'state', class: 'c-state' },
  { name: 'Address', class: 'c-address' },
  { name: 'Last heard', sort: 'heardAt', class: 'c-heard', descending: true },
  { name: 'Topics', sort: 'topics', class: 'c-topics', descending: true, tip: TERMS.topic },
  { name: 'Queue', sort: 'queued', class: 'c-queue', descending: true, tip: TERMS.queue },
  { name: 'Broker', class: 'c-broker', tip: 'The connection to the broker that belongs to this sensor.' },
]

/** Below this width a sensor is two lines instead of columns. */
export const narrow = matchMedia('(max-width: 720px)')

// As in sensors.css: rows are placed before they are drawn.
export const rowHeight = () => (narrow.matches ? 62 : 38)
export const headerHeight = () => (narrow.matches ? 0 : 36)

/** `sortBy(sort)` is called by the headings that can be clicked. */
export const createHeadings = (sortBy) =>
  COLUMNS.map(({ name, sort, tip, class: place }) =>
    h(
      'div',
      { class: place, role: 'columnheader' },
      sort === undefined
        ? h('span', { text: name, tip })
        : h('button', { type: 'button', text: name, tip, on: { click: () => sortBy(sort) } }),
    ),
  )

export function showOrder(headings, { sort, descending }) {
  for (const [i, heading] of headings.entries()) {
    const order = descending ? 'descending' : 'ascending'
    setAttribute(heading, 'aria-sort', COLUMNS[i].sort === sort ? order : undefined)
  }
}

let number = 0

/** An empty row; `open(clientId)` is called when it is clicked. */
export function createRow(open) {
  const row = h(
    'div',
    { class: 'grid-row', role: 'row', id: `row-${number++}` },
    COLUMNS.map((column) => h('div', { class: column.class, role: 'gridcell' })),
  )
  row.children[0].append(h('a', { class: 'name', tabindex: '-1' }))
  row.children[1].append(badge(stateWords('active')))
  row.children[6].append(badge(upstreamWords('up')))
  row.addEventListener('click', (event) => {
    // Not when a text was selected: somebody wants to copy an address.
    if (row.clientId === undefined || getSelection()?.toString()) return
    if (!(event.target instanceof HTMLAnchorElement)) open(row.clientId)
  })
  return row
}

/** Shows a sensor in a row; undefined: it is not here yet. */
export function fillRow(row, sensor, isSelected) {
  row.classList.toggle('loading', sensor === undefined)
  setAttribute(row, 'aria-selected', String(isSelected))
  if (sensor === undefined) {
    row.clientId = undefined
    return
  }
  const [id, state, address, heard, topics, queue, upstream] = row.children
  const isSame = row.clientId === sensor.clientId
  row.clientId = sensor.clientId
  setText(id.firstChild, sensor.clientId)
  setAttribute(id.firstChild, 'href', `#/sensor/${encodeURIComponent(sensor.clientId)}`)
  if (isSame && row.changedAt !== sensor.changedAt && sensor.changedAt !== undefined) flash(row)
  row.changedAt = sensor.changedAt
  setBadge(state.firstChild, stateWords(sensor.state), sensor.state)
  setText(address, sensor.address ?? '–')
  setText(heard, ago(sensor.heardAt))
  setText(topics, count(sensor.topics))
  setText(queue, count(sensor.queued))
  const waiting = `${plural(sensor.queued, 'message')}, ${octets(sensor.queuedOctets)}`
  setAttribute(queue, 'title', sensor.queued === 0 ? undefined : waiting)
  queue.classList.toggle('some', sensor.queued > 0)
  setBadge(upstream.firstChild, upstreamWords(sensor.upstream), sensor.upstream)
}

function flash(row) {
  row.classList.remove('flash')
  void row.offsetWidth // a restart of the animation needs a layout in between
  row.classList.add('flash')
}

/** What stands in an empty list, and what to do about it; `clear` shows all sensors again. */
export function nothingFound({ search, state }, listeners = [], clear) {
  if (search !== '' || state !== undefined) {
    const what = search === '' ? `is in the state “${stateWords(state).label}”` : `matches “${search}”`
    return emptyState(
      `No sensor ${what}`,
      h('button', { type: 'button', text: 'Show all sensors', on: { click: clear } }),
    )
  }
  // A listener on all addresses is reached on this machine through loopback.
  const url = (listeners[0]?.url ?? 'udp://ADDRESS:PORT')
    .replace('//0.0.0.0:', '//127.0.0.1:')
    .replace('//[::]:', '//[::1]:')
  const urls = listeners.map((listener) => listener.url).join(', ') || 'no address yet'
  return emptyState(
    'No sensor has connected yet',
    `The gateway listens on ${urls}. To see one here, start a simulated sensor:`,
    h('pre', { class: 'code', text: `mqttsn sensor thermometer --gateway ${url}` }),
    'If a real sensor does not appear: can it reach this address and port with UDP, and does the page “Drops” count anything?',
  )
}
