#!/usr/bin/env node
// The command line: one command per file in cli/, loaded when it is called.

import { holdSignals } from './cli/gateway/stop-signals.ts'

// `mqttsn help pub` is `mqttsn pub --help`
const words = process.argv.slice(2)
if (words[0] === 'help') words.splice(0, 2, ...(words[1] === undefined ? [] : [words[1]]), '--help')

// Before anything else is loaded, which takes a while: a gateway or a forwarder that is stopped at its start stops cleanly.
if (words[0] === 'gateway' || words[0] === 'forward') holdSignals()

const { Command } = await import('commander')
const { version } = await import('./version.ts')
const { commands } = await import('./cli/commands.ts')

const program = new Command('mqttsn')
  .description(
    'MQTT-SN 1.2: a gateway from sensors on UDP to any MQTT broker, and the tools that go with it.',
  )
  .version(version())
  .showHelpAfterError('(add --help for usage)')
  .helpCommand(false)
  .configureHelp({
    sortSubcommands: false,
    subcommandTerm: (command) => {
      const takes = commands[command.name()]?.takes
      return `${command.name()} [options]${takes === undefined ? '' : ` ${takes}`}`
    },
  })
  .addHelpText(
    'after',
    `
mqttsn COMMAND --help tells options, examples and exit codes. An address is written host, host:port or as a url.

Exit codes: 0 done, 1 refused or not valid, 2 wrong usage, 3 no answer, 130 ended by Ctrl-C before it was done; a command's own help tells more.

Examples:
  $ mqttsn demo
  $ mqttsn init gateway.yaml
  $ mqttsn pub -h 127.0.0.1 -p 1884 -t room/1/temp -m 21.5`,
  )

// The command that is called. Where the first word names none, all by their names: for the help, and for a proposal.
const called = Object.hasOwn(commands, words[0] ?? '') ? commands[words[0] ?? ''] : undefined
if (called !== undefined) program.addCommand(await called.load())
else for (const [name, { about }] of Object.entries(commands)) program.command(name).description(about)

program.exitOverride((error) => {
  // wrong words on the command line are 2, as everywhere; asking for help or version is success
  process.exit(error.exitCode === 0 ? 0 : 2)
})
for (const command of program.commands) {
  command.copyInheritedSettings(program)
  for (const inner of command.commands) inner.copyInheritedSettings(command)
}

// a reader that closes the pipe (such as head) is no error
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

await program.parseAsync(words, { from: 'user' })
