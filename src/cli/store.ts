// `mqttsn store list|backup|restore`: what a gateway keeps on disk, also while it runs.

import { existsSync, statSync } from 'node:fs'
import { Command } from 'commander'
import { backUpStore, restoreStore } from '../store/lmdb/backup.ts'
import { listStore, type StoredSummary } from '../store/lmdb/look.ts'
import { withExitCodes } from './options.ts'
import { escapeControls } from './running/api.ts'
import { addStoreOptions, type StoreFlags, storeFolder } from './running/store-folder.ts'
import { invocation, shellWord } from './terminal/invocation.ts'
import { amount, size } from './terminal/quantities.ts'
import { ExitCode, processTerminal, type Terminal } from './terminal/terminal.ts'

const CODES = '\nExit code: 0 done, 1 it cannot be read or written, 2 usage.\n'

const EXAMPLES = `${CODES}
Examples:
  $ mqttsn store list -c gateway.config.json
  $ mqttsn store backup sessions.mdb -c gateway.config.json
  $ mqttsn store restore sessions.mdb --store mqttsn-state
`

/** The command `store`, to be added to the program. */
export function storeCommand(terminal: Terminal = processTerminal): Command {
  const command = new Command('store')
    .description('list, back up and restore the sessions that a gateway keeps on disk')
    .addHelpText('after', EXAMPLES)
  for (const one of [listCommand(terminal), backupCommand(terminal), restoreCommand(terminal)])
    command.addCommand(withExitCodes(addStoreOptions(one), terminal))
  return withExitCodes(command, terminal)
}

/** Does the work; what goes wrong is said, and is exit code 1. */
async function guarded(terminal: Terminal, work: () => Promise<void>): Promise<void> {
  try {
    await work()
    terminal.exit(ExitCode.ok)
  } catch (error) {
    terminal.err(`error: ${error instanceof Error ? error.message : error}`)
    terminal.exit(ExitCode.refused)
  }
}

const listCommand = (terminal: Terminal): Command =>
  new Command('list')
    .description('list the sessions on disk')
    .option('--json', 'print one JSON object per session')
    .addHelpText(
      'after',
      `${CODES}\nExample:\n  $ mqttsn store list --json | jq 'select(.queued > 0) | .clientId'\n`,
    )
    .action((flags: StoreFlags & { json?: true }) =>
      guarded(terminal, async () => {
        const folder = storeFolder(flags, process.env)
        const sessions = await listStore(folder)
        const lines = flags.json ? sessions.map((one) => JSON.stringify(one)) : tableOf(sessions)
        for (const line of lines) terminal.out(line)
        if (!flags.json) terminal.err(`${amount(sessions.length, 'session')} in ${folder}`)
      }),
    )

const backupCommand = (terminal: Terminal): Command =>
  new Command('backup')
    .description('copy the store into one file; a gateway that runs with it goes on')
    .argument('<file>', 'the file')
    .option('--force', 'replace the file if there is one')
    .addHelpText(
      'after',
      `${CODES}\nExample:\n  $ mqttsn store backup "sessions-$(date +%F).mdb" --store mqttsn-state\n`,
    )
    .action((file: string, flags: StoreFlags & { force?: true }) =>
      guarded(terminal, async () => {
        if (existsSync(file) && !flags.force) throw new Error(`${file} is there already: --force replaces it`)
        const folder = storeFolder(flags, process.env)
        terminal.err(`copying ${folder}`)
        await backUpStore(folder, file)
        terminal.err(`${size(statSync(file).size)} in ${file}. To put it back where there is no store:`)
        terminal.err(`${invocation()} store restore ${shellWord(file)} --store ${shellWord(folder)}`)
      }),
    )

const restoreCommand = (terminal: Terminal): Command =>
  new Command('restore')
    .description('put a copy back, as the store in a folder that has none; before the gateway starts')
    .argument('<file>', 'the file')
    .addHelpText(
      'after',
      `${CODES}\nExample:\n  $ mqttsn store restore sessions.mdb -c gateway.config.json\n`,
    )
    .action((file: string, flags: StoreFlags) =>
      guarded(terminal, async () => {
        const folder = storeFolder(flags, process.env)
        await restoreStore(file, folder)
        terminal.err(`${amount((await listStore(folder)).length, 'session')} in ${folder}`)
      }),
    )

const COLUMNS = ['sensor', 'state', 'address', 'heard', 'topics', 'subs', 'waiting', 'for broker'] as const

function tableOf(sessions: readonly StoredSummary[]): string[] {
  const rows = sessions.map((one) => [
    escapeControls(one.clientId),
    one.state,
    one.address ?? '-',
    one.heardAt === undefined || one.heardAt <= 0 ? '-' : new Date(one.heardAt).toISOString().slice(0, 19),
    String(one.topics),
    String(one.subscriptions),
    String(one.queued),
    String(one.spooled),
  ])
  const all = [[...COLUMNS], ...rows]
  const widths = COLUMNS.map((_, i) => Math.max(...all.map((row) => row[i]?.length ?? 0)))
  return all.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
