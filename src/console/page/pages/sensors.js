// All sensors: searched, filtered by state, sorted, live; with thousands of rows as quick as with ten.

import { failure } from '../data/failure.js'
import { h, setAttribute, setText } from '../parts/dom.js'
import { count, plural } from '../parts/format.js'
import { VirtualRows } from '../parts/virtual.js'
import { createChips } from '../sensors/sensor-chips.js'
import { SensorRows } from '../sensors/sensor-rows.js'
import {
  COLUMNS,
  createHeadings,
  createRow,
  fillRow,
  headerHeight,
  narrow,
  nothingFound,
  rowHeight,
  showOrder,
} from '../sensors/sensor-table.js'

const REFRESH = 2000

/** Where the list was left, so that Esc on a sensor's page leads back to the same row. */
const left = { query: '', scroll: 0, selected: undefined }

export function open({ live, api, query }) {
  const wanted = {
    search: query.get('search') ?? '',
    state: query.get('state') ?? undefined,
    sort: query.get('sort') ?? 'clientId',
    descending: query.get('descending') === '1',
  }
  let selected = left.selected
  let selectedIndex = -1
  let typed

  const search = h('input', {
    type: 'search',
    placeholder: 'ClientId or address',
    'aria-label': 'Search sensors',
    'aria-keyshortcuts': '/',
    spellcheck: 'false',
    autocomplete: 'off',
    value: wanted.search,
  })
  const found = h('span', { class: 'muted found', role: 'status' })
  const chips = createChips((state) => filter(state))
  const order = h(
    'select',
    { 'aria-label': 'Sort by', class: 'order', on: { change: () => sortBy(order.value) } },
    COLUMNS.filter(({ sort }) => sort).map(({ name, sort }) =>
      h('option', { value: sort, text: `Sort: ${name}` }),
    ),
  )
  const headings = createHeadings((sort) => sortBy(sort))
  const viewport = h(
    'div',
    { class: 'grid', role: 'grid', tabindex: '0', 'aria-label': 'Sensors', 'aria-keyshortcuts': 'j k Enter' },
    h('div', { class: 'grid-row grid-head', role: 'row', 'aria-rowindex': '1' }, headings),
  )
  const message = h('div', { class: 'over', hidden: true })
  const element = h(
    'div',
    { class: 'page sensors' },
    h('div', { class: 'toolbar' }, h('h1', { text: 'Sensors' }), search, order, found),
    h('div', { class: 'chips', role: 'group', 'aria-label': 'Filter by state' }, chips.elements),
    h('div', { class: 'panel grid-panel' }, viewport, message),
  )

  const rows = new SensorRows(
    api,
    () => showRows(),
    (error) => showError(error),
  )
  const list = new VirtualRows({
    viewport,
    create: () => createRow(openSensor),
    update(row, index) {
      const item = rows.at(index)
      const isSelected = item !== undefined && item.clientId === selected
      if (isSelected) setAttribute(viewport, 'aria-activedescendant', row.id)
      fillRow(row, item, isSelected)
    },
    rowHeight,
    onRange: (first, last) => rows.need(first, last),
  })
  function showRows() {
    const total = rows.total ?? 0
    if (selected !== undefined) {
      const at = rows.indexOf(selected)
      if (at !== -1) selectedIndex = at
    }
    list.total = total
    setAttribute(viewport, 'aria-rowcount', String(total + 1))
    setText(
      found,
      wanted.search === '' && wanted.state === undefined ? plural(total, 'sensor') : `${count(total)} found`,
    )
    message.hidden = total > 0
    if (total === 0) message.replaceChildren(nothingFound(wanted, live.listeners, clear))
  }

  function showError(error) {
    if (error === undefined) return
    if (rows.total !== undefined) return // old rows are better than none; the top of the page tells of the trouble
    message.hidden = false
    message.replaceChildren(failure('The list could not be loaded', error, () => ask()))
  }

  function ask() {
    const parameters = new URLSearchParams()
    if (wanted.search !== '') parameters.set('search', wanted.search)
    if (wanted.state !== undefined) parameters.set('state', wanted.state)
    if (wanted.sort !== 'clientId') parameters.set('sort', wanted.sort)
    if (wanted.descending) parameters.set('descending', '1')
    const text = parameters.toString()
    history.replaceState(null, '', `#/sensors${text === '' ? '' : `?${text}`}`)
    left.query = text
    showOrder(headings, wanted)
    order.value = wanted.sort
    return rows.ask(wanted, ...list.range)
  }

  function startOver() {
    viewport.scrollTop = 0
    selectedIndex = -1
    list.render()
    return ask()
  }
  function filter(state) {
    wanted.state = wanted.state === state ? undefined : state
    chips.show(live.info?.sensors, wanted.state)
    startOver()
  }
  function sortBy(sort) {
    if (wanted.sort === sort) wanted.descending = !wanted.descending
    else
      Object.assign(wanted, {
        sort,
        descending: COLUMNS.find((column) => column.sort === sort)?.descending ?? false,
      })
    startOver()
  }
  function clear() {
    Object.assign(wanted, { search: '', state: undefined })
    search.value = ''
    chips.show(live.info?.sensors, wanted.state)
    startOver()
  }
  search.addEventListener('input', () => {
    clearTimeout(typed)
    typed = setTimeout(() => {
      wanted.search = search.value.trim()
      startOver()
    }, 120)
  })

  function select(index) {
    const total = rows.total ?? 0
    if (total === 0) return
    selectedIndex = Math.max(0, Math.min(total - 1, index))
    selected = rows.at(selectedIndex)?.clientId
    list.reveal(selectedIndex, headerHeight())
    if (selected === undefined) {
      // It is about to be fetched: what stands there then is the selected one.
      const wantedIndex = selectedIndex
      rows.need(wantedIndex, wantedIndex).then(() => {
        if (selectedIndex === wantedIndex) selected = rows.at(wantedIndex)?.clientId
        list.render()
      })
    }
    list.render()
  }

  function openSensor(clientId) {
    selected = clientId
    location.hash = `#/sensor/${encodeURIComponent(clientId)}`
  }

  const firstVisible = () => Math.ceil(viewport.scrollTop / rowHeight())
  const steps = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1, PageDown: 12, PageUp: -12 }

  function key(event) {
    if (event.target instanceof HTMLButtonElement && event.key === 'Enter') return false
    const step = steps[event.key]
    if (step !== undefined) select(selectedIndex === -1 ? firstVisible() : selectedIndex + step)
    else if (event.key === 'Home') select(0)
    else if (event.key === 'End') select((rows.total ?? 1) - 1)
    else if (event.key === 'Enter' && selected !== undefined && selectedIndex !== -1) openSensor(selected)
    else return false
    return true
  }

  const refresh = setInterval(() => !document.hidden && rows.need(...list.range, true), REFRESH)
  const resized = () => list.render()
  narrow.addEventListener('change', resized)

  return {
    title: 'Sensors',
    element,
    key,
    search() {
      search.focus()
      search.select()
    },
    /** In the search field: down into the list, Enter opens the only or first one. */
    typingKey(event) {
      if (event.target !== search) return false
      if (event.key === 'ArrowDown') {
        viewport.focus()
        select(Math.max(0, selectedIndex))
        return true
      }
      if (event.key !== 'Enter') return false
      clearTimeout(typed)
      wanted.search = search.value.trim()
      startOver().then(() => {
        const first = rows.at(0)
        if (first !== undefined) openSensor(first.clientId)
      })
      return true
    },
    escape() {
      if (document.activeElement === search && search.value !== '') {
        search.value = ''
        wanted.search = ''
        startOver()
        return true
      }
      return false
    },
    shown() {
      chips.show(live.info?.sensors, wanted.state)
      ask().then(() => {
        if (left.returning) viewport.scrollTop = left.scroll
        left.returning = false
      })
      if (query.get('focus') === '1') search.focus()
    },
    update() {
      chips.show(live.info?.sensors, wanted.state)
      list.render()
    },
    change: (change) => rows.change(change),
    close() {
      Object.assign(left, { scroll: viewport.scrollTop, selected, returning: true })
      clearInterval(refresh)
      clearTimeout(typed)
      narrow.removeEventListener('change', resized)
      rows.close()
      list.close()
    },
  }
}

/** The address of the list as it was left. */
export const listAddress = () => `#/sensors${left.query === '' ? '' : `?${left.query}`}`
