// More than the gateway can carry, or all at once: a burst, twice the sustainable rate, and everything together.

import { setTimeout as sleep } from 'node:timers/promises'
import { encode, MsgType } from '../../../src/codec/v1/frame.ts'
import type { Figures, Row } from '../figures.ts'
import { Histogram } from '../histogram.ts'
import { processUse } from '../measure.ts'
import { openWitness } from '../mqtt.ts'
import type { Scenario } from '../scenarios.ts'
import { connectPublishers, connectSensors, type Fleet, type LightSensor, renewMessage } from '../sensors.ts'
import type { Stage } from '../stage.ts'
import { publishAtRate, publishInLoop } from '../uplink.ts'
import { type Context, checkFaults, latencyOf, settle, Watch } from '../window.ts'
import { mixed } from './mixed.ts'

const BURST = 3000
const BURSTS = 5
/** times the rate that the closed loop reaches */
const TOO_MUCH = 2
/** Sensors that send PINGREQ during an overload, and how often. */
const PINGERS = 5
const PING_EVERY = 100
/** Messages at QoS 1 from one sensor that show when latency is normal again. */
const PROBE_EVERY = 20
const PROBES = 10
/** Latency counts as normal below this many times that without load, and always below so many milliseconds. */
const NORMAL = 3
const NORMAL_MS = 5
/** Seconds after which it is not waited for any longer. */
const LONGEST = 30
const SAMPLE = 50

export const overloadScenarios: readonly Scenario[] = [
  {
    name: 'burst',
    about: `${BURST} messages at QoS 0 sent at once: how many arrive at the broker`,
    sensors: [500],
    smallest: 5,
    run: (context, sensors) => withFleet(context, 'burst', sensors, 0, burst),
  },
  {
    name: 'overload',
    about: `QoS 1 at ${TOO_MUCH} times the rate of the closed loop, whatever becomes of it`,
    sensors: [500],
    smallest: 5,
    run: (context, sensors) => withFleet(context, 'overload', sensors, 1, overload),
  },
  {
    name: 'mixed',
    about: 'QoS 0, 1 and 2 from sensors, QoS 1 to sensors, and sleepers that wake up, together',
    sensors: [300],
    smallest: 12,
    run: async (context, sensors) => {
      const stage = await context.open()
      try {
        const figures = await mixed(context, stage, sensors)
        return [{ scenario: 'mixed', variant: '', sensors, figures }]
      } finally {
        await stage.close()
      }
    },
  },
]

async function withFleet(
  context: Context,
  scenario: string,
  count: number,
  qos: 0 | 1,
  work: (context: Context, stage: Stage, fleet: Fleet) => Promise<Figures>,
): Promise<Row[]> {
  const stage = await context.open()
  try {
    const fleet = await connectPublishers(stage.gateway, count, qos)
    try {
      const figures = await work(context, stage, fleet)
      return [{ scenario, variant: '', sensors: count, figures }]
    } finally {
      for (const sensor of fleet.sensors) sensor.close()
    }
  } finally {
    await stage.close()
  }
}

async function burst(context: Context, stage: Stage, fleet: Fleet): Promise<Figures> {
  let arrived = 0
  const latency = new Histogram()
  const witness = await openWitness(stage.broker, 'load/#', (payload) => {
    arrived += 1
    latency.add(performance.now() - payload.readDoubleBE(8))
  })
  const size = context.smallest ? BURST / 50 : BURST
  const watch = await Watch.start(stage)
  for (let round = 1; round <= BURSTS; round += 1) {
    for (let number = 0; number < size; number += 1) {
      const frame = fleet.frames[number % fleet.frames.length]
      if (frame === undefined) continue
      renewMessage(frame, performance.now())
      fleet.sensors[number % fleet.sensors.length]?.send(frame)
    }
    await settle(() => arrived, size * round)
  }
  const sent = size * BURSTS
  const { rate: _, ...figures } = await watch.end(arrived)
  witness.destroy()
  checkFaults(stage)
  const lost = sent - arrived
  return {
    ...figures,
    ...latencyOf({ latency }),
    arrived: (arrived * 100) / sent,
    lost,
    loss: (lost * 100) / sent,
  }
}

