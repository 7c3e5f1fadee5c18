// Building and updating the document, in a few lines: elements, explained terms, keyed lists.

/**
 * Makes an element. `props`: `class`, `text`, `tip` (explanation on hover and focus), `on` (listeners), and any
 * attribute; undefined and false leave an attribute out.
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === false || value === null) continue
    if (name === 'class') element.className = value
    else if (name === 'text') element.textContent = value
    else if (name === 'tip') explain(element, value)
    else if (name === 'on')
      for (const [type, listener] of Object.entries(value)) element.addEventListener(type, listener)
    else element.setAttribute(name, value === true ? '' : value)
  }
  element.append(
    ...children.flat().filter((child) => child !== undefined && child !== false && child !== null),
  )
  return element
}

/** Changes a text only if it differs: selections survive, and the browser has nothing to do. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text
}

/** Changes an attribute only if it differs; undefined removes it. */
export function setAttribute(node, name, value) {
  if (value === undefined) node.removeAttribute(name)
  else if (node.getAttribute(name) !== value) node.setAttribute(name, value)
}

/** Gives an element an explanation, shown by tips.js. */
export function explain(element, text) {
  setAttribute(element, 'data-tip', text)
}

/** A word with an explanation that also the keyboard reaches. */
export const term = (text, tip) => h('span', { class: 'term', tabindex: '0', text, tip })

/** A state or another coloured word: the dot has a shape of its own for every tone, so that colour is not needed. */
export function badge(words, state) {
  const element = h('span', { class: 'badge' }, h('span', { class: 'dot', 'aria-hidden': 'true' }), h('span'))
  setBadge(element, words, state)
  return element
}

export function setBadge(element, words, state) {
  setAttribute(element, 'data-tone', words.tone)
  setAttribute(element, 'data-state', state)
  setText(element.lastChild, words.label)
  explain(element, words.text)
}

/**
 * Makes the children of `parent` show `items`, one element per key. Elements of known keys are kept, so that focus,
 * selection and open details survive.
 */
export function keyed(parent, items, keyOf, create, update) {
  const known = new Map([...parent.children].map((child) => [child.dataset.key, child]))
  let previous = null
  for (const item of items) {
    const key = String(keyOf(item))
    let element = known.get(key)
    if (element === undefined) {
      element = create(item)
      element.dataset.key = key
    } else known.delete(key)
    update?.(element, item)
    const place = previous === null ? parent.firstChild : previous.nextSibling
    if (element !== place) parent.insertBefore(element, place)
    previous = element
  }
  for (const leftover of known.values()) leftover.remove()
}

/** What is shown where there is nothing to show: what it means, and what to do next. */
export const emptyState = (title, ...lines) =>
  h(
    'div',
    { class: 'empty' },
    h('h3', { text: title }),
    ...lines.map((line) => (line instanceof Node ? line : h('p', { text: line }))),
  )

/** A panel with a heading. */
export function panel(title, { tip, id, actions = [], class: extra = '' } = {}, ...children) {
  const heading = h('h2', { id }, tip === undefined ? title : term(title, tip))
  return h(
    'section',
    { class: `panel ${extra}`, 'aria-labelledby': id },
    h('header', {}, heading, ...actions),
    ...children,
  )
}
