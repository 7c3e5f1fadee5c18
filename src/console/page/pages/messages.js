// MQTT-SN messages by type and direction, each explained, and the other counters since the start.

import { MESSAGES, TERMS } from '../data/words.js'
import { h, keyed, panel, setText, term } from '../parts/dom.js'
import { count, octets, time } from '../parts/format.js'

export function open({ live }) {
  const facts = h('dl', { class: 'facts wide' })
  const rows = h('tbody')
  const element = h(
    'div',
    { class: 'page stack' },
    h(
      'div',
      { class: 'intro' },
      h('h1', { text: 'Messages' }),
      h('p', {
        class: 'muted',
        text: 'What sensors and gateway said to each other since the start, by type of message.',
      }),
    ),
    panel('Totals', {}, facts),
    panel(
      'By type',
      {},
      h(
        'div',
        { class: 'scroll' },
        h(
          'table',
          { class: 'plain' },
          h(
            'thead',
            {},
            h(
              'tr',
              {},
              h('th', { scope: 'col', text: 'Message' }),
              h('th', { scope: 'col', class: 'number', text: 'From sensors' }),
              h('th', { scope: 'col', class: 'number', text: 'To sensors' }),
              h('th', { scope: 'col', text: 'What it says' }),
            ),
          ),
          rows,
        ),
      ),
    ),
  )

  function update() {
    if (live.info === undefined) return
    const { counters, startedAt, node } = live.info
    const totals = [
      ['Published', count(counters.published), 'Application messages of sensors that went to the broker.'],
      [
        'Delivered',
        count(counters.delivered),
        'Application messages from the broker that were sent to sensors.',
      ],
      [
        'Datagrams in',
        `${count(counters.receivedDatagrams)} (${octets(counters.receivedOctets)})`,
        'All that came from sensors.',
      ],
      [
        'Datagrams out',
        `${count(counters.sentDatagrams)} (${octets(counters.sentOctets)})`,
        'All that went to sensors.',
      ],
      ['Sent again', count(counters.retransmissions), TERMS.retransmissions],
      ['Internal errors', count(counters.faults), TERMS.faults],
      ['Running since', time(startedAt), `The start of the gateway, on Node.js ${node}.`],
    ]
    keyed(
      facts,
      totals,
      ([name]) => name,
      ([name, , tip]) => h('div', {}, h('dt', {}, term(name, tip)), h('dd')),
      (item, [, value]) => setText(item.lastChild, value),
    )
    const types = Object.keys(MESSAGES).concat(Object.keys(counters.received), Object.keys(counters.sent))
    const seen = [...new Set(types)].filter(
      (type) => (counters.received[type] ?? 0) + (counters.sent[type] ?? 0) > 0,
    )
    keyed(
      rows,
      seen,
      (type) => type,
      (type) =>
        h(
          'tr',
          {},
          h('th', { scope: 'row' }, h('code', { text: type })),
          h('td', { class: 'number' }),
          h('td', { class: 'number' }),
          h('td', { class: 'muted', text: MESSAGES[type] ?? '' }),
        ),
      (row, type) => {
        setText(row.children[1], count(counters.received[type] ?? 0))
        setText(row.children[2], count(counters.sent[type] ?? 0))
      },
    )
  }
  return { title: 'Messages', element, update }
}
