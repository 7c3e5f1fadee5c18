// Thousands of connected sensors, and a gateway that is killed and started again, then stopped and started again: how soon
// all are served, and whether any of them had to connect or register anew.
//   npm run restart -- --sensors 5000

import { setMaxListeners } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { count, timeOption } from '../src/cli/options.ts'
import { pause } from '../src/sensor/pause.ts'
import { Sensor } from '../src/sensor/sensor.ts'
import { freePort, GatewayProcess, Mosquitto, usage } from './processes.ts'

interface Options {
  sensors: number
  rate: number
  interval: number
  retry: number
}

/** Milliseconds in which all must be served again. */
const GOAL = 15_000
/** Milliseconds after which nobody waits any longer. */
const PATIENCE = 60_000
/** Open files besides one for every sensor: ours, and of gateway and broker, which inherit the limit. */
const SPARE_FILES = 200

const say = (text: string) => console.log(`${new Date().toISOString().slice(11, 19)} ${text}`)

/** A sensor that publishes all the time, and what it had to do for that. */
class Publisher {
  readonly sensor: Sensor
  /** when it last got an acknowledgement, milliseconds */
  acknowledgedAt = 0
  connects = 0
  registers = 0
  readonly #topic: string

  constructor(index: number, gateway: string, { retry }: Options) {
    const clientId = `s${index}`
    this.#topic = `restart/${clientId}`
    this.sensor = new Sensor({ gateway, clientId, cleanSession: index % 2 === 0, tRetry: retry })
    this.sensor.on('packet', (direction, { type }) => {
      if (direction !== 'out') return
      if (type === 'connect') this.connects += 1
      if (type === 'register') this.registers += 1
    })
  }

