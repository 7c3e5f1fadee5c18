// From the broker to sensors: a bounded number of messages under way, and sleepers that wake up to full queues.

import { setTimeout as sleep } from 'node:timers/promises'
import { decode, encode, MsgType } from '../../../src/codec/v1/frame.ts'
import { connectSubscribers, loopDownlink, Publisher } from '../downlink.ts'
import type { Figures, Row } from '../figures.ts'
import type { Scenario } from '../scenarios.ts'
import { type LightSensor, PUBLISH_HEADER, T_RETRY } from '../sensors.ts'
import type { Stage, StoreKind } from '../stage.ts'
import { type Context, checkFaults, measureLoad, Watch } from '../window.ts'

/** Messages under way to all sensors together. */
const OUTSTANDING = 64
/** Messages that wait for one sleeper: as many as the gateway keeps by default. */
export const FULL_QUEUE = 100
const FEW = 10
const ASLEEP = 3600
/** Seconds that sleepers may take, and until what was published counts as queued. */
const LONGEST = 60
const QUEUED = 3

export const downlinkScenarios: readonly Scenario[] = [
  {
    name: 'downlink-qos0',
    about: `QoS 0 to subscribed sensors in turn, ${OUTSTANDING} messages under way`,
    sensors: [50, 500],
    smallest: 5,
    run: (context, sensors) => deliver(context, sensors, 0, ''),
  },
  {
    name: 'downlink-qos1',
    about:
      'the same at QoS 1, with waiting messages in memory, in the durable store, and in PostgreSQL (--store postgres)',
    sensors: [50, 500],
    smallest: 5,
    run: async (context, sensors) => {
      const rows: Row[] = []
      for (const store of context.stores) rows.push(...(await deliver(context, sensors, 1, store)))
      return rows
    },
  },
  {
    name: 'sleepers',
    about: `sleeping sensors wake up at once, ${FULL_QUEUE} messages of QoS 1 waiting for each`,
    sensors: [500],
    smallest: 5,
    run: async (context, sensors) => {
      const stage = await context.open()
      try {
        const figures = await wake(context, stage, sensors)
        return [{ scenario: 'sleepers', variant: '', sensors, figures }]
      } finally {
        await stage.close()
      }
    },
  },
]

async function deliver(context: Context, count: number, qos: 0 | 1, variant: '' | StoreKind): Promise<Row[]> {
  const stage = await (variant === '' ? context.open() : context.open({ store: variant }))
  try {
    // Only what belongs to a lasting session is worth to be stored.
    const sensors = await connectSubscribers(stage.gateway, count, qos, { cleanSession: qos === 0 })
    const load = await loopDownlink(sensors, stage.broker, qos, OUTSTANDING)
    try {
      const figures = await measureLoad(context, stage, load)
      const { lost } = load
      const all = lost + load.repeated
      const loss = { lost: all, loss: (all * 100) / Math.max(1, load.done + lost) }
      return [{ scenario: `downlink-qos${qos}`, variant, sensors: count, figures: { ...figures, ...loss } }]
    } finally {
      await load.close()
      for (const sensor of sensors) sensor.close()
    }
  } finally {
    await stage.close()
  }
}

async function wake(context: Context, stage: Stage, count: number): Promise<Figures> {
  const each = context.smallest ? FEW : FULL_QUEUE
  const sensors = await connectSubscribers(stage.gateway, count, 1, {
    cleanSession: false,
    prefix: 'sleeper',
  })
  const publisher = await Publisher.open(stage.broker, 'sleeper', count, 1)
  try {
    for (const sensor of sensors) await sensor.ask({ type: 'disconnect', duration: ASLEEP }, 'disconnect')
    for (let number = 0; number < each; number += 1) {
      for (let index = 0; index < count; index += 1) publisher.publish(index, index, number, 0)
      await sleep(5) // one write of everything would only fill buffers
    }
    context.say(`${count * each} messages wait for ${count} sleepers`)
    await untilQuiet(stage, context.smallest ? 0.3 : QUEUED)
    const watch = await Watch.start(stage)
    const deadline = performance.now() + LONGEST * 1000
    const got = await Promise.all(
      sensors.map((sensor, index) => collect(sensor, `sleeper${index}`, deadline)),
    )
    const { seconds } = watch
    const messages = got.reduce((sum, { messages }) => sum + messages.size, 0)
    const figures = await watch.end(messages)
    checkFaults(stage)
    const lost = count * each - messages
    const repeated = got.reduce((sum, one) => sum + one.repeated, 0)
    return { ...figures, drained: seconds, missing: lost, lost: repeated }
  } finally {
    publisher.close()
    for (const sensor of sensors) sensor.close()
  }
}

/** Wakes a sensor, answers everything that comes, and resolves with PINGRESP, which sends it to sleep again. */
export function collect(
  sensor: LightSensor,
  clientId: string,
  deadline: number,
): Promise<{ messages: Set<number>; repeated: number }> {
  const messages = new Set<number>()
  const pingreq = encode({ type: 'pingreq', clientId })
  const puback = Buffer.from(encode({ type: 'puback', topicId: 0, msgId: 0, returnCode: 0 }))
  let repeated = 0
  let heardAt = performance.now()
  return new Promise((resolve) => {
    const finish = () => {
      clearInterval(timer)
      resolve({ messages, repeated })
    }
    const timer = setInterval(() => {
      const now = performance.now()
      if (now > deadline) return finish()
      if (now - heardAt < T_RETRY * 2) return
      heardAt = now
      repeated += 1
      sensor.send(pingreq)
    }, T_RETRY / 2)
    sensor.onMessage = (bytes) => {
      heardAt = performance.now()
      if (bytes[1] === MsgType.pingresp) return finish()
      if (bytes[1] === MsgType.register) {
        const register = decode(bytes)
        if (register.type !== 'register') return
        const { topicId, msgId } = register
        return sensor.send(encode({ type: 'regack', topicId, msgId, returnCode: 0 }))
      }
      if (bytes[1] !== MsgType.publish) return
      bytes.copy(puback, 2, 3, PUBLISH_HEADER)
      sensor.send(puback)
      const number = bytes.readUInt32BE(PUBLISH_HEADER + 4)
      if (messages.has(number)) repeated += 1
      messages.add(number)
    }
    sensor.send(pingreq)
  })
}

/** Waits so many seconds, and until the gateway has put everything that was published into its queues. */
async function untilQuiet(stage: Stage, seconds: number): Promise<void> {
  await sleep(seconds * 1000)
  for (let turn = 0; stage.pid !== undefined && turn < LONGEST * 2; turn += 1) {
    const watch = await Watch.start(stage, false)
    await sleep(500)
    if (((await watch.end(undefined)).busy ?? 0) < 5) return
  }
}
