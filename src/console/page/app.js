// The console page: which page is shown, what runs on all of them. Plain modules, nothing from other hosts.

import { api } from './data/api.js'
import { Live } from './data/live.js'
import { open as config } from './pages/config.js'
import { open as connections } from './pages/connections.js'
import { open as drops } from './pages/drops.js'
import { open as messages } from './pages/messages.js'
import { open as overview } from './pages/overview.js'
import { open as sensor } from './pages/sensor.js'
import { open as sensors } from './pages/sensors.js'
import { open as topics } from './pages/topics.js'
import { open as words } from './pages/words.js'
import { help, toast } from './parts/dialogs.js'
import { h, setAttribute, setText } from './parts/dom.js'
import { time } from './parts/format.js'
import { startKeys } from './parts/keyboard.js'
import { startTips } from './parts/tips.js'

const PAGES = { '': overview, sensors, sensor, drops, messages, connections, topics, config, words }

const live = new Live()
const main = document.getElementById('main')
let page

/** `#/sensor/a%2Fb?x=1` as `{ name: 'sensor', rest: 'a/b', query }`. */
function whereTo() {
  const [, path = '', search = ''] = /^#\/?([^?]*)\??(.*)$/.exec(location.hash) ?? []
  const [name = '', ...rest] = path.split('/')
  let decoded = rest.join('/')
  try {
    decoded = decodeURIComponent(decoded)
  } catch {
    // typed by hand, not encoded: take it as it is
  }
  return { name, rest: decoded, query: new URLSearchParams(search) }
}

function show() {
  if (location.hash === '#main') return // the skip link
  const { name, rest, query } = whereTo()
  page?.close?.()
  const open = PAGES[name]
  page = open?.({ live, api, toast, query, id: rest }) ?? notFound()
  main.replaceChildren(page.element)
  main.dataset.page = name || 'overview'
  document.title = `${page.title} · MQTT-SN gateway`
  const current = name === 'sensor' ? 'sensors' : name || 'overview'
  for (const link of document.querySelectorAll('nav a')) {
    setAttribute(link, 'aria-current', link.dataset.page === current ? 'page' : undefined)
  }
  document.querySelector('nav [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  scrollTo(0, 0)
  page.shown?.()
  page.update?.()
}

const notFound = () => ({
  title: 'Nothing here',
  element: h(
    'div',
    { class: 'empty' },
    h('h1', { text: 'There is no such page' }),
    h('p', {}, h('a', { href: '#/', text: 'Go to the overview' })),
  ),
})

// The state of the connection to the gateway, at the top of every page.

const link = document.getElementById('link')
const trouble = document.getElementById('trouble')
const STATUS = { connecting: 'Connecting', live: 'Live', away: 'Offline' }

function showStatus() {
  setAttribute(link, 'data-status', live.status)
  setText(link, STATUS[live.status])
  document.body.classList.toggle('stale', live.status === 'away')
  trouble.hidden = live.status !== 'away'
  if (trouble.hidden) {
    delete trouble.dataset.kind
    return
  }
  if (live.problem?.status === 401) return askToken()
  const seconds = Math.max(0, Math.ceil(((live.retryAt ?? 0) - Date.now()) / 1000))
  const why = live.problem?.message ?? 'The stream of events from the gateway broke.'
  const last = live.heardAt === undefined ? '' : ` What you see is from ${time(live.heardAt)}.`
  const next = live.problem?.status === 0 ? ' See whether it runs: “mqttsn gateway” and its log.' : ''
  if (trouble.dataset.kind !== 'away') {
    trouble.dataset.kind = 'away'
    // The countdown changes every second, which a screen reader shall not repeat.
    trouble.replaceChildren(
      h('span'),
      h('span', { 'aria-hidden': 'true' }),
      h('button', { type: 'button', text: 'Try now', on: { click: () => live.retry() } }),
    )
  }
  setText(trouble.children[0], `${why}${last}${next}`)
  setText(trouble.children[1], seconds > 0 ? `Next attempt in ${seconds} s.` : 'Trying again…')
}

/** The page may be asked for a token; the server turns `?token=` into a cookie. */
function askToken() {
  if (trouble.dataset.kind === 'token') return
  trouble.dataset.kind = 'token'
  const input = h('input', {
    type: 'password',
    name: 'token',
    required: true,
    autocomplete: 'current-password',
    'aria-label': 'Token',
  })
  const submit = (event) => {
    event.preventDefault()
    location.assign(`/?token=${encodeURIComponent(input.value)}${location.hash}`)
  }
  trouble.replaceChildren(
    h(
      'form',
      { on: { submit } },
      h('label', { text: 'This console wants the token of its configuration (“console.token”). ' }, input),
      h('button', { type: 'submit', text: 'Enter' }),
    ),
  )
  input.focus()
}

/** A token in the address would end up in bookmarks and screenshots. */
function hideToken() {
  const url = new URL(location.href)
  if (!url.searchParams.has('token')) return
  url.searchParams.delete('token')
  history.replaceState(null, '', url)
}

const THEMES = { auto: 'Colours as the system has them', light: 'Light colours', dark: 'Dark colours' }
const themeButton = document.getElementById('theme')

function showTheme(choice) {
  setText(themeButton, { auto: '◐', light: '○', dark: '●' }[choice])
  setAttribute(themeButton, 'aria-label', THEMES[choice])
  setAttribute(themeButton, 'data-tip', `${THEMES[choice]}. Click to change.`)
}

hideToken()
showTheme(window.consoleTheme.current())
themeButton.addEventListener('click', () => showTheme(window.consoleTheme.next()))
startTips()
const keys = startKeys(() => page)
document.getElementById('help').addEventListener('click', () => help(keys))
live.addEventListener('update', () => page?.update?.())
live.addEventListener('change', ({ detail }) => page?.change?.(detail))
live.addEventListener('packet', ({ detail }) => page?.packet?.(detail))
live.addEventListener('streaming', () => page?.streaming?.())
live.addEventListener('status', showStatus)
setInterval(showStatus, 1000)
addEventListener('hashchange', show)
live.start()
show()
