// When `mqttsn gateway` loads its configuration again: at SIGHUP and, with --watch, when the file changes.

import { isatty } from 'node:tty'
import { ConfigError, type LoadOptions } from '../../config/load.ts'
import { problemText } from '../../config/reading/problems.ts'
import { loadUsableConfig } from '../../config/usable.ts'
import { watchFile } from '../../config/watch.ts'
import type { Log } from '../../log.ts'
import { noteFailedReload } from '../../monitor/reload-happenings.ts'
import { requireLocalAddresses } from '../../upstream/probe/local-addresses.ts'
import type { AnyGateway } from '../../workers/any-gateway.ts'

/** Where wishes to reload come from. */
export interface ReloadOptions {
  readonly source: LoadOptions
  /** also when the file changes */
  readonly watch: boolean
  readonly log: Log
  /** undefined while there is nothing to reload: wishes are passed over then */
  gateway(): Pick<AnyGateway, 'reload' | 'happenings'> | undefined
}

/** Serves wishes to reload until the returned function is called. Throws if the file's folder cannot be watched. */
export function serveReloads(options: ReloadOptions): () => void {
  const { source, watch, log } = options
  const onTerminal = process.stdout.isTTY
  let ended = false
  process.on('SIGHUP', () => {
    if (ended) return
    if (!onTerminal || isatty(1)) return void reloadFrom(options, 'SIGHUP')
    // a closed terminal sends SIGHUP too, and then the gateway should stop; its log has no reader any more
    log.level = 'silent'
    process.kill(process.pid, 'SIGTERM')
  })
  const onLost = (err: Error): void => log.warn({ err }, 'the configuration file is not watched any more')
  const endWatch =
    watch && source.file !== undefined
      ? watchFile(source.file, () => void reloadFrom(options, 'the file has changed'), onLost)
      : () => {}
  return () => {
    ended = true // the handler stays: without one, SIGHUP would end the process while it stops
    endWatch()
  }
}

/** What cannot be loaded or used changes nothing. */
async function reloadFrom({ source, log, gateway }: ReloadOptions, why: string): Promise<void> {
  const running = gateway()
  if (running === undefined) return
  log.debug({ why }, 'reloading the configuration')
  try {
    const { config, warnings } = loadUsableConfig(source)
    await requireLocalAddresses(config.broker.localAddresses)
    await running.reload(config)
    for (const warning of warnings) log.warn(warning)
  } catch (error) {
    const problems = error instanceof ConfigError ? error.problems.map(problemText) : [String(error)]
    noteFailedReload(running.happenings, problems)
    log.error({ problems }, 'the configuration cannot be used: the one before stays')
  }
}
