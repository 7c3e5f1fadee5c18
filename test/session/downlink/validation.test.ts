// Little is sent to an address that has not shown that it hears: the source of its datagrams may be forged [SN-ROB-3].

import { describe, expect, it } from 'vitest'
import { encodeFrame } from '../../../src/codec/v1/frame.ts'
import type { Packet } from '../../../src/codec/v1/messages.ts'
import { type VirtualSensor, World } from '../../support/world.ts'

type Options = ConstructorParameters<typeof World>[0]

const HEADERS = 28

function subscribed(topic = 's/a', qos: 0 | 1 | 2 = 0, options: Options = {}): [World, VirtualSensor] {
  let state = 7
  const random = () => {
    state = (state * 48_271) % 0x7fff_ffff
    return state / 0x7fff_ffff
  }
  const world = new World({ random, predefined: { 77: 'pre/a' }, ...options })
  const sensor = world.sensor()
  sensor.connect('dev1', { duration: 60 })
  if (topic === 'pre/a') {
    sensor.send({ type: 'subscribe', dup: false, qos, msgId: 1, topicIdType: 'predefined', topicId: 77 })
  } else sensor.subscribe(topic, qos)
  sensor.take()
  return [world, sensor]
}

const sizeOf = (packets: readonly Packet[]) =>
  packets.reduce((sum, packet) => sum + encodeFrame(packet, undefined).length + HEADERS, 0)

/** The broker sends ten messages a second for so long; every so many seconds a datagram comes from there. */
function flood(
  world: World,
  sensor: VirtualSensor,
  topic: string,
  qos: 0 | 1 | 2,
  seconds: number,
  every: number,
): Packet[] {
  const got: Packet[] = []
  for (let tenth = 0; tenth < seconds * 10; tenth++) {
    world.publish(topic, 'x'.repeat(50), qos)
    if (tenth % (every * 10) === every * 10 - 1)
      world.receive({ type: 'pingreq', clientId: null }, sensor.peer)
    world.advance(99)
    got.push(...sensor.take())
  }
  return got
}

describe('a forged source that never answers', () => {
  it.each([
    ['s/a', 0],
    ['s/a', 1],
    ['s/a', 2],
    ['pre/a', 0],
    ['s/+', 0],
    ['s/+', 1],
  ] as const)(
    'of a subscription to %s at QoS %i gets no more than its octets per minute, though it goes on to speak',
    (filter, qos) => {
      const [world, sensor] = subscribed(filter, qos)
      const got = flood(world, sensor, filter.replace('+', 'a'), qos, 600, 30)
      expect(world.session('dev1').state).toBe('active')
      const spoken = 20 * (30 * 5 + 30)
      expect(sizeOf(got)).toBeLessThan(4096 * 11 + spoken)
      expect(sizeOf(got)).toBeGreaterThan(0)
    },
  )

  it('that says nothing more gets a few messages, and nothing after', () => {
    const [world, sensor] = subscribed('s/a', 0, { timers: { inactivity: 0 } })
    world.session('dev1').keepAlive = 0
    expect(sizeOf(flood(world, sensor, 's/a', 0, 600, 10_000))).toBeLessThan(4096 + 200)
  })

  it('cannot guess its way: many wrong answers prove nothing, and right ones nothing after them', () => {
    const [world, sensor] = subscribed('s/a', 1)
    world.publish('s/a', 'x', 1)
    const [publish] = sensor.take()
    if (publish?.type !== 'publish') throw new Error('no PUBLISH')
    for (let guess = 0; guess < 50; guess++) {
      const msgId = 1 + ((publish.msgId + guess) % 60_000)
      sensor.send({ type: 'puback', topicId: publish.topicId, msgId, returnCode: 0 })
    }
    sensor.send({ type: 'puback', topicId: publish.topicId, msgId: publish.msgId, returnCode: 0 })
    expect(world.session('dev1').validation.done).toBe(false)
  })

  it('does not get what a proven sensor got, when it takes the session over [SN-CONN-11]', () => {
    const [world, sensor] = subscribed('s/a', 1)
    world.publish('s/a', 'x', 1)
    const [publish] = sensor.take()
    if (publish?.type !== 'publish') throw new Error('no PUBLISH')
    sensor.send({ type: 'puback', topicId: publish.topicId, msgId: publish.msgId, returnCode: 0 })
    expect(world.session('dev1').validation.done).toBe(true)
    const victim = world.sensor('10.0.0.9')
    victim.connect('dev1', { cleanSession: false, duration: 60 })
    expect(world.session('dev1').validation.done).toBe(false)
    expect(sizeOf(flood(world, victim, 's/a', 0, 50, 100))).toBeLessThan(4096 + 500)
  })

  it('gets no limit where the configuration says so', () => {
    const [world, sensor] = subscribed('s/a', 0, { limits: { unprovenOctets: 0 } })
    expect(flood(world, sensor, 's/a', 0, 100, 30).filter(({ type }) => type === 'publish')).toHaveLength(
      1000,
    )
  })
})

