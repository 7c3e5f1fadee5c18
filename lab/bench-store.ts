// What a durable store costs: throughput, and processor time of the gateway per message, with the store on (LMDB) and off
// (memory), in turns within one run. Only ratios of one run can be compared: load, gateway and broker share the machine.
//   npm run bench:store -- --rounds 5 --seconds 5

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Command } from 'commander'
import { count } from '../src/cli/options.ts'
import { connectSubscribers, loopDownlink } from './bench/downlink.ts'
import { connectPublishers, type Endpoint } from './bench/sensors.ts'
import { type Load, publishInLoop } from './bench/uplink.ts'
import { freePort, GatewayProcess, Mosquitto, usage } from './processes.ts'

interface Options {
  rounds: number
  seconds: number
  sensors: number
}

const STORES = ['memory', 'lmdb'] as const
const SCENARIOS = ['uplink QoS 0', 'uplink QoS 1', 'downlink QoS 1'] as const
type Store = (typeof STORES)[number]
type Scenario = (typeof SCENARIOS)[number]

/** Messages per second, and microseconds of processor time of the gateway for one. */
interface Figure {
  readonly rate: number
  readonly cost: number
}

/** How much an uplink may suffer, and least messages per second to sensors. */
const TOLERANCE = 0.05
const DOWNLINK_RATE = 10_000
const WARM = 1500
/** Messages to one sensor at once. */
const WINDOW = 2

/** files of the measurement that runs */
let folder: string | undefined

function clear(): void {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
}

async function run({ rounds, seconds, sensors }: Options): Promise<number> {
  const figures = new Map<string, Figure[]>()
  for (let round = 1; round <= rounds; round += 1) {
    // The second of a pair finds a warmer machine, so the order changes every round.
    const order = round % 2 === 0 ? [...STORES].reverse() : STORES
    for (const scenario of SCENARIOS) {
      for (const store of order) {
        const figure = await measure(scenario, store, sensors, seconds)
        const key = `${scenario}/${store}`
        figures.set(key, [...(figures.get(key) ?? []), figure])
        console.log(
          `round ${round}, ${scenario}, ${store}: ${figure.rate.toFixed(0)}/s, ${figure.cost.toFixed(1)} µs each`,
        )
      }
    }
  }
  return conclude(figures)
}

/** One gateway and one broker of its own, so that nothing of the last measurement is left. */
async function measure(scenario: Scenario, store: Store, sensors: number, seconds: number): Promise<Figure> {
  folder = mkdtempSync(join(tmpdir(), 'mqttsn-bench-'))
  const mosquitto = new Mosquitto(folder, await freePort())
  const gateway = new GatewayProcess(folder, ['dist/src/cli.js'], {
    listeners: [{ url: 'udp://127.0.0.1:0' }],
    broker: { url: mosquitto.url },
    store: store === 'lmdb' ? { type: 'lmdb', path: join(folder, 'state') } : { type: 'memory' },
    timers: { tRetry: '2s' },
    console: { enabled: false },
    log: { level: 'info', format: 'json' },
  })
  let load: Load | undefined
  try {
    await mosquitto.start()
    await gateway.start()
    load = await startLoad(scenario, { host: '127.0.0.1', port: gateway.udpPort }, mosquitto.port, sensors)
    await sleep(WARM)
    const before = { at: performance.now(), done: load.done, ...usage(gateway.pid) }
    await sleep(seconds * 1000)
    const { cpu } = usage(gateway.pid)
    const done = load.done - before.done
    if (gateway.faults.length > 0) throw new Error(`the gateway logged: ${gateway.faults[0]}`)
    if (load.repeated > 0) console.log(`${scenario}, ${store}: ${load.repeated} messages got lost on the way`)
    return {
      rate: (done * 1000) / (performance.now() - before.at),
      cost: ((cpu - before.cpu) * 1e6) / done,
    }
  } finally {
    await load?.close()
    await gateway.end('SIGKILL')
    await mosquitto.end('SIGKILL')
    clear()
  }
}

/** All of it is a closed loop, with sessions that last, since only these are stored. */
async function startLoad(
  scenario: Scenario,
  gateway: Endpoint,
  brokerPort: number,
  count: number,
): Promise<Load> {
  const broker = { host: '127.0.0.1', port: brokerPort }
  const setup = { cleanSession: false }
  if (scenario === 'downlink QoS 1') {
    return loopDownlink(await connectSubscribers(gateway, count, 1, setup), broker, 1, WINDOW * count)
  }
  const qos = scenario === 'uplink QoS 0' ? 0 : 1
  return publishInLoop(await connectPublishers(gateway, count, qos, setup), broker, qos)
}

/**
 * Prints the table; 1 if a goal was missed. What else the machine does only ever takes throughput away, so the best of each
 * store are compared; of processor time, which hardly suffers, the medians.
 */
function conclude(figures: ReadonlyMap<string, readonly Figure[]>): number {
  let missed = 0
  console.log('\nscenario        store   messages/s: median (least to most)   µs of the gateway each')
  for (const scenario of SCENARIOS) {
    const rates = (store: Store) => (figures.get(`${scenario}/${store}`) ?? []).map(({ rate }) => rate)
    const costs = (store: Store) => (figures.get(`${scenario}/${store}`) ?? []).map(({ cost }) => cost)
    for (const store of STORES) {
      const columns = [scenario.padEnd(15), store.padEnd(7), spread(rates(store), 0).padEnd(36)]
      console.log(`${columns.join(' ')} ${spread(costs(store), 1)}`)
    }
    const share = Math.max(...rates('lmdb')) / Math.max(...rates('memory'))
    const more = median(costs('lmdb')) / median(costs('memory'))
    const down = scenario === 'downlink QoS 1'
    const met = down
      ? median(rates('lmdb')) >= DOWNLINK_RATE
      : share >= 1 - TOLERANCE && more <= 1 + TOLERANCE
    if (!met) missed = 1
    console.log(
      `${scenario.padEnd(15)} on/off  throughput ${percent(share)} (best of each), processor time ${percent(more)} (medians); ` +
        `goal ${down ? `${DOWNLINK_RATE}/s` : `within ${percent(TOLERANCE)}`}: ${met ? 'met' : 'MISSED'}`,
    )
  }
  return missed
}

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`

const spread = (values: readonly number[], digits: number): string =>
  `${median(values).toFixed(digits)} (${Math.min(...values).toFixed(digits)} to ${Math.max(...values).toFixed(digits)})`

/** The middle one. */
const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN

process.once('exit', clear)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

await new Command('bench-store')
  .description('Compare throughput and cost per message with the durable store on and off.')
  .option('--rounds <count>', 'each is measured so often, in turns; medians count', count, 5)
  .option('--seconds <count>', 'length of one measurement', count, 5)
  .option('--sensors <count>', 'how many', count, 500)
  .addHelpText('after', '\nExit code: 0 goals met, 1 a goal was missed, or it could not start.')
  .action(async (options: Options) => {
    try {
      process.exitCode = await run(options)
    } catch (error) {
      console.error(error instanceof Error ? error.message : error)
      process.exitCode = 1
    }
  })
  .parseAsync()
process.exit()
