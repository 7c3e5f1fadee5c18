// Windows above the page: any content, and a question before something is done.

import { type ComponentChildren, render } from 'preact'
import { useId, useLayoutEffect, useRef } from 'preact/hooks'

interface FrameProps {
  readonly title: string
  readonly children: ComponentChildren
  readonly onClose: (answer: string) => void
}

function Frame({ title, children, onClose }: FrameProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  const id = useId()
  useLayoutEffect(() => {
    dialog.current?.showModal()
    dialog.current?.querySelector<HTMLElement>('[data-first]')?.focus()
    // The event of a step that was made just before comes late.
    const opened = location.hash
    const close = () => location.hash !== opened && dialog.current?.close('')
    addEventListener('hashchange', close)
    return () => removeEventListener('hashchange', close)
  }, [])
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Esc does the same, by the browser
    <dialog
      ref={dialog}
      class="dialog"
      aria-labelledby={id}
      onClose={() => onClose(dialog.current?.returnValue ?? '')}
      // A click beside the window closes it, like Esc.
      onClick={(event) => event.target === dialog.current && dialog.current?.close('')}
    >
      <form method="dialog">
        <h2 id={id}>{title}</h2>
        {children}
      </form>
    </dialog>
  )
}

/** Shows a window until it is closed; resolves with the value of the button that did it, or with ''. */
export function openDialog(title: string, content: ComponentChildren): Promise<string> {
  const place = document.body.appendChild(document.createElement('div'))
  return new Promise((resolve) => {
    const onClose = (answer: string) => {
      render(null, place)
      place.remove()
      resolve(answer)
    }
    render(
      <Frame title={title} onClose={onClose}>
        {content}
      </Frame>,
      place,
    )
  })
}

/** Closes the window around it without doing anything. `first`: it has the focus when the window opens. */
export const CancelButton = ({ first = false }: { first?: boolean }) => (
  <button type="submit" value="" formNoValidate data-first={first ? '' : undefined}>
    Cancel
  </button>
)

export interface Question {
  readonly title: string
  readonly text: readonly string[]
  /** the word on the button that does it */
  readonly action: string
  readonly danger: boolean
}

/** Asks before something is done; resolves with true only if it shall be. */
export async function confirm({ title, text, action, danger }: Question): Promise<boolean> {
  const answer = await openDialog(
    title,
    <>
      {text.map((line) => (
        <p key={line}>{line}</p>
      ))}
      <div class="buttons">
        {/* the harmless answer is the one at hand */}
        <CancelButton first />
        <button type="submit" value="yes" class={danger ? 'danger' : 'primary'}>
          {action}
        </button>
      </div>
    </>,
  )
  return answer === 'yes'
}
