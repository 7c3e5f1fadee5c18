// A publish of the sensor on its way to the broker: what is written when, and what a crash or a lost connection leaves [6.6].

import { describe, expect, it } from 'vitest'
import type { Packet } from '../../../src/codec/v1/messages.ts'
import type { Effect } from '../../../src/session/events.ts'
import { text, type VirtualSensor, World } from '../../support/world.ts'

type Options = ConstructorParameters<typeof World>[0]

const disconnect: Packet = { type: 'disconnect', duration: null }
const pubrel = (msgId: number): Packet => ({ type: 'pubrel', msgId })
const pubrec = (msgId: number): Packet => ({ type: 'pubrec', msgId })
const pubcomp = (msgId: number): Packet => ({ type: 'pubcomp', msgId })
const keep = { cleanSession: false, duration: 3600 }

/** A sensor that keeps its session and registered t/temp as id 1. */
function connected(options?: Options): [World, VirtualSensor] {
  const world = new World(options)
  const sensor = world.sensor()
  sensor.connect('dev1', keep)
  sensor.register('t/temp')
  return [world, sensor]
}

const exactlyOnce = (sensor: VirtualSensor, data: string, dup = false) =>
  sensor.publish(1, data, { qos: 2, msgId: 7, dup })

/** In one word each: what is written, what goes to the broker, what to the sensor. */
function stepsOf(effects: readonly Effect[]): string[] {
  return effects.flatMap((effect) => {
    if (effect.type === 'send') return [effect.packet.type.toUpperCase()]
    if (effect.type === 'keepUplink') return [`keep ${effect.uplink.broker}`]
    if (effect.type === 'dropUplink') return ['drop']
    return effect.type === 'publish' || effect.type === 'release' ? [effect.type] : []
  })
}

/** Steps of what follows, as they are when they are asked for. */
function recorder(world: World): () => string[] {
  const steps: string[] = []
  world.watch = (_, effects) => steps.push(...stepsOf(effects))
  return () => steps.splice(0)
}

const publishes = (world: World) =>
  world.effects.flatMap((effect) => (effect.type === 'publish' ? [effect] : []))
const arrived = (world: World) => world.broker.published.map(({ payload }) => text(payload))

/** Lets the broker take its time: what a sensor asks for is under way when its call returns. */
const slow = (world: World) => {
  world.broker.latency = 1000
}
const fast = (world: World) => {
  world.broker.latency = 1
}

