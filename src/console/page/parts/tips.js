// Explanations: whatever has data-tip shows it on hover, on keyboard focus and on a tap; Esc hides it.

import { setText } from './dom.js'

const DELAY = 250

export function startTips() {
  const tip = document.getElementById('tip')
  let owner
  let timer

  function show(element) {
    const text = element.getAttribute('data-tip')
    if (!text) return
    owner = element
    setText(tip, text)
    tip.hidden = false
    // A modal dialog is above everything: the tip has to be in it to be seen.
    const layer = element.closest('dialog') ?? document.body
    if (tip.parentElement !== layer) layer.append(tip)
    const place = element.getBoundingClientRect()
    const { width, height } = tip.getBoundingClientRect()
    const left = Math.min(Math.max(8, place.left), innerWidth - width - 8)
    const below = place.bottom + 6
    tip.style.left = `${left}px`
    tip.style.top = `${below + height > innerHeight - 8 ? Math.max(8, place.top - height - 6) : below}px`
    element.setAttribute('aria-describedby', 'tip')
  }

  function hide() {
    clearTimeout(timer)
    owner?.removeAttribute('aria-describedby')
    owner = undefined
    tip.hidden = true
  }

  const ownerOf = (target) => (target instanceof Element ? target.closest('[data-tip]') : null)

  document.addEventListener('pointerover', (event) => {
    const element = ownerOf(event.target)
    if (element === owner) return
    hide()
    if (element !== null) timer = setTimeout(() => element.isConnected && show(element), DELAY)
  })
  document.addEventListener('focusin', (event) => {
    const element = ownerOf(event.target)
    if (element !== null && element === event.target && element.matches(':focus-visible')) show(element)
  })
  document.addEventListener('focusout', hide)
  document.addEventListener('pointerdown', hide)
  document.addEventListener('scroll', hide, true)
  addEventListener('hashchange', hide)
  document.addEventListener('keydown', (event) => event.key === 'Escape' && hide())
}
