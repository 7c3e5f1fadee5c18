// What sensor and gateway say to each other, drawn as in the specification: two lines of life, an arrow per message.

import { emptyState, h, setAttribute, setText } from '../parts/dom.js'
import { duration, plural } from '../parts/format.js'
import { createArrow } from './arrow.js'

/** Arrows that are kept. */
const MOST = 500
/** Seconds of silence that are worth a line. */
const SILENCE = 3

/** Gives back the element, `await()`, `past(recent)`, `add(packet)` and `key(event)`. */
export function createConversation({ clientId, captureUrl }) {
  const list = h('ol', { class: 'arrows' })
  const quiet = emptyState(
    'Nothing was said yet',
    'The next message of the sensor, or to it, will appear here at once. A sleeping sensor says nothing until it wakes up.',
  )
  const follow = h('button', { type: 'button', class: 'follow', hidden: true, on: { click: () => toEnd() } })
  const pause = h('button', {
    type: 'button',
    'aria-keyshortcuts': 'p',
    on: { click: () => setPaused(!paused) },
  })
  const pings = h('input', {
    type: 'checkbox',
    checked: true,
    on: { change: () => list.classList.toggle('no-pings', !pings.checked) },
  })
  const box = h(
    'div',
    {
      class: 'conversation',
      tabindex: '0',
      role: 'region',
      'aria-label': 'Conversation of sensor and gateway',
    },
    h(
      'div',
      { class: 'lives', 'aria-hidden': 'true' },
      h('span'),
      h('div', {}, h('b', { text: 'Sensor' }), h('b', { text: 'Gateway' })),
    ),
    list,
    quiet,
  )
  const element = h(
    'section',
    { class: 'panel talk', 'aria-labelledby': 'talk-title' },
    h(
      'header',
      {},
      h('h2', { id: 'talk-title', text: 'Conversation' }),
      h('label', { class: 'check' }, pings, h('span', { text: 'PINGs' })),
      pause,
      h('button', { type: 'button', text: 'Clear', on: { click: () => clear() } }),
      h('a', {
        class: 'button',
        href: captureUrl,
        download: `${clientId.replace(/[^\w.-]/g, '_')}.pcapng`,
        text: 'Record',
        tip: 'Records this sensor from now on into a file for Wireshark, until the download is cancelled or an hour has passed.',
      }),
    ),
    box,
    follow,
    h(
      'p',
      { class: 'muted hint' },
      'Click an arrow to see every field. The same in a terminal: ',
      h('code', { text: `mqttsn trace ${/^[\w.-]+$/.test(clientId) ? clientId : JSON.stringify(clientId)}` }),
    ),
  )

  let paused = false
  const held = []
  let unseen = 0
  let lastAt
  const waiting = []
  /** the messages before the first live one are still to come: what arrives meanwhile is kept back */
  let awaitsPast = false
  let scheduled = false

  const isAtEnd = () => box.scrollHeight - box.scrollTop - box.clientHeight < 40

  /** Many messages at once are drawn together, once per picture. */
  function draw() {
    scheduled = false
    const end = isAtEnd()
    const batch = waiting.splice(0)
    for (const entry of batch) append(entry)
    while (list.children.length > MOST) list.firstChild.remove()
    quiet.hidden = list.children.length > 0
    if (end) box.scrollTop = box.scrollHeight
    else showUnseen(unseen + batch.length)
  }

  function append(entry) {
    const gap = lastAt === undefined ? 0 : (entry.at - lastAt) / 1000
    if (gap >= SILENCE)
      list.append(
        h(
          'li',
          { class: 'silence' },
          h('span'),
          h('div', {}, h('span', { text: `${duration(gap)} of silence` })),
        ),
      )
    lastAt = entry.at
    list.append(createArrow(entry))
  }

  function add(entry) {
    if (paused) {
      held.push(entry)
      if (held.length > MOST) held.shift()
      return showPause()
    }
    waiting.push(entry)
    if (waiting.length > MOST) waiting.shift()
    schedule()
  }

  function schedule() {
    if (scheduled || awaitsPast || waiting.length === 0) return
    scheduled = true
    // A hidden page draws no pictures, but shall not collect for ever.
    if (document.hidden) setTimeout(draw, 500)
    else requestAnimationFrame(draw)
  }

  function setPaused(on) {
    paused = on
    if (!on) for (const entry of held.splice(0)) add(entry)
    showPause()
  }
  function showPause() {
    setText(pause, paused ? (held.length === 0 ? 'Go on' : `Go on (${held.length} new)`) : 'Pause')
    setAttribute(pause, 'aria-pressed', String(paused))
  }
  function showUnseen(value) {
    unseen = value
    follow.hidden = value === 0
    setText(follow, `↓ ${plural(value, 'new message')}`)
  }
  function toEnd() {
    box.scrollTop = box.scrollHeight
    showUnseen(0)
  }
  function clear() {
    list.replaceChildren()
    lastAt = undefined
    quiet.hidden = false
    showUnseen(0)
  }
  box.addEventListener('scroll', () => unseen > 0 && isAtEnd() && showUnseen(0), { passive: true })
  showPause()

  /** From arrow to arrow. */
  function move(step) {
    const arrows = [...list.querySelectorAll('.arrow')].filter((arrow) => arrow.offsetParent !== null)
    if (arrows.length === 0) return
    const at = arrows.indexOf(document.activeElement)
    const next = at === -1 ? (step > 0 ? 0 : arrows.length - 1) : at + step
    arrows[Math.max(0, Math.min(arrows.length - 1, next))].focus()
  }

  return {
    element,
    /** The stream has begun, perhaps anew: what was said before it comes with `past`, and has to stand first. */
    await() {
      awaitsPast = true
    },
    /** The messages before the stream began; their contents were not kept. */
    past(recent) {
      awaitsPast = false
      // The two clocks of the gateway may differ by a few milliseconds.
      const [from, to] = [(lastAt ?? 0) + 5, (waiting[0]?.at ?? Number.POSITIVE_INFINITY) - 5]
      for (const entry of recent) if (entry.at > from && entry.at < to) append(entry)
      quiet.hidden = list.children.length > 0
      box.scrollTop = box.scrollHeight
      schedule()
    },
    add,
    key(event) {
      if (event.key === 'p') setPaused(!paused)
      else if (event.key === 'j' || event.key === 'ArrowDown') move(1)
      else if (event.key === 'k' || event.key === 'ArrowUp') move(-1)
      else return false
      return true
    },
  }
}
