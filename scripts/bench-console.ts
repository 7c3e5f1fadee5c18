// What it costs to be looked at: processor time of the gateway per message, with the console off, served, open (scraped
// every 5 s, a page's event stream open), and with one sensor watched that never pauses. Two gateways run side by side, one
// without and one with the console, and take turns in short slices: what disturbs the machine disturbs all variants.
//   npm run bench:console -- --rounds 12 --seconds 4

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { Command } from 'commander'
import { count } from '../src/cli/options.ts'
import { Sensor } from '../src/sensor/sensor.ts'

type Variant = 'off' | 'served' | 'open' | 'watching'
const variants: readonly Variant[] = ['off', 'served', 'open', 'watching']

interface Options {
  rounds: number
  seconds: number
  sensors: number
  broker: string
}

/** A gateway with its sensors. */
interface Candidate {
  readonly console: string
  /** the sensor that is watched */
  readonly watched: string
  /** lets the sensors publish for so long; resolves with microseconds of processor time per message */
  measure(seconds: number): Promise<number>
  end(): Promise<void>
}

await new Command('bench-console')
  .description('Measure what metrics, API and console cost, as processor time of the gateway per message.')
  .option('--rounds <count>', 'each variant is measured so often, in turn; medians count', count, 12)
  .option('--seconds <count>', 'length of one measurement', count, 4)
  .option('--sensors <count>', 'sensors that publish at QoS 1, one message after the other', count, 50)
  .option('--broker <url>', 'the broker behind the gateways', 'embedded')
  .action(run)
  .parseAsync()

async function run({ rounds, seconds, sensors, broker }: Options): Promise<void> {
  const without = await candidate(['--no-console'], sensors, broker)
  const served = await candidate(['--console=http://127.0.0.1:0'], sensors, broker)
  const results: Record<Variant, number[]> = { off: [], served: [], open: [], watching: [] }
  for (const one of [without, served]) await one.measure(3) // warm
  for (let round = 1; round <= rounds; round++) {
    // the order changes, so that none profits from its place
    for (const variant of round % 2 === 0 ? variants : [...variants].reverse()) {
      const one = variant === 'off' ? without : served
      const ends = variant === 'open' || variant === 'watching' ? look(served, variant) : () => {}
      results[variant].push(await one.measure(seconds))
      ends()
    }
    const line = variants.map((variant) => `${variant} ${results[variant].at(-1)?.toFixed(1)}`)
    console.log(`round ${round} of ${rounds}, µs per message: ${line.join(', ')}`)
  }
  for (const variant of variants) {
    const ratios = results[variant].map((cost, i) => cost / (results.off[i] ?? cost))
    const more = (share: number) => ((quantile(ratios, share) - 1) * 100).toFixed(1)
    const cost = quantile(results[variant], 0.5).toFixed(1)
    console.log(
      `console ${variant.padEnd(8)} ${cost} µs per message; against off in the same round: ${more(0.5)} % more (quartiles ${more(0.25)} to ${more(0.75)})`,
    )
  }
  await without.end()
  await served.end()
}

/** The value below which this share of all lies. */
function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

/** Starts a gateway and connects its sensors. */
async function candidate(options: string[], sensors: number, broker: string): Promise<Candidate> {
  const args = ['dist/src/cli.js', 'gateway', '-l', 'udp://127.0.0.1:0', '-b', broker]
  args.push('--store', 'memory', ...options)
  const gateway = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const { listening, console: url } = await started(gateway)
  const swarm = Array.from(
    { length: sensors },
    (_, i) => new Sensor({ gateway: listening, clientId: `bench-${gateway.pid}-${i}` }),
  )
  for (const sensor of swarm) await sensor.connect()
  const payload = 'x'.repeat(32)
  return {
    console: url,
    watched: `bench-${gateway.pid}-0`,
    async measure(seconds) {
      const before = cpuOf(gateway)
      let messages = 0
      const until = performance.now() + seconds * 1000
      await Promise.all(
        swarm.map(async (sensor) => {
          for (; performance.now() < until; messages++) {
            await sensor.publish('bench/topic', payload, { qos: 1 })
          }
        }),
      )
      return ((cpuOf(gateway) - before) * 1e6) / messages
    },
    async end() {
      for (const sensor of swarm) await sensor.end()
      gateway.kill('SIGTERM')
      await once(gateway, 'exit')
    },
  }
}

/** Reads the log until the gateway has started. */
async function started({ stdout }: ChildProcess): Promise<{ listening: string; console: string }> {
  let text = ''
  for await (const chunk of stdout ?? []) {
    text += chunk
    const listening = /"url":"(udp:[^"]+)"/.exec(text)?.[1]
    if (listening === undefined || !text.includes('"gateway started"')) continue
    stdout?.resume()
    return { listening, console: /"console":"([^"]+)"/.exec(text)?.[1] ?? '' }
  }
  throw new Error(`the gateway did not start: ${text}`)
}

/** A scraper and a browser, on the overview or on one sensor's page; returns how to end them. */
function look({ console: url, watched }: Candidate, variant: 'open' | 'watching'): () => void {
  const end = new AbortController()
  const scrape = () =>
    void fetch(`${url}/metrics`, { signal: end.signal }).then(
      (answer) => answer.text(),
      () => {},
    )
  const timer = setInterval(scrape, 5000)
  scrape()
  void fetch(`${url}/api/events${variant === 'watching' ? `?sensor=${watched}` : ''}`, { signal: end.signal })
    .then(async ({ body }) => {
      for await (const _ of body ?? []) if (end.signal.aborted) break
    })
    .catch(() => {})
  return () => {
    clearInterval(timer)
    end.abort()
  }
}

/** Seconds of processor time of all threads, as the scheduler counts them: to the nanosecond, not in ticks. */
function cpuOf({ pid }: ChildProcess): number {
  const nanoseconds = readdirSync(`/proc/${pid}/task`).map((thread) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]),
  )
  return nanoseconds.reduce((sum, one) => sum + one, 0) / 1e9
}
