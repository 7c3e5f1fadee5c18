// Runs a forwarder until it is told to stop: what `mqttsn forward` loads once its options are right.

import { loadForward } from '../../config/forward/load.ts'
import { ConfigError } from '../../config/load.ts'
import type { DocumentSource } from '../../config/reading/document.ts'
import { createLog, type Log } from '../../log.ts'
import { stopSignal } from '../gateway/stop-signals.ts'
import { RunningForwarder } from './forwarder.ts'
import type { ServedMetrics } from './serve-metrics.ts'

/** Exit code after an error that nobody has caught; `EX_SOFTWARE` of sysexits. */
const FAULT = 70

/** Resolves with the exit code. */
export async function runForwarder(source: DocumentSource): Promise<number> {
  const stopped = stopSignal()
  let log: Log
  let forwarder: RunningForwarder | undefined
  let served: ServedMetrics | undefined
  try {
    const { config, warnings } = loadForward(source)
    log = createLog({ ...config.log, payloads: false })
    endOnUncaught(log)
    for (const warning of warnings) log.warn(warning)
    const starting = RunningForwarder.start(config, log)
    forwarder = await Promise.race([starting, stopped.then(() => undefined)])
    if (forwarder === undefined) {
      // a device server that does not answer would be waited for
      starting.then((late) => late.stop()).catch(() => {})
      log.info({ signal: await stopped }, 'stopped before it has started')
      return 0
    }
    if (config.metrics !== undefined) {
      // Loaded here, since most forwarders serve none.
      const { serveMetrics } = await import('./serve-metrics.ts')
      served = await serveMetrics(config.metrics, forwarder)
    }
    log.info({ to: config.to.url, metrics: served?.url, node: process.version }, 'forwarder started')
  } catch (error) {
    await forwarder?.stop()
    const why = error instanceof Error ? error.message : String(error)
    process.stderr.write(`${error instanceof ConfigError ? why : `cannot start: ${why}`}\n`)
    return 1
  }
  const signal = await stopped
  log.info({ signal }, 'stopping')
  await Promise.all([served?.close(), forwarder.stop()])
  const { up, down, dropped } = forwarder.core.books
  log.info({ received: up.messages, sent: down.messages, dropped }, 'forwarder stopped')
  return 0
}

function endOnUncaught(log: Log): void {
  process.on('uncaughtException', (err) => {
    try {
      log.fatal({ err }, 'unexpected error: the forwarder ends') // written before this returns
    } finally {
      process.exit(FAULT)
    }
  })
}
