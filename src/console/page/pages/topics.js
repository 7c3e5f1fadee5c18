// Predefined topics: numbers that sensors and gateway know beforehand.

import { failure } from '../data/failure.js'
import { TERMS } from '../data/words.js'
import { emptyState, h, panel } from '../parts/dom.js'
import { count } from '../parts/format.js'

export function open({ api }) {
  const search = h('input', {
    type: 'search',
    placeholder: 'Filter by number or name',
    'aria-label': 'Filter topics',
    on: { input: () => draw() },
  })
  const content = h('div')
  const element = h(
    'div',
    { class: 'page stack' },
    h(
      'div',
      { class: 'intro' },
      h('h1', { text: 'Predefined topics' }),
      h('p', {
        class: 'muted',
        text: `${TERMS.predefined} These hold for all sensors; some sensors may have their own besides, see their pages.`,
      }),
    ),
    search,
    panel('All sensors', {}, content),
  )
  let topics

  async function load() {
    try {
      topics = await api.predefined()
      draw()
    } catch (error) {
      content.replaceChildren(failure('The topics could not be loaded', error, load))
    }
  }

  function draw() {
    if (topics === undefined) return
    const wanted = search.value.toLowerCase()
    const found = topics
      .filter(({ topicId, name }) => `${topicId} ${name}`.toLowerCase().includes(wanted))
      .sort((a, b) => a.topicId - b.topicId)
    if (topics.length === 0)
      return content.replaceChildren(
        emptyState(
          'No topic is predefined',
          'Add some under “predefined” in the configuration, such as "1": "home/button". Buttons that never connect need them.',
        ),
      )
    if (found.length === 0)
      return content.replaceChildren(
        emptyState('Nothing matches', `None of ${count(topics.length)} topics matches “${search.value}”.`),
      )
    content.replaceChildren(
      h(
        'table',
        { class: 'plain' },
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            h('th', { scope: 'col', class: 'number narrow', text: 'Number' }),
            h('th', { scope: 'col', text: 'Topic' }),
          ),
        ),
        h(
          'tbody',
          {},
          found.map(({ topicId, name }) =>
            h(
              'tr',
              {},
              h('td', { class: 'number', text: String(topicId) }),
              h('td', {}, h('code', { text: name })),
            ),
          ),
        ),
      ),
    )
  }
  load()
  return { title: 'Topics', element, search: () => search.focus() }
}
