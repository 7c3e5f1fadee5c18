// The state of the whole, made of its checks: one headline, and what is behind it. Pure.

import { severityOf, type Tone } from '../words/explained.ts'
import type { Check } from './health.ts'

/** The state of the whole: a headline, and what is behind it. */
export interface HealthVerdict {
  readonly tone: Tone
  readonly headline: string
  readonly next: string
  /** the checks that want a look, the worst first */
  readonly reasons: readonly Check[]
}

/** The worst of them, as a headline. */
export function verdict(all: readonly Check[]): HealthVerdict {
  const reasons = all
    .filter((check) => severityOf(check) >= severityOf({ tone: 'warn' }))
    .sort((a, b) => severityOf(b) - severityOf(a))
  const [worst, ...others] = reasons
  if (worst === undefined) {
    const lost = all.find(({ id, tone }) => id === 'sensors' && tone === 'note')
    return { tone: 'good', headline: 'Everything works.', next: lost?.text ?? '', reasons }
  }
  const { tone, text, next } = worst
  if (tone === 'bad' || others.length === 0) return { tone, headline: text, next, reasons }
  return { tone, headline: `It works, but ${reasons.length} things need a look.`, next: '', reasons }
}
