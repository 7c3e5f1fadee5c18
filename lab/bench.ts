// The benchmark of the gateway: broker, gateway and load are started, measured and ended, scenario by scenario.
//   npm run bench -- --scenario uplink-qos1 --sensors 500 --duration 5s

import { readFileSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { Command, InvalidArgumentError, Option } from 'commander'
import { between, count, timeOption } from '../src/cli/options.ts'
import { type Row, summarizeRows } from './bench/figures.ts'
import { NotHere } from './bench/not-here.ts'
import { describeBroker, describeMachine, markdownReport, type Report, textReport } from './bench/report.ts'
import { type Scenario, scenarios } from './bench/scenarios.ts'
import type { Endpoint } from './bench/sensors.ts'
import { haveMosquitto, openStage, type StageOptions } from './bench/stage.ts'
import type { Context } from './bench/window.ts'

interface Flags {
  scenario?: string[]
  sensors?: number[]
  duration: number
  runs: number
  target?: Endpoint
  pid?: number
  broker?: StageOptions['broker']
  store: 'memory' | 'lmdb'
  workers?: number | 'auto'
  json?: string
  markdown?: string
  profile?: string
  smallest?: true
}

/** Seconds of a measurement, and of the time before it, in the smallest form. */
const SMALLEST = { seconds: 0.6, warm: 0.2 }
const WARM = 1.5

const program = new Command('bench')
  .description('Measure the gateway: throughput, processor time per message, latency, loss and memory.')
  .option('-s, --scenario <names>', 'only these; several, or separated by commas', several(scenarioName))
  .option('-n, --sensors <counts>', 'numbers of sensors, in place of those of the scenarios', several(count))
  .addOption(timeOption('-d, --duration <time>', 'length of one measurement', 5000))
  .option(
    '-r, --runs <count>',
    'measure everything so often; medians and spreads are shown',
    between(1, 100),
    1,
  )
  .option('--target <host:port>', 'measure the gateway that runs there instead of one of our own', endpoint)
  .option('--pid <pid>', 'its process on this machine, for processor time and memory', count)
  .option('--broker <broker>', 'mosquitto, embedded, or host:port of one that runs', brokerOf)
  .addOption(new Option('--store <type>', 'store of the gateway').choices(['lmdb', 'memory']).default('lmdb'))
  .option('--workers <count>', 'worker threads of the gateway, or auto', workersOf)
  .option('--json <file>', 'write all figures there')
  .option('--markdown <file>', 'write the tables there')
  .option('--profile <file>', 'write a profile of the gateway there (.cpuprofile), of one measurement')
  .option('--smallest', 'a few sensors for a moment: shows that it works, measures nothing')
  .addHelpText(
    'after',
    `
Scenarios:
${scenarios.map(({ name, about, sensors }) => `  ${name.padEnd(14)} ${about} (sensors: ${sensors.join(', ')})`).join('\n')}

Examples:
  npm run bench -- --scenario uplink-qos1 --sensors 500 --runs 3
  npm run bench -- --scenario connect,memory,idle
  npm run bench -- --target 127.0.0.1:10000 --pid 4711 --broker 127.0.0.1:1883 --scenario uplink-qos1
  npm run bench -- --scenario uplink-qos1 --sensors 500 --profile gateway.cpuprofile

Broker, gateway and load share the machine, and all traffic stays on loopback unless --target says otherwise. What else
runs on the machine takes from the rates; processor time per message hardly suffers.
Exit code: 0 measured, whether goals are met or not; 1 something failed; 2 usage; 130 interrupted.`,
  )
  .showHelpAfterError('(--help shows the scenarios and examples)')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .action(run)

const say = (text: string) => console.error(text)

async function run(flags: Flags): Promise<void> {
  if (flags.target !== undefined && typeof (flags.broker ?? 'mosquitto') === 'string') {
    program.error('error: --target needs --broker host:port, the broker behind that gateway', { exitCode: 2 })
  }
  const broker = flags.broker ?? (haveMosquitto() ? 'mosquitto' : 'embedded')
  const smallest = flags.smallest === true
  const seconds = smallest ? SMALLEST.seconds : flags.duration / 1000
  const warm = smallest ? SMALLEST.warm : WARM
  const { target, pid, store, workers, profile } = flags
  const options: StageOptions = { target, pid, broker, store, workers, profile }
  const context: Context = {
    seconds,
    warm,
    smallest,
    broker,
    open: (wanted) => openStage(options, wanted),
    say: (text) => say(`  ${text}`),
  }
  const plan = planOf(flags)
  if (profile !== undefined && (plan.length !== 1 || flags.runs !== 1)) {
    program.error(
      'error: --profile is of one measurement: name one --scenario, and one number of --sensors',
      {
        exitCode: 2,
      },
    )
  }
  const [loadAverage] = loadavg()
  const rows: Row[] = []
  const skipped: Record<string, string> = {}
  let failed = false
  for (let round = 1; round <= flags.runs; round += 1) {
    for (const { scenario, sensors } of plan) {
      const of = flags.runs > 1 ? `, run ${round} of ${flags.runs}` : ''
      say(`${scenario.name}, ${sensors} sensors${of}`)
      try {
        rows.push(...(await scenario.run(context, sensors)))
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error)
        say(`  ${why}`)
        skipped[scenario.name] = why
        failed ||= !(error instanceof NotHere)
      }
    }
  }
  if (profile !== undefined) addBusy(profile, rows[0]?.figures.busy)
  const report: Report = {
    date: new Date().toISOString().slice(0, 10),
    command: ['npm run bench --', ...process.argv.slice(2)].join(' '),
    machine: describeMachine(),
    node: process.versions.node,
    broker: describeBroker(typeof broker === 'string' ? broker : `broker at ${broker.host}:${broker.port}`),
    seconds,
    summaries: summarizeRows(rows),
    loadAverage,
    skipped,
  }
  if (flags.json !== undefined) writeFileSync(flags.json, `${JSON.stringify(report, undefined, 2)}\n`)
  if (flags.markdown !== undefined) writeFileSync(flags.markdown, `${markdownReport(report)}\n`)
  console.log(textReport(report))
  if (failed) process.exitCode = 1
}

