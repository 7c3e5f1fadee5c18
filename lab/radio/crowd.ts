// A crowd of sensors on a radio: each publishes at QoS 1 again and again until it is acknowledged, and books are kept. Timers are the
// global ones, so that time may be a virtual one.

import { pause } from '../../src/sensor/pause.ts'
import { Sensor, SensorError } from '../../src/sensor/sensor.ts'
import type { SensorTransport } from '../../src/sensor/udp.ts'

/** Milliseconds that a sensor waits about when it is told of congestion; more than 5 min in the specification, which is long here. */
const CONGESTION = 60_000

/** What is known of a crowd while it lives. */
export class CrowdBooks {
  /** texts that sensors have begun to publish, and those that were acknowledged */
  readonly begun = new Set<string>()
  readonly acknowledged = new Set<string>()
  /** how often each text came out at the broker */
  readonly arrived = new Map<string, number>()
  /** milliseconds from the first attempt to the acknowledgement */
  readonly waits: number[] = []
  /** texts of messages to sensors that reached them */
  readonly orders = new Set<string>()
  connects = 0
  /** attempts that failed, by the code of the error; a return code stands behind it */
  readonly failures = new Map<string, number>()

  arrive(text: string): void {
    this.arrived.set(text, 1 + (this.arrived.get(text) ?? 0))
  }

  fail(error: unknown): void {
    if (!(error instanceof SensorError)) throw error
    const { code, returnCode } = error
    const what = returnCode === undefined ? code : `${code} ${returnCode}`
    this.failures.set(what, 1 + (this.failures.get(what) ?? 0))
  }

  /** Acknowledged and not arrived: there must be none. */
  get lost(): string[] {
    return [...this.acknowledged].filter((text) => !this.arrived.has(text))
  }

  get repeated(): number {
    return [...this.arrived.values()].reduce((sum, times) => sum + times - 1, 0)
  }

  /** A part of waits is at most so long, milliseconds. */
  wait(part: number): number {
    const sorted = this.waits.toSorted((a, b) => a - b)
    return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0)
  }
}

export interface CrowdOptions {
  readonly count: number
  /** milliseconds between two messages of a sensor */
  readonly interval: number
  /** milliseconds over which they come */
  readonly spread: number
  /** until when new messages are begun */
  readonly signal: AbortSignal
  /** milliseconds after which a sensor repeats itself */
  readonly tRetry: number
  readonly transportOf: (n: number) => SensorTransport
  readonly random: () => number
}

/** Lives until the signal, and until each has brought its last message home. */
export async function liveAsCrowd(options: CrowdOptions, books: CrowdBooks): Promise<void> {
  const lives = Array.from({ length: options.count }, (_, n) => liveAsSensor(n, options, books))
  await Promise.all(lives)
}

async function liveAsSensor(n: number, options: CrowdOptions, books: CrowdBooks): Promise<void> {
  const { signal, interval, spread, tRetry, random } = options
  await pause((spread * n) / options.count, signal)
  const sensor = new Sensor({
    ...{ clientId: `radio-${n}`, transport: options.transportOf(n), tRetry, nRetry: 5, keepAlive: 300 },
  })
  sensor.on('error', () => {})
  sensor.on('message', ({ payload }) => books.orders.add(Buffer.from(payload).toString()))
  for (let i = 0; !signal.aborted; i++) {
    await bringHome(sensor, n, `${n} ${i}`, books, tRetry, random)
    // by the half around the interval, so that they do not go in step
    await pause(interval * (0.75 + random() / 2), signal)
  }
}

async function bringHome(
  sensor: Sensor,
  n: number,
  text: string,
  books: CrowdBooks,
  patience: number,
  random: () => number,
): Promise<void> {
  books.begun.add(text)
  const begunAt = performance.now()
  for (;;) {
    try {
      if (sensor.state === 'disconnected') {
        await sensor.connect()
        books.connects += 1
        await sensor.subscribe(`radio/${n}`, 1)
      }
      await sensor.publish('crowd', text, { qos: 1 })
      books.acknowledged.add(text)
      books.waits.push(performance.now() - begunAt)
      return
    } catch (error) {
      books.fail(error)
      const isCongestion = error instanceof SensorError && error.returnCode === 1
      await pause(isCongestion ? CONGESTION * (0.5 + random()) : patience)
    }
  }
}
