// From sensors to the broker: closed loops at QoS 1 and 2, the highest rate at QoS 0, latency at low load.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Figures, Row } from '../figures.ts'
import type { Scenario } from '../scenarios.ts'
import { connectPublishers, type Fleet } from '../sensors.ts'
import type { Stage, Wanted } from '../stage.ts'
import { type Load, publishAtRate, publishInLoop } from '../uplink.ts'
import { type Context, checkFaults, latencyOf, measureLoad, settle, Watch } from '../window.ts'

/** The share of messages that may get lost at "the highest rate". */
export const TOLERABLE = 0.001
const FIRST_RATE = 4000
/** The search ends when the rate is known this well. */
const PRECISION = 1.06
/** Seconds that one rate is tried in the search. */
const TRIAL = 2
/** Messages per second at low load. */
const CALM = 20
/** Numbers of worker threads to compare. */
const WORKERS = [1, 2]
/** Connections to the broker, where sensors share them. */
const SHARED = 10
/** Seconds of a measurement at low load, so that there are enough messages. */
const CALM_SECONDS = 15

export const uplinkScenarios: readonly Scenario[] = [
  {
    name: 'uplink-qos0',
    about: 'highest rate at QoS 0 with less than 0.1 % lost on the way to a subscriber at the broker',
    sensors: [1, 50, 500],
    smallest: 5,
    run: (context, sensors) =>
      withFleet(context, 'uplink-qos0', sensors, 0, (stage, fleet) => flood(context, stage, fleet)),
  },
  {
    name: 'uplink-qos1',
    about: 'QoS 1, each sensor sends its next message when the last one is acknowledged',
    sensors: [1, 50, 500, 5000],
    smallest: 5,
    run: (context, sensors) => closed(context, 'uplink-qos1', sensors, 1),
  },
  {
    name: 'uplink-qos1-shared',
    about: `the same with ${SHARED} connections to the broker that all sensors share`,
    sensors: [500],
    smallest: 5,
    withTarget: false,
    run: (context, sensors) => closed(context, 'uplink-qos1-shared', sensors, 1, '', { shared: SHARED }),
  },
  {
    name: 'uplink-qos2',
    about:
      'QoS 2, each sensor sends its next message when the last one is completed; in memory, in the durable store, and in PostgreSQL (--store postgres)',
    sensors: [50, 500],
    smallest: 5,
    run: async (context, sensors) => {
      const rows: Row[] = []
      for (const store of context.stores)
        rows.push(...(await closed(context, 'uplink-qos2', sensors, 2, store, { store })))
      return rows
    },
  },
  {
    name: 'workers',
    about:
      'the closed loop at QoS 1 with several worker threads: what the first thread needs is what limits them',
    sensors: [500],
    smallest: 5,
    withTarget: false,
    run: async (context, sensors) => {
      const rows: Row[] = []
      for (const workers of context.smallest ? [2] : WORKERS)
        rows.push(...(await closed(context, 'workers', sensors, 1, String(workers), { workers })))
      return rows
    },
  },
  {
    name: 'latency',
    about: `${CALM} messages per second: QoS 1 until the acknowledgement, QoS 0 until the subscriber`,
    sensors: [1],
    smallest: 1,
    run: async (context, sensors) => [
      ...(await quiet(context, sensors, 1)),
      ...(await quiet(context, sensors, 0)),
    ],
  },
]

const closed = (
  context: Context,
  scenario: string,
  sensors: number,
  qos: 1 | 2,
  variant = '',
  wanted: Wanted = {},
) =>
  withFleet(
    context,
    scenario,
    sensors,
    qos,
    (stage, fleet) => loop(context, stage, fleet, qos),
    variant,
    wanted,
  )

const quiet = (context: Context, sensors: number, qos: 0 | 1) =>
  withFleet(
    context,
    'latency',
    sensors,
    qos,
    (stage, fleet) => calm(context, stage, fleet, qos),
    `QoS ${qos}`,
  )

