// `mqttsn completion bash|zsh|fish`: the script that makes a shell complete commands, options and what they take.

import { Argument, Command } from 'commander'
import { completionScript, SHELLS } from './completion/scripts.ts'
import { completionWords } from './completion/words.ts'
import { withExitCodes } from './options.ts'
import { processTerminal, type Terminal } from './terminal/terminal.ts'

const EXAMPLES = `
It completes "mqttsn"; for "npx mqttsn" put node_modules/.bin into PATH.

Exit code: 0 printed, 2 usage.

Examples:
  $ eval "$(mqttsn completion bash)"
  $ mqttsn completion zsh > ~/.zfunc/_mqttsn
  $ mqttsn completion fish > ~/.config/fish/completions/mqttsn.fish
`

/** The command `completion`, to be added to the program; `loadAll` gives all commands. */
export function completionCommand(
  loadAll: () => Promise<Command[]>,
  terminal: Terminal = processTerminal,
): Command {
  const command = new Command('completion')
    .description('print what makes a shell complete these commands')
    .addArgument(new Argument('<shell>', 'which shell').choices(SHELLS))
    .addHelpText('after', EXAMPLES)
  return withExitCodes(command, terminal).action(async (shell: (typeof SHELLS)[number]) => {
    terminal.out(completionScript(shell, completionWords(await loadAll())).trimEnd())
  })
}
