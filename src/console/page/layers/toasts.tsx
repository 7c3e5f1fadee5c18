// Short notices at the bottom.

import { useEffect, useState } from 'preact/hooks'
import type { Tone } from '../words/explained.ts'

interface Notice {
  readonly id: number
  readonly text: string
  readonly tone: Tone
}

let notices: readonly Notice[] = []
let latest = 0
let redraw = (_notices: readonly Notice[]) => {}

function show(next: readonly Notice[]): void {
  notices = next
  redraw(notices)
}

/** Shows a notice for some seconds. */
export function toast(text: string, tone: Tone = 'good'): void {
  latest += 1
  const id = latest
  show([...notices, { id, text, tone }])
  setTimeout(() => show(notices.filter((notice) => notice.id !== id)), tone === 'bad' ? 9000 : 4500)
}

/** Where they appear. */
export function Toasts() {
  const [shown, setShown] = useState(notices)
  useEffect(() => {
    redraw = setShown
  }, [])
  return (
    <div class="toasts" role="status" aria-live="polite">
      {shown.map(({ id, text, tone }) => (
        <div key={id} class="toast" data-tone={tone}>
          {text}
        </div>
      ))}
    </div>
  )
}
