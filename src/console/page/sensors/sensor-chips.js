// The filter of the list of sensors: a button for each state, with the number of sensors in it.

import { STATES } from '../data/words.js'
import { h, setAttribute, setText } from '../parts/dom.js'
import { count } from '../parts/format.js'

/** undefined: all of them */
const CHIPS = [
  undefined,
  'active',
  'asleep',
  'awake',
  'connecting',
  'willtopic',
  'willmsg',
  'disconnected',
  'lost',
]

/** `filter(state)` is called by the buttons. Gives back the elements, and `show(sensors by state, chosen)`. */
export function createChips(filter) {
  const elements = CHIPS.map((state) =>
    h(
      'button',
      { type: 'button', class: 'chip', tip: state && STATES[state].text, on: { click: () => filter(state) } },
      h('span', { text: state === undefined ? 'All' : STATES[state].label }),
      h('b'),
    ),
  )

  function show(sensors, chosen) {
    for (const [i, chip] of elements.entries()) {
      const state = CHIPS[i]
      const value = sensors && numberOf(sensors, state)
      setAttribute(chip, 'aria-pressed', String(chosen === state))
      setText(chip.lastChild, value === undefined ? '' : count(value))
      // Steps of a connection setup last for moments only.
      chip.hidden = STATES[state]?.tone === 'busy' && !value && chosen !== state
    }
  }
  return { elements, show }
}

const numberOf = (sensors, state) =>
  state === undefined ? Object.values(sensors).reduce((sum, one) => sum + one, 0) : (sensors[state] ?? 0)
