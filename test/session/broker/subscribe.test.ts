// SUBSCRIBE and UNSUBSCRIBE: names, predefined ids and short names, answered when the broker has answered [6.9].

import { describe, expect, it } from 'vitest'
import type { Filter, Packet } from '../../../src/codec/v1/messages.ts'
import { type VirtualSensor, World } from '../../support/world.ts'

function connected(options: ConstructorParameters<typeof World>[0] = {}): [World, VirtualSensor] {
  const world = new World({ predefined: { 7: 'pre/seven' }, ...options })
  const sensor = world.sensor()
  sensor.connect('dev1', { cleanSession: false })
  world.happened()
  return [world, sensor]
}

/** "ab" */
const short = 0x6162
const named = (topicName: string) => ({ topicIdType: 'normal', topicName }) as const
const numbered = (topicIdType: 'predefined' | 'short' | 'reserved', topicId: number) => ({
  topicIdType,
  topicId,
})
const subscribe = (msgId: number, filter: Filter, qos: -1 | 0 | 1 | 2 = 1, dup = false): Packet => ({
  type: 'subscribe', dup, qos, msgId, ...filter,
}) // biome-ignore format: one line reads better
const unsubscribe = (msgId: number, filter: Filter): Packet => ({ type: 'unsubscribe', msgId, ...filter })
const suback = (msgId: number, topicId: number, qos: number, returnCode = 0) => ({
  type: 'suback', qos, topicId, msgId, returnCode,
}) // biome-ignore format: one line reads better
const askedAtBroker = (world: World) =>
  world.effects.flatMap((effect) =>
    effect.type === 'subscribe' || effect.type === 'unsubscribe' ? [`${effect.type} ${effect.filter}`] : [],
  )

