// What a sensor has: subscriptions, waiting messages, topics, and what was dropped; a panel each.

import { dropWords, TERMS } from '../data/words.js'
import { h, keyed, panel, setAttribute, setText } from '../parts/dom.js'
import { ago, count, octets, plural } from '../parts/format.js'

/** `of` picks the entries of a sensor, `words` gives title, text and explanation of one. `rare`: hidden while empty. */
const LISTS = [
  {
    title: 'Subscriptions',
    empty: 'It has not subscribed to anything, so the broker sends it nothing.',
    of: ({ subscribed }) => subscribed,
    key: ({ filter }) => filter,
    words: ({ filter, qos, topicIdType, topicId }) => {
      const kind = topicIdType === 'normal' ? '' : `, ${topicIdType}`
      return [
        filter,
        `QoS ${qos}${kind}${topicId === 0 || topicIdType === 'short' ? '' : `, number ${topicId}`}`,
      ]
    },
  },
  {
    title: 'Queue',
    tip: TERMS.queue,
    empty: 'Nothing waits for it.',
    of: ({ queue }) => queue,
    key: ({ id }) => id,
    words: ({ topic, qos, retain, octets: size, at }, now) => [
      topic,
      `QoS ${qos}${retain ? ', retained' : ''}, ${octets(size)}, ${ago(at, now)}`,
    ],
    amount: ({ queue, queued }) =>
      queued > queue.length
        ? `the oldest ${count(queue.length)} of ${count(queued)}`
        : plural(queued, 'message'),
  },
  {
    title: 'Topics',
    tip: TERMS.topic,
    empty: 'No topic numbers are agreed on.',
    of: ({ registry }) => registry,
    key: ({ topicId }) => topicId,
    words: ({ topicId, name, confirmed }) => [
      name,
      `number ${topicId}${confirmed ? '' : ', not confirmed'}`,
      confirmed ? undefined : TERMS.confirmed,
    ],
  },
  {
    title: 'Predefined topics',
    tip: TERMS.predefined,
    rare: true,
    of: ({ predefined }) => predefined,
    key: ({ topicId }) => topicId,
    words: ({ topicId, name }) => [name, `number ${topicId}`],
  },
  {
    title: 'Dead letters',
    tip: 'Messages of the sensor that were acknowledged to it, and that the broker will not have. Send them again, or discard them.',
    rare: true,
    of: ({ deadLetters }) => deadLetters,
    key: ({ token }) => token,
    words: ({ topic, qos, octets: size, at, why }, now) => [
      topic,
      `QoS ${qos}, ${octets(size)}, ${ago(at, now)}, ${dropWords(why).label.toLowerCase()}`,
    ],
  },
  {
    title: 'Refused topics',
    tip: 'Topics that the sensor did not want to know of. Their messages are dropped.',
    rare: true,
    of: ({ refusedTopics }) => refusedTopics,
    key: (name) => name,
    words: (name) => [name, ''],
  },
  {
    title: 'Drops',
    tip: 'What was discarded from this sensor, or for it.',
    rare: true,
    of: ({ dropped }) => Object.entries(dropped),
    key: ([reason]) => reason,
    words: ([reason, times]) => [dropWords(reason).label, count(times), dropWords(reason).text],
  },
]

/** Gives back the panels, and `show(sensor, now)`. */
export function createLists() {
  const panels = LISTS.map((list) => {
    const amount = h('span', { class: 'amount muted' })
    const entries = h('ul', { class: 'entries' })
    const none = h('p', { class: 'muted', text: list.empty ?? '' })
    return {
      list,
      amount,
      entries,
      none,
      element: panel(list.title, { tip: list.tip, actions: [amount] }, entries, none),
    }
  })

  function show(sensor, now) {
    for (const { list, amount, entries, none, element } of panels) {
      const found = list.of(sensor) ?? []
      const isEmpty = found.length === 0
      element.hidden = isEmpty && list.rare === true
      none.hidden = !isEmpty
      entries.hidden = isEmpty
      setText(amount, isEmpty ? '' : (list.amount?.(sensor) ?? count(found.length)))
      keyed(
        entries,
        found,
        list.key,
        () => h('li', {}, h('code'), h('span', { class: 'muted' })),
        (item, entry) => {
          const [title, text, tip] = list.words(entry, now)
          setText(item.firstChild, title)
          setText(item.lastChild, text)
          setAttribute(item, 'data-tip', tip)
        },
      )
    }
  }
  return { elements: panels.map(({ element }) => element), show }
}
