// The benchmark of the gateway: broker, gateway and load are started, measured and ended, scenario by scenario.
//   npm run bench -- --scenario uplink-qos1 --sensors 500 --duration 5s

import { readFileSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { Command, InvalidArgumentError, Option } from 'commander'
import { between, count, timeOption } from '../src/cli/options.ts'
import { type Row, summarizeRows } from './bench/figures.ts'
import { NotHere } from './bench/not-here.ts'
import { comparePairs, type Pair } from './bench/ratios.ts'
import { describeBroker, describeMachine, markdownReport, type Report, textReport } from './bench/report.ts'
import { isForeign, PLACEHOLDERS } from './bench/rival.ts'
import { type Scenario, scenarios } from './bench/scenarios.ts'
import type { Endpoint } from './bench/sensors.ts'
import { haveMosquitto, openStage, type StageOptions, type StoreKind } from './bench/stage.ts'
import type { Context } from './bench/window.ts'

interface Flags {
  scenario?: string[]
  sensors?: number[]
  duration: number
  runs: number
  target?: Endpoint
  pid?: number
  against?: string
  broker?: StageOptions['broker']
  store: StoreKind
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
  .option('--against <command>', 'take turns with the gateway that this command starts; see below')
  .option('--broker <broker>', 'mosquitto, embedded, or host:port of one that runs', brokerOf)
  .addOption(
    new Option(
      '--store <type>',
      'store of the gateway; with postgres, scenarios that compare stores measure it too',
    )
      .choices(['lmdb', 'memory', 'postgres'])
      .default('lmdb'),
  )
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
  npm run bench -- --scenario uplink-qos2 --sensors 500 --runs 5 --store postgres
  npm run bench -- --target 127.0.0.1:10000 --pid 4711 --broker 127.0.0.1:1883 --scenario uplink-qos1
  npm run bench -- --scenario uplink-qos1 --sensors 500 --profile gateway.cpuprofile
  npm run bench -- --scenario uplink-qos1 --runs 5 --against 'node ../before/dist/src/cli.js'
  npm run bench -- --scenario latency --runs 5 --against 'bash lab/rivals/paho.sh {port} {broker-port} {folder}'

With --against each measurement is made of both gateways, one after the other, and the ratio of each pair is told, ours divided by
the other's: what else the machine did met both alike. A command with ${PLACEHOLDERS.join(', ')} starts any program,
which must answer CONNECT at that port of 127.0.0.1 and find its broker at the other; any other command is a build of this project, which
is given "gateway -c FILE".
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
  const { against } = flags
  if (against !== undefined && (flags.target !== undefined || flags.profile !== undefined)) {
    program.error('error: --against starts both gateways: it does not go with --target or --profile', {
      exitCode: 2,
    })
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
    stores: ['memory', 'lmdb', ...(store === 'postgres' ? (['postgres'] as const) : [])],
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
  const other: Context = { ...context, open: (wanted) => openStage({ ...options, rival: against }, wanted) }
  const [loadAverage] = loadavg()
  const rows: Row[] = []
  const pairs: Pair[] = []
  const skipped: Record<string, string> = {}
  let failed = false
  const attempt = async (scenario: Scenario, sensors: number, of: Context): Promise<Row[]> => {
    try {
      return await scenario.run(of, sensors)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      say(`  ${why}`)
      skipped[of === other ? `${scenario.name} of the other gateway` : scenario.name] = why
      failed ||= !(error instanceof NotHere)
      return []
    }
  }
  for (let round = 1; round <= flags.runs; round += 1) {
    for (const { scenario, sensors } of plan) {
      const of = flags.runs > 1 ? `, run ${round} of ${flags.runs}` : ''
      // the second of a pair finds a warmer machine, so the order changes every round
      const theirsFirst = against !== undefined && round % 2 === 0
      const theirs = async (): Promise<Row[]> => {
        if (against === undefined) return []
        say(`${scenario.name}, ${sensors} sensors${of}, the other gateway`)
        return attempt(scenario, sensors, other)
      }
      const before = theirsFirst ? await theirs() : []
      say(`${scenario.name}, ${sensors} sensors${of}`)
      const ours = await attempt(scenario, sensors, context)
      rows.push(...ours)
      pairs.push({ ours, theirs: theirsFirst ? before : await theirs() })
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
    ...(against !== undefined && { against: { command: against, comparisons: comparePairs(pairs) } }),
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
  against,
  smallest,
}: Flags): { scenario: Scenario; sensors: number }[] {
  return scenarios
    .filter(({ name }) => names === undefined || names.includes(name))
    .filter(({ withTarget = true }) => (target === undefined && !isForeign(against ?? '')) || withTarget)
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
