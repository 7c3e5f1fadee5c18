// What it costs to be looked at: processor time of the gateway per message, with the console off, served, open (scraped
// every 5 s, a page's event stream open), and with one sensor watched that never pauses. Ratios of one run count only.
//   npm run bench:console -- --rounds 3 --seconds 8

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { Command } from 'commander'
import { count } from '../src/cli/options.ts'
import { Sensor } from '../src/sensor/sensor.ts'

type Variant = 'off' | 'served' | 'open' | 'watching'
const variants: readonly Variant[] = ['off', 'served', 'open', 'watching']

interface Options {
  rounds: number
  seconds: number
  sensors: number
}

await new Command('bench-console')
  .description('Measure what metrics, API and console cost, as processor time of the gateway per message.')
  .option('--rounds <count>', 'each variant is measured so often, in turn; medians count', count, 3)
  .option('--seconds <count>', 'length of one measurement', count, 8)
  .option('--sensors <count>', 'sensors that publish at QoS 1, one message after the other', count, 50)
  .action(run)
  .parseAsync()

async function run({ rounds, seconds, sensors }: Options): Promise<void> {
  const results: Record<Variant, number[]> = { off: [], served: [], open: [], watching: [] }
  for (let round = 1; round <= rounds; round++) {
    for (const variant of variants) {
      const cost = await measure(variant, seconds, sensors)
      results[variant].push(cost)
      console.log(`round ${round}, console ${variant}: ${cost.toFixed(1)} µs per message`)
    }
  }
  const base = median(results.off)
  for (const variant of variants) {
    const cost = median(results[variant])
    const more = ((cost / base - 1) * 100).toFixed(1)
    console.log(`console ${variant.padEnd(8)} ${cost.toFixed(1)} µs per message, ${more} % more than off`)
  }
}

/** The middle one. */
function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0
}

/** Microseconds of processor time, user and system, of the gateway process per acknowledged message. */
async function measure(variant: Variant, seconds: number, sensors: number): Promise<number> {
  const args = ['dist/src/cli.js', 'gateway', '-l', 'udp://127.0.0.1:0', '-b', 'embedded']
  args.push(variant === 'off' ? '--no-console' : '--console=http://127.0.0.1:0')
  const gateway = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    const { listening, console: url } = await started(gateway)
    const swarm = Array.from(
      { length: sensors },
      (_, i) => new Sensor({ gateway: listening, clientId: `bench-${i}` }),
    )
    for (const sensor of swarm) await sensor.connect()
    const ends = variant === 'open' || variant === 'watching' ? look(url, variant) : () => {}
    let messages = 0
    let running = true
    const lives = swarm.map(async (sensor) => {
      for (; running; messages++) await sensor.publish('bench/topic', 'x'.repeat(32), { qos: 1 })
    })
    await sleep(1500) // warm
    const before = { messages, cpu: cpuOf(gateway) }
    await sleep(seconds * 1000)
    const cost = ((cpuOf(gateway) - before.cpu) * 1e6) / (messages - before.messages)
    running = false
    await Promise.all(lives)
    ends()
    for (const sensor of swarm) await sensor.end()
    return cost
  } finally {
    gateway.kill('SIGTERM')
    await once(gateway, 'exit')
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

/** User and system time in seconds. */
function cpuOf({ pid }: ChildProcess): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / 100
}
