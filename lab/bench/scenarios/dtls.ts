// What DTLS costs: handshakes, records above plain datagrams, memory of a session, and a flood of forged hellos beside honest sensors.

import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { encode } from '../../../src/codec/v1/frame.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { Program } from '../../processes.ts'
import type { Figures, Row } from '../figures.ts'
import { Histogram } from '../histogram.ts'
import { processUse } from '../measure.ts'
import { NotHere } from '../not-here.ts'
import type { Scenario } from '../scenarios.ts'
import { clientSettings, type Kind, SecureSensor } from '../secure-sensors.ts'
import {
  connectPublishers,
  connectSensors,
  type Endpoint,
  type LightSensor,
  T_RETRY,
  TOGETHER,
} from '../sensors.ts'
import { entryOf, newFolder, removeFolder, type Stage } from '../stage.ts'
import { publishAtRate } from '../uplink.ts'
import { type Context, checkFaults, latencyOf, measureLoad, settle, Watch } from '../window.ts'
import { mostSensors } from './connect.ts'

const PSK_CCM_8 = 0xc0a8
const ECDHE_PSK_CCM = 0xd005
const ECDHE_ECDSA_CCM = 0xc0ac
/** Forged hellos a second, and messages of each honest sensor. */
const FORGED = 30_000
const HONEST = 2
const SETTLE = 3
/** Handshakes of each sensor: before, while Node's compiler is at work, and those that are measured. */
const WARM_ROUNDS = 4
const ROUNDS = 2
const PINGREQ = encode({ type: 'pingreq', clientId: null })

export const dtlsScenarios: readonly Scenario[] = [
  {
    name: 'dtls-handshakes',
    about: `sensors make sessions of DTLS, ${TOGETHER} at a time, with keys and with certificates`,
    sensors: [1000],
    smallest: 5,
    withTarget: false,
    run: async (context, sensors) => [
      await handshakes(context, sensors, 'key', [PSK_CCM_8], 'key'),
      await handshakes(context, sensors, 'key', [ECDHE_PSK_CCM], 'key and x25519'),
      await handshakes(context, sensors, 'certificate', [ECDHE_ECDSA_CCM], 'certificates'),
      await handshakes(context, sensors, 'key', [PSK_CCM_8], 'resumed', true),
    ],
  },
  {
    name: 'dtls-records',
    about: 'PINGREQ and its answer in a closed loop, plain and as records of DTLS',
    sensors: [50],
    smallest: 3,
    withTarget: false,
    run: async (context, sensors) => [
      await pings(context, sensors, 'udp', undefined),
      await pings(context, sensors, 'dtls, CCM_8', PSK_CCM_8),
      await pings(context, sensors, 'dtls, CCM', ECDHE_PSK_CCM),
    ],
  },
  {
    name: 'dtls-memory',
    about: 'memory of the gateway per open session of DTLS, without MQTT-SN',
    sensors: [10_000],
    smallest: 10,
    withTarget: false,
    run: async (context, sensors) => [await memory(context, Math.min(sensors, mostSensors()))],
  },
  {
    name: 'dtls-flood',
    about: `${FORGED} forged hellos a second beside honest sensors, each with ${HONEST} messages a second at QoS 0`,
    sensors: [100],
    smallest: 5,
    withTarget: false,
    run: async (context, sensors) => [
      await flood(context, sensors, 0, 'calm'),
      await flood(context, sensors, FORGED, 'flood'),
    ],
  },
]

/** A gateway of before the listeners at dtls:// can be measured in everything else. */
function needListener(): void {
  const listener = { url: 'dtls://127.0.0.1:0', dtls: { psk: { keys: { load0: '00'.repeat(16) } } } }
  try {
    loadConfig({ env: {}, overrides: { listeners: [listener] } })
  } catch {
    throw new NotHere('this gateway has no listeners at dtls://')
  }
}

const secureOf = ({ secure }: Stage): Endpoint => {
  if (secure === undefined) throw new Error('the gateway has no listener at dtls://')
  return secure
}

/** A stage whose figures are those of the DTLS listener. */
async function openSecure(context: Context, kind: Kind, sensors: number): Promise<Stage> {
  needListener()
  const stage = await context.open({ dtls: { kind, sensors } })
  return { ...stage, gateway: secureOf(stage) }
}

async function handshakes(
  context: Context,
  count: number,
  kind: Kind,
  suites: readonly number[],
  variant: string,
  resumes = false,
): Promise<Row> {
  const stage = await openSecure(context, kind, count)
  const sensors = Array.from(
    { length: count },
    (_, index) => new SecureSensor(stage.gateway, clientSettings(kind, `load${index}`, suites)),
  )
  try {
    for (const sensor of sensors) await sensor.openSocket()
    for (let round = 0; round < WARM_ROUNDS; round++) {
      await secureAll(sensors, new Histogram(), resumes && round > 0)
    }
    const latency = new Histogram()
    const watch = await Watch.start(stage)
    for (let round = 0; round < ROUNDS; round++) await secureAll(sensors, latency, resumes)
    const figures = await watch.end(count * ROUNDS)
    checkFaults(stage)
    return {
      scenario: 'dtls-handshakes',
      variant,
      sensors: count,
      figures: { ...figures, ...latencyOf({ latency }) },
    }
  } finally {
    for (const sensor of sensors) sensor.close()
    await stage.close()
  }
}

