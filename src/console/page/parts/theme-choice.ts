// Which colours somebody chose, and where that is kept.

const KEY = 'mqttsn.theme'
const CHOICES = ['auto', 'light', 'dark'] as const

export type Theme = (typeof CHOICES)[number]

export function storedTheme(): Theme {
  try {
    const value = localStorage.getItem(KEY)
    return CHOICES.find((choice) => choice === value) ?? 'auto'
  } catch {
    return 'auto' // storage may be forbidden
  }
}

export function applyTheme(choice: Theme): void {
  if (choice === 'auto') delete document.documentElement.dataset['theme']
  else document.documentElement.dataset['theme'] = choice
}

/** From one choice to the next; gives back the new one. */
export function nextTheme(present: Theme): Theme {
  const choice = CHOICES[(CHOICES.indexOf(present) + 1) % CHOICES.length] ?? 'auto'
  try {
    localStorage.setItem(KEY, choice)
  } catch {
    // then it holds until the page is left
  }
  applyTheme(choice)
  dispatchEvent(new Event('themechange'))
  return choice
}
