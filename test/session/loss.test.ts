// Loss, repetition and reordering of datagrams: whatever happens to one of them, the end is the same as without trouble
// [6.13, SN-RTX-1, SN-RTX-3].

import { describe, expect, it } from 'vitest'
import { type Air, clearAir, PatientSensor } from '../support/patient.ts'
import { text, World } from '../support/world.ts'

/** Everything that a sensor can do, once; returns what is left of it everywhere. */
function live(air: Air, repeatsLast: boolean) {
  const world = new World({ timers: { nRetry: 8, awake: 200_000 } })
  const sensor = new PatientSensor(world.sensor(), 'dev1', air, repeatsLast)
  sensor.connect(false, true)
  const id = sensor.register('t/temp')
  sensor.publish(id, 'up qos 1', 1)
  sensor.publish(id, 'up qos 2', 2)
  sensor.subscribe('s/+', 2)
  world.publish('s/a', 'down qos 1', 1)
  world.publish('s/b', 'down qos 2', 2)
  sensor.receive(2)
  world.advance(200_000)
  sensor.sleep(600)
  world.publish('s/a', 'sleeping qos 1', 1)
  world.publish('s/c', 'sleeping qos 2', 2)
  world.advance(300_000)
  sensor.wake()
  sensor.receive(4)
  world.advance(300_000)
  sensor.wake()
  world.publish('s/b', 'woken qos 2', 2)
  sensor.connect(false, false)
  sensor.receive(5)
  sensor.disconnect()
  world.publish('s/a', 'offline qos 2', 2)
  world.advance(60_000)
  sensor.connect(false, false)
  sensor.receive(6)
  world.advance(200_000)
  const { state, subscriptions, topics, will, ...rest } = world.session('dev1')
  const end = {
    state,
    subscriptions: [...subscriptions],
    ids: [...topics.byId],
    will: will.topic,
    open: [rest.uplinks.size, rest.requests.size, rest.queue.length, rest.outstanding, rest.releasing],
    totals: { ...world.totals },
    known: [...sensor.names].sort(),
  }
  sensor.disconnect()
  return { end, sensor, world, wills: world.broker.wills.length, last: world.session('dev1').state }
}

type Life = ReturnType<typeof live>

const up = ({ world }: Life) =>
  world.broker.published.filter(({ from }) => from === 'dev1').map(({ payload }) => text(payload))
const down = ({ sensor }: Life) => sensor.received.map((message) => `${message.topic} ${message.text}`)
const times = (list: string[], wanted: string) => list.filter((each) => each.endsWith(wanted)).length

function expectSame(life: Life, calm: Life): void {
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
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

describe.each([
  ['CONNECT', false],
  ['the last message of a setup', true],
])('a sensor that repeats %s', (_, repeatsLast) => {
  const calm = live(clearAir, repeatsLast)
  const indexes = Array.from({ length: calm.sensor.datagrams }, (_, i) => i)
  const expectCalmEnd = (name: string, air: Air) =>
    expect(() => expectSame(live(air, repeatsLast), calm), name).not.toThrow()

  it('has an uneventful life over clear air', () => {
    expect(up(calm)).toEqual(['up qos 1', 'up qos 2'])
    expect(down(calm)).toEqual([
      's/a down qos 1',
      's/b down qos 2',
      's/a sleeping qos 1',
      's/c sleeping qos 2',
      's/b woken qos 2',
      's/a offline qos 2',
    ])
    expect(calm.end.open).toEqual([0, 0, 0, undefined, 0])
    expectSame(calm, calm)
  })

  it('ends the same whichever datagram is lost [SN-RTX-1, SN-RTX-3]', () => {
    for (const lost of indexes) {
      expectCalmEnd(`without datagram ${lost}`, (index) => (index === lost ? [] : [2]))
    }
  })

  it('ends the same whichever two datagrams in a row are lost [SN-RTX-1, SN-RTX-3]', () => {
    for (const lost of indexes) {
      const isLost = (index: number) => index === lost || index === lost + 1
      expectCalmEnd(`without datagrams ${lost} and ${lost + 1}`, (index) => (isLost(index) ? [] : [2]))
    }
  })

  it('ends the same whichever datagram comes twice [SN-RTX-1]', () => {
    for (const doubled of indexes) {
      expectCalmEnd(`with datagram ${doubled} twice`, (index) => (index === doubled ? [2, 3] : [2]))
    }
  })

  it('ends the same over air that loses, repeats and reorders at random [SN-RTX-1, SN-RTX-3]', () => {
    for (let seed = 1; seed <= 60; seed++) {
      const next = numbers(seed)
      expectCalmEnd(`seed ${seed}`, () => {
        const delay = 2 + next() * 400
        if (next() < 0.15) return []
        return next() < 0.1 ? [delay, delay + 1] : [delay]
      })
    }
  })
})
