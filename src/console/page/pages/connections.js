// Both sides of the gateway: the broker and the connections to it, the listeners where sensors are heard.

import { TERMS } from '../data/words.js'
import { h, keyed, panel, setAttribute, setText, term } from '../parts/dom.js'
import { count, octets } from '../parts/format.js'

export function open({ live }) {
  const verdict = h(
    'p',
    { class: 'verdict-line' },
    h('span', { class: 'dot', 'aria-hidden': 'true' }),
    h('span'),
  )
  const facts = h('dl', { class: 'facts wide' })
  const rows = h('tbody')
  const columns = [
    ['Listener'],
    ['Address'],
    ['Receive buffer', TERMS.receiveBuffer],
    ['Lost by the system', TERMS.kernelDrops],
    ['Send errors', TERMS.sendErrors],
  ]
  const element = h(
    'div',
    { class: 'page stack' },
    h(
      'div',
      { class: 'intro' },
      h('h1', { text: 'Connections' }),
      h('p', {
        class: 'muted',
        text: 'On one side the broker, where every sensor has a connection of its own; on the other side the addresses where sensors are heard.',
      }),
    ),
    panel('Broker', { tip: TERMS.broker }, verdict, facts),
    panel(
      'Listeners',
      { tip: TERMS.listener },
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
              columns.map(([name, tip], i) =>
                h(
                  'th',
                  { scope: 'col', class: i > 1 ? 'number' : undefined },
                  tip === undefined ? name : term(name, tip),
                ),
              ),
            ),
          ),
          rows,
        ),
      ),
    ),
  )

  function update() {
    if (live.broker === undefined || live.listeners === undefined) return
    showBroker(live.broker)
    keyed(rows, live.listeners, ({ name }) => name, createListener, updateListener)
  }

  function showBroker(broker) {
    setAttribute(verdict, 'data-tone', broker.healthy ? 'good' : 'bad')
    setText(
      verdict.lastChild,
      broker.healthy
        ? 'The broker is reachable.'
        : `${broker.trouble === undefined ? 'The broker cannot be reached' : `The broker does not accept the gateway: ${broker.trouble}`}. The gateway keeps trying. Sleeping sensors notice nothing; the others keep their sessions for the time set as “broker.grace”. Messages with QoS 0 are dropped until it is back.`,
    )
    const list = [
      ['Address', broker.url, 'From "broker.url" in the configuration.'],
      [
        'Protocol',
        broker.version === undefined ? 'not known yet' : `MQTT ${broker.version}`,
        'What the broker and the gateway agreed on.',
      ],
      ['Up', count(broker.connected), TERMS.connected],
      ['Being opened', count(broker.connecting), TERMS.connecting],
      ['Waiting for their turn', count(broker.waiting), TERMS.waiting],
      ['Refused', count(broker.refused), TERMS.refused],
      ['Broken', count(broker.lost), TERMS.lostConnections],
    ]
    keyed(
      facts,
      list,
      ([name]) => name,
      ([name, , tip]) => h('div', {}, h('dt', {}, term(name, tip)), h('dd')),
      (item, [, value]) => setText(item.lastChild, value),
    )
  }
  return { title: 'Connections', element, update }
}

const createListener = ({ name }) =>
  h(
    'tr',
    {},
    h('th', { scope: 'row', text: name }),
    h('td', {}, h('code')),
    h('td', { class: 'number' }),
    h('td', { class: 'number' }),
    h('td', { class: 'number' }),
  )

function updateListener(row, { url, receiveBuffer, receiveBufferAsked, kernelDrops, sendErrors }) {
  const [, address, buffer, drops, errors] = row.children
  setText(address.firstChild, url)
  const small = receiveBuffer < receiveBufferAsked
  setText(buffer, small ? `${octets(receiveBuffer)} of ${octets(receiveBufferAsked)}` : octets(receiveBuffer))
  setAttribute(buffer, 'data-tone', small ? 'warn' : undefined)
  setText(drops, kernelDrops === undefined || kernelDrops === null ? 'not known here' : count(kernelDrops))
  setAttribute(drops, 'data-tone', kernelDrops > 0 ? 'bad' : undefined)
  setText(errors, count(sendErrors))
  setAttribute(errors, 'data-tone', sendErrors > 0 ? 'warn' : undefined)
}
