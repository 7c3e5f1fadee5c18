// Keys that work on every page; what is special to one goes to the page's own `key`.

import { help } from './dialogs.js'

const KEY = 'mqttsn.keys'
const isTyping = (target) =>
  target instanceof Element && target.closest('input, textarea, select, [contenteditable]') !== null

/** `page` gives the present page. What comes back tells and changes whether single keys do something. */
export function startKeys(page) {
  const settings = {
    get keys() {
      try {
        return localStorage.getItem(KEY) !== 'off'
      } catch {
        return true
      }
    },
    setKeys(on) {
      try {
        localStorage.setItem(KEY, on ? 'on' : 'off')
      } catch {
        // without storage they stay on
      }
    },
  }

  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return
    if (document.querySelector('dialog[open]') !== null) return
    const { key, target } = event
    if (key === 'Escape') {
      if (page()?.escape?.(event) !== true && isTyping(target)) target.blur()
      return
    }
    if (isTyping(target)) {
      if (page()?.typingKey?.(event) === true) event.preventDefault()
      return
    }
    const isNamed = key.length > 1
    if (!isNamed && !settings.keys) return
    if (key === '?') help(settings)
    else if (key === '/') {
      if (page()?.search === undefined) location.hash = '#/sensors?focus=1'
      else page().search()
    } else if (page()?.key?.(event) !== true) return
    event.preventDefault()
  })
  return settings
}
