// Words that explain themselves, and coloured words with a shape.

import type { ComponentChildren } from 'preact'
import type { ToneWords } from '../words/explained.ts'

/** A word with an explanation that also the keyboard reaches; see tips.ts. Without an explanation it is just a word. */
export function Term({ tip, children }: { tip?: string | undefined; children: ComponentChildren }) {
  if (tip === undefined) return <>{children}</>
  return (
    <span class="term" tabIndex={0} data-tip={tip}>
      {children}
    </span>
  )
}

/** The colour of a tone has a shape of its own, so that colour is not needed. */
export const Dot = () => <span class="dot" aria-hidden="true" />

/** A state or another coloured word. */
export function Badge({ words, state }: { words: ToneWords; state?: string | undefined }) {
  return (
    <span class="badge" data-tone={words.tone} data-state={state} data-tip={words.text}>
      <Dot />
      <span>{words.label}</span>
    </span>
  )
}
