// `mqttsn top`: a running gateway at a glance, over its HTTP API.

import { Command, Option } from 'commander'
import type { SensorState } from '../console/states.ts'
import { STATES } from '../console/states.ts'
import { between, timeOption, withExitCodes } from './options.ts'
import { addLiveOptions, type LiveFlags, reportLiveFailure } from './running/api.ts'
import { paintFor } from './terminal/paint.ts'
import { ExitCode, processTerminal, type Terminal } from './terminal/terminal.ts'
import { type Looking, SORTS, type Sort } from './top/keys.ts'
import { takeSnapshot } from './top/look.ts'
import { overview, sensorTable } from './top/report.ts'
import { showTop } from './top/screen.ts'

const EXAMPLES = `
On a terminal it is live: q quits, s sorts by the next column, r reverses, / searches, arrows and space turn the page.
In a pipe, and with --once or --json, it reports once.

Exit code: 0 done, 1 refused (token), 2 usage, 3 no answer.

Examples:
  $ mqttsn top
  $ mqttsn top --once --state asleep --sort queued --descending
  $ mqttsn top --json --limit 5000 | jq '.sensors.items[] | select(.queued > 0) | .clientId'
`

interface TopFlags extends LiveFlags {
  sort: Sort
  descending: boolean
  search: string
  state?: SensorState
  limit: number
  interval: number
  once?: true
  json?: true
}

/** The command `top`, to be added to the program. */
export function topCommand(terminal: Terminal = processTerminal): Command {
  const command = new Command('top')
    .description('watch a running gateway: broker, traffic, sensors')
    .addOption(new Option('-s, --sort <column>', 'order of the sensors').choices(SORTS).default('clientId'))
    .option('-r, --descending', 'the other way round', false)
    .option('--search <text>', 'only sensors with this in their client id or address', '')
    .addOption(new Option('--state <state>', 'only sensors in this state').choices(STATES))
    .option('--limit <sensors>', 'report so many sensors, 1 to 5000', between(1, 5000), 100)
    .addOption(timeOption('--interval <time>', 'look so often', 1000))
    .option('--once', 'report once, even on a terminal')
    .option('--json', 'report once, as one JSON object')
    .addHelpText('after', EXAMPLES)
  addLiveOptions(command)
  return withExitCodes(command, terminal).action(async (flags: TopFlags) => {
    const signal = terminal.interruption()
    const { sort, descending, search, state } = flags
    const looking: Looking = { sort, descending, search, state, offset: 0, typing: false }
    const { stdin: input, stdout: output } = process
    const live = terminal === processTerminal && input.isTTY && output.isTTY && !flags.once && !flags.json
    try {
      if (live) {
        const interval = Math.max(100, flags.interval)
        await showTop({ ...flags, interval }, looking, { input, output }, signal)
      } else await report(flags, looking, terminal, signal)
      terminal.exit(ExitCode.ok)
    } catch (error) {
      if (signal.aborted) terminal.exit(ExitCode.ok)
      else reportLiveFailure(terminal, error)
    }
  })
}

async function report(
  flags: TopFlags,
  looking: Looking,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<void> {
  const { typing: _, ...rest } = looking
  const { at, ...snapshot } = await takeSnapshot(flags, { ...rest, limit: flags.limit }, signal)
  if (flags.json) return terminal.out(JSON.stringify(snapshot))
  const paint = paintFor(terminal)
  const { items, total } = snapshot.sensors
  const lines = [...overview({ at, ...snapshot }, undefined, paint), '', ...sensorTable(items, at, paint)]
  for (const line of lines) terminal.out(line)
  if (items.length < total) terminal.out(`... ${total - items.length} more: --limit, --search, --state`)
}
