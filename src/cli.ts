#!/usr/bin/env node
// The command line: one command per file in cli/.

import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { checkCommand } from './cli/check.ts'
import { decodeCommand } from './cli/decode.ts'
import { demoCommand } from './cli/demo.ts'
import { discoverCommand } from './cli/discover.ts'
import { gatewayCommand } from './cli/gateway.ts'
import { pubCommand } from './cli/pub.ts'
import { sensorCommand } from './cli/sensor.ts'
import { subCommand } from './cli/sub.ts'

/** The version in package.json, which stands two folders above the compiled file and one above the source. */
function version(): string {
  for (const path of ['../package.json', '../../package.json']) {
    try {
      return JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')).version
    } catch {} // the other place
  }
  return 'unknown'
}

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
