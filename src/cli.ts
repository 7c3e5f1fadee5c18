#!/usr/bin/env node
// The command line: one command per file in cli/, loaded when it is called.

import type { Command as AnyCommand } from 'commander'
import { holdSignals } from './cli/gateway/stop-signals.ts'

// Before anything else is loaded, which takes a while: a gateway that is stopped at its start stops cleanly.
if (process.argv[2] === 'gateway') holdSignals()

const { Command } = await import('commander')
const { version } = await import('./version.ts')

/** All commands, in the order of the help. */
const commands: Readonly<Record<string, () => Promise<AnyCommand>>> = {
  gateway: async () => (await import('./cli/gateway.ts')).gatewayCommand(),
  check: async () => (await import('./cli/check.ts')).checkCommand(),
  import: async () => (await import('./cli/import.ts')).importCommand(),
  demo: async () => (await import('./cli/demo.ts')).demoCommand(),
  pub: async () => (await import('./cli/pub.ts')).pubCommand(),
  sub: async () => (await import('./cli/sub.ts')).subCommand(),
  discover: async () => (await import('./cli/discover.ts')).discoverCommand(),
  decode: async () => (await import('./cli/decode.ts')).decodeCommand(),
  health: async () => (await import('./cli/health.ts')).healthCommand(),
  top: async () => (await import('./cli/top.ts')).topCommand(),
  trace: async () => (await import('./cli/trace.ts')).traceCommand(),
  capture: async () => (await import('./cli/capture.ts')).captureCommand(),
  sensor: async () => (await import('./cli/sensor.ts')).sensorCommand(),
}

/** The command that is called; all of them where the first word names none: for the help, and for a proposal. */
async function loadCommands(word = ''): Promise<AnyCommand[]> {
  const called = Object.hasOwn(commands, word) ? commands[word] : undefined
  return Promise.all((called === undefined ? Object.values(commands) : [called]).map((load) => load()))
}

const program = new Command('mqttsn')
  .description(
    'MQTT-SN 1.2: a gateway from sensors on UDP to any MQTT broker, and the tools that go with it.',
  )
  .version(version())
  .showHelpAfterError('(add --help for usage)')
  .configureHelp({ sortSubcommands: false })

for (const command of await loadCommands(process.argv[2])) program.addCommand(command)

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

await program.parseAsync()
