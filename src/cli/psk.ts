// `mqttsn psk new`: keys that sensors share with their gateway, for DTLS.

import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { Command } from 'commander'
import { between, withExitCodes } from './options.ts'
import { appendToPskFile, faultOfIdentity, readPskFile } from './psk/psk-file.ts'
import { ExitCode, processTerminal, type Terminal } from './terminal/terminal.ts'

const EXAMPLES = `
An identity is the sensor's client id, unless a rule of the gateway says otherwise ("sensors": "identity").

Exit code: 0 done, 1 the identity has a key in the file already, or the file cannot be used, 2 usage.

Examples:
  $ mqttsn psk new meter-17
  $ mqttsn psk new meter-18 meter-19 --file psk.txt
`

interface NewFlags {
  file?: string
  octets: number
}

/** The command `psk`, to be added to the program. */
export function pskCommand(terminal: Terminal = processTerminal): Command {
  const command = new Command('psk')
    .description('make keys that sensors share with their gateway, for DTLS')
    .addHelpText('after', EXAMPLES)
    .addCommand(newCommand(terminal))
  return withExitCodes(command, terminal)
}

function newCommand(terminal: Terminal): Command {
  const command = new Command('new')
    .description('print a line with a new key for each identity: identity:hexkey')
    .argument('<identity...>', 'who is to have a key')
    .option('--file <path>', "put the lines at the end of this file, too: the gateway's dtls.psk.file")
    .option('--octets <count>', 'length of a key', between(8, 64), 16)
    .addHelpText('after', EXAMPLES)
  return withExitCodes(command, terminal).action((identities: string[], { file, octets }: NewFlags) => {
    for (const [index, identity] of identities.entries()) {
      const fault = faultOfIdentity(identity)
      if (fault !== undefined)
        command.error(`error: ${JSON.stringify(identity)}: ${fault}`, { exitCode: ExitCode.usage })
      if (identities.indexOf(identity) < index)
        command.error(`error: ${JSON.stringify(identity)} is given twice`, { exitCode: ExitCode.usage })
    }
    const made = identities.map((identity) => ({ identity, key: randomBytes(octets).toString('hex') }))
    try {
      if (file !== undefined) {
        const known = existsSync(file) ? readPskFile(file) : new Map()
        const taken = identities.filter((identity) => known.has(identity))
        if (taken.length > 0)
          throw new Error(
            `${file} has a key for ${taken.join(', ')} already; delete its line to make another`,
          )
        appendToPskFile(file, made)
      }
      for (const { identity, key } of made) terminal.out(`${identity}:${key}`)
      terminal.exit(ExitCode.ok)
    } catch (error) {
      terminal.err(`error: ${error instanceof Error ? error.message : error}`)
      terminal.exit(ExitCode.refused)
    }
  })
}
