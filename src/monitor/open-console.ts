// Opens the console: puts view, metrics and HTTP server together.

import type { Config } from '../config/schema.ts'
import type { SettingsDoor } from '../console/api/settings-routes.ts'
import { createMetrics } from '../console/metrics/metrics.ts'
import { type Console, startConsole } from '../console/server.ts'
import type { NodeView } from '../console/view.ts'
import type { Gateway } from '../gateway/gateway.ts'
import type { Log } from '../log.ts'
import { openLabels } from '../store/beside/labels.ts'
import { createHappenings, type Happenings } from './happenings.ts'
import { settingsReport } from './settings.ts'
import { createView, type ViewParts } from './view.ts'
import { watchSurroundings } from './watch-surroundings.ts'

/** Serves the console as configured; undefined if it is switched off. Rejects if its port is taken. */
export async function openConsole(
  gateway: Gateway,
  config: Config,
  log: Log,
  version: string,
): Promise<Console | undefined> {
  if (!config.console.enabled) return undefined
  const happenings = createHappenings()
  return serveView(
    createView(gateway, config, version, { happenings, ...openedLabels(config) }),
    config,
    log,
    happenings,
  )
}

/** The configuration file, for a console that may check and load it. */
export interface SettingsFile extends Pick<SettingsDoor, 'check' | 'reload'> {
  readonly path: string | undefined
}

const nothing = { valid: false, problems: [], warnings: [], applied: [], waiting: [] }
const withoutFile: SettingsFile = {
  path: undefined,
  check: () => nothing,
  reload: async () => ({ ...nothing, ended: [] }),
}

/** What people have called sensors, and where that is kept: beside the sessions. */
export function openedLabels({ store }: Config): Required<Pick<ViewParts, 'labels' | 'keepLabel'>> {
  const labels = openLabels(store.type === 'lmdb' ? store.path : undefined)
  return { labels: labels.all, keepLabel: (clientId, label) => labels.put(clientId, label) }
}

/** Serves the console of what `view` shows, and closes the view at the end. Rejects if its port is taken. */
export async function serveView(
  view: NodeView & { close(): void },
  config: Config,
  log: Log,
  happenings: Pick<Happenings, 'note'>,
  file: SettingsFile = withoutFile,
): Promise<Console> {
  const endWatch = watchSurroundings(view, happenings.note)
  const { url, token, hosts, trustedProxies } = config.console
  const metrics = createMetrics(view)
  try {
    const served = await startConsole(view, {
      url,
      token,
      hosts,
      trustedProxies,
      log,
      metrics: () => metrics.text(),
      settings: { ...file, report: () => settingsReport(config, file.path) },
    })
    return {
      url: served.url,
      async close() {
        await served.close()
        endWatch()
        view.close()
      },
    }
  } catch (error) {
    endWatch()
    view.close()
    throw error
  }
}
