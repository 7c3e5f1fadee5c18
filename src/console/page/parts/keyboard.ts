// Keys that work on every page; what is special to one goes to the handlers of that page.

import { useLayoutEffect } from 'preact/hooks'

const KEY = 'mqttsn.keys'

/** What a page does with keys; true: it was for the page. */
export interface PageKeys {
  key?(event: KeyboardEvent): boolean
  /** a key in a field */
  typingKey?(event: KeyboardEvent): boolean
  escape?(event: KeyboardEvent): boolean
  /** puts the cursor into the field that searches this page */
  search?(): void
}

let present: PageKeys = {}

/** The keys of the page that is shown. */
export function usePageKeys(keys: PageKeys): void {
  useLayoutEffect(() => {
    present = keys
    return () => {
      if (present === keys) present = {}
    }
  })
}

/** Whether single keys do something; somebody who speaks to the browser may not want that. */
export const singleKeys = {
  get on(): boolean {
    try {
      return localStorage.getItem(KEY) !== 'off'
    } catch {
      return true
    }
  },
  set on(on: boolean) {
    try {
      localStorage.setItem(KEY, on ? 'on' : 'off')
    } catch {
      // without storage they stay on
    }
  },
}

const fieldOf = (target: EventTarget | null): HTMLElement | null =>
  target instanceof Element ? target.closest<HTMLElement>('input, textarea, select, [contenteditable]') : null

/** `help` is shown for "?". */
export function startKeys(help: () => void): void {
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return
    if (document.querySelector('dialog[open]') !== null) return
    const { key, target } = event
    const field = fieldOf(target)
    if (key === 'Escape') {
      if (present.escape?.(event) !== true) field?.blur()
      return
    }
    if (field !== null) {
      if (present.typingKey?.(event) === true) event.preventDefault()
      return
    }
    const isNamed = key.length > 1
    if (!isNamed && !singleKeys.on) return
    if (key === '?') help()
    else if (key === '/') {
      if (present.search === undefined) location.hash = '#/sensors?focus=1'
      else present.search()
    } else if (present.key?.(event) !== true) return
    event.preventDefault()
  })
}
