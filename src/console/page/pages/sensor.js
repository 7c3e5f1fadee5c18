// One sensor in depth: how it is, why it gets no messages, what it knows and wants, what it says, what can be done.

import { failure } from '../data/failure.js'
import { stateWords } from '../data/words.js'
import { badge, emptyState, h, keyed, panel, setAttribute, setBadge, setText, term } from '../parts/dom.js'
import { actionsFor } from '../sensors/actions.js'
import { createConversation } from '../sensors/conversation.js'
import { explainState, whyNoMessages } from '../sensors/diagnosis.js'
import { factsOf } from '../sensors/sensor-facts.js'
import { createLists } from '../sensors/sensor-lists.js'
import { listAddress } from './sensors.js'

const REFRESH = 2000

export function open({ live, api, toast, id }) {
  const conversation = createConversation({ clientId: id, captureUrl: api.captureUrl(id) })
  const state = badge(stateWords('active'), 'active')
  const sentence = h('p', { class: 'lead' })
  const why = h(
    'section',
    { class: 'why panel', 'aria-labelledby': 'why-title' },
    h('p', { class: 'question', text: 'Why does it get no messages?' }),
    h('h2', { id: 'why-title' }),
    h('ul'),
  )
  const facts = h('dl', { class: 'facts' })
  const sections = h('div', { class: 'side' })
  const actions = h('div', { class: 'actions' }, actionsFor(id, { api, toast, done: () => load() }))
  const head = h(
    'div',
    { class: 'sensor-head' },
    h('p', { class: 'back' }, h('a', { href: listAddress(), text: '← All sensors' })),
    h('div', { class: 'row' }, h('div', { class: 'title' }, h('h1', { text: id }), state), actions),
    sentence,
  )
  const body = h(
    'div',
    { class: 'stack' },
    why,
    h('div', { class: 'columns' }, conversation.element, sections),
  )
  const trouble = h('div', { hidden: true })
  const element = h('div', { class: 'page stack' }, head, trouble, body)
  let sensor
  let loading = false
  let again = false
  let streamBegan = false
  let hasStream = false
  let closed = false

  const lists = createLists()
  sections.append(panel('Session', {}, facts), ...lists.elements)

  async function load() {
    if (loading) {
      again = true
      return
    }
    loading = true
    try {
      // An answer from before the stream began may lack what was said in between.
      const wantsPast = streamBegan || (sensor === undefined && !hasStream)
      streamBegan = false
      sensor = await api.sensor(id)
      if (closed) return
      trouble.hidden = true
      body.hidden = false
      actions.hidden = false
      state.hidden = false
      if (wantsPast && !streamBegan) conversation.past(sensor.recent)
      show()
    } catch (error) {
      if (!closed) showTrouble(error)
      if (!streamBegan) conversation.past([])
    } finally {
      loading = false
      if (again && !closed) {
        again = false
        load()
      }
    }
  }

  function showTrouble(error) {
    if (error.status !== 404 && sensor !== undefined) return // the top of the page tells; old facts are better than none
    sensor = undefined
    trouble.hidden = false
    body.hidden = true
    actions.hidden = true
    state.hidden = true
    setText(sentence, '')
    if (trouble.dataset.why === error.message) return
    trouble.dataset.why = error.message
    trouble.replaceChildren(
      error.status === 404
        ? emptyState(
            'The gateway does not know this sensor',
            'It has never connected since the gateway started, or it was forgotten. This page shows it as soon as it connects.',
            h('p', {}, h('a', { href: '#/sensors', text: 'See all sensors' })),
          )
        : failure('The sensor could not be loaded', error, load),
    )
  }

  function show() {
    if (sensor === undefined) return
    const now = Date.now()
    setBadge(state, stateWords(sensor.state), sensor.state)
    setText(sentence, explainState(sensor, now))
    showWhy(whyNoMessages(sensor, { healthy: live.broker?.healthy ?? true, now }))
    keyed(
      facts,
      factsOf(sensor, now),
      ([name]) => name,
      ([name, , tip]) => h('div', {}, h('dt', {}, tip === undefined ? name : term(name, tip)), h('dd')),
      (item, [, value]) => setText(item.lastChild, value),
    )
    lists.show(sensor, now)
  }

  function showWhy({ tone, headline, findings }) {
    setAttribute(why, 'data-tone', tone)
    setText(why.children[1], headline)
    keyed(
      why.lastChild,
      findings,
      (finding) => finding.headline + finding.text.slice(0, 24),
      () =>
        h(
          'li',
          {},
          h('span', { class: 'dot', 'aria-hidden': 'true' }),
          h('div', {}, h('p'), h('p', { class: 'muted' })),
        ),
      (item, finding) => {
        setAttribute(item, 'data-tone', finding.tone)
        setText(item.lastChild.firstChild, finding.text)
        setText(item.lastChild.lastChild, finding.next)
        item.lastChild.lastChild.hidden = finding.next === ''
      },
    )
    why.lastChild.hidden = findings.length === 0
  }

  const timer = setInterval(() => !document.hidden && load(), REFRESH)
  let soon
  const loadSoon = () => {
    clearTimeout(soon)
    soon = setTimeout(load, 200)
  }
  live.watch(id)
  load()

  return {
    title: id,
    element,
    update: show,
    change({ clientId }) {
      if (clientId === id) loadSoon()
    },
    /** What was said until the stream of packets began is asked for, so that nothing is missing. */
    streaming() {
      streamBegan = true
      hasStream = true
      conversation.await()
      load()
    },
    packet(packet) {
      conversation.add(packet)
      loadSoon()
    },
    key: (event) => conversation.key(event),
    escape() {
      location.hash = listAddress()
      return true
    },
    close() {
      closed = true
      clearInterval(timer)
      clearTimeout(soon)
      live.watch(undefined)
    },
  }
}
