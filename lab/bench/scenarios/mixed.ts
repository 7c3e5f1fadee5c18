// Everything together: sensors that publish at QoS 0, 1 and 2, sensors that are published to, and sleepers that wake up.

import { setTimeout as sleep } from 'node:timers/promises'
import { connectSubscribers, loopDownlink, Publisher } from '../downlink.ts'
import type { Figures } from '../figures.ts'
import { connectPublishers } from '../sensors.ts'
import type { Stage } from '../stage.ts'
import { publishAtRate, publishInLoop } from '../uplink.ts'
import { type Context, checkFaults, latencyOf, settle, Watch } from '../window.ts'
import { collect } from './downlink.ts'

/** Messages per second at QoS 0. */
const QOS0_RATE = 2000
const OUTSTANDING = 16
/** Milliseconds that a sleeper sleeps, and messages that it gets meanwhile. */
const NAP = 1000
const PER_NAP = 5
const ASLEEP = 3600
/** Milliseconds that the last waking may take. */
const LAST = 10_000

/** A sixth of the sensors for each role, two of them for QoS 0; latency is that of QoS 1. */
export async function mixed(context: Context, stage: Stage, count: number): Promise<Figures> {
  const { gateway, broker } = stage
  const part = Math.max(1, Math.floor(count / 6))
  const often = await connectPublishers(gateway, 2 * part, 0, { prefix: 'often' })
  const once = await connectPublishers(gateway, part, 1, { prefix: 'once' })
  const exactly = await connectPublishers(gateway, part, 2, { prefix: 'exactly' })
  const listeners = await connectSubscribers(gateway, part, 1, { prefix: 'listener' })
  const sleepers = await Sleepers.open(stage, part)
  const rate = context.smallest ? QOS0_RATE / 20 : QOS0_RATE
  const loads = [
    await publishAtRate(often, broker, 0, rate, 'often/#'),
    await publishInLoop(once, broker, 1, 'once/#'),
    await publishInLoop(exactly, broker, 2, 'exactly/#'),
    await loopDownlink(listeners, broker, 1, OUTSTANDING, 'listener'),
  ] as const
  const [qos0, qos1, qos2, down] = loads
  const sum = (count: (load: (typeof loads)[number]) => number) =>
    loads.reduce((total, load) => total + count(load), 0)
  try {
    sleepers.start()
    await sleep(context.warm * 1000)
    qos1.latency.clear()
    const from = sum(({ done }) => done) + sleepers.got
    const watch = await Watch.start(stage)
    await sleep(context.seconds * 1000)
    const latency = latencyOf(qos1)
    const figures = await watch.end(sum(({ done }) => done) + sleepers.got - from)
    for (const load of loads) load.pause()
    await sleepers.end()
    await settle(() => sum(({ arrived }) => arrived))
    checkFaults(stage)
    const lost = qos0.sent - qos0.arrived + sum(({ repeated }) => repeated) + down.lost
    const unseen = [qos1, qos2].reduce((total, load) => total + Math.max(0, load.done - load.arrived), 0)
    return {
      ...figures,
      ...latency,
      lost,
      loss: (lost * 100) / sum(({ sent }) => sent),
      missing: unseen + sleepers.missing,
    }
  } finally {
    await sleepers.close()
    for (const load of loads) await load.close()
    for (const sensor of [...often.sensors, ...once.sensors, ...exactly.sensors, ...listeners]) sensor.close()
  }
}

/** Sensors that are published to while they sleep, and wake up every second. */
class Sleepers {
  readonly #sensors: Awaited<ReturnType<typeof connectSubscribers>>
  readonly #publisher: Publisher
  #sent = 0
  #ended = false
  #rounds: Promise<unknown> = Promise.resolve()
  got = 0

  private constructor(sensors: Awaited<ReturnType<typeof connectSubscribers>>, publisher: Publisher) {
    this.#sensors = sensors
    this.#publisher = publisher
  }

  static async open({ gateway, broker }: Stage, count: number): Promise<Sleepers> {
    const sensors = await connectSubscribers(gateway, count, 1, { prefix: 'sleeper', cleanSession: false })
    const publisher = await Publisher.open(broker, 'sleeper', count, 1)
    for (const sensor of sensors) await sensor.ask({ type: 'disconnect', duration: ASLEEP }, 'disconnect')
    return new Sleepers(sensors, publisher)
  }

  start(): void {
    this.#rounds = Promise.all(
      this.#sensors.map(async (_, index) => {
        while (!this.#ended) {
          for (let number = 0; number < PER_NAP; number += 1) {
            this.#sent += 1
            this.#publisher.publish(index, index, this.#sent, 0)
          }
          await sleep(NAP)
          await this.#wake(index)
        }
      }),
    )
  }

  async #wake(index: number): Promise<void> {
    const sensor = this.#sensors[index]
    if (sensor === undefined) return
    const { messages } = await collect(sensor, `sleeper${index}`, performance.now() + LAST)
    this.got += messages.size
  }

  /** Nothing more is published; all wake up once more. */
  async end(): Promise<void> {
    this.#ended = true
    await this.#rounds
    await Promise.all(this.#sensors.map((_, index) => this.#wake(index)))
  }

  /** to be read after the end */
  get missing(): number {
    return this.#sent - this.got
  }

  async close(): Promise<void> {
    this.#ended = true
    await this.#rounds
    this.#publisher.close()
    for (const sensor of this.#sensors) sensor.close()
  }
}