describe('SUBSCRIBE', () => {
  it('gives a plain name a topic id, which then is used for its messages [SN-SUB-1, SN-GPUB-1]', () => {
    const [world, sensor] = connected()
    expect(sensor.send(subscribe(3, named('s/a')))).toEqual([suback(3, 1, 1)])
    world.publish('s/a', 'on')
    expect(sensor.take()).toMatchObject([{ type: 'publish', topicIdType: 'normal', topicId: 1 }])
  })

  it('uses the id again that REGISTER gave the name [SN-SUB-1]', () => {
    const [, sensor] = connected()
    sensor.register('other')
    const id = sensor.register('s/a')
    expect(sensor.send(subscribe(3, named('s/a')))).toEqual([suback(3, id, 1)])
  })

  it.each(['s/+', '#', '+/x/#'])(
    'answers a filter with wildcards like %s with topic id 0 [SN-SUB-2]',
    (filter) => {
      const [world, sensor] = connected()
      expect(sensor.send(subscribe(3, named(filter)))).toEqual([suback(3, 0, 1)])
      expect(askedAtBroker(world)).toEqual([`subscribe ${filter}`])
    },
  )

  it('speaks the octets of the reference exchange [SN-SUB-2, SN-SUB-5]', () => {
    const [, sensor] = connected()
    expect(sensor.exchange('0812200003732f2b')).toEqual(['0813200000000300'])
  })

  it('subscribes the name behind a predefined id, and answers with that id [SN-SUB-3]', () => {
    const [world, sensor] = connected()
    expect(sensor.send(subscribe(3, numbered('predefined', 7)))).toEqual([suback(3, 7, 1)])
    expect(askedAtBroker(world)).toEqual(['subscribe pre/seven'])
    world.publish('pre/seven', 'on')
    expect(sensor.take()).toMatchObject([{ type: 'publish', topicIdType: 'predefined', topicId: 7 }])
  })

  it('answers an unknown predefined id with 0x02, and asks the broker nothing [SN-SUB-3, SN-SUB-6]', () => {
    const [world, sensor] = connected()
    expect(sensor.send(subscribe(3, numbered('predefined', 8)))).toEqual([suback(3, 0, 0, 2)])
    expect(askedAtBroker(world)).toEqual([])
  })

  it('subscribes a short name, and answers with its two octets [SN-SUB-4]', () => {
    const [world, sensor] = connected()
    expect(sensor.send(subscribe(3, numbered('short', short)))).toEqual([suback(3, short, 1)])
    expect(askedAtBroker(world)).toEqual(['subscribe ab'])
  })

  it.each([
    ['+a', 0x2b61],
    ['a#', 0x6123],
  ])('refuses the short name %s for good [SN-SUB-4, SN-SUB-10]', (_, topicId) => {
    const [world, sensor] = connected()
    expect(sensor.send(subscribe(3, numbered('short', topicId)))).toEqual([suback(3, 0, 0, 3)])
    expect(askedAtBroker(world)).toEqual([])
  })

  it.each(['a+', 'a/#/b', 'a/b#', '', '\0'])(
    'refuses the filter %j for good, since a broker would close the connection [SN-SUB-10, SN-SUB-6]',
    (filter) => {
      const [world, sensor] = connected()
      expect(sensor.send(subscribe(3, named(filter)))).toEqual([suback(3, 0, 0, 3)])
      expect(askedAtBroker(world)).toEqual([])
    },
  )

  it('refuses QoS 0b11 and the reserved topic id type for good [SN-FLG-2, SN-FLG-3]', () => {
    const [world, sensor] = connected()
    expect(sensor.send(subscribe(3, named('a'), -1))).toEqual([suback(3, 0, 0, 3)])
    expect(sensor.send(subscribe(4, numbered('reserved', 1)))).toEqual([suback(4, 0, 0, 3)])
    expect(askedAtBroker(world)).toEqual([])
  })

  it('answers with the QoS that the broker granted, and no other flag [SN-SUB-5]', () => {
    const [world, sensor] = connected()
    world.broker.grantedQos = 1
    expect(sensor.exchange('07124000037365')).toEqual(['0813200001000300']) // QoS 2 was asked for
  })

  it('accepts MsgId 0 [SN-FLD-5]', () => {
    const [, sensor] = connected()
    expect(sensor.send(subscribe(0, named('s/+')))).toEqual([suback(0, 0, 1)])
  })

  it('is answered only when the broker has answered [SN-SUB-7]', () => {
    const [world, sensor] = connected()
    world.broker.latency = 3000
    sensor.send(subscribe(3, named('s/+')))
    world.advance(2900)
    expect(sensor.take()).toEqual([])
    world.advance(200)
    expect(sensor.take()).toEqual([suback(3, 0, 1)])
  })

  it.each([1, 3] as const)(
    'hands the refusal 0x0%i of the broker on, with topic id 0 [SN-SUB-6, SN-SUB-7, SN-MAP-20]',
    (outcome) => {
      const [world, sensor] = connected()
      world.broker.subscribeOutcome = outcome
      expect(sensor.send(subscribe(3, named('s/a')))).toEqual([suback(3, 0, 0, outcome)])
      expect(world.session('dev1').subscriptions.size).toBe(0)
    },
  )

  it('goes before the messages that the broker sends ahead of its answer [SN-SUB-8]', () => {
    const [world, sensor] = connected()
    const session = world.session('dev1')
    world.broker.latency = 100
    sensor.send(subscribe(3, named('s/a')))
    world.happen(session, {
      type: 'message',
      message: { topic: 's/a', payload: new Uint8Array(1), qos: 0, retain: true },
      ack: undefined,
      packetId: 0,
    })
    expect(sensor.take()).toEqual([])
    world.advance(100)
    expect(sensor.types()).toEqual(['suback', 'publish'])
  })

  it('is asked only once at the broker when it is repeated while that is slow [SN-SUB-9]', () => {
    const [world, sensor] = connected()
    world.broker.latency = 5000
    sensor.send(subscribe(3, named('s/+')))
    sensor.send(subscribe(3, named('s/+'), 1, true))
    sensor.send(subscribe(3, named('s/+')))
    world.advance(5000)
    expect(sensor.take()).toEqual([suback(3, 0, 1)])
    expect(askedAtBroker(world)).toEqual(['subscribe s/+'])
  })

  it('is answered again from memory when its SUBACK was lost, so that no retained message comes twice [SN-SUB-9]', () => {
    const [world, sensor] = connected()
    world.publish('s/a', 'kept', 0, { retain: true })
    expect(sensor.send(subscribe(3, named('s/a'))).map(({ type }) => type)).toEqual(['suback', 'publish'])
    expect(sensor.send(subscribe(3, named('s/a'), 1, true))).toEqual([suback(3, 1, 1)])
    world.advance(10_000)
    expect(sensor.send(subscribe(3, named('s/a')))).toEqual([suback(3, 1, 1)])
    expect(askedAtBroker(world)).toEqual(['subscribe s/a'])
  })

  it('is a new one with another name, QoS or MsgId [SN-SUB-9]', () => {
    const [world, sensor] = connected()
    sensor.send(subscribe(3, named('s/a')))
    sensor.send(subscribe(3, named('s/b')))
    sensor.send(subscribe(3, named('s/b'), 2))
    sensor.send(subscribe(4, named('s/b'), 2))
    expect(askedAtBroker(world)).toHaveLength(4)
  })

  it('may come several times at once, told apart by MsgId, up to a limit [SN-SUB-11]', () => {
    const [world, sensor] = connected()
    world.broker.latency = 1000
    const all = Array.from({ length: 10 }, (_, i) => i + 1)
    for (const msgId of all) expect(sensor.send(subscribe(msgId, named(`s/${msgId}/#`)))).toEqual([])
    expect(sensor.send(subscribe(11, named('s/11')))).toEqual([suback(11, 0, 0, 1)])
    world.advance(1000)
    expect(sensor.take()).toEqual(all.map((msgId) => suback(msgId, 0, 1)))
  })

  it('replaces the QoS of the same filter, and brings retained messages again [SN-SUB-12]', () => {
    const [world, sensor] = connected()
    world.publish('s/a', 'kept', 2, { retain: true })
    sensor.send(subscribe(3, named('s/a'), 0))
    const [answer, message] = sensor.send(subscribe(4, named('s/a'), 1))
    expect([answer, message]).toMatchObject([suback(4, 1, 1), { type: 'publish', qos: 1, retain: true }])
    expect(world.session('dev1').subscriptions.get('s/a')?.qos).toBe(1)
  })

  it('is refused with congestion above the limit of subscriptions, also when many come at once [SN-SUB-6, SN-ROB-1]', () => {
    const [world, sensor] = connected({ limits: { subscriptionsPerSensor: 2 } })
    world.broker.latency = 1000
    for (const msgId of [1, 2, 3]) sensor.send(subscribe(msgId, named(`s/${msgId}`)))
    world.advance(1000)
    expect(world.session('dev1').subscriptions.size).toBe(2)
    expect(sensor.send(subscribe(5, named('s/1')))).toEqual([]) // one that exists needs no room
    world.advance(1000)
    expect(sensor.types()).toEqual(['suback'])
  })

  it('is refused with congestion when there is no topic id left [SN-SUB-6]', () => {
    const [world, sensor] = connected({ limits: { topicsPerSensor: 1 } })
    sensor.register('a')
    expect(sensor.send(subscribe(3, named('b')))).toEqual([suback(3, 0, 0, 1)])
    expect(askedAtBroker(world)).toEqual([])
  })

  it('gets congestion when the broker does not answer in time, or is gone [SN-MAP-28, SN-RTX-6]', () => {
    const [world, sensor] = connected()
    world.broker.answers = false
    sensor.send(subscribe(3, named('s/a')))
    world.advance(8000)
    expect(sensor.take()).toEqual([suback(3, 0, 0, 1)])
    world.broker.crash()
    sensor.send(subscribe(4, named('s/a')))
    world.advance(8000)
    expect(sensor.take()).toEqual([suback(4, 0, 0, 1)])
  })

  it('waits for a broker that comes back within the deadline [SN-MAP-28]', () => {
    const [world, sensor] = connected()
    world.broker.crash()
    sensor.send(subscribe(3, named('s/a')))
    world.broker.reachable = true
    world.advance(4000)
    expect(sensor.take()).toEqual([suback(3, 1, 1)])
  })
})

