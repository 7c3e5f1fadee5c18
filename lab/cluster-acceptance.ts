// Whether several nodes reach what they are meant to: see acceptance/goals.ts.
//   npm run acceptance -- --only kill,stop --runs 3

import { setMaxListeners } from 'node:events'
import { writeFileSync } from 'node:fs'
import { Command, InvalidArgumentError, Option } from 'commander'
import { count } from '../src/cli/options.ts'
import { goals, SESSIONS } from './acceptance/goals.ts'
import { acceptanceRows, isMet } from './acceptance/report.ts'
import { ROWS, type RowName, runAcceptance } from './acceptance/run.ts'
import { alignedTable } from './bench/report.ts'

interface Flags {
  readonly sensors: number
  readonly sessions: number
  readonly runs: number
  readonly seed: number
  readonly only: readonly RowName[]
  readonly json?: string
  readonly keep?: true
  readonly entry: string
}

function rowNames(text: string): readonly RowName[] {
  return text.split(',').map((name) => {
    const found = ROWS.find((one) => one === name.trim())
    if (found === undefined) throw new InvalidArgumentError(`One or more of ${ROWS.join(', ')}.`)
    return found
  })
}

const ended = new AbortController()
// Every sensor listens to this signal.
setMaxListeners(0, ended.signal)

await new Command('acceptance')
  .description(
    'Three nodes, a database with a synchronous standby, a broker and a balancer: how long sensors wait for what happens to them.',
  )
  .option('--sensors <count>', 'of all kinds', count, 1000)
  .option('--sessions <count>', 'that a node takes up', count, SESSIONS)
  .option('--runs <count>', 'how often each row is done; the worst counts', count, 1)
  .option('--seed <number>', 'determines traffic', count, 1)
  .option('--only <rows>', `some of ${ROWS.join(', ')}, with commas`, rowNames, [])
  .option('--json <file>', 'writes what was measured')
  .option('--keep', 'keeps the logs of nodes and broker')
  .addOption(new Option('--entry <file>', 'program of the gateway').default('dist/src/cli.js').hideHelp())
  .addHelpText(
    'after',
    `
Needs Linux, Mosquitto and PostgreSQL. Nodes are on 127.0.0.11 to .13. The balancer asks nodes five times a second whether they are ready, and lets
only the node answer that a sensor has spoken to. Waits count from the first try of a request to its answer.
Exit code: 0 all goals met, 1 one was missed, something is wrong, or it could not start, 130 interrupted.`,
  )
  .action(async ({ json, entry, keep, ...flags }: Flags) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ended.abort())
    const command = `npm run acceptance${['', ...process.argv.slice(2)].join(' ')}`.replace(
      /^npm run acceptance (?=.)/,
      'npm run acceptance -- ',
    )
    try {
      const report = await runAcceptance({
        ...flags,
        command,
        entry: [entry],
        keep: keep === true,
        say: (line) => console.log(line),
        signal: ended.signal,
      })
      const { measured, faults, acknowledged, lost } = report
      console.log(`\n${alignedTable(acceptanceRows(measured)).join('\n')}`)
      console.log(`\n${acknowledged} messages were acknowledged, ${lost} lost; ${faults.length} other faults`)
      if (json !== undefined) writeFileSync(json, `${JSON.stringify(report, undefined, 2)}\n`)
      const isMissed = measured.some((one) => goals.some((goal) => goal.id === one.id && !isMet(goal, one)))
      process.exitCode = ended.signal.aborted ? 130 : isMissed || faults.length > 0 ? 1 : 0
    } catch (error) {
      console.error(error instanceof Error ? error.message : error)
      process.exitCode = 1
    }
  })
  .parseAsync()
process.exit()
