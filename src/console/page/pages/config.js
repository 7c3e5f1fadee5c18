// The configuration in effect, to read: secrets are hidden by the gateway.

import { failure } from '../data/failure.js'
import { h, panel } from '../parts/dom.js'

export function open({ api, toast }) {
  const content = h('div')
  const copy = h('button', { type: 'button', text: 'Copy', on: { click: () => copyAll() } })
  const element = h(
    'div',
    { class: 'page stack' },
    h(
      'div',
      { class: 'intro' },
      h('h1', { text: 'Configuration' }),
      h('p', {
        class: 'muted',
        text: 'What is in effect, defaults included. It is changed in its file only, and takes effect with the next start. Secrets are hidden.',
      }),
    ),
    panel('In effect', { actions: [copy] }, content),
  )
  let text

  async function load() {
    try {
      text = JSON.stringify(await api.config(), null, 2)
      content.replaceChildren(
        h('pre', { class: 'code', tabindex: '0', 'aria-label': 'Configuration as JSON' }, coloured(text)),
      )
    } catch (error) {
      content.replaceChildren(failure('The configuration could not be loaded', error, load))
    }
  }

  async function copyAll() {
    try {
      await navigator.clipboard.writeText(text ?? '')
      toast('Copied.')
    } catch {
      toast('The browser does not allow copying here: select the text instead.', 'bad')
    }
  }
  load()
  return { title: 'Configuration', element }
}

/** Keys, texts and the rest of JSON in different inks; as elements, never as markup. */
function coloured(json) {
  const parts = []
  let end = 0
  for (const match of json.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?/g)) {
    parts.push(json.slice(end, match.index))
    const kind = match[1] !== undefined ? 'key' : match[0].startsWith('"') ? 'text' : 'value'
    parts.push(h('span', { class: `json-${kind}`, text: match[0] }))
    end = match.index + match[0].length
  }
  return [...parts, json.slice(end)]
}
