// Windows above the page: confirmation, a message to a sensor, help; and short notices at the bottom.

import { h } from './dom.js'
import { fromHex } from './format.js'

/** Shows a dialog until it is closed; resolves with its `returnValue`. */
function show(dialog) {
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove()
      resolve(dialog.returnValue)
    })
    // A click beside the window closes it, like Esc.
    dialog.addEventListener('click', (event) => event.target === dialog && dialog.close(''))
    document.body.append(dialog)
    dialog.showModal()
  })
}

let titles = 0

function frame(title, ...content) {
  const id = `dialog-${++titles}`
  return h(
    'dialog',
    { class: 'dialog', 'aria-labelledby': id },
    h('form', { method: 'dialog' }, h('h2', { id, text: title }), ...content),
  )
}

const cancelButton = () => h('button', { type: 'submit', value: '', text: 'Cancel', formnovalidate: true })

/** Asks before something is done; resolves with true only if it shall be. */
export async function confirm({ title, text, action, danger = false }) {
  const cancel = cancelButton()
  cancel.autofocus = true // the harmless answer is the one at hand
  const dialog = frame(
    title,
    ...[text].flat().map((line) => h('p', { text: line })),
    h(
      'div',
      { class: 'buttons' },
      cancel,
      h('button', { type: 'submit', value: 'yes', class: danger ? 'danger' : 'primary', text: action }),
    ),
  )
  return (await show(dialog)) === 'yes'
}

/** Asks for a message to a sensor; resolves with it, or with undefined. */
export async function askMessage(clientId) {
  const topic = h('input', {
    name: 'topic',
    required: true,
    autocomplete: 'off',
    spellcheck: 'false',
    maxlength: '65535',
    autofocus: true,
  })
  const payload = h('textarea', { name: 'payload', rows: '3', spellcheck: 'false' })
  const format = h(
    'select',
    { name: 'format' },
    h('option', { value: 'text', text: 'Text' }),
    h('option', { value: 'hex', text: 'Hexadecimal' }),
  )
  const qos = h(
    'select',
    { name: 'qos' },
    ...[0, 1, 2].map((level) =>
      h('option', {
        value: level,
        text: `${level}: ${['at most once', 'at least once', 'exactly once'][level]}`,
        selected: level === 1,
      }),
    ),
  )
  const retain = h('input', { type: 'checkbox', name: 'retain' })
  const field = (label, input) => h('label', { class: 'field' }, h('span', { text: label }), input)

  const check = () => {
    const isHex = format.value === 'hex' && !/^(\s*[0-9a-f]{2})*\s*$/i.test(payload.value)
    payload.setCustomValidity(isHex ? 'Pairs of the digits 0-9 and a-f, such as 01 ff' : '')
    topic.setCustomValidity(/[#+\0]/.test(topic.value) ? 'A message has one topic: no # and no +' : '')
  }
  for (const input of [topic, payload, format]) input.addEventListener('input', check)

  const dialog = frame(
    'Send a message to this sensor',
    h('p', {
      class: 'muted',
      text: `It goes to ${clientId} alone, as if the broker had sent it. If the sensor sleeps, it waits in its queue.`,
    }),
    field('Topic', topic),
    field('Message', payload),
    h('div', { class: 'fields' }, field('Written as', format), field('Quality of service', qos)),
    h('label', { class: 'check' }, retain, h('span', { text: 'Marked as retained' })),
    h(
      'div',
      { class: 'buttons' },
      cancelButton(),
      h('button', { type: 'submit', value: 'yes', class: 'primary', text: 'Send' }),
    ),
  )
  if ((await show(dialog)) !== 'yes') return undefined
  const bytes =
    format.value === 'hex'
      ? fromHex(payload.value.replace(/\s/g, ''))
      : new TextEncoder().encode(payload.value)
  return { topic: topic.value, payload: bytes, qos: Number(qos.value), retain: retain.checked }
}

/** Keys and where to learn the words. `keys` says whether single keys do something, `setKeys` changes it. */
export async function help({ keys, setKeys }) {
  const row = (names, text) =>
    h(
      'tr',
      {},
      h('td', {}, ...names.flatMap((name, i) => [i > 0 && ' ', h('kbd', { text: name })])),
      h('td', { text }),
    )
  const box = h('input', { type: 'checkbox', checked: keys, on: { change: () => setKeys(box.checked) } })
  await show(
    frame(
      'Help',
      h('p', {
        text: 'Words with a dotted line explain themselves when you point at them, or reach them with Tab.',
      }),
      h(
        'table',
        { class: 'keys' },
        h(
          'tbody',
          {},
          row(['/'], 'Search the sensors'),
          row(['j', 'k'], 'Down and up in a list; the arrow keys do it too'),
          row(['Enter'], 'Open what is marked'),
          row(['Esc'], 'Close, or back to the list'),
          row(['p'], 'Pause the conversation of a sensor, or go on'),
          row(['?'], 'This help'),
        ),
      ),
      h('label', { class: 'check' }, box, h('span', { text: 'Single keys do something' })),
      h(
        'p',
        {},
        h('a', {
          href: '#/words',
          text: 'All words of these pages, explained',
          on: { click: (event) => event.target.closest('dialog').close('') },
        }),
      ),
      h(
        'div',
        { class: 'buttons' },
        h('button', { type: 'submit', value: '', class: 'primary', text: 'Close', autofocus: true }),
      ),
    ),
  )
}

/** A short notice at the bottom. */
export function toast(text, tone = 'good') {
  const notice = h('div', { class: 'toast', 'data-tone': tone, text })
  document.getElementById('toasts').append(notice)
  setTimeout(() => notice.remove(), tone === 'bad' ? 9000 : 4500)
}