/** The profiler takes reading from sockets for idleness: how busy the process really was is put beside it. */
function addBusy(file: string, busy: number | undefined): void {
  if (busy !== undefined)
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), busy }))
}

/** What is measured in one round. */
function planOf({
  scenario: names,
  sensors,
  target,
  smallest,
}: Flags): { scenario: Scenario; sensors: number }[] {
  return scenarios
    .filter(({ name }) => names === undefined || names.includes(name))
    .filter(({ withTarget = true }) => target === undefined || withTarget)
    .flatMap((scenario) => {
      const few = scenario.smallest === undefined ? [] : [scenario.smallest]
      const counts = sensors ?? (smallest ? few : scenario.sensors)
      return counts.map((count) => ({ scenario, sensors: count }))
    })
}

/** An option that may be given several times, and may hold several values separated by commas. */
function several<T>(parse: (text: string) => T) {
  return (text: string, earlier: T[] = []): T[] => [...earlier, ...text.split(',').map(parse)]
}

function scenarioName(text: string): string {
  if (scenarios.some(({ name }) => name === text)) return text
  throw new InvalidArgumentError(`there are ${scenarios.map(({ name }) => name).join(', ')}`)
}

function endpoint(text: string): Endpoint {
  const [, host, port] = /^(?:udp:\/\/|mqtt:\/\/)?\[?([^\s/]+?)\]?:(\d{1,5})$/.exec(text) ?? []
  if (host !== undefined && Number(port) <= 65_535) return { host, port: Number(port) }
  throw new InvalidArgumentError('expected host:port')
}

function brokerOf(text: string): StageOptions['broker'] {
  return text === 'mosquitto' || text === 'embedded' ? text : endpoint(text)
}

function workersOf(text: string): number | 'auto' {
  return text === 'auto' ? text : between(1, 256)(text)
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

try {
  await program.parseAsync()
} catch (error) {
  say(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}
// Sockets that wait for an answer would keep it alive.
process.exit()
