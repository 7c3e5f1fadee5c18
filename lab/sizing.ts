// How many gateways, cores and rows a site needs, and how long a takeover takes: a model of measured costs, see docs/sizing.md.
//   npx tsx lab/sizing.ts --sensors 250000 --interval 30s --mix 0:0.9,1:0.1 --local-addresses 4

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Command, InvalidArgumentError, Option } from 'commander'
import { parseDuration } from '../src/config/sections/units.ts'
import { markdown, type Report } from './bench/report.ts'
import { COST_NAMES, type Costs, costRows, costsOf, isCostName } from './sizing/costs.ts'
import { type Kind, type Mix, needOf, type Site, USUAL } from './sizing/model.ts'
import { NEED_HEAD, needRow, needTable, WAITS_HEAD, waitsRow, waitsTable } from './sizing/tables.ts'
import { playTakeover, USUAL_TAKEOVER } from './sizing/takeover.ts'

interface Options extends Omit<Site, never> {
  readonly performance: string
  readonly cost: Partial<Costs>
  readonly nodes?: number
  readonly detect: number
  readonly balancer: number
  readonly tRetry: number
  readonly nRetry: number
  readonly connects: number
  readonly seed: number
  readonly tables?: true
  readonly costs?: true
  readonly json?: true
}

const KINDS: readonly string[] = ['0', '1', '1s', '2'] satisfies Kind[]

function number(least: number, isWhole: boolean) {
  return (text: string): number => {
    const value = Number(text)
    if (
      text.trim() === '' ||
      !(value >= least) ||
      value === Number.POSITIVE_INFINITY ||
      (isWhole && !Number.isInteger(value))
    )
      throw new InvalidArgumentError(`a ${isWhole ? 'whole ' : ''}number from ${least} on`)
    return value
  }
}

/** Seconds. */
function time(text: string): number {
  if (text === 'never') return Number.POSITIVE_INFINITY
  const ms = parseDuration(text)
  if (ms === undefined || ms <= 0)
    throw new InvalidArgumentError('a time such as 10 (seconds), 500ms or 5m, or never')
  return ms / 1000
}

/** Seconds that do end. */
function limited(text: string): number {
  const seconds = time(text)
  if (seconds === Number.POSITIVE_INFINITY)
    throw new InvalidArgumentError('a time such as 10 (seconds), 500ms or 5m')
  return seconds
}

const heardEvery = (text: string): number | 'auto' => (text === 'auto' ? text : limited(text))

function share(text: string): number {
  const value = number(0.01, false)(text)
  if (value > 1) throw new InvalidArgumentError('a share from 0.01 to 1')
  return value
}

function mix(text: string): Mix {
  const wrong = new InvalidArgumentError(
    'shares of QoS 0, 1, 2, or 1s (QoS 1 with ack: "store"), together 1, such as 0:0.9,1:0.1',
  )
  const parts = text.split(',').map((part) => part.split(':'))
  const shares = parts.map(([kind = '', value = '']): [string, number] => [
    kind,
    value === '' ? Number.NaN : Number(value),
  ])
  const isWrong =
    parts.some((part) => part.length !== 2) || new Set(shares.map(([kind]) => kind)).size < shares.length
  const sum = shares.reduce(
    (all, [kind, value]) => (KINDS.includes(kind) && value >= 0 ? all + value : Number.NaN),
    0,
  )
  if (isWrong || !(Math.abs(sum - 1) < 1e-6)) throw wrong
  return Object.fromEntries(shares) as Mix
}

function cost(text: string, before: Partial<Costs>): Partial<Costs> {
  const [name = '', value = ''] = text.split('=')
  if (!isCostName(name))
    throw new InvalidArgumentError(`a cost such as qos1=30; there are ${COST_NAMES.join(', ')}`)
  const given = number(0, false)(value)
  if (name === 'ports' && given < 1) throw new InvalidArgumentError('at least one port')
  if ((name === 'loadRows' || name === 'engineRows') && given <= 0)
    throw new InvalidArgumentError('more than 0')
  return { ...before, [name]: given }
}

