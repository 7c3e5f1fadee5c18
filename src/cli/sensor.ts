// `mqttsn sensor KIND`: runs a simulated sensor of src/simulation/ against a gateway.

import { Command } from 'commander'
import { kinds } from '../simulation/kinds.ts'
import { withExitCodes } from './options.ts'
import { simulationCommand } from './sensor/run-simulation.ts'
import { processTerminal, type Terminal } from './terminal/terminal.ts'

const EXAMPLES = `
Examples:
  $ mqttsn sensor thermometer --duration 20s
  $ mqttsn sensor valve --client-id valve-1 --interval 10s
  $ mqttsn sensor meter --link 'serial:///dev/ttyUSB0?baud=115200&framing=slip'
  $ mqttsn sensor swarm --sensors 500 --verify 127.0.0.1:1883

Exit code: 0 ended as asked, 1 it found something wrong, 2 usage, 3 no gateway answered.
`

/** The command `sensor` with one subcommand for each kind, to be added to the program. */
export function sensorCommand(terminal: Terminal = processTerminal): Command {
  const command = new Command('sensor')
    .description('run a simulated sensor')
    .usage('KIND [options]')
    .helpOption('--help', 'display help for command')
    .argument('[kind]', 'which kind')
    .option('--list', 'list the kinds of sensor')
    .addHelpText('after', EXAMPLES)
    .action((kind: string | undefined, flags: { list?: true }) => {
      if (kind !== undefined) {
        const known = kinds.map(({ name }) => name).join(', ')
        command.error(`error: unknown kind of sensor '${kind}'; there are ${known}`, { exitCode: 2 })
      }
      if (flags.list) for (const { name, about } of kinds) terminal.out(`${name.padEnd(12)} ${about}`)
      else command.help({ error: true })
    })
  for (const kind of kinds) command.addCommand(simulationCommand(kind, terminal))
  return withExitCodes(command, terminal)
}
