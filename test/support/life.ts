// The life of one sensor that does everything once, over whatever air and with whatever gateway; and what it comes to.

import { expect } from 'vitest'
import type { Policy } from '../../src/session/policy.ts'
import { type Air, PatientSensor } from './patient.ts'
import { text, World } from './world.ts'

export interface Way {
  /** the sensor repeats the last message of a setup, not CONNECT */
  readonly repeatsLast?: boolean
  readonly policy?: Partial<Policy>
  /** arranges the troubles of the gateway */
  readonly prepare?: (world: World) => void
}

/** Everything that a sensor can do, once; returns what is left of it everywhere. */
export function live(air: Air, { repeatsLast = false, policy = {}, prepare = () => {} }: Way = {}) {
  const world = new World({ timers: { nRetry: 8, awake: 200_000 }, policy: () => policy })
  prepare(world)
  const sensor = new PatientSensor(world.sensor(), 'dev1', air, repeatsLast)
  sensor.connect(false, true)
  const id = sensor.register('t/temp')
  sensor.publish(id, 'up qos 1', 1)
  sensor.publish(id, 'up qos 2', 2)
  sensor.subscribe('s/+', 2)
  world.publish('s/a', 'down qos 1', 1)
  world.publish('s/b', 'down qos 2', 2)
  sensor.receive(2)
  world.publish('s/a', 'next qos 1', 1)
  sensor.receive(3)
  world.publish('s/b', 'next qos 2', 2)
  sensor.receive(4)
  world.advance(200_000)
  sensor.sleep(600)
  world.publish('s/a', 'sleeping qos 1', 1)
  world.publish('s/c', 'sleeping qos 2', 2)
  world.advance(300_000)
  sensor.wake()
  sensor.receive(6)
  world.advance(300_000)
  sensor.wake()
  world.publish('s/b', 'woken qos 2', 2)
  sensor.connect(false, false)
  sensor.receive(7)
  sensor.disconnect()
  world.publish('s/a', 'offline qos 2', 2)
  world.advance(60_000)
  sensor.connect(false, false)
  sensor.receive(8)
  world.becomeSafe()
  world.advance(200_000)
  const { state, subscriptions, subscribing, topics, will, uplink, downlink } = world.session('dev1')
  const { requests } = subscribing
  const end = {
    state,
    subscriptions: [...subscriptions],
    ids: [...topics.byId],
    will: will.topic,
    open: [uplink.open.size, requests.size, downlink.queue.length, downlink.outstanding, downlink.releasing],
    totals: { ...world.totals },
    known: [...sensor.names].sort(),
  }
  sensor.disconnect()
  return { end, sensor, world, wills: world.broker.wills.length, last: world.session('dev1').state }
}

export type Life = ReturnType<typeof live>

/** What came up to the broker. */
export const up = ({ world }: Life) =>
  world.broker.published.filter(({ from }) => from === 'dev1').map(({ payload }) => text(payload))
/** What came down to the application of the sensor. */
export const down = ({ sensor }: Life) => sensor.received.map((message) => `${message.topic} ${message.text}`)
const times = (list: string[], wanted: string) => list.filter((each) => each.endsWith(wanted)).length

/** The end is the same as of a life without trouble, and QoS 2 came once. */
export function expectSame(life: Life, calm: Life): void {
  expect(life.end).toEqual(calm.end)
  expect([life.last, life.wills]).toEqual(['disconnected', 0])
  expect(new Set(up(life))).toEqual(new Set(up(calm)))
  expect(new Set(down(life))).toEqual(new Set(down(calm)))
  for (const wanted of up(calm).filter((each) => each.endsWith('qos 2')))
    expect(times(up(life), wanted)).toBe(1)
  for (const wanted of down(calm).filter((each) => each.endsWith('qos 2'))) {
    expect(times(down(life), wanted)).toBe(1)
  }
}

/** A small generator of numbers 0 <= x < 1 (mulberry32), so that a run can be repeated. */
export function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