const program = new Command('sizing')
  .description(
    'How many gateways, cores and rows a site needs: a model, in which measured costs are added up.',
  )
  .option('--sensors <count>', 'how many there are', number(1, true), USUAL.sensors)
  .option(
    '--interval <time>',
    'between two messages of a sensor to the broker, or never',
    time,
    USUAL.interval,
  )
  .addOption(
    new Option('--mix <shares>', 'these by QoS, as 0:0.9,1:0.1; 1s is QoS 1 with ack: "store"')
      .default(USUAL.mix, '1:1')
      .argParser(mix),
  )
  .option('--keep-alive <time>', 'of a sensor', limited, USUAL.keepAlive)
  .addOption(
    new Option('--wake <time>', 'sensors sleep, and wake up so often')
      .default(USUAL.wake, 'never')
      .argParser(time),
  )
  .addOption(
    new Option('--downlink <time>', 'between two messages to a sensor')
      .default(USUAL.downlink, 'never')
      .argParser(time),
  )
  .addOption(
    new Option('--downlink-qos <qos>', 'QoS of these').choices(['0', '1']).default(USUAL.downlinkQos),
  )
  .option('--heard-every <time>', 'store.heardEvery, or auto', heardEvery, USUAL.heardEvery)
  .option('--cores <count>', 'of each node', number(1, true), USUAL.cores)
  .option('--busy <share>', 'of these that may be in use while all nodes are there', share, USUAL.busy)
  .option('--spare <count>', 'nodes that may be missing', number(0, true), USUAL.spare)
  .option(
    '--local-addresses <count>',
    'broker.localAddresses of each node',
    number(0, true),
    USUAL.localAddresses,
  )
  .option('--broker-addresses <count>', 'addresses of the broker', number(1, true), USUAL.brokerAddresses)
  .option(
    '--shared <count>',
    'connections that all sensors of a node share; 0: each has its own',
    number(0, true),
    0,
  )
  .option('--nodes <count>', 'for the takeover; as many as are needed, unless told', number(2, true))
  .option(
    '--detect <time>',
    'takeover: until the sensors of the node are taken',
    limited,
    USUAL_TAKEOVER.detect,
  )
  .option('--balancer <time>', 'takeover: until the balancer notices', limited, USUAL_TAKEOVER.balancer)
  .option('--t-retry <time>', 'takeover: T_RETRY of sensors', limited, USUAL_TAKEOVER.tRetry)
  .option('--n-retry <count>', 'takeover: N_RETRY of sensors', number(0, true), USUAL_TAKEOVER.nRetry)
  .option(
    '--connects <count>',
    'takeover: connections/s that the broker takes of a node',
    number(1, false),
    USUAL_TAKEOVER.connects,
  )
  .option('--seed <number>', 'takeover: another course of chance', number(0, true), USUAL_TAKEOVER.seed)
  .addOption(
    new Option(
      '--performance <file>',
      'report of the benchmark (npm run bench -- --json) to take costs from',
    ).default(fileURLToPath(new URL('../docs/performance.json', import.meta.url)), 'docs/performance.json'),
  )
  .addOption(
    new Option('--cost <name=value>', 'another cost, see --costs; may be repeated')
      .default({}, 'none')
      .argParser(cost),
  )
  .option('--costs', 'show all costs and where they come from')
  .option('--tables', 'show the tables of docs/sizing.md with these costs')
  .option('--json', 'print JSON')
  .addHelpText(
    'after',
    '\nWhat is modelled and what was measured: docs/sizing.md. Exit code: 0, or 1 if an option or the report cannot be used.',
  )
  .action((options: Options) => {
    try {
      process.stdout.write(`${answer(options)}\n`)
    } catch (error) {
      program.error(`sizing: ${error instanceof Error ? error.message : String(error)}`)
    }
  })

function reportIn(file: string): Report {
  const report = JSON.parse(readFileSync(file, 'utf8')) as Partial<Report> | null
  if (!Array.isArray(report?.summaries)) throw new Error(`${file} is no report of the benchmark`)
  return report as Report
}

/** What is printed. */
function answer(options: Options): string {
  const costs = costsOf(reportIn(options.performance), options.cost)
  if (options.costs) return lines([['cost', 'what it is', 'value', 'source'], ...costRows(costs)])
  if (options.tables) return `${lines(needTable(costs))}\n\n${lines(waitsTable(costs))}`
  const site: Site = { ...USUAL, ...options, downlinkQos: Number(options.downlinkQos) === 0 ? 0 : 1 }
  const need = needOf(site, costs)
  const nodes = options.nodes ?? Math.max(2, need.nodes)
  const { sensors, detect, balancer, tRetry, nRetry, connects, seed } = options
  const interval = Math.min(options.interval, options.wake, options.keepAlive)
  const { hold } = USUAL_TAKEOVER
  const { loadRows } = costs
  const waits = playTakeover({
    sensors,
    nodes,
    detect,
    balancer,
    interval,
    tRetry,
    nRetry,
    hold,
    connects,
    loadRows,
    seed,
  })
  if (options.json) return JSON.stringify({ need, takeover: { nodes, ...waits } }, null, 2)
  const table = [NEED_HEAD, needRow(`${sensors.toLocaleString('en-US')} sensors`, need)]
  return `${upright(table)}\n\n${upright([WAITS_HEAD, waitsRow(`one of ${nodes} nodes is gone`, waits)])}`
}

const lines = (table: readonly (readonly string[])[]): string => markdown(table).join('\n')

/** A table of one row as a list of names and values. */
function upright([head = [], row = []]: readonly (readonly string[])[]): string {
  const width = Math.max(...head.map(({ length }) => length))
  return head.map((name, column) => `${name.padEnd(width)}  ${row[column] ?? ''}`).join('\n')
}

await program.parseAsync()
