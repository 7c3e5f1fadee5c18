// All words of the console, explained on one page.

import { DROPS, MESSAGES, STATES, TERMS, UPSTREAM } from '../data/words.js'
import { badge, h, panel } from '../parts/dom.js'

const list = (entries) =>
  h(
    'dl',
    { class: 'glossary' },
    entries.map(([name, ...text]) =>
      h(
        'div',
        {},
        h('dt', {}, name),
        h(
          'dd',
          {},
          text.filter(Boolean).map((line) => h('p', { text: line })),
        ),
      ),
    ),
  )
const code = (text) => h('code', { text })
const NAMES = {
  qos: 'QoS',
  keepAlive: 'keep-alive',
  cleanSession: 'clean session',
  kernelDrops: 'lost by the system',
  receiveBuffer: 'receive buffer',
  sendErrors: 'send errors',
  lostConnections: 'broken connections',
}

export function open() {
  const element = h(
    'div',
    { class: 'page stack' },
    h(
      'div',
      { class: 'intro' },
      h('h1', { text: 'Words' }),
      h('p', {
        class: 'muted',
        text: 'A gateway stands between sensors, which speak MQTT-SN over UDP, and an MQTT broker. These are the words of its console.',
      }),
    ),
    panel(
      'States of a sensor',
      {},
      list(Object.entries(STATES).map(([state, words]) => [badge(words, state), words.text])),
    ),
    panel(
      'Its connection to the broker',
      {},
      list(Object.entries(UPSTREAM).map(([state, words]) => [badge(words, state), words.text])),
    ),
    panel('Terms', {}, list(Object.entries(TERMS).map(([name, text]) => [NAMES[name] ?? name, text]))),
    panel('Messages', {}, list(Object.entries(MESSAGES).map(([name, text]) => [code(name), text]))),
    panel(
      'Reasons for drops',
      {},
      list(
        Object.entries(DROPS).map(([reason, { label, text, next }]) => [
          h('span', {}, label, ' ', code(reason)),
          text,
          next,
        ]),
      ),
    ),
  )
  return { title: 'Words', element }
}
