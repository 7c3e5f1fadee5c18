// `mqttsn health`: asks a running gateway whether it works, for whoever starts and stops it: containers, services, scripts.

import { Command } from 'commander'
import { addLiveOptions, askJson, type LiveFlags, reportLiveFailure } from './running/api.ts'
import { ExitCode, processTerminal, type Terminal } from './terminal/terminal.ts'

const EXAMPLES = `
Ready means that sensors can be served: listeners are bound, the broker is connected, the store writes. Alive means that the
process answers, whatever the broker does; only one that is not alive gets better by a restart.

Exit codes: 0 it is, 1 it is not, and why, 2 usage, 3 nobody answers.

Examples:
  $ mqttsn health
  $ mqttsn health --live
`

/** The command `health`, to be added to the program. */
export function healthCommand(terminal: Terminal = processTerminal): Command {
  return addLiveOptions(new Command('health'))
    .description('ask a running gateway whether it is ready')
    .option('--live', 'ask only whether it is alive')
    .addHelpText('after', EXAMPLES)
    .action(async (flags: LiveFlags & { live?: true }) => {
      try {
        await askJson(flags, flags.live ? '/health/live' : '/health/ready')
        terminal.out(flags.live ? 'alive' : 'ready')
        terminal.exit(ExitCode.ok)
      } catch (error) {
        reportLiveFailure(terminal, error)
      }
    })
}