async function overload(context: Context, stage: Stage, fleet: Fleet): Promise<Figures> {
  const sustainable = await rateOfLoop(context, stage, fleet)
  const pingers = await connectSensors(stage.gateway, PINGERS, { prefix: 'pinger' })
  const probe = await connectPublishers(stage.gateway, 1, 1, { prefix: 'probe' })
  const probing = new Probing(probe)
  await sleep(PROBE_EVERY * PROBES * (context.smallest ? 2 : 5))
  const normal = Math.max(NORMAL_MS, NORMAL * (probing.latency.quantile(0.5) ?? 0))
  const before = processUse(stage.pid)
  let most = 0
  const sampling = setInterval(() => {
    most = Math.max(most, processUse(stage.pid)?.memory ?? 0)
  }, SAMPLE)
  const pings = new Pings(pingers)
  context.say(`carries ${Math.round(sustainable)}/s, is sent ${TOO_MUCH} times as many`)
  const load = await publishAtRate(fleet, stage.broker, 1, sustainable * TOO_MUCH)
  const watch = await Watch.start(stage)
  try {
    await sleep(context.seconds * 1000)
    load.pause()
    const { seconds } = watch
    const offered = load.sent / seconds
    const figures = await watch.end(load.done)
    pings.end()
    const over = performance.now()
    const recovery = await probing.normalAgain(normal, over)
    await settle(() => load.done + load.refused)
    const lost = load.sent - load.done - load.refused
    checkFaults(stage)
    return {
      ...figures,
      ...latencyOf(load),
      offered,
      refusedRate: load.refused / seconds,
      lost,
      loss: (lost * 100) / load.sent,
      residentBefore: before === undefined ? undefined : before.memory / 1024,
      residentMost: before === undefined ? undefined : most / 1024,
      resident: before === undefined ? undefined : (processUse(stage.pid)?.memory ?? 0) / 1024,
      pingP50: pings.latency.quantile(0.5),
      pingP99: pings.latency.quantile(0.99),
      recovery,
    }
  } finally {
    clearInterval(sampling)
    pings.end()
    probing.end()
    await load.close()
    for (const sensor of [...pingers, ...probe.sensors]) sensor.close()
  }
}

/** What the closed loop reaches here and now. */
async function rateOfLoop(context: Context, stage: Stage, fleet: Fleet): Promise<number> {
  const load = await publishInLoop(fleet, stage.broker, 1)
  await sleep(context.warm * 1000)
  const [from, done] = [performance.now(), load.done]
  await sleep(Math.min(context.seconds, 3) * 1000)
  const rate = ((load.done - done) * 1000) / (performance.now() - from)
  await load.close()
  return rate
}

/** Sensors that send a PINGREQ now and then, and repeat it until it is answered: one that is lost counts with its wait. */
class Pings {
  readonly latency = new Histogram()
  readonly #timer: NodeJS.Timeout

  constructor(sensors: readonly LightSensor[]) {
    const pingreq = encode({ type: 'pingreq', clientId: null })
    const openSince = sensors.map(() => 0)
    for (const [index, sensor] of sensors.entries()) {
      sensor.onMessage = (bytes) => {
        const since = openSince[index] ?? 0
        if (bytes[1] !== MsgType.pingresp || since === 0) return
        this.latency.add(performance.now() - since)
        openSince[index] = 0
      }
    }
    this.#timer = setInterval(() => {
      for (const [index, sensor] of sensors.entries()) {
        openSince[index] ||= performance.now()
        sensor.send(pingreq)
      }
    }, PING_EVERY)
  }

  end(): void {
    clearInterval(this.#timer)
  }
}

/** One sensor that publishes at QoS 1 now and then; what is not acknowledged is sent again. */
class Probing {
  readonly latency = new Histogram()
  readonly #timer: NodeJS.Timeout
  #lately: number[] = []

  constructor({ sensors: [sensor], frames: [frame] }: Fleet) {
    if (sensor === undefined || frame === undefined) throw new Error('a probe is one sensor')
    let sentAt = 0
    let tries = 0
    sensor.onMessage = (bytes) => {
      if (bytes[1] !== MsgType.puback || bytes.readUInt16BE(4) !== frame.readUInt16BE(5) || sentAt === 0)
        return
      const took = performance.now() - sentAt
      this.latency.add(took)
      // a refusal comes quickly, but does not count as normal service
      this.#lately = [...this.#lately, bytes[6] === 0 ? took : Number.POSITIVE_INFINITY].slice(-PROBES)
      sentAt = 0
    }
    this.#timer = setInterval(() => {
      tries = sentAt === 0 ? 0 : tries + 1
      if (sentAt === 0) {
        sentAt = performance.now()
        renewMessage(frame, sentAt)
      }
      if (tries % PROBES === 0) sensor.send(frame)
    }, PROBE_EVERY)
  }

  /** Seconds from `over` until the latency of all of the last few was normal. */
  async normalAgain(normal: number, over: number): Promise<number> {
    this.#lately = []
    const deadline = over + LONGEST * 1000
    const isNormal = () => this.#lately.length === PROBES && this.#lately.every((took) => took <= normal)
    while (!isNormal() && performance.now() < deadline) await sleep(PROBE_EVERY)
    return (performance.now() - over) / 1000
  }

  end(): void {
    clearInterval(this.#timer)
  }
}
