// Explanations: whatever has data-tip shows it on hover, on keyboard focus and on a tap; Esc hides it.

const DELAY = 250

/** Makes them appear, on the whole page and in its dialogs. */
export function startTips(): void {
  const tip = document.createElement('div')
  Object.assign(tip, { id: 'tip', className: 'tip', role: 'tooltip', hidden: true })
  document.body.append(tip)
  let owner: Element | undefined
  let timer: number | undefined

  function show(element: Element): void {
    const text = element.getAttribute('data-tip')
    if (text === null || text === '') return
    owner = element
    tip.textContent = text
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

  function hide(): void {
    clearTimeout(timer)
    owner?.removeAttribute('aria-describedby')
    owner = undefined
    tip.hidden = true
    // A dialog that goes away would take it along.
    if (tip.parentElement !== document.body) document.body.append(tip)
  }

  const ownerOf = (target: EventTarget | null) =>
    target instanceof Element ? (target.closest('[data-tip]') ?? undefined) : undefined

  document.addEventListener('pointerover', ({ target }) => {
    const element = ownerOf(target)
    if (element === owner) return
    hide()
    if (element !== undefined) timer = setTimeout(() => element.isConnected && show(element), DELAY)
  })
  document.addEventListener('focusin', ({ target }) => {
    const element = ownerOf(target)
    if (element !== undefined && element === target && element.matches(':focus-visible')) show(element)
  })
  document.addEventListener('focusout', hide)
  document.addEventListener('pointerdown', hide)
  document.addEventListener('scroll', hide, true)
  addEventListener('hashchange', hide)
  document.addEventListener('keydown', ({ key }) => key === 'Escape' && hide())
}
