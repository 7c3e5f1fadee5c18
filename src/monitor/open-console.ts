// Opens the console: puts view, metrics and HTTP server together.

import type { Config } from '../config/schema.ts'
import { createMetrics } from '../console/metrics.ts'
import { type Console, startConsole } from '../console/server.ts'
import type { GatewayView } from '../console/view.ts'
import type { Gateway } from '../gateway/gateway.ts'
import type { Log } from '../log.ts'
import { createView } from './view.ts'

/** Serves the console as configured; undefined if it is switched off. Rejects if its port is taken. */
export async function openConsole(
  gateway: Gateway,
  config: Config,
  log: Log,
  version: string,
): Promise<Console | undefined> {
  return config.console.enabled ? serveView(createView(gateway, config, version), config, log) : undefined
}

/** Serves the console of what `view` shows, and closes the view at the end. Rejects if its port is taken. */
export async function serveView(
  view: GatewayView & { close(): void },
  config: Config,
  log: Log,
): Promise<Console> {
  const { url, token, hosts } = config.console
  const metrics = createMetrics(view)
  try {
    const served = await startConsole(view, { url, token, hosts, log, metrics: () => metrics.text() })
    return {
      url: served.url,
      async close() {
        await served.close()
        view.close()
      },
    }
  } catch (error) {
    view.close()
    throw error
  }
}
