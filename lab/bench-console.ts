// What the console costs: processor time of the gateway per message while nobody looks, with the console open (scraped
// every 5 s, a page's event stream open), and with one sensor watched that never pauses. It is one gateway, looked at and
// left alone in turn: two processes of the same program differ by more than what is measured here.
//   npm run bench:console -- --rounds 20 --seconds 3

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { Command } from 'commander'
import { count } from '../src/cli/options.ts'
import { Sensor } from '../src/sensor/sensor.ts'

type Variant = 'unseen' | 'open' | 'watching'
const variants: readonly Variant[] = ['unseen', 'open', 'watching']

interface Options {
  rounds: number
  seconds: number
  sensors: number
  broker: string
}

await new Command('bench-console')
  .description('Measure what metrics, API and console cost, as processor time of the gateway per message.')
  .option('--rounds <count>', 'each variant is measured so often, in turn; medians count', count, 20)
  .option('--seconds <count>', 'length of one measurement', count, 3)
  .option('--sensors <count>', 'sensors that publish at QoS 1, one message after the other', count, 50)
  .option('--broker <url>', 'the broker behind the gateway', 'embedded')
  .action(run)
  .parseAsync()

async function run({ rounds, seconds, sensors, broker }: Options): Promise<void> {
  const args = ['dist/src/cli.js', 'gateway', '-l', 'udp://127.0.0.1:0', '-b', broker]
  args.push('--store', 'memory', '--console=http://127.0.0.1:0')
  const gateway = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const { listening, console: url } = await started(gateway)
  const swarm = Array.from(
    { length: sensors },
    (_, i) => new Sensor({ gateway: listening, clientId: `bench-${i}` }),
  )
  for (const sensor of swarm) await sensor.connect()
  const results: Record<Variant, number[]> = { unseen: [], open: [], watching: [] }
  for (let round = -1; round <= rounds; round++) {
    // the order changes every round, so that no case always comes first
    for (const variant of round % 2 === 0 ? variants : [...variants].reverse()) {
      const ends = variant === 'unseen' ? () => {} : look(url, variant)
      const cost = await measure(gateway, swarm, seconds)
      ends()
      if (round > 0) results[variant].push(cost)
    }
    const line = variants.map((variant) => `${variant} ${results[variant].at(-1)?.toFixed(1)}`)
    console.log(round > 0 ? `round ${round} of ${rounds}, µs per message: ${line.join(', ')}` : 'warming up')
  }
  for (const variant of variants) console.log(conclusion(variant, results[variant], results.unseen))
  for (const sensor of swarm) await sensor.end()
  gateway.kill('SIGTERM')
  await once(gateway, 'exit')
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

/** Lets all publish for a while; microseconds of processor time of the gateway for one message. */
async function measure(gateway: ChildProcess, swarm: readonly Sensor[], seconds: number): Promise<number> {
  const payload = 'x'.repeat(32)
  const before = cpuOf(gateway)
  const until = performance.now() + seconds * 1000
  let messages = 0
  await Promise.all(
    swarm.map(async (sensor) => {
      for (; performance.now() < until; messages++) {
        await sensor.publish('bench/topic', payload, { qos: 1 })
      }
    }),
  )
  return ((cpuOf(gateway) - before) * 1e6) / messages
}

function conclusion(variant: Variant, costs: readonly number[], unseen: readonly number[]): string {
  const ratios = costs.map((cost, i) => cost / (unseen[i] ?? cost))
  const more = (share: number) => ((quantile(ratios, share) - 1) * 100).toFixed(1)
  const spread = `${more(0.5)} % more (quartiles ${more(0.25)} to ${more(0.75)})`
  return `console ${variant.padEnd(8)} ${quantile(costs, 0.5).toFixed(1)} µs per message; against unseen in the same round: ${spread}`
}

/** The value below which this share of all lies. */
function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

/** A scraper and a browser, on the overview or on one sensor's page; returns how to end them. */
function look(url: string, variant: 'open' | 'watching'): () => void {
  const end = new AbortController()
  const scrape = () =>
    void fetch(`${url}/metrics`, { signal: end.signal }).then(
      (answer) => answer.text(),
      () => {},
    )
  const timer = setInterval(scrape, 5000)
  scrape()
  void fetch(`${url}/api/events${variant === 'watching' ? '?sensor=bench-0' : ''}`, { signal: end.signal })
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
