// `mqttsn init`: writes a configuration with comments, from questions on a terminal or from options.

import { existsSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { Command } from 'commander'
import { ConfigError, loadConfig } from '../config/load.ts'
import { problemText } from '../config/reading/problems.ts'
import { syntaxOf } from '../config/reading/syntax.ts'
import { writeCommented } from '../config/write.ts'
import { type Answers, QUESTIONS, sectionsOf, variablesOf } from './init/answers.ts'
import { withExitCodes } from './options.ts'
import { GATEWAY, hostFlags, urlOf } from './terminal/addresses.ts'
import { invocation, shellWord } from './terminal/invocation.ts'
import { ExitCode, processTerminal, type Terminal } from './terminal/terminal.ts'

const EXAMPLES = `
On a terminal it asks for what no option says; elsewhere, and with --yes, the defaults hold. The file is YAML if its name ends in .yaml or
.yml, else JSON with comments; "-" is standard output. No password is written, but the name of the variable that holds it.

Exit code: 0 written, 1 there is such a file, or it cannot be written, 2 usage, 130 Ctrl-C: nothing is written.

Examples:
  $ mqttsn init
  $ mqttsn init gateway.yaml --yes --listen 0.0.0.0:1884 --allow 10.0.0.0/8 --broker mqtts://broker.example:8883 --ca ca.pem
  $ mqttsn init - --yes --broker embedded
`

type InitFlags = Partial<Answers> & { yes?: true; force?: true }

/** Asks one question; resolves with the answer, or undefined at Ctrl-C and at the end of the input. */
export type Ask = (question: string) => Promise<string | undefined>

/** The command `init`, to be added to the program. `asks` is undefined where there is nobody to ask. */
export function initCommand(terminal: Terminal = processTerminal, asks?: Ask): Command {
  const command = new Command('init')
    .description('write a configuration with comments, from answers or options')
    .argument('[file]', 'the file', 'gateway.config.jsonc')
    .option('--listen <address>', 'where sensors send to, such as 0.0.0.0:1884')
    .option('--allow <networks>', 'networks that sensors are in, with commas between')
    .option('--broker <address>', 'MQTT broker: host:port, mqtts://..., ws://..., wss://... or "embedded"')
    .option('--ca <file>', "the broker's CA certificate")
    .option('--username <name>', 'user name of the gateway at the broker')
    .option('--password-env <variable>', 'environment variable with the password')
    .option('--prefix <text>', "what stands before sensors' ClientIds at the broker")
    .option('--predefined <pairs>', 'predefined topics, such as "1=home/button 2=home/door"')
    .option('--console <address>', 'address of the console, or "off"')
    .option('-y, --yes', 'ask nothing: defaults for what no option says')
    .option('--force', 'replace the file if there is one')
    .addHelpText('after', EXAMPLES)
  return withExitCodes(command, terminal).action(async (file: string, flags: InitFlags) => {
    const isThere = () => file !== '-' && !flags.force && existsSync(file)
    const refuse = () => {
      terminal.err(`error: ${file} is there already: --force replaces it, or name another file`)
      terminal.exit(ExitCode.refused)
    }
    if (isThere()) return refuse()
    const { ask, end } = asker(terminal, flags, asks)
    try {
      const answers = await answersOf(flags, ask, terminal)
      if (typeof answers === 'string') return command.error(`error: ${answers}`, { exitCode: ExitCode.usage })
      if (answers === undefined) {
        terminal.err('nothing was written')
        return terminal.exit(ExitCode.interrupted)
      }
      if (isThere()) return refuse() // made while the questions were answered
      write(file, answers, terminal)
    } catch (error) {
      if (error instanceof Error && 'exitCode' in error) throw error
      terminal.err(`error: ${error instanceof Error ? error.message : error}`)
      terminal.exit(ExitCode.refused)
    } finally {
      end()
    }
  })
}

/** How questions are asked, if they are. */
function asker(
  terminal: Terminal,
  { yes }: InitFlags,
  asks: Ask | undefined,
): { ask: Ask | undefined; end(): void } {
  if (yes) return { ask: undefined, end() {} }
  const { stdin: input, stderr: output } = process
  if (asks !== undefined || terminal !== processTerminal || !input.isTTY || !output.isTTY)
    return { ask: asks, end() {} }
  const lines = createInterface({ input, output })
  const done = new AbortController()
  lines.once('close', () => done.abort())
  lines.once('SIGINT', () => lines.close())
  return {
    ask: (question) => lines.question(question, { signal: done.signal }).catch(() => undefined),
    end: () => lines.close(),
  }
}

/** All answers; a text where an option is wrong, undefined where the questions were broken off. */
async function answersOf(
  flags: InitFlags,
  ask: Ask | undefined,
  terminal: Terminal,
): Promise<Answers | string | undefined> {
  const answers: Answers = {
    listen: '',
    allow: '',
    broker: '',
    username: '',
    passwordEnv: '',
    ca: '',
    prefix: '',
    predefined: '',
    console: '',
  }
  for (const { name, asks, fallback, isOpen, fault } of QUESTIONS) {
    const given = flags[name]
    if (given !== undefined) {
      const wrong = fault(given)
      if (wrong !== undefined)
        return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}: expected ${wrong}`
      answers[name] = given
      continue
    }
    if (!isOpen(answers)) continue
    answers[name] = fallback(answers)
    if (ask === undefined) continue
    for (;;) {
      const answer = await ask(`${asks}\n[${answers[name] === '' ? 'none' : answers[name]}] `)
      if (answer === undefined) return undefined
      const text = answer.trim()
      const wrong = text === '' || text === 'none' ? undefined : fault(text)
      if (wrong === undefined) {
        if (text !== '') answers[name] = text === 'none' ? '' : text
        break
      }
      terminal.err(`expected ${wrong}`)
    }
  }
  return answers
}

/** Where the schema lies that editors use, seen from the file; undefined if it is not there. */
function schemaFor(file: string): string | undefined {
  const places = ['../../../docs', '../../docs'].map((up) =>
    resolve(import.meta.dirname, up, 'gateway.config.schema.json'),
  )
  const found = places.find((place) => existsSync(place))
  if (found === undefined || file === '-') return undefined
  const path = relative(dirname(resolve(file)), found).replaceAll('\\', '/')
  return path.startsWith('..') ? undefined : `./${path}`
}

function write(file: string, answers: Answers, terminal: Terminal): void {
  const call = invocation()
  const name = file === '-' ? 'FILE' : shellWord(file)
  const head = [
    'Configuration of mqtt-sn-gateway, written by mqttsn init. What is left out has its default; docs/configuration.md has every key.',
    `Check it with "mqttsn check -c ${name}", run it with "mqttsn gateway -c ${name}".`,
  ]
  const text = writeCommented(head, sectionsOf(answers, schemaFor(file)), syntaxOf(file))
  if (file === '-') terminal.out(text.trimEnd())
  else writeFileSync(file, text)
  const variables = variablesOf(answers)
  const isRight = file === '-' || tell(file, variables, terminal)
  if (file !== '-') {
    const missing = variables.filter((variable) => process.env[variable] === undefined)
    terminal.err(`${file} is written. Next:`)
    for (const variable of missing) terminal.err(`  export ${variable}=...`)
    terminal.err(`  ${call} check -c ${name} --connect`)
    terminal.err(`  ${call} gateway -c ${name}`)
    const url = urlOf(answers.listen, GATEWAY) ?? ''
    terminal.err(
      `  ${call} pub${hostFlags(url.replace(/^udp:/, 'http:'), GATEWAY)} -t test/hello -m hello -q 1`,
    )
  }
  terminal.exit(isRight ? ExitCode.ok : ExitCode.refused)
}

/** Loads what was written, with something in place of variables that are not set yet; says what is wrong or unwise. */
function tell(file: string, variables: readonly string[], terminal: Terminal): boolean {
  const set = Object.fromEntries(
    variables.map((variable) => [variable, process.env[variable] ?? 'to be set before it is started']),
  )
  try {
    for (const warning of loadConfig({ file, env: set }).warnings) terminal.err(`warning: ${warning}`)
    return true
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    terminal.err(`${join(file)} is written, but cannot be used yet:`)
    for (const problem of error.problems) terminal.err(`  ${problemText(problem)}`)
    return false
  }
}
