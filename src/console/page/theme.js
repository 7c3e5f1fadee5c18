// Dark or light, before anything is painted; a plain script, since modules come too late for that.

/* exported by name on window: the page has no inline scripts (Content-Security-Policy) */
;(() => {
  const KEY = 'mqttsn.theme'
  const choices = ['auto', 'light', 'dark']

  function stored() {
    try {
      const value = localStorage.getItem(KEY)
      return choices.includes(value) ? value : 'auto'
    } catch {
      return 'auto' // storage may be forbidden
    }
  }

  function apply(choice) {
    if (choice === 'auto') delete document.documentElement.dataset.theme
    else document.documentElement.dataset.theme = choice
  }

  apply(stored())

  window.consoleTheme = {
    current: stored,
    /** From one choice to the next; returns the new one. */
    next() {
      const choice = choices[(choices.indexOf(stored()) + 1) % choices.length]
      try {
        localStorage.setItem(KEY, choice)
      } catch {
        // then it holds until the page is left
      }
      apply(choice)
      window.dispatchEvent(new Event('themechange'))
      return choice
    },
  }
})()
