// Runs the gateway until it is told to stop: what `mqttsn gateway` loads once its options are right.

import type { LoadOptions } from '../../config/load.ts'
import { ConfigError } from '../../config/load.ts'
import { loadUsableConfig } from '../../config/usable.ts'
import type { Console } from '../../console/server.ts'
import { createLog, type Log } from '../../log.ts'
import { serveView } from '../../monitor/open-console.ts'
import { requireLocalAddresses } from '../../upstream/probe/local-addresses.ts'
import { version } from '../../version.ts'
import { type AnyGateway, createGateway } from '../../workers/any-gateway.ts'
import { serveReloads } from './reload.ts'
import { settingsFile } from './settings-file.ts'
import { holdSignals, stopRequest, stopSignal } from './stop-signals.ts'

/** Exit code after an error that nobody has caught; `EX_SOFTWARE` of sysexits. */
const FAULT = 70
/** Exit code after another gateway has taken over the store. */
const DEPOSED = 3

/** Resolves with the exit code; `watch`: the file is loaded again when it changes. */
export async function runGateway(source: LoadOptions, watch: boolean): Promise<number> {
  holdSignals()
  let log: Log
  let gateway: AnyGateway | undefined
  let served: Console | undefined
  let running: AnyGateway | undefined
  let endReloads = () => {}
  try {
    const { config, warnings } = loadUsableConfig(source)
    log = createLog(config.log)
    endOnUncaught(log)
    endReloads = serveReloads({ source, watch, log, gateway: () => running })
    for (const warning of warnings) log.warn(warning)
    await requireLocalAddresses(config.broker.localAddresses)
    if (stopRequest() !== undefined) {
      endReloads()
      return stopBeforeStart(log)
    }
    gateway = createGateway(config, log, version(), endOnDeposed(log))
    const serveConsole = async (of: AnyGateway): Promise<void> => {
      const isServed = config.console.enabled && stopRequest() === undefined
      const file = settingsFile(source, config, of, log)
      if (isServed) served ??= await serveView(await of.view(), config, log, of.happenings, file)
    }
    if (gateway.standBy !== undefined) {
      await gateway.standBy()
      await serveConsole(gateway) // whoever waits shows what for
      const isStopped = await Promise.race([gateway.start().then(() => false), stopSignal().then(() => true)])
      if (isStopped) return await end(gateway, log, endReloads, served)
    } else await gateway.start()
    await serveConsole(gateway)
    running = gateway
  } catch (error) {
    endReloads()
    await served?.close()
    await gateway?.stop()
    // a wrong configuration, a port in use: one clear message, no stack
    process.stderr.write(
      `${error instanceof ConfigError ? error.message : `cannot start: ${messageOf(error)}`}\n`,
    )
    return 1
  }
  log.info(
    { broker: gateway.brokerUrl, workers: gateway.workers, console: served?.url, node: process.version },
    'gateway started',
  )
  await stopSignal()
  return end(gateway, log, endReloads, served)
}

/** Stops what runs. */
async function end(
  gateway: AnyGateway,
  log: Log,
  endReloads: () => void,
  served: Console | undefined,
): Promise<number> {
  log.info({ signal: stopRequest() }, 'stopping')
  endReloads()
  await gateway.drain() // the console says meanwhile that it is not ready any more
  await served?.close()
  const { received, sent, published, delivered, dropped } = await gateway.stop()
  log.info({ received, sent, published, delivered, dropped }, 'gateway stopped')
  return 0
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/**
 * Ends the process at an error that nobody has caught, also at that of a promise: what it has left behind is unknown. Whoever
 * supervises the process starts it again, and sensors go on with what the store has.
 */
function endOnUncaught(log: Log): void {
  process.on('uncaughtException', (err) => {
    try {
      log.fatal({ err }, 'unexpected error: the gateway ends') // written before this returns
    } finally {
      process.exit(FAULT)
    }
  })
}

/**
 * Ends the process when another gateway has taken its place: what it keeps in memory is not the truth any more, and it must not say a word
 * to sensors or to the broker.
 */
const endOnDeposed =
  (log: Log) =>
  (why: Error): never => {
    try {
      log.fatal(why.message)
    } finally {
      process.exit(DEPOSED)
    }
  }

/** Nothing was opened yet that would have to be closed. */
function stopBeforeStart(log: Log): number {
  log.info({ signal: stopRequest() }, 'stopped before it has started')
  return 0
}