async function secureAll(
  sensors: readonly SecureSensor[],
  latency: Histogram,
  resumes: boolean,
): Promise<void> {
  const queue = sensors.values()
  const work = async () => {
    for (const sensor of queue) {
      const begin = performance.now()
      await sensor.secure(resumes ? sensor.resumption : undefined)
      latency.add(performance.now() - begin)
    }
  }
  await Promise.all(Array.from({ length: Math.min(TOGETHER, sensors.length) }, work))
}

async function pings(
  context: Context,
  count: number,
  variant: string,
  suite: number | undefined,
): Promise<Row> {
  needListener()
  const open = await context.open({ dtls: { kind: 'key', sensors: count } })
  const stage = suite === undefined ? open : { ...open, gateway: secureOf(open) }
  try {
    const sensors = await connectSensors(stage.gateway, count, { make: makerOf(suite) })
    const load = pingInLoop(sensors)
    const figures = await measureLoad(context, stage, load)
    await load.close()
    for (const sensor of sensors) sensor.close()
    return { scenario: 'dtls-records', variant, sensors: count, figures }
  } finally {
    await open.close()
  }
}

const makerOf = (suite: number | undefined) =>
  suite === undefined
    ? undefined
    : (gateway: Endpoint, clientId: string) =>
        new SecureSensor(gateway, clientSettings('key', clientId, [suite]))

/** Each sensor sends its next PINGREQ when the last one is answered. */
function pingInLoop(sensors: readonly LightSensor[]) {
  const sentAt = new Float64Array(sensors.length)
  const latency = new Histogram()
  const counts = { sent: 0, done: 0, repeated: 0, refused: 0, arrived: 0, latency }
  let isOver = false
  const ping = (index: number) => {
    sentAt[index] = performance.now()
    counts.sent += 1
    sensors[index]?.send(PINGREQ)
  }
  for (const [index, sensor] of sensors.entries()) {
    sensor.onMessage = () => {
      counts.done += 1
      latency.add(performance.now() - (sentAt[index] ?? 0))
      if (!isOver) ping(index)
    }
    ping(index)
  }
  const timer = setInterval(() => {
    const late = performance.now() - T_RETRY
    for (const index of sensors.keys()) {
      if ((sentAt[index] ?? 0) > late) continue
      counts.repeated += 1
      ping(index)
    }
  }, T_RETRY / 4)
  const pause = () => {
    isOver = true
    clearInterval(timer)
  }
  return Object.assign(counts, {
    pause,
    close: async () => {
      pause()
      await sleep(100)
    },
  })
}

async function memory(context: Context, count: number): Promise<Row> {
  const stage = await openSecure(context, 'key', count)
  const sensors = Array.from(
    { length: count },
    (_, index) => new SecureSensor(stage.gateway, clientSettings('key', `load${index}`, [PSK_CCM_8])),
  )
  try {
    for (const sensor of sensors) await sensor.openSocket()
    const pause = context.smallest ? 500 : SETTLE * 1000
    await sleep(pause)
    const before = processUse(stage.pid)
    await secureAll(sensors, new Histogram(), false)
    await sleep(pause)
    const after = processUse(stage.pid)
    checkFaults(stage)
    const figures: Figures =
      before === undefined || after === undefined
        ? {}
        : {
            memory: (after.memory - before.memory) / count,
            residentBefore: before.memory / 1024,
            resident: after.memory / 1024,
          }
    return { scenario: 'dtls-memory', variant: '', sensors: count, figures }
  } finally {
    for (const sensor of sensors) sensor.close()
    await stage.close()
  }
}

async function flood(context: Context, count: number, rate: number, variant: string): Promise<Row> {
  const stage = await openSecure(context, 'key', count)
  const folder = newFolder()
  const stranger = new Program(
    process.execPath,
    [...entryOf('lab/bench/hello-flood'), String(stage.gateway.port), String(rate)],
    join(folder, 'flood.log'),
  )
  try {
    const fleet = await connectPublishers(stage.gateway, count, 0, { make: makerOf(PSK_CCM_8) })
    if (rate > 0) await stranger.start((line) => line.startsWith('flooding'))
    await sleep(context.warm * 1000)
    const load = await publishAtRate(fleet, stage.broker, 0, count * HONEST)
    const watch = await Watch.start(stage)
    await sleep(context.seconds * 1000)
    load.pause()
    await settle(() => load.arrived, load.sent)
    const { sent, arrived } = load
    const figures = await watch.end(arrived)
    await load.close()
    for (const sensor of fleet.sensors) sensor.close()
    checkFaults(stage)
    const lost = sent - arrived
    return {
      scenario: 'dtls-flood',
      variant,
      sensors: count,
      figures: { ...figures, arrived: (arrived * 100) / sent, lost, loss: (lost * 100) / sent },
    }
  } finally {
    await stranger.end('SIGKILL')
    removeFolder(folder)
    await stage.close()
  }
}
