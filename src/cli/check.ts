// `mqttsn check`: shows the configuration that would be in effect, or everything that is wrong with it.

import { Command } from 'commander'
import { ConfigError, loadConfig } from '../config/load.ts'
import { problemText } from '../config/reading/problems.ts'
import { redacted } from '../config/redact.ts'

/** What `check` found: the text for both outputs, and the exit status. */
export interface CheckResult {
  readonly out: string
  readonly err: string
  readonly status: 0 | 1
}

interface CheckOptions {
  readonly config?: string | undefined
  readonly json?: boolean | undefined
}

/** Checks a configuration without starting anything. Neither output ever holds a secret. */
export function checkConfig(
  options: CheckOptions,
  env: Readonly<Record<string, string | undefined>>,
): CheckResult {
  const name = options.config ?? 'the environment and the defaults'
  const lines = (...texts: string[]) => texts.map((text) => `${text}\n`).join('')
  const json = (value: object) => lines(JSON.stringify(value, null, 2))
  try {
    const { config, warnings } = loadConfig({ file: options.config, env })
    const shown = redacted(config)
    if (options.json) return { out: json({ valid: true, warnings, config: shown }), err: '', status: 0 }
    const err = lines(...warnings.map((warning) => `warning: ${warning}`), `${name}: valid`)
    return { out: json(shown), err, status: 0 }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const { problems } = error
    if (options.json) return { out: json({ valid: false, problems }), err: '', status: 1 }
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`
    return { out: '', err: lines(...problems.map(problemText), `${name}: ${count}`), status: 1 }
  }
}

const help = `
Examples:
  mqttsn check -c gateway.config.json
  MQTTSN_LOG__LEVEL=debug mqttsn check -c gateway.config.json
  mqttsn check -c gateway.config.json --json | jq .problems

The configuration in effect goes to standard output, with "***" for secrets; warnings go to standard error.
Exit codes: 0 it can be used, 1 it cannot (all problems are listed at once), 2 wrong usage.`

/** The command `check`. */
export function checkCommand(): Command {
  return new Command('check')
    .description('check a configuration and show what would be in effect, without starting anything')
    .option('-c, --config <file>', 'configuration file (JSON); without it the defaults hold')
    .option('--json', 'one JSON object on standard output, for scripts')
    .addHelpText('after', help)
    .action((options: CheckOptions) => {
      const { out, err, status } = checkConfig(options, process.env)
      process.stdout.write(out)
      process.stderr.write(err)
      if (status !== 0) process.exitCode = status
    })
}
