// `mqttsn forward --check`: whether its configuration can be used, and whether the gateway takes this forwarder. No link to nodes is
// opened: a forwarder that runs has them.

import { type LoadedForward, loadForward } from '../../config/forward/load.ts'
import { ConfigError } from '../../config/load.ts'
import type { DocumentSource } from '../../config/reading/document.ts'
import type { Standing } from '../../forwarder/effects.ts'
import { silentLog } from '../../log.ts'
import { SensorError } from '../../sensor/failure.ts'
import { stopRequest, stopSignal } from '../gateway/stop-signals.ts'
import { ExitCode } from '../terminal/terminal.ts'
import { refusalHint, silenceHint } from './forward-log.ts'
import { RunningForwarder } from './forwarder.ts'

/** Exit code where no gateway answers. */
const NO_GATEWAY = 4

interface Outcome {
  readonly code: number
  readonly text: string
}

/** Resolves with the exit code; what was found goes to standard output, warnings and what is wrong to standard error. */
export async function checkForwarder(source: DocumentSource): Promise<number> {
  let loaded: LoadedForward
  try {
    loaded = loadForward(source)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    process.stderr.write(`${error.message}\n`)
    return ExitCode.refused
  }
  const { config, warnings } = loaded
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`)
  process.stderr.write(`${source.file ?? 'the command line'}: valid\n`)
  if (stopRequest() !== undefined) return ExitCode.interrupted
  const { code, text } = await outcomeOf(config)
  if (code === ExitCode.ok) process.stdout.write(`${text}\n`)
  else process.stderr.write(`error: ${text}\n`)
  return code
}

async function outcomeOf(config: LoadedForward['config']): Promise<Outcome> {
  let forwarder: RunningForwarder | undefined
  try {
    return await new Promise<Outcome>((resolve, reject) => {
      const watcher = {
        onStanding(standing: Standing) {
          const outcome = outcomes(config, forwarder?.core.watch.gwId)[standing]
          if (outcome !== undefined) resolve(outcome)
        },
        onClosed: (error: Error) => resolve(failed(error)),
      }
      RunningForwarder.start(config, silentLog, watcher, []).then((started) => {
        forwarder = started
      }, reject)
      void stopSignal().then(() => resolve({ code: ExitCode.interrupted, text: 'interrupted' }))
    })
  } finally {
    await forwarder?.stop()
  }
}

const outcomes = (
  config: LoadedForward['config'],
  gwId: number | undefined,
): Readonly<Partial<Record<Standing, Outcome>>> => {
  const { url } = config.to
  return {
    serving: {
      code: ExitCode.ok,
      text: `gateway ${gwId} at ${url} serves, and takes what nodes of this forwarder say`,
    },
    refusing: {
      code: ExitCode.refused,
      text: `the gateway at ${url} answers, and takes nothing from nodes of this forwarder: ${refusalHint(config)}`,
    },
    'not-serving': {
      code: NO_GATEWAY,
      text: `the gateway at ${url} is there, and serves nobody: can it reach its broker?`,
    },
    silent: { code: NO_GATEWAY, text: `no gateway answers at ${url}: ${silenceHint(config)}` },
  }
}

/** A key or a certificate that is refused is told apart from a gateway that is not there. */
const failed = (error: Error): Outcome => {
  const isRefused = error instanceof SensorError && (error.code === 'security' || error.code === 'invalid')
  return {
    code: isRefused ? ExitCode.refused : NO_GATEWAY,
    text: isRefused ? error.message : `no gateway answers: ${error.message}`,
  }
}