/** Opens a stage with sensors that publish, and clears up after. */
async function withFleet(
  context: Context,
  scenario: string,
  count: number,
  qos: 0 | 1 | 2,
  work: (stage: Stage, fleet: Fleet) => Promise<Figures>,
  variant = '',
  wanted: Wanted = {},
): Promise<Row[]> {
  const stage = await context.open(wanted)
  try {
    const fleet = await connectPublishers(stage.gateway, count, qos)
    try {
      return [{ scenario, variant, sensors: count, figures: await work(stage, fleet) }]
    } finally {
      for (const sensor of fleet.sensors) sensor.close()
    }
  } finally {
    await stage.close()
  }
}

/** A closed loop; afterwards everything that was acknowledged must have come out at the broker. */
export async function loop(context: Context, stage: Stage, fleet: Fleet, qos: 1 | 2): Promise<Figures> {
  const load = await publishInLoop(fleet, stage.broker, qos)
  try {
    const figures = await measureLoad(context, stage, load)
    load.pause()
    await settle(() => load.arrived, load.sent)
    return { ...figures, missing: Math.max(0, load.done - load.arrived) }
  } finally {
    await load.close()
  }
}

/** Looks for the highest rate, then measures there. */
export async function flood(context: Context, stage: Stage, fleet: Fleet): Promise<Figures> {
  /** What else runs on the machine can spoil a trial, so a rate is too high only if it fails twice. */
  const tried = async (rate: number) => {
    const seconds = Math.min(TRIAL, context.seconds)
    const first = await trial(context, stage, fleet, rate, seconds)
    return first.sustained ? first : trial(context, stage, fleet, rate, seconds)
  }
  let good = 0
  let bad = Number.POSITIVE_INFINITY
  for (let rate = FIRST_RATE; bad === Number.POSITIVE_INFINITY; rate *= 2) {
    const { figures, sustained } = await tried(rate)
    // no use in asking for more than this load can send
    if (sustained && (figures.offered ?? 0) >= rate * 0.9 && !context.smallest) good = rate
    else bad = rate
    if (sustained) good = Math.max(good, figures.offered ?? 0)
  }
  while (!context.smallest && bad / Math.max(good, FIRST_RATE / 16) > PRECISION) {
    const rate = good === 0 ? bad / 2 : Math.sqrt(good * bad)
    if ((await tried(rate)).sustained) good = rate
    else bad = rate
  }
  for (let rate = good; ; rate *= 0.95) {
    const { figures, sustained } = await trial(context, stage, fleet, rate, context.seconds)
    if (sustained || rate < good / 2) return figures
  }
}

async function trial(context: Context, stage: Stage, fleet: Fleet, rate: number, seconds: number) {
  const load = await publishAtRate(fleet, stage.broker, 0, rate)
  try {
    const watch = await Watch.start(stage)
    await sleep(seconds * 1000)
    load.pause()
    const sent = load.sent / watch.seconds
    await settle(() => load.arrived, load.sent)
    const figures = await watch.end(load.arrived)
    checkFaults(stage)
    const lost = load.sent - load.arrived
    const share = lost / Math.max(1, load.sent)
    context.say(`${Math.round(sent)}/s: ${(share * 100).toFixed(2)} % lost`)
    return {
      sustained: share < TOLERABLE,
      figures: {
        ...figures,
        ...latencyOf(load),
        rate: sent,
        offered: sent,
        lost,
        loss: share * 100,
      } as Figures,
    }
  } finally {
    await load.close()
  }
}

/** A message now and then. */
export async function calm(context: Context, stage: Stage, fleet: Fleet, qos: 0 | 1): Promise<Figures> {
  const load: Load = await publishAtRate(fleet, stage.broker, qos, CALM)
  const seconds = context.smallest ? context.seconds : Math.max(context.seconds, CALM_SECONDS)
  try {
    const {
      cpu: _,
      cpuUser: __,
      cpuSystem: ___,
      ...figures
    } = await measureLoad({ ...context, seconds }, stage, load)
    // At so few messages processor time is mostly that of idling: only latency is reported.
    return figures
  } finally {
    await load.close()
  }
}