  /** Publishes until the signal; connects anew if it must. Never rejects. */
  async live(interval: number, signal: AbortSignal): Promise<void> {
    await pause(Math.random() * interval, signal)
    while (!signal.aborted) {
      try {
        if (this.sensor.state === 'disconnected') await this.sensor.connect()
        await this.sensor.publish(this.#topic, 'x'.repeat(32), { qos: 1 })
        this.acknowledgedAt = performance.now()
      } catch {
        // what it has to do about it is counted
      }
      await pause(interval, signal)
    }
    this.sensor.close()
  }
}

async function run(options: Options): Promise<number> {
  const { sensors, interval } = options
  const files = Number(/Max open files\s+(\d+)/.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1])
  if (files < sensors + SPARE_FILES) {
    throw new Error(
      `${sensors} sensors need ${sensors + SPARE_FILES} open files, the limit is ${files}: see ulimit -n`,
    )
  }
  const folder = mkdtempSync(join(tmpdir(), 'mqttsn-restart-'))
  const port = await freePort()
  const mosquitto = new Mosquitto(folder, await freePort())
  const gateway = new GatewayProcess(folder, ['dist/src/cli.js'], {
    listeners: [{ url: `udp://127.0.0.1:${port}` }],
    broker: { url: mosquitto.url },
    store: { type: 'lmdb', path: join(folder, 'state') },
    limits: { sensors: sensors + 1000, sensorsPerAddress: sensors + 1000 },
    console: { enabled: false },
    log: { level: 'info', format: 'json' },
  })
  const ended = new AbortController()
  setMaxListeners(0, ended.signal) // every sensor listens to this signal
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ended.abort())
  try {
    await mosquitto.start()
    await gateway.start()
    const publishers = Array.from(
      { length: sensors },
      (_, index) => new Publisher(index, `udp://127.0.0.1:${port}`, options),
    )
    await connectAll(publishers, options, ended.signal)
    if (ended.signal.aborted) return 130
    for (const publisher of publishers) void publisher.live(interval, ended.signal)
    await pause(3 * interval, ended.signal)
    const waiting = publishers.filter(({ acknowledgedAt }) => acknowledgedAt === 0).length
    if (waiting > 0) say(`${waiting} sensors have no acknowledgement yet`)
    const well: boolean[] = []
    for (const how of ['SIGKILL', 'SIGTERM'] as const) {
      well.push(await restart(gateway, how, publishers, ended.signal))
      await pause(2 * interval, ended.signal)
    }
    for (const fault of gateway.faults.slice(0, 5)) say(fault)
    if (ended.signal.aborted) return 130
    return well.every(Boolean) && gateway.faults.length === 0 ? 0 : 1
  } finally {
    ended.abort()
    await gateway.end('SIGKILL')
    await mosquitto.end('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
}

async function connectAll(publishers: Publisher[], { rate }: Options, signal: AbortSignal): Promise<void> {
  const startedAt = performance.now()
  const connecting: Promise<void>[] = []
  for (const [index, { sensor }] of publishers.entries()) {
    const early = startedAt + (index * 1000) / rate - performance.now()
    if (early > 0) await pause(early, signal)
    if (signal.aborted) return
    const attempt = sensor.connect()
    attempt.catch(() => {}) // its failure is reported below; an interruption ends the wait for it
    connecting.push(attempt)
  }
  await Promise.all(connecting)
  say(`${publishers.length} sensors connected in ${seconds(performance.now() - startedAt)}`)
}

/** Ends the gateway and starts it again; whether the goals were met. */
async function restart(
  gateway: GatewayProcess,
  how: 'SIGKILL' | 'SIGTERM',
  publishers: readonly Publisher[],
  signal: AbortSignal,
): Promise<boolean> {
  const before = publishers.map(({ connects, registers }) => ({ connects, registers }))
  const { memory } = usage(gateway.pid)
  const startedAt = performance.now()
  await gateway.end(how)
  const goneAt = performance.now()
  await gateway.start()
  const listening = performance.now() - startedAt
  const first = new Map<Publisher, number>()
  while (first.size < publishers.length && performance.now() < startedAt + PATIENCE && !signal.aborted) {
    await pause(20, signal)
    for (const publisher of publishers) {
      const { acknowledgedAt } = publisher
      if (acknowledgedAt > goneAt && !first.has(publisher)) first.set(publisher, acknowledgedAt - startedAt)
    }
  }
  const times = [...first.values()].sort((a, b) => a - b)
  const at = (share: number) => times[Math.ceil(times.length * share) - 1] ?? Number.NaN
  const more = (what: 'connects' | 'registers') =>
    publishers.reduce((sum, publisher, index) => sum + publisher[what] - (before[index]?.[what] ?? 0), 0)
  const connects = more('connects')
  const registers = more('registers')
  const missing = publishers.length - times.length
  const after = usage(gateway.pid)
  say(`${how}: gone after ${seconds(goneAt - startedAt)}, listening again after ${seconds(listening)}`)
  say(
    `  first acknowledgement after ${seconds(at(0.5))} (median), ${seconds(at(0.99))} (99 %), ${seconds(at(1))} (last)` +
      `${missing > 0 ? `; ${missing} sensors got none` : ''}; goal: ${seconds(GOAL)}`,
  )
  say(`  sensors had to send ${connects} CONNECTs and ${registers} REGISTERs; goal: 0`)
  say(`  gateway: ${memory.toFixed(0)} MiB before, ${after.memory.toFixed(0)} MiB after`)
  return connects + registers + missing === 0 && at(1) <= GOAL
}

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(2)} s`

await new Command('restart')
  .description(
    'Kill and restart a gateway with many connected sensors; none may have to connect or register anew.',
  )
  .option('--sensors <count>', 'how many', count, 5000)
  .option('--rate <count>', 'connections per second at the beginning', count, 300)
  .addOption(timeOption('--interval <time>', 'pause of a sensor between two messages', 4000))
  .addOption(timeOption('--retry <time>', 'T_RETRY of the sensors', 5000))
  .addHelpText('after', '\nExit code: 0 all well, 1 a goal was missed, or it could not start.')
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
