// `mqttsn import`: the configuration of another gateway as one of this gateway, with a line for all that has no counterpart.

import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Command, Option } from 'commander'
import { readText } from '../config/reading/references.ts'
import { leaveOutRefused } from './import/acceptable.ts'
import { Draft } from './import/draft.ts'
import type { PahoNetwork } from './import/paho/files.ts'
import { plainTree, renderDraft, type SecretPlace, secretFolder } from './import/render.ts'
import { ImportError, type SourceFile } from './import/settings.ts'
import { withExitCodes } from './options.ts'
import { processTerminal, type Terminal } from './terminal/terminal.ts'

/** What the command line says. */
interface ImportFlags {
  output?: string
  force?: true
  network?: PahoNetwork
  environment?: true
}

/** Fills a draft from files. */
type Fill = (files: readonly SourceFile[], draft: Draft) => void

/** Octets of the largest file that is read. */
const MAX_FILE = 16 * 1024 * 1024

export function readSource(path: string): SourceFile {
  try {
    return { name: path, text: readText(path, MAX_FILE) }
  } catch (error) {
    throw new ImportError(`${path}: ${error instanceof Error ? error.message : 'not readable'}`)
  }
}

/** Imports, and writes to standard output or to a file; gives the exit code. */
function runImport(
  program: string,
  names: readonly string[],
  flags: ImportFlags,
  fill: Fill,
  terminal: Terminal,
): number {
  const { output, force } = flags
  const folder = output === undefined ? undefined : secretFolder(output)
  try {
    // before any work, and again when it is written: what is there stays there
    if (output !== undefined && !force && existsSync(output))
      throw new ImportError(`${output} is there already; --force writes over it`)
    const draft = new Draft()
    fill(names.map(readSource), draft)
    leaveOutRefused(draft, () => plainTree(draft))
    const place: SecretPlace = folder ? { kind: 'files', folder: folder.named } : { kind: 'environment' }
    const title = `Made by "mqttsn import ${program}"${names.length > 0 ? ` from ${names.join(', ')}` : ''}. Without counterpart, or otherwise than there:`
    const { text, secrets } = renderDraft(draft, title, place)
    for (const { place: at, text: said } of draft.notes) terminal.err(`${at}: ${said}`)
    if (output === undefined || folder === undefined) terminal.out(text.trimEnd())
    else write(output, folder.path, text, secrets, force === true)
    const count = `${draft.notes.length} ${draft.notes.length === 1 ? 'line' : 'lines'} to read above`
    terminal.err(output === undefined ? count : `${output} is written; ${count}`)
    for (const name of secrets.keys())
      terminal.err(
        output === undefined
          ? `a secret: set the environment variable ${name} before you check or start the gateway`
          : `a secret: its content is in ${resolve(folder?.path ?? '', name)}, which only you can read`,
      )
    return 0
  } catch (error) {
    if (!(error instanceof Error) || !isExpected(error)) throw error
    terminal.err(`error: ${error.message}`)
    return 1
  }
}

/** Errors of input and file system, whose messages say enough. */
const isExpected = (error: Error) =>
  error instanceof ImportError ||
  ('code' in error && typeof error.code === 'string' && error.code.startsWith('E'))

function write(
  output: string,
  folder: string,
  text: string,
  secrets: ReadonlyMap<string, string>,
  force: boolean,
): void {
  const flag = force ? 'w' : 'wx'
  if (secrets.size > 0) mkdirSync(folder, { recursive: true, mode: 0o700 })
  for (const [name, content] of secrets) {
    const file = resolve(folder, name)
    writeFileSync(file, content, { flag, mode: 0o600 })
    chmodSync(file, 0o600)
  }
  writeFileSync(output, text, { flag })
}

