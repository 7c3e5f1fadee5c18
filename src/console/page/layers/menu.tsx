// A menu behind a button: what is rarely wanted, or dangerous, is not next to what is clicked every day.

import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef, useState } from 'preact/hooks'

/** `children` are buttons; a click on one of them closes the menu. */
export function Menu({ label, children }: { label: string; children: ComponentChildren }) {
  const [isOpen, setIsOpen] = useState(false)
  const place = useRef<HTMLDivElement>(null)
  const button = useRef<HTMLButtonElement>(null)
  const id = useId()
  useEffect(() => {
    if (!isOpen) return
    place.current?.querySelector<HTMLElement>('.menu-items button')?.focus()
    const outside = ({ target }: Event) => {
      if (target instanceof Node && place.current?.contains(target) === false) setIsOpen(false)
    }
    document.addEventListener('pointerdown', outside)
    document.addEventListener('focusin', outside)
    return () => {
      document.removeEventListener('pointerdown', outside)
      document.removeEventListener('focusin', outside)
    }
  }, [isOpen])

  function move(step: number): void {
    const items = [...(place.current?.querySelectorAll<HTMLElement>('.menu-items button') ?? [])]
    const at = items.findIndex((item) => item === document.activeElement)
    items[(at + step + items.length) % items.length]?.focus()
  }
  function key(event: KeyboardEvent): void {
    if (!isOpen) return
    if (event.key === 'ArrowDown') move(1)
    else if (event.key === 'ArrowUp') move(-1)
    else if (event.key === 'Escape') {
      setIsOpen(false)
      button.current?.focus()
    } else return
    event.preventDefault()
    event.stopPropagation()
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: keys of the buttons in it, caught on their way up
    <div ref={place} class="menu" onKeyDown={key}>
      <button
        ref={button}
        type="button"
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => setIsOpen(!isOpen)}
      >
        {`${label} ▾`}
      </button>
      <div id={id} class="menu-items" hidden={!isOpen} onClickCapture={() => setIsOpen(false)}>
        {children}
      </div>
    </div>
  )
}