describe('QoS 2', () => {
  it('is stored before each step after which a crash would cost it: publish and release [SN-PUB-6, SN-PUB-11]', () => {
    const [world, sensor] = connected()
    const steps = recorder(world)
    expect(exactlyOnce(sensor, 'x')).toEqual([pubrec(7)])
    expect(steps()).toEqual(['keep sent', 'publish', 'keep received', 'PUBREC', 'release'])
    expect(sensor.send(pubrel(7))).toEqual([pubcomp(7)])
    expect(steps()).toEqual(['drop', 'PUBCOMP'])
    expect(world.store.disk.get('dev1')?.uplinks.size).toBe(0)
  })

  it('ends with PUBCOMP when the broker completes it after PUBREL has come [SN-PUB-6]', () => {
    const [world, sensor] = connected()
    slow(world)
    exactlyOnce(sensor, 'x')
    world.advance(1000)
    expect(sensor.take()).toEqual([pubrec(7)])
    expect(sensor.send(pubrel(7))).toEqual([])
    const steps = recorder(world)
    world.advance(1000)
    expect(steps()).toEqual(['drop', 'PUBCOMP'])
  })

  it('is published again after a crash with the same token, as a repetition [SN-PUB-11]', () => {
    const [world, sensor] = connected()
    sensor.publish(1, 'earlier', { qos: 1, msgId: 6 }) // so that the token is not the first one
    slow(world)
    exactlyOnce(sensor, 'x')
    world.restart()
    fast(world)
    world.advance(2000)
    const [first, again, ...more] = publishes(world).filter(({ qos }) => qos === 2)
    expect([first?.repeated, again?.repeated, more]).toEqual([false, true, []])
    expect([first?.token, again?.token]).toEqual([2, 2])
    expect(exactlyOnce(sensor, 'x', true)).toEqual([pubrec(7)])
    expect(sensor.send(pubrel(7))).toEqual([pubcomp(7)])
    expect(arrived(world)).toEqual(['earlier', 'x'])
  })

  it('takes no token that belongs to one before the crash [SN-PUB-11]', () => {
    const [world, sensor] = connected()
    slow(world)
    exactlyOnce(sensor, 'x')
    world.restart()
    fast(world)
    sensor.publish(1, 'y', { qos: 2, msgId: 8 })
    world.advance(2000)
    expect(new Set(publishes(world).map(({ token }) => token))).toEqual(new Set([1, 257]))
    expect(arrived(world).sort()).toEqual(['x', 'y'])
  })

  it.each([
    ['a lost connection', (world: World) => world.broker.crash()],
    ['a crash', (world: World) => world.crash()],
  ])(
    'is released, not published again, when the broker answered PUBREC before %s [SN-PUB-11, SN-MAP-4]',
    (_, fail) => {
      const [world, sensor] = connected()
      slow(world)
      exactlyOnce(sensor, 'x')
      world.advance(1500)
      expect(sensor.take()).toEqual([pubrec(7)])
      fail(world)
      fast(world)
      world.broker.reachable = true
      world.start()
      const steps = recorder(world)
      world.advance(5000)
      expect(steps()).toEqual(['release'])
      expect(sensor.send(pubrel(7))).toEqual([pubcomp(7)])
      expect(world.broker.sessionOf('dev1').unreleased.size).toBe(0)
      expect(arrived(world)).toEqual(['x'])
    },
  )

  it('is not published again when the broker has lost its session after PUBREC [SN-PUB-11]', () => {
    const [world, sensor] = connected()
    slow(world)
    exactlyOnce(sensor, 'x')
    world.advance(1500)
    world.broker.crash()
    world.broker.stored.clear()
    world.broker.reachable = true
    fast(world)
    world.advance(5000)
    expect(sensor.send(pubrel(7))).toContainEqual(pubcomp(7))
    expect(arrived(world)).toEqual(['x'])
    expect(world.session('dev1').uplink.outgoing.size).toBe(0)
  })

  it('answers PUBREL after a crash that came between PUBREC and PUBREL [SN-PUB-11]', () => {
    const [world, sensor] = connected()
    exactlyOnce(sensor, 'x')
    world.restart(5000)
    world.advance(1000)
    expect(exactlyOnce(sensor, 'x', true)).toEqual([pubrec(7)]) // PUBREC was lost, too
    expect(sensor.send(pubrel(7))).toEqual([pubcomp(7)])
    expect(sensor.send(pubrel(7))).toEqual([pubcomp(7)])
    expect(arrived(world)).toEqual(['x'])
    expect(world.store.disk.get('dev1')?.uplinks.size).toBe(0)
  })

  it.each([
    ['the sensor disconnects', ({ sensor }: { sensor: VirtualSensor }) => sensor.send(disconnect)],
    ['it is lost', ({ world }: { world: World }) => world.advance(8_000_000)],
    [
      'the broker is away for longer than the grace time',
      ({ world }: { world: World }) => {
        world.broker.crash()
        world.advance(100_000)
        world.broker.reachable = true
      },
    ],
    [
      'the gateway crashes, and it disconnects',
      ({ world, sensor }: { world: World; sensor: VirtualSensor }) => {
        world.restart()
        sensor.send(disconnect)
      },
    ],
  ])('stays one message when %s before the answer of the broker [SN-PUB-11, SN-SESS-9]', (_, end) => {
    const [world, sensor] = connected()
    slow(world)
    exactlyOnce(sensor, 'x')
    end({ world, sensor })
    fast(world)
    expect(sensor.connect('dev1', keep)[0]).toEqual({ type: 'connack', returnCode: 0 })
    expect(exactlyOnce(sensor, 'x', true)).toEqual([pubrec(7)])
    expect(sensor.send(pubrel(7))).toEqual([pubcomp(7)])
    expect(arrived(world)).toEqual(['x'])
    expect(world.broker.sessionOf('dev1').unreleased.size).toBe(0)
    expect(world.session('dev1')).toMatchObject({ uplink: { open: { size: 0 }, outgoing: { size: 0 } } })
  })

  it('stays one message when the sensor is told to try later while the broker is away after a crash [SN-MAP-27]', () => {
    const [world, sensor] = connected({ timers: { grace: 3_600_000 } })
    slow(world)
    exactlyOnce(sensor, 'x')
    world.broker.crash()
    world.restart()
    expect(exactlyOnce(sensor, 'x', true)).toEqual([])
    world.advance(8_000)
    expect(sensor.take()).toMatchObject([{ type: 'puback', msgId: 7, returnCode: 1 }])
    fast(world)
    world.broker.reachable = true
    world.advance(300_000)
    expect(exactlyOnce(sensor, 'x', true)).toEqual([pubrec(7)])
    expect(arrived(world)).toEqual(['x'])
  })

  it('is brought to its end at the broker, when another one takes its MsgId after a crash [SN-PUB-10]', () => {
    const [world, sensor] = connected()
    slow(world)
    exactlyOnce(sensor, 'x')
    world.restart()
    exactlyOnce(sensor, 'y') // it has forgotten the first one
    fast(world)
    world.advance(5000)
    expect(sensor.take()).toEqual([pubrec(7)])
    expect(sensor.send(pubrel(7))).toEqual([pubcomp(7)])
    expect(arrived(world)).toEqual(['x', 'y'])
    expect(world.broker.sessionOf('dev1').unreleased.size).toBe(0)
    expect(world.store.disk.get('dev1')?.uplinks.size).toBe(0)
  })

  it('releases what the broker has, though nobody here knows of it any more [SN-PUB-11]', () => {
    const [world] = connected()
    world.happen(world.session('dev1'), { type: 'received', token: 99 })
    expect(world.effects.at(-1)).toMatchObject({ type: 'release', token: 99 })
  })
})

describe('QoS 1', () => {
  it('is not written to the store: the sensor repeats what was not acknowledged [SN-PUB-6]', () => {
    const [world, sensor] = connected()
    const steps = recorder(world)
    sensor.publish(1, 'x', { qos: 1, msgId: 7 })
    expect(steps()).toEqual(['publish', 'PUBACK'])
    slow(world)
    sensor.publish(1, 'y', { qos: 1, msgId: 8 })
    world.restart()
    fast(world)
    expect(sensor.publish(1, 'y', { qos: 1, msgId: 8, dup: true })).toMatchObject([
      { type: 'puback', msgId: 8 },
    ])
  })

  it('goes out in order when there are more than the connection takes at once', () => {
    const [world, sensor] = connected({ limits: { inflight: 100 } })
    slow(world)
    for (let msgId = 1; msgId <= 40; msgId++) sensor.publish(1, `${msgId}`, { qos: 1, msgId })
    expect(publishes(world)).toHaveLength(32)
    world.advance(3000)
    expect(arrived(world)).toEqual(Array.from({ length: 40 }, (_, i) => `${i + 1}`))
    expect(sensor.take()).toHaveLength(40)
  })
})
