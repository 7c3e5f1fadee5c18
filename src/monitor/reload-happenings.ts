// The start and reloads of the configuration as events: what was applied, what needs a restart, and what could not be loaded.

import { docsOf } from '../console/contract/docs.ts'
import type { ReloadReport } from '../gateway/rules/reload.ts'
import type { Happenings } from './happenings.ts'

/** Paths that are named. */
const MOST = 10

const docs = docsOf('reload')

function named(paths: readonly string[]): string {
  const rest = paths.length - MOST
  return paths.slice(0, MOST).join(', ') + (rest > 0 ? ` and ${rest} more` : '')
}

/** Notes that the gateway has started: what came before is not remembered. */
export function noteStart(happenings: Pick<Happenings, 'note'>, version: string): void {
  happenings.note({ kind: 'gateway', tone: 'note', text: 'The gateway started.', detail: version })
}

/** Notes what became of a new configuration. */
export function noteReload(
  happenings: Pick<Happenings, 'note'>,
  { applied, waiting, ended }: ReloadReport,
): void {
  const told = { kind: 'reload', docs } as const
  const nothing = applied.length + waiting.length === 0
  if (nothing)
    happenings.note({ ...told, tone: 'note', text: 'The configuration was loaded: nothing has changed.' })
  if (applied.length > 0) {
    const text = 'The configuration was loaded and holds now.'
    happenings.note({ ...told, tone: 'good', text, detail: named(applied) })
  }
  if (waiting.length > 0) {
    const text = 'Some changes of the configuration wait for a restart.'
    happenings.note({ ...told, tone: 'warn', text, detail: named(waiting) })
  }
  if (ended.length > 0) {
    const text = 'Sensors were sent away by the new rules.'
    happenings.note({ ...told, tone: 'note', text, detail: named(ended) })
  }
}

/** Notes that the configuration could not be used. */
export function noteFailedReload(happenings: Pick<Happenings, 'note'>, problems: readonly string[]): void {
  const text = 'The configuration cannot be used: the one before stays.'
  happenings.note({ kind: 'reload', tone: 'bad', text, detail: problems.join('; '), docs })
}
