// One message of a conversation: an arrow from one line of life to the other, with every field behind it.

import { MESSAGES, TERMS } from '../data/words.js'
import { h, setAttribute } from '../parts/dom.js'
import { fromHex, hexDump, plural, preciseTime, time } from '../parts/format.js'
import { summarize } from './frame.js'

/** `entry`: a packet event, or what is remembered of a message (`text` instead of `bytes`). */
export function createArrow(entry) {
  const { at, direction, type, repeated } = entry
  const bytes = entry.bytes === undefined ? undefined : fromHex(entry.bytes)
  const says = bytes === undefined ? withoutType(entry) : summarize(type, bytes, entry.topic)
  const [from, to] = direction === 'received' ? ['Sensor', 'gateway'] : ['Gateway', 'sensor']
  const button = h(
    'button',
    {
      type: 'button',
      class: 'arrow',
      'aria-expanded': 'false',
      'aria-label': `${time(at)}, ${from} to ${to}: ${type} ${says}${repeated ? ', sent again' : ''}`,
    },
    h('time', { text: preciseTime(at) }),
    h(
      'span',
      { class: 'lane' },
      h(
        'span',
        { class: 'label' },
        h('b', { text: type }),
        says === '' ? undefined : h('span', { text: says }),
        repeated ? h('em', { text: 'again', tip: TERMS.repeated }) : undefined,
      ),
      h('span', { class: 'line' }),
    ),
  )
  const inside = h('div', { class: 'inside', hidden: true })
  const item = h(
    'li',
    {
      'data-direction': direction,
      'data-type': type,
      'data-repeated': repeated ? 'true' : undefined,
      'data-past': bytes === undefined ? 'true' : undefined,
    },
    button,
    inside,
  )
  button.addEventListener('click', () => {
    const isOpen = inside.hidden
    if (isOpen && inside.children.length === 0) inside.append(...reading(entry, bytes))
    inside.hidden = !isOpen
    setAttribute(button, 'aria-expanded', String(isOpen))
  })
  return item
}

/** `PUBLISH QoS 1, topicId 5` without the name, which stands before it already. */
const withoutType = ({ type, text }) => (text.startsWith(type) ? text.slice(type.length).trim() : text)

/** All that is known of one message. */
function reading({ type, lines, topic, address, port, listener, text }, bytes) {
  const what = h('p', { text: MESSAGES[type] ?? '' })
  if (bytes === undefined) {
    return [
      what,
      h('p', { text }),
      h('p', { class: 'muted', text: 'It was sent before this page was opened: its octets were not kept.' }),
    ]
  }
  const where = address === undefined ? '' : `The sensor is at ${address}:${port}, listener ${listener}.`
  return [
    what,
    topic ? h('p', {}, 'Topic: ', h('code', { text: topic })) : undefined,
    lines?.length > 0 ? h('pre', { class: 'code', text: lines.join('\n') }) : undefined,
    h('pre', { class: 'code', text: hexDump(bytes), 'aria-label': 'Octets in hexadecimal' }),
    h('p', { class: 'muted', text: `${plural(bytes.length, 'octet')}. ${where}` }),
  ].filter((part) => part !== undefined)
}