const help = `
Examples:
  mqttsn import paho gateway.conf clients.conf predefinedTopic.conf > gateway.config.json
  mqttsn import bisquitt -o gateway.json bisquitt.env
  mqttsn import bisquitt -- --mqtt-host broker.example --predefined-topic '*;home/button;1'
  mqttsn import emqx etc/emqx.conf
  mqttsn import hivemq-edge conf/config.xml

The configuration goes to standard output or to the file of --output; a line for everything that has no counterpart or
will be otherwise goes to standard error, and into the configuration as "$comment". Passwords are never printed: with
--output they go into files beside it, which it refers to, else it refers to environment variables. What is written is
accepted by "mqttsn check".
Exit codes: 0 written, 1 nothing written (a file cannot be read, or the output is there already), 2 wrong usage.`

interface Source {
  readonly name: string
  readonly about: string
  /** whether files must be named */
  readonly files: string
  readonly options?: readonly Option[]
  /** loads the importer, which only this command needs */
  load(words: readonly string[], flags: ImportFlags): Promise<{ files: readonly string[]; fill: Fill }>
}

const SOURCES: readonly Source[] = [
  {
    name: 'paho',
    about: "from Eclipse Paho's gateway: gateway.conf, clients.conf, predefinedTopic.conf",
    files: '<files...>',
    options: [
      new Option(
        '--network <network>',
        'what that gateway was built for (default: udp, or what addresses show)',
      ).choices(['udp', 'udp6', 'dtls', 'dtls6', 'xbee', 'loralink', 'rfcomm']),
    ],
    async load(files, { network }) {
      const { importPaho } = await import('./import/paho/import-paho.ts')
      return { files, fill: (sources, draft) => importPaho(sources, draft, { network, read: readSource }) }
    },
  },
  {
    name: 'bisquitt',
    about:
      'from bisquitt: files of variables, units of systemd, compose files, scripts, predefined topics (YAML); flags behind --',
    files: '[files...]',
    options: [
      new Option('--environment', "take bisquitt's variables from the environment of this command, too"),
    ],
    async load(words, { environment }) {
      const { importBisquitt } = await import('./import/bisquitt/import-bisquitt.ts')
      const first = words.findIndex((word) => word.startsWith('-'))
      const files = first < 0 ? words : words.slice(0, first)
      const given = {
        flags: first < 0 ? [] : words.slice(first),
        env: environment && process.env,
        read: readSource,
      }
      return { files, fill: (sources, draft) => importBisquitt(sources, draft, given) }
    },
  },
  {
    name: 'emqx',
    about:
      "from EMQX: the section gateway.mqttsn of emqx.conf, cluster.hocon or the API's JSON; mqtt.sn of version 4",
    files: '<files...>',
    async load(files) {
      const { importEmqx } = await import('./import/emqx/import-emqx.ts')
      return { files, fill: importEmqx }
    },
  },
  {
    name: 'hivemq-edge',
    about: 'from HiveMQ Edge: mqtt-sn-listeners and mqtt-sn of config.xml',
    files: '<files...>',
    async load(files) {
      const { importHivemqEdge } = await import('./import/hivemq-edge/import-hivemq-edge.ts')
      return { files, fill: (sources, draft) => importHivemqEdge(sources, draft, { env: process.env }) }
    },
  },
]

/** The command `import`. */
export function importCommand(terminal: Terminal = processTerminal): Command {
  const command = new Command('import')
    .description('turn the configuration of another MQTT-SN gateway into one of this gateway')
    .addHelpText('after', help)
  for (const { name, about, files, options = [], load } of SOURCES) {
    const one = new Command(name)
      .description(about)
      .argument(
        files,
        name === 'bisquitt'
          ? 'files; behind -- its flags'
          : 'its configuration files, of which the last ones win',
      )
      .option('-o, --output <file>', 'write to this file, which must not be there yet')
      .option('--force', 'write over the file of --output')
      .addHelpText('after', help)
    for (const option of options) one.addOption(option)
    one.action(async (words: string[], flags: ImportFlags) => {
      const loaded = await load(words, flags)
      if (loaded.files.length === 0 && words.length === 0 && flags.environment === undefined)
        one.error('error: name a file, or flags behind --', { exitCode: 2 })
      const code = runImport(name, loaded.files, flags, loaded.fill, terminal)
      if (code !== 0) terminal.exit(code)
    })
    command.addCommand(withExitCodes(one, terminal))
  }
  return withExitCodes(command, terminal)
}
