// Another configuration for the workers of a fleet.

import { isDeepStrictEqual } from 'node:util'
import type { Config } from '../../config/schema.ts'
import { type Naming, namingOf } from '../../gateway/rules/naming.ts'
import { type ReloadReport, renewedConfig } from '../../gateway/rules/reload.ts'
import type { Log } from '../../log.ts'
import type { Thread } from '../thread.ts'

/** What is reloaded. */
export interface ReloadWorkersParts {
  /** the running configuration: its sections are replaced */
  readonly config: Config
  readonly log: Log
  readonly threads: readonly Thread[]
  /** the part of a worker */
  configOf(config: Config, index: number): Config
}

/** As `Gateway.reload`, for all workers: what the first one cannot use changes nothing anywhere. */
export async function reloadWorkers(
  { config, log, threads, configOf }: ReloadWorkersParts,
  next: Config,
): Promise<ReloadReport> {
  const [first, ...others] = threads
  if (first === undefined) throw new Error('there is no worker')
  const { applied, waiting, ended: away } = await first.call('reload', configOf(next, 0))
  Object.assign(config, renewedConfig(config, next)) // what starts from now on has it, too
  const ended = [...away]
  const rest = others.map((thread, i) => thread.call('reload', configOf(next, i + 1)))
  for (const one of await Promise.allSettled(rest)) {
    if (one.status === 'fulfilled') ended.push(...one.value.ended)
    else log.error({ err: one.reason }, 'a worker has the configuration from before')
  }
  log.level = config.log.level
  return { applied, waiting, ended }
}

/** Says so if sensors have other names at the broker than those that decide where they belong. */
export function warnOfNames(config: Config, naming: Naming, log: Log): void {
  if (isDeepStrictEqual(namingOf(config), naming)) return
  log.warn(
    'names of sensors at the broker have changed: until the next start, two of different workers that have the same one are not noticed',
  )
}