describe('UNSUBSCRIBE', () => {
  it.each([
    ['a name', named('s/a'), 's/a'],
    ['a wildcard', named('s/+'), 's/+'],
    ['a predefined id', numbered('predefined', 7), 'pre/seven'],
    ['a short name', numbered('short', short), 'ab'],
  ])('ends the subscription of %s, with UNSUBACK of the same MsgId [SN-UNS-1]', (_, filter, name) => {
    const [world, sensor] = connected()
    sensor.send(subscribe(3, filter))
    expect(sensor.send(unsubscribe(4, filter))).toEqual([{ type: 'unsuback', msgId: 4 }])
    expect(askedAtBroker(world)).toEqual([`subscribe ${name}`, `unsubscribe ${name}`])
    expect(world.session('dev1').subscriptions.size).toBe(0)
  })

  it('is answered only when the broker has answered [SN-UNS-2]', () => {
    const [world, sensor] = connected()
    world.broker.latency = 3000
    sensor.send(unsubscribe(4, named('s/a')))
    world.advance(2900)
    expect(sensor.take()).toEqual([])
    world.advance(100)
    expect(sensor.take()).toEqual([{ type: 'unsuback', msgId: 4 }])
  })

  it.each([
    ['what was never subscribed', named('never')],
    ['an unknown predefined id', numbered('predefined', 9)],
    ['an impossible filter', named('a#')],
  ])('is answered for %s too, since UNSUBACK has no code [SN-UNS-3]', (_, filter) => {
    const [, sensor] = connected()
    expect(sensor.send(unsubscribe(4, filter))).toEqual([{ type: 'unsuback', msgId: 4 }])
  })

  it('is discarded silently with the reserved topic id type [SN-FLG-3]', () => {
    const [, sensor] = connected()
    expect(sensor.send(unsubscribe(4, numbered('reserved', 9)))).toEqual([])
  })

  it('leaves the topic id of the name valid for publishing [SN-UNS-4]', () => {
    const [world, sensor] = connected()
    sensor.send(subscribe(3, named('s/a')))
    sensor.send(unsubscribe(4, named('s/a')))
    expect(sensor.publish(1, 'x')).toEqual([])
    expect(world.broker.published).toMatchObject([{ topic: 's/a' }])
  })

  it('ends the stream of messages [SN-UNS-5]', () => {
    const [world, sensor] = connected()
    sensor.send(subscribe(3, named('s/a')))
    sensor.send(unsubscribe(4, named('s/a')))
    world.publish('s/a', 'x')
    expect(sensor.take()).toEqual([])
  })

  it('is repeated by the sensor when the broker does not answer: there is no code for that [SN-MAP-28]', () => {
    const [world, sensor] = connected()
    world.broker.answers = false
    sensor.send(unsubscribe(4, named('s/a')))
    world.advance(9000)
    expect(sensor.take()).toEqual([])
    world.broker.answers = true
    expect(sensor.send(unsubscribe(4, named('s/a')))).toEqual([{ type: 'unsuback', msgId: 4 }])
  })

  it('is asked only once at the broker when it is repeated while that is slow', () => {
    const [world, sensor] = connected()
    world.broker.latency = 5000
    sensor.send(unsubscribe(4, named('s/a')))
    sensor.send(unsubscribe(4, named('s/a')))
    world.advance(5000)
    expect(sensor.take()).toEqual([{ type: 'unsuback', msgId: 4 }])
    expect(askedAtBroker(world)).toEqual(['unsubscribe s/a'])
  })

  it('after it, the same SUBSCRIBE is a new one [SN-SUB-9]', () => {
    const [world, sensor] = connected()
    sensor.send(subscribe(3, named('s/a')))
    sensor.send(unsubscribe(4, named('s/a')))
    sensor.send(subscribe(3, named('s/a')))
    expect(askedAtBroker(world)).toEqual(['subscribe s/a', 'unsubscribe s/a', 'subscribe s/a'])
  })
})
