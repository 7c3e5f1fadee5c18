// `mqttsn reload`: checks a configuration, then has the gateway that runs with it load it again, and says what came of it.

import { setTimeout as later } from 'node:timers/promises'
import { Command } from 'commander'
import { differences } from '../config/differences.ts'
import { ConfigError } from '../config/load.ts'
import { pathText } from '../config/reading/path.ts'
import { problemText } from '../config/reading/problems.ts'
import { redacted } from '../config/redact.ts'
import type { Config } from '../config/schema.ts'
import { loadUsableConfig } from '../config/usable.ts'
import { storeHolder } from '../store/lmdb/lock.ts'
import { between, withExitCodes } from './options.ts'
import { askJson, type LiveFlags } from './running/api.ts'
import { addStoreOptions, type StoreFlags, storeFolder } from './running/store-folder.ts'
import { invocation, shellWord } from './terminal/invocation.ts'
import { ExitCode, processTerminal, type Terminal } from './terminal/terminal.ts'

const EXAMPLES = `
The gateway is found by the lock on its store; where it keeps nothing on disk, --pid tells which process it is. It is sent SIGHUP, and
reads its own file, environment and flags again. What it says is asked of its console, if that can be reached; else its log tells.

Exit code: 0 it was told, 1 the configuration cannot be used, or the process may not be told, 2 usage, 3 no gateway runs there.

Examples:
  $ mqttsn reload -c gateway.config.json
  $ mqttsn reload -c gateway.config.json --pid "$(pidof -s mqttsn)"
`

/** A gateway has answered within this time, milliseconds. */
const PATIENCE = 3000

interface ReloadFlags extends StoreFlags {
  pid?: number
  json?: true
}

/** What came of it. */
interface Outcome {
  readonly pid: number
  /** paths of what holds from now on; undefined where it cannot be told */
  readonly applied?: readonly string[] | undefined
  /** paths of what is otherwise in the file: it needs a restart, or comes from the gateway's own environment or flags */
  readonly different?: readonly string[] | undefined
}

class NoGateway extends Error {}

/** The command `reload`, to be added to the program. */
export function reloadCommand(terminal: Terminal = processTerminal): Command {
  const command = addStoreOptions(new Command('reload'))
    .description('have a running gateway load its configuration again')
    .option('--pid <number>', 'the process, where its store does not tell', between(2, 999_999_999))
    .option('--json', 'print one JSON object')
    .addHelpText('after', EXAMPLES)
  return withExitCodes(command, terminal).action(async (flags: ReloadFlags) => {
    try {
      const { config, warnings } = loadUsableConfig({ file: flags.config, env: process.env })
      for (const warning of warnings) terminal.err(`warning: ${warning}`)
      const outcome = await reload(config, flags)
      for (const line of flags.json ? [JSON.stringify(outcome)] : linesOf(outcome)) terminal.out(line)
      terminal.exit(ExitCode.ok)
    } catch (error) {
      if (error instanceof ConfigError) {
        for (const problem of error.problems) terminal.err(problemText(problem))
        terminal.err('the configuration cannot be used: nothing was sent to the gateway')
      } else terminal.err(`error: ${error instanceof Error ? error.message : error}`)
      terminal.exit(error instanceof NoGateway ? ExitCode.noAnswer : ExitCode.refused)
    }
  })
}

async function reload(config: Config, flags: ReloadFlags): Promise<Outcome> {
  if (process.platform === 'win32') throw new Error('Windows has no SIGHUP: start the gateway with --watch')
  const pid = flags.pid ?? (await pidOf(storeFolder(flags, process.env), flags))
  const before = await shownBy(config)
  try {
    process.kill(pid, 'SIGHUP')
  } catch (error) {
    const { code } = error as { code?: unknown }
    if (code === 'ESRCH') throw new NoGateway(`there is no process ${pid}`)
    throw new Error(
      code === 'EPERM' ? `process ${pid} belongs to another user: use sudo` : `process ${pid}: ${code}`,
    )
  }
  if (before === undefined) return { pid }
  const after = await settled(config, before)
  if (after === undefined) return { pid }
  const paths = (a: unknown, b: unknown) => differences(a, b).map(pathText)
  return { pid, applied: paths(before, after), different: paths(after, redacted(config)) }
}

async function pidOf(folder: string, { config }: ReloadFlags): Promise<number> {
  const holder = await storeHolder(folder)
  if (holder === undefined) {
    const start = `${invocation()} gateway${config === undefined ? '' : ` -c ${shellWord(config)}`}`
    throw new NoGateway(`no gateway runs with the store in ${folder}; "${start}" starts one`)
  }
  if (!holder.isHere) {
    throw new Error(
      `the gateway is process ${holder.pid} on ${holder.host}: call this there, or send SIGHUP from there`,
    )
  }
  return holder.pid
}

/** The configuration in effect, as the gateway's console shows it; undefined if it cannot be asked. */
async function shownBy({ console }: Config): Promise<unknown> {
  if (!console.enabled) return undefined
  const url = console.url.replace(/\/\/(0\.0\.0\.0|\[::\])(?=:|$)/, '//127.0.0.1')
  const flags: LiveFlags = { url, ...(console.token !== undefined && { token: console.token }) }
  return askJson<unknown>(flags, '/api/config', AbortSignal.timeout(PATIENCE)).catch(() => undefined)
}

/** The same once it has changed, or has had time to. */
async function settled(config: Config, before: unknown): Promise<unknown> {
  let now = before
  const end = performance.now() + PATIENCE
  for (let wait = 50; performance.now() < end; wait = Math.min(2 * wait, 400)) {
    await later(wait)
    now = await shownBy(config)
    const isDone = differences(now, redacted(config)).length === 0 || differences(before, now).length > 0
    if (now === undefined || isDone) break
  }
  return now
}

function linesOf({ pid, applied, different }: Outcome): string[] {
  if (applied === undefined || different === undefined) {
    return [`process ${pid} loads its configuration again; its log tells what has changed`]
  }
  return [
    applied.length === 0
      ? `process ${pid}: nothing has changed`
      : `process ${pid}: in effect now: ${applied.join(', ')}`,
    ...(different.length === 0
      ? []
      : [
          `not as in the file: ${different.join(', ')}; it takes effect with the next start, or is set by a flag or variable`,
        ]),
  ]
}
