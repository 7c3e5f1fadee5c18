// What is shown when something could not be loaded: what happened, what it means, and a way on.

import { h } from '../parts/dom.js'

const ADVICE = {
  0: 'See whether the gateway runs, and whether this computer still reaches it.',
  401: 'The console wants its token: open it with the token once more.',
  403: 'The gateway refuses this address: open the console with the address in its configuration.',
  503: 'The gateway is busy or starting: try again in a moment.',
}

/** `retry` is called by the button. */
export const failure = (title, error, retry) =>
  h(
    'div',
    { class: 'empty', role: 'alert' },
    h('h3', { text: title }),
    h('p', { text: error.message }),
    h('p', {
      class: 'muted',
      text: ADVICE[error.status] ?? 'If it happens again, look into the log of the gateway.',
    }),
    h('button', { type: 'button', text: 'Try again', on: { click: retry } }),
  )
