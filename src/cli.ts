#!/usr/bin/env node
// The command line: one command per file in cli/.

import { Command } from 'commander'
import { captureCommand } from './cli/capture.ts'
import { checkCommand } from './cli/check.ts'
import { decodeCommand } from './cli/decode.ts'
import { demoCommand } from './cli/demo.ts'
import { discoverCommand } from './cli/discover.ts'
import { gatewayCommand } from './cli/gateway.ts'
import { pubCommand } from './cli/pub.ts'
import { sensorCommand } from './cli/sensor.ts'
import { subCommand } from './cli/sub.ts'
import { version } from './cli/terminal/version.ts'
import { topCommand } from './cli/top.ts'
import { traceCommand } from './cli/trace.ts'

const program = new Command('mqttsn')
  .description(
    'MQTT-SN 1.2: a gateway from sensors on UDP to any MQTT broker, and the tools that go with it.',
  )
  .version(version())
  .showHelpAfterError('(add --help for usage)')
  .configureHelp({ sortSubcommands: false })
  .addCommand(gatewayCommand())
  .addCommand(checkCommand())
  .addCommand(demoCommand())
  .addCommand(pubCommand())
  .addCommand(subCommand())
  .addCommand(discoverCommand())
  .addCommand(decodeCommand())
  .addCommand(topCommand())
  .addCommand(traceCommand())
  .addCommand(captureCommand())
  .addCommand(sensorCommand())

program.exitOverride((error) => {
  // wrong words on the command line are 2, as everywhere; asking for help or version is success
  process.exit(error.exitCode === 0 ? 0 : 2)
})
for (const command of program.commands) command.copyInheritedSettings(program)

// a reader that closes the pipe (such as head) is no error
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

await program.parseAsync()
