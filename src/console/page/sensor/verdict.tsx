// The two questions about a sensor: is it all right, and why does it get no messages?

import type { Finding } from '../../contract/sensors.ts'
import { DocsLink } from '../parts/docs-link.tsx'
import { Dot } from '../parts/term.tsx'
import { severityOf, type Tone } from '../words/explained.ts'

/** A question, the answer in a line, and what is behind it. */
interface AnswerProps {
  readonly id: string
  readonly question: string
  readonly tone: Tone
  readonly headline: string
  readonly findings: readonly (Pick<Finding, 'text' | 'next'> & {
    readonly tone: Tone
    readonly docs?: string | undefined
    readonly key?: string | undefined
  })[]
}

export function Answered({ id, question, tone, headline, findings }: AnswerProps) {
  return (
    <section class="why panel" aria-labelledby={id} data-tone={tone}>
      <p class="question">{question}</p>
      <h2 id={id}>{headline}</h2>
      {findings.length > 0 && (
        <ul>
          {findings.map(({ tone: how, text, next, docs, key }) => (
            <li key={how + text.slice(0, 40)} data-tone={how}>
              <Dot />
              <div>
                <p>{text}</p>
                {(next !== '' || docs !== undefined || key !== undefined) && (
                  <p class="muted">
                    {next}
                    {key !== undefined && (
                      <>
                        {' '}
                        Key: <code>{key}</code>.
                      </>
                    )}{' '}
                    <DocsLink path={docs} />
                  </p>
                )}
              </div>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

/** Is it all right? What the gateway found, the worst first. */
export function AllRight({ findings }: { findings: readonly Finding[] }) {
  const serious = findings.filter((finding) => severityOf(finding) >= severityOf({ tone: 'warn' }))
  const [worst] = findings
  const headline =
    serious.length === 0
      ? 'It is all right.'
      : serious.length === 1
        ? 'One thing is wrong.'
        : `${serious.length} things are wrong.`
  return (
    <Answered
      id="all-right"
      question="Is it all right?"
      tone={serious.length === 0 ? 'good' : (worst?.tone ?? 'good')}
      headline={headline}
      findings={findings}
    />
  )
}
