// Sensors that connect all at once, that are there and say nothing, and what they take in memory.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Figures, Row } from '../figures.ts'
import { Histogram } from '../histogram.ts'
import { openFilesLimit, processUse } from '../measure.ts'
import type { Scenario } from '../scenarios.ts'
import { connectSensors, TOGETHER } from '../sensors.ts'
import type { Stage, Wanted } from '../stage.ts'
import { type Context, checkFaults, latencyOf, Watch } from '../window.ts'

/** Files of a process besides one socket per sensor. */
const OTHER_FILES = 200
/** Seconds after which connected sensors count as settled. */
const SETTLE = 5
/** Seconds in which every upstream connection has shown its keep-alive once. */
const KEEP_ALIVE = 60
/** Connections to the broker, where sensors share them. */
const SHARED = 10

export const connectScenarios: readonly Scenario[] = [
  {
    name: 'connect',
    about: `sensors connect, ${TOGETHER} at a time: connects per second, and how long CONNACK takes`,
    sensors: [500, 5000],
    smallest: 20,
    run: (context, sensors) => onStage(context, 'connect', sensors, storm),
  },
  {
    name: 'memory',
    about: 'memory of the gateway per connected sensor, its connection to the broker included',
    sensors: [5000],
    smallest: 20,
    run: (context, sensors) => onStage(context, 'memory', sensors, memory),
  },
  {
    name: 'memory-shared',
    about: `the same with ${SHARED} connections to the broker that all sensors share`,
    sensors: [5000],
    smallest: 20,
    withTarget: false,
    run: (context, sensors) => onStage(context, 'memory-shared', sensors, memory, { shared: SHARED }),
  },
  {
    name: 'idle',
    about: 'processor time with connected, silent sensors, over one keep-alive period towards the broker',
    sensors: [10_000],
    run: (context, sensors) => onStage(context, 'idle', sensors, idle),
  },
]

async function onStage(
  context: Context,
  scenario: string,
  wanted: number,
  work: (context: Context, stage: Stage, sensors: number) => Promise<Figures>,
  wish: Wanted = {},
): Promise<Row[]> {
  const sensors = Math.min(wanted, mostSensors())
  if (sensors < wanted) {
    context.say(`only ${sensors} sensors: a process may open ${openFilesLimit()} files here (ulimit -n)`)
  }
  const stage = await context.open(wish)
  try {
    return [{ scenario, variant: '', sensors, figures: await work(context, stage, sensors) }]
  } finally {
    await stage.close()
  }
}

/** Each sensor is a socket in the load, in the gateway and in the broker. */
export const mostSensors = (): number => Math.max(1, (openFilesLimit() ?? MANY_FILES) - OTHER_FILES)
const MANY_FILES = 1_000_000

async function storm(_context: Context, stage: Stage, count: number): Promise<Figures> {
  const latency = new Histogram()
  let watch: Watch | undefined
  const sensors = await connectSensors(stage.gateway, count, {
    async onOpen() {
      watch = await Watch.start(stage)
    },
    onConnack: (took) => latency.add(took),
  })
  const figures = await watch?.end(count)
  for (const sensor of sensors) sensor.close()
  checkFaults(stage)
  return { ...figures, ...latencyOf({ latency }) }
}

async function memory(context: Context, stage: Stage, count: number): Promise<Figures> {
  const seconds = context.smallest ? 0.5 : SETTLE
  await sleep(seconds * 1000)
  const before = processUse(stage.pid)
  const sensors = await connectSensors(stage.gateway, count, {})
  await sleep(seconds * 1000)
  const after = processUse(stage.pid)
  for (const sensor of sensors) sensor.close()
  checkFaults(stage)
  if (before === undefined || after === undefined) return {}
  return {
    memory: (after.memory - before.memory) / count,
    residentBefore: before.memory / 1024,
    resident: after.memory / 1024,
  }
}

async function idle(context: Context, stage: Stage, count: number): Promise<Figures> {
  const before = processUse(stage.pid)
  const sensors = await connectSensors(stage.gateway, count, {})
  await sleep(SETTLE * 1000)
  const watch = await Watch.start(stage, false)
  const seconds = Math.max(context.seconds, KEEP_ALIVE)
  context.say(`${count} sensors are connected, and silent for ${seconds} s`)
  await sleep(seconds * 1000)
  const figures = await watch.end(undefined)
  for (const sensor of sensors) sensor.close()
  checkFaults(stage)
  const grown =
    before === undefined || figures.resident === undefined
      ? undefined
      : figures.resident - before.memory / 1024
  return { ...figures, memory: grown === undefined ? undefined : (grown * 1024) / count }
}
