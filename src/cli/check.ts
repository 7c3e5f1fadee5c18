// `mqttsn check`: shows the configuration that would be in effect, or everything that is wrong with it.

import { Command } from 'commander'
import { holdingsOf, holdingsText } from '../config/holdings.ts'
import { ConfigError, type Loaded } from '../config/load.ts'
import { problemText } from '../config/reading/problems.ts'
import { redacted } from '../config/redact.ts'
import { loadUsableConfig } from '../config/usable.ts'

/** What `check` found: the text for both outputs, and the exit status. */
export interface CheckResult {
  readonly out: string
  readonly err: string
  readonly status: 0 | 1 | 3
}

interface CheckOptions {
  readonly config?: string | undefined
  readonly json?: boolean | undefined
  readonly connect?: boolean | undefined
}

type Environment = Readonly<Record<string, string | undefined>>

const lines = (...texts: string[]) => texts.map((text) => `${text}\n`).join('')
const json = (value: object) => lines(JSON.stringify(value, null, 2))
const nameOf = (options: CheckOptions) => options.config ?? 'the environment and the defaults'

/** Checks a configuration without starting anything. Neither output ever holds a secret. */
export function checkConfig(options: CheckOptions, env: Environment): CheckResult {
  try {
    const { config, warnings } = load(options, env)
    const shown = redacted(config)
    const holds = holdingsOf(config, Date.now())
    if (options.json)
      return { out: json({ valid: true, warnings, holds, config: shown }), err: '', status: 0 }
    const told = [...warnings.map((warning) => `warning: ${warning}`), ...holdingsText(holds)]
    const err = lines(...told, `${nameOf(options)}: valid`)
    return { out: json(shown), err, status: 0 }
  } catch (error) {
    if (error instanceof ConfigError) return invalid(error, options)
    throw error
  }
}

/** Checks a configuration, and tries whether broker and database accept the logins in it. Status 3: they do not accept all. */
export async function checkConnections(options: CheckOptions, env: Environment): Promise<CheckResult> {
  const checked = checkConfig(options, env)
  if (checked.status !== 0) return checked
  const { config, warnings } = load(options, env)
  // Loaded here, since nothing else of this command needs the connections' code.
  const { triedText, tryBroker, tryStore } = await import('./check/connect.ts')
  const tried = [...(await tryBroker(config)), ...(await tryStore(config))]
  const status = tried.every(({ ok }) => ok) ? 0 : 3
  if (options.json) {
    const holds = holdingsOf(config, Date.now())
    const out = json({
      valid: true,
      warnings,
      holds,
      config: redacted(config),
      connects: status === 0,
      tried,
    })
    return { out, err: '', status }
  }
  return { out: lines(...tried.map(triedText)), err: checked.err, status }
}

const load = ({ config: file }: CheckOptions, env: Environment): Loaded => loadUsableConfig({ file, env })

function invalid({ problems }: ConfigError, options: CheckOptions): CheckResult {
  if (options.json) return { out: json({ valid: false, problems }), err: '', status: 1 }
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`
  return { out: '', err: lines(...problems.map(problemText), `${nameOf(options)}: ${count}`), status: 1 }
}

const help = `
Examples:
  mqttsn check -c gateway.config.json
  MQTTSN_LOG__LEVEL=debug mqttsn check -c gateway.config.json
  mqttsn check -c gateway.config.json --json | jq .problems
  mqttsn check -c gateway.config.json --connect

The configuration in effect goes to standard output, with "***" for secrets; warnings go to standard error, and so does what the
text does not show: how many identities there are, which rules use them, and until when certificates count. With --connect, what was tried goes to standard output instead: the broker's name, port and
TLS, then one login for the gateway and one for each rule of "sensors" with credentials, under ClientIds of their own that
end in "-check" or stand for the pattern of the rule; and the database of "store", if sessions are kept in one.
Exit codes: 0 it can be used, 1 it cannot (all problems are listed at once), 2 wrong usage, 3 broker or database do not accept it.`

/** The command `check`. */
export function checkCommand(): Command {
  return new Command('check')
    .description('check a configuration and show what would be in effect, without starting anything')
    .option(
      '-c, --config <file>',
      'configuration file (JSON with comments, or YAML); without it the defaults hold',
    )
    .option('--connect', 'also try to reach the broker and to log in')
    .option('--json', 'one JSON object on standard output, for scripts')
    .addHelpText('after', help)
    .action(async (options: CheckOptions) => {
      const check = options.connect ? checkConnections : checkConfig
      const { out, err, status } = await check(options, process.env)
      process.stdout.write(out)
      process.stderr.write(err)
      if (status !== 0) process.exitCode = status
    })
}