describe('a sensor that hears', () => {
  it.each([0, 1, 2] as const)(
    'gets everything at QoS %i, since it answers what it is asked [SN-GPUB-2]',
    (qos) => {
      const [world, sensor] = subscribed('s/a', qos)
      let received = 0
      for (let i = 0; i < 1000; i++) {
        world.publish('s/a', 'x'.repeat(50), qos)
        for (let packets = sensor.take(); packets.length > 0; packets = sensor.take()) {
          for (const packet of packets) {
            if (packet.type === 'publish') received += 1
            const answer = answerTo(packet)
            if (answer !== undefined) world.receive(answer, sensor.peer)
          }
        }
      }
      expect(received).toBe(1000)
      expect(world.session('dev1').validation.done).toBe(true)
    },
  )

  it('is known by a PUBLISH with the id that it was given', () => {
    const [world, sensor] = subscribed('s/a')
    sensor.publish(sensor.register('t/x'), '1')
    expect(world.session('dev1').validation.done).toBe(true)
    expect(flood(world, sensor, 's/a', 0, 100, 30).filter(({ type }) => type === 'publish')).toHaveLength(
      1000,
    )
  })

  it('but can prove nothing, since it only listens by a predefined id, gets a message a second for ever', () => {
    const [world, sensor] = subscribed('pre/a')
    let received = 0
    for (let second = 0; second < 600; second++) {
      world.publish('pre/a', 'x'.repeat(20), 0)
      if (second % 50 === 49) world.receive({ type: 'pingreq', clientId: null }, sensor.peer)
      world.advance(999)
      received += sensor.types().filter((type) => type === 'publish').length
    }
    expect(received).toBe(600)
  })

  it('is proven by any REGACK to the REGISTER that asks it, also one that calls the name known', () => {
    const [world, sensor] = subscribed('s/a')
    const got: Packet[] = []
    for (let i = 0; i < 30; i++) {
      world.publish('s/a', 'x'.repeat(50))
      got.push(...sensor.take())
    }
    const register = got.find(({ type }) => type === 'register')
    if (register?.type !== 'register') throw new Error('no REGISTER')
    expect(register.topicName).toBe('s/a')
    sensor.send({ type: 'regack', topicId: register.topicId, msgId: register.msgId, returnCode: 2 })
    expect(world.session('dev1').validation.done).toBe(true)
    expect(world.session('dev1').topics.suppressed.size).toBe(0)
  })

  it('gets what waited for its proof, once it speaks', () => {
    const [world, sensor] = subscribed('pre/a')
    for (let i = 0; i < 100; i++) world.publish('pre/a', 'x'.repeat(50))
    const before = sensor.types().length
    expect(before).toBeLessThan(60)
    world.advance(60_000)
    sensor.send({ type: 'pingreq', clientId: null })
    expect(world.session('dev1').downlink.queue.length).toBeLessThan(100 - before)
  })
})

function answerTo(packet: Packet): Packet | undefined {
  if (packet.type === 'publish' && packet.qos === 1) {
    return { type: 'puback', topicId: packet.topicId, msgId: packet.msgId, returnCode: 0 }
  }
  if (packet.type === 'publish' && packet.qos === 2) return { type: 'pubrec', msgId: packet.msgId }
  if (packet.type === 'pubrel') return { type: 'pubcomp', msgId: packet.msgId }
  if (packet.type === 'register') {
    return { type: 'regack', topicId: packet.topicId, msgId: packet.msgId, returnCode: 0 }
  }
  return undefined
}
