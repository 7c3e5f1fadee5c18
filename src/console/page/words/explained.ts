// What an explanation consists of, and what is said of a word that this page does not know. Pure.

/** The colour and the shape of what is shown. */
export type Tone = 'good' | 'note' | 'warn' | 'bad' | 'sleep' | 'busy' | 'off'

const SEVERITY: readonly Tone[] = ['good', 'note', 'warn', 'bad']
/** How bad it is, as a number that grows. */
export const severityOf = ({ tone }: { readonly tone: Tone }): number => SEVERITY.indexOf(tone)

/** What is shown, and what it means. */
export interface ToneWords {
  readonly label: string
  readonly tone: Tone
  readonly text: string
}

/** What happened, and what to do next. */
export interface RemedyWords {
  readonly label: string
  readonly text: string
  readonly next: string
  /** path of the paragraph of the docs about it */
  readonly docs?: string
}

/** A newer gateway may say what an older page has no words for. */
export const unknownWords = (label: string): ToneWords & RemedyWords => ({
  label,
  tone: 'off',
  text: `The console has no explanation for "${label}".`,
  next: '',
})
