// What became of a check of the configuration file, or of loading it again.

import type { CheckReport, ReloadAnswer } from '../../contract/settings.ts'
import { plural } from '../parts/format.ts'
import { Dot } from '../parts/term.tsx'

function headlineOf(report: CheckReport | ReloadAnswer): string {
  const { valid, problems, applied, waiting } = report
  if (!valid) return `The file is wrong, and nothing was changed: ${plural(problems.length, 'problem')}.`
  if ('ended' in report)
    return applied.length === 0 && waiting.length === 0
      ? 'The file was loaded: nothing has changed.'
      : `The file was loaded: ${plural(applied.length, 'key')} took effect.`
  return applied.length === 0 && waiting.length === 0
    ? 'The file is in order, and the same as what is in use.'
    : 'The file is in order, and differs from what is in use.'
}

function Paths({ title, paths }: { title: string; paths: readonly string[] }) {
  if (paths.length === 0) return null
  return (
    <li>
      <span>{title}</span>{' '}
      {paths.map((path) => (
        <code key={path} class="path">
          {path}
        </code>
      ))}
    </li>
  )
}

export function FileReport({ report }: { report: CheckReport | ReloadAnswer }) {
  const { valid, problems, warnings, applied, waiting } = report
  const isReload = 'ended' in report
  return (
    <section
      class="panel why"
      role="status"
      data-tone={valid ? (warnings.length > 0 ? 'warn' : 'good') : 'bad'}
    >
      <h2>{headlineOf(report)}</h2>
      <ul class="file-report">
        {problems.map(({ path, line, text }) => (
          <li key={`${path} ${line} ${text}`} data-tone="bad">
            <Dot />
            <span>
              {line !== undefined && `Line ${line}: `}
              {path !== '' && <code class="path">{path}</code>} {text}
            </span>
          </li>
        ))}
        {warnings.map((warning) => (
          <li key={warning} data-tone="warn">
            <Dot />
            <span>{warning}</span>
          </li>
        ))}
        <Paths title={isReload ? 'Took effect:' : 'Would take effect at once:'} paths={applied} />
        <Paths title={isReload ? 'Waits for the next start:' : 'Would wait for a start:'} paths={waiting} />
        {isReload && <Paths title="Sensors sent away:" paths={report.ended} />}
      </ul>
    </section>
  )
}
