// Load from sensors to the broker: a closed loop of QoS 0, 1 or 2, or a given rate whatever becomes of it.

import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { MsgType } from '../../src/codec/v1/frame.ts'
import { Histogram } from './histogram.ts'
import { openWitness } from './mqtt.ts'
import {
  type Endpoint,
  type Fleet,
  markRepeated,
  PUBLISH_HEADER,
  renewMessage,
  shortAnswer,
  T_RETRY,
} from './sensors.ts'

/** How often the sensors are looked through for one that waits too long. */
const LOOK = 100
/** The load sends what is due in steps of this many milliseconds, and what is overdue by more not at all. */
const STEP = 1
const OVERDUE = 20
/** MsgIds of one sensor whose times are remembered at a given rate. */
const REMEMBERED = 1024

/** What a run counts. */
export interface Load {
  /** messages sent, without repetitions */
  readonly sent: number
  /** messages that came to their end: acknowledged, or at QoS 0 arrived at a subscriber of the broker */
  readonly done: number
  /** datagrams that were sent again because no answer came: either they or the answer got lost */
  readonly repeated: number
  /** messages that the gateway refused, congestion for instance */
  readonly refused: number
  /** messages that arrived at a subscriber of the broker */
  readonly arrived: number
  /** from sending to acknowledgement; at QoS 0 to the subscriber */
  readonly latency: Histogram
  /** no new messages from now on */
  pause(): void
  close(): Promise<void>
}

/** The counts and ends that all kinds of uplink share. */
class Uplink implements Load {
  sent = 0
  done = 0
  repeated = 0
  refused = 0
  arrived = 0
  ended = false
  readonly latency = new Histogram()
  readonly fleet: Fleet
  timer: NodeJS.Timeout | undefined
  witness: Socket | undefined

  constructor(fleet: Fleet) {
    this.fleet = fleet
  }

  pause(): void {
    this.ended = true
    clearInterval(this.timer)
  }

  /** The sensors stay: they belong to whoever made them. */
  async close(): Promise<void> {
    this.pause()
    await sleep(100)
    this.witness?.destroy()
  }
}

/** Each sensor sends its next message as soon as the last one is acknowledged, or at QoS 0 seen at the broker. */
export async function publishInLoop(
  fleet: Fleet,
  broker: Endpoint,
  qos: 0 | 1 | 2,
  topics = 'load/#',
): Promise<Load> {
  const load = new Uplink(fleet)
  const { sensors, frames } = fleet
  const firstAt = new Float64Array(sensors.length)
  const lastAt = new Float64Array(sensors.length)
  const isRefused = new Uint8Array(sensors.length)
  const releasing = new Uint8Array(sensors.length)
  const next = (index: number) => {
    const frame = frames[index]
    if (load.ended || frame === undefined) return
    const now = performance.now()
    renewMessage(frame, now)
    firstAt[index] = now
    lastAt[index] = now
    load.sent += 1
    sensors[index]?.send(frame)
  }
  const finish = (index: number) => {
    load.done += 1
    load.latency.add(performance.now() - (firstAt[index] ?? 0))
    next(index)
  }
  const repeat = (index: number, frame: Buffer) => {
    load.repeated += 1
    lastAt[index] = performance.now()
    if (releasing[index] === 1) return sensors[index]?.send(shortAnswer('pubrel', frame.readUInt16BE(5)))
    if (qos === 0) return next(index)
    markRepeated(frame)
    return sensors[index]?.send(frame)
  }
  load.witness = await openWitness(broker, topics, (payload) => {
    load.arrived += 1
    const index = payload.readUInt32BE(0)
    const isLast = payload.readUInt32BE(4) === frames[index]?.readUInt32BE(PUBLISH_HEADER + 4)
    if (qos === 0 && isLast) finish(index)
  })
  for (const [index, sensor] of sensors.entries()) {
    sensor.onMessage = (bytes) => {
      const type = bytes[1]
      const msgId = frames[index]?.readUInt16BE(5) ?? 0
      if (type === MsgType.puback && bytes.readUInt16BE(4) === msgId) {
        if (bytes[6] === 0 && qos === 1) return finish(index)
        if (bytes[6] === 0) return
        load.refused += 1
        isRefused[index] = 1
      } else if (type === MsgType.pubrec && bytes.readUInt16BE(2) === msgId) {
        releasing[index] = 1
        sensor.send(shortAnswer('pubrel', msgId))
      } else if (type === MsgType.pubcomp && bytes.readUInt16BE(2) === msgId && releasing[index] === 1) {
        releasing[index] = 0
        finish(index)
      }
    }
  }
  for (let index = 0; index < sensors.length; index += 1) next(index)
  load.timer = setInterval(() => {
    const since = performance.now() - T_RETRY
    for (const [index, frame] of frames.entries()) {
      if ((lastAt[index] ?? 0) > since) continue
      if (isRefused[index] === 1) next(index)
      else repeat(index, frame)
      isRefused[index] = 0
    }
  }, LOOK)
  return load
}

/** Sensors send in turn, at so many messages per second together, and repeat nothing. */
export async function publishAtRate(
  fleet: Fleet,
  broker: Endpoint,
  qos: 0 | 1,
  rate: number,
  topics = 'load/#',
): Promise<Load> {
  const load = new Uplink(fleet)
  const { sensors, frames } = fleet
  const times = new Float64Array(qos === 0 ? 0 : sensors.length * REMEMBERED)
  load.witness = await openWitness(broker, topics, (payload) => {
    load.arrived += 1
    if (qos !== 0) return
    load.done += 1
    load.latency.add(performance.now() - payload.readDoubleBE(8))
  })
  for (const [index, sensor] of sensors.entries()) {
    sensor.onMessage = (bytes) => {
      if (bytes[1] !== MsgType.puback) return
      if (bytes[6] !== 0) {
        load.refused += 1
        return
      }
      load.done += 1
      const at = times[index * REMEMBERED + (bytes.readUInt16BE(4) % REMEMBERED)]
      if (at !== undefined) load.latency.add(performance.now() - at)
    }
  }
  let turn = 0
  let before = performance.now()
  let due = 0
  load.timer = setInterval(() => {
    const now = performance.now()
    due += (Math.min(now - before, OVERDUE) * rate) / 1000
    before = now
    for (; due >= 1; due -= 1) {
      const index = turn
      turn = (turn + 1) % sensors.length
      const frame = frames[index]
      if (frame === undefined) continue
      const at = performance.now()
      renewMessage(frame, at)
      if (qos === 1) times[index * REMEMBERED + (frame.readUInt16BE(5) % REMEMBERED)] = at
      load.sent += 1
      sensors[index]?.send(frame)
    }
  }, STEP)
  return load
}
