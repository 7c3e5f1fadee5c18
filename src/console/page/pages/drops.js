// What the gateway discarded, by reason, in plain words.

import { api } from '../data/api.js'
import { DROPS, dropWords, TERMS } from '../data/words.js'
import { emptyState, h, keyed, panel, setText } from '../parts/dom.js'
import { ago, count } from '../parts/format.js'
import { createPlot } from '../parts/plot.js'

export function open({ live }) {
  const plot = createPlot({
    title: 'Drops',
    unit: '/s',
    series: [{ name: 'dropped', label: 'dropped', ink: 'bad', tip: TERMS.dropped }],
  })
  const list = h('ul', { class: 'reasons' })
  const none = emptyState(
    'Nothing was dropped since the start',
    'Everything that came was understood and went where it should.',
  )
  const refused = h('ul', { class: 'reasons' })
  const nobody = emptyState('Nobody was refused lately', 'Every sensor that wanted something got it.')
  const others = h('ul', { class: 'reasons quiet' })
  const element = h(
    'div',
    { class: 'page stack' },
    h(
      'div',
      { class: 'intro' },
      h('h1', { text: 'Drops' }),
      h('p', {
        class: 'muted',
        text: 'A drop is never silent: each is counted under the reason that explains it. A few are normal on a radio network.',
      }),
    ),
    plot.element,
    panel('Since the start', {}, list, none),
    panel('Refused lately', {}, refused, nobody),
    h('details', { class: 'panel' }, h('summary', { text: 'Reasons that did not occur' }), others),
  )

  let askedAt = 0

  async function updateRefused() {
    if (Date.now() - askedAt < 2000) return
    askedAt = Date.now()
    const entries = await api.refusals().catch(() => undefined) // shown again at the next look
    if (entries === undefined) return
    nobody.hidden = entries.length > 0
    const keyOf = ({ reason, address, clientId }) => `${reason} ${address} ${clientId ?? ''}`
    keyed(refused, entries, keyOf, createRefusal, (item, { times, at }) => {
      setText(item.querySelector('.times'), count(times))
      setText(item.querySelector('.lately'), ago(at))
    })
  }

  function update() {
    updateRefused()
    if (live.info === undefined) return
    const { dropped } = live.info.counters
    const minute = live.history.drops()
    const seen = Object.entries(dropped)
      .filter(([, times]) => times > 0)
      .sort((a, b) => b[1] - a[1])
    none.hidden = seen.length > 0
    keyed(
      list,
      seen,
      ([reason]) => reason,
      createReason,
      (item, [reason, times]) => {
        setText(item.querySelector('.times'), count(times))
        const lately = minute[reason] ?? 0
        setText(
          item.querySelector('.lately'),
          lately === 0 ? 'none within a minute' : `${count(lately)} within a minute`,
        )
        item.dataset.lately = String(lately > 0)
      },
    )
    keyed(
      others,
      Object.keys(DROPS).filter((reason) => (dropped[reason] ?? 0) === 0),
      (reason) => reason,
      (reason) => createReason([reason]),
    )
    plot.update(live.history, 900)
  }
  return { title: 'Drops', element, update, close: () => plot.close() }
}

function createReason([reason]) {
  const { label, text, next } = dropWords(reason)
  return h(
    'li',
    {},
    h('div', { class: 'amount' }, h('b', { class: 'times' }), h('span', { class: 'lately muted' })),
    h(
      'div',
      {},
      h('h3', {}, label, ' ', h('code', { text: reason })),
      h('p', { text }),
      h('p', { class: 'muted', text: next }),
    ),
  )
}

function createRefusal({ reason, text, key, address, clientId, detail }) {
  const next = [detail, key === undefined ? undefined : `See "${key}" in the configuration.`].filter(Boolean)
  return h(
    'li',
    {},
    h('div', { class: 'amount' }, h('b', { class: 'times' }), h('span', { class: 'lately muted' })),
    h(
      'div',
      {},
      h(
        'h3',
        {},
        clientId === undefined ? address : `${clientId} at ${address}`,
        ' ',
        h('code', { text: reason }),
      ),
      h('p', { text: `Refused: ${text}.` }),
      h('p', { class: 'muted', text: next.join(' ') }),
    ),
  )
}
