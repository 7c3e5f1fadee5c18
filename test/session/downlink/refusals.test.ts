// A sensor that refuses: REGACK and PUBACK with a code other than accepted [6.10, 5.3.10].

import { describe, expect, it } from 'vitest'
import type { Packet } from '../../../src/codec/v1/messages.ts'
import { answerTo } from '../../support/patient.ts'
import { bytes, type VirtualSensor, World } from '../../support/world.ts'

function subscribed(filters: string[]): [World, VirtualSensor] {
  const world = new World({ predefined: { 7: 'pre/seven' } })
  const sensor = world.sensor()
  sensor.connect('dev1', { cleanSession: false, duration: 3600 })
  for (const filter of filters) sensor.subscribe(filter, 2)
  return [world, sensor]
}

/** Answers the last message that came with this code, and returns what comes then. */
function answer(sensor: VirtualSensor, returnCode: number, came = sensor.take()): Packet[] {
  const last = came.at(-1)
  const reply = last && answerTo(last, returnCode)
  if (reply === undefined) throw new Error(`nothing to answer: ${came.map(({ type }) => type)}`)
  return sensor.send(reply)
}

const unsubscribed = (world: World) =>
  world.effects.flatMap((effect) => (effect.type === 'unsubscribe' ? [effect.filter] : []))
const puback = (topicId: number, msgId: number, returnCode: number): Packet => ({
  type: 'puback', topicId, msgId, returnCode,
}) // biome-ignore format: one line reads better

describe('a rejected REGISTER', () => {
  it.each([2, 3, 0x80])(
    'with code %i ends that name, not the wildcard that matched it [SN-GPUB-6, SN-FLD-1]',
    (code) => {
      const [world, sensor] = subscribed(['a/+'])
      world.publish('a/x', '1', 1)
      world.publish('a/x', '2', 0)
      expect(answer(sensor, code)).toEqual([])
      expect(world.session('dev1').downlink.queue).toEqual([])
      world.publish('a/x', '3', 1)
      expect(sensor.take()).toEqual([])
      expect(world.drops()).toEqual(['rejected', 'rejected', 'rejected'])
      expect(world.broker.acknowledged).toHaveLength(2) // the broker is not held up
      world.publish('a/y', '4')
      expect(sensor.take()).toMatchObject([{ type: 'register', topicName: 'a/y' }])
      expect(unsubscribed(world)).toEqual([])
    },
  )

  it('of a name that was subscribed plainly ends the subscription at the broker [SN-GPUB-6, SN-SESS-7]', () => {
    const [world, sensor] = subscribed(['a/x'])
    sensor.connect('dev1', { cleanSession: false, duration: 60 }) // so that the id must be confirmed again
    world.publish('a/x', '1', 1)
    answer(sensor, 3)
    expect(unsubscribed(world)).toEqual(['a/x'])
    expect(world.session('dev1').subscriptions.size).toBe(0)
  })

  it.each([
    ['subscribes it', (sensor: VirtualSensor) => sensor.subscribe('a/x')],
    ['subscribes a filter for it', (sensor: VirtualSensor) => sensor.subscribe('a/#')],
    ['registers it', (sensor: VirtualSensor) => sensor.register('a/x')],
  ])('counts until the sensor %s [SN-GPUB-6]', (_, change) => {
    const [world, sensor] = subscribed(['a/+'])
    world.publish('a/x', '1')
    answer(sensor, 3)
    change(sensor)
    world.publish('a/x', '2')
    expect(sensor.take().map(({ type }) => type)).not.toEqual([])
  })

  it('counts until a new clean session begins, and not only for one connection [SN-GPUB-6]', () => {
    const [world, sensor] = subscribed(['a/+'])
    world.publish('a/x', '1')
    answer(sensor, 3)
    sensor.connect('dev1', { cleanSession: false, duration: 60 })
    world.publish('a/x', '2')
    expect(sensor.take()).toEqual([])
    sensor.connect('dev1', { cleanSession: true })
    sensor.subscribe('a/+')
    world.publish('a/x', '3')
    expect(sensor.types()).toEqual(['register'])
  })

  it('with congestion is repeated after T_WAIT, and nothing is sent until then [SN-GPUB-6]', () => {
    const [world, sensor] = subscribed(['a/+', 'b'])
    world.publish('a/x', '1')
    expect(answer(sensor, 1)).toEqual([])
    world.publish('b', '2')
    world.advance(299_000)
    expect(sensor.take()).toEqual([])
    world.advance(1000)
    expect(sensor.take()).toMatchObject([{ type: 'register', topicName: 'a/x' }])
  })
})

describe('PUBACK "invalid topic id"', () => {
  it('makes the gateway register again and send the message once more, as a new one [SN-GPUB-7]', () => {
    const [world, sensor] = subscribed(['s/a'])
    world.publish('s/a', 'x', 1)
    const again = answer(sensor, 2)
    expect(again).toMatchObject([{ type: 'register', topicId: 1, topicName: 's/a' }])
    expect(answer(sensor, 0, again)).toMatchObject([
      { type: 'publish', dup: false, topicId: 1, data: bytes('x') },
    ])
  })

  it('a second time drops the message [SN-GPUB-7]', () => {
    const [world, sensor] = subscribed(['s/a'])
    world.publish('s/a', 'x', 2)
    world.publish('s/a', 'next', 0)
    const sentAgain = answer(sensor, 0, answer(sensor, 2))
    const after = answer(sensor, 2, sentAgain)
    expect(world.drops()).toEqual(['rejected'])
    expect(world.session('dev1').downlink.queue.map(({ qos }) => qos)).toEqual([0])
    expect(after).toMatchObject([{ type: 'register' }]) // for the next message
  })

  it('for a QoS 0 message, with MsgId 0, makes the next one be preceded by REGISTER [SN-GPUB-7]', () => {
    const [world, sensor] = subscribed(['s/a'])
    world.publish('s/a', 'x')
    expect(sensor.send(puback(1, 0, 2))).toEqual([])
    world.publish('s/a', 'y')
    expect(sensor.types()).toEqual(['register'])
  })

  it('brings the same id again where REGISTER is never answered, and REGISTER only for the next message', () => {
    const world = new World({ policy: () => ({ reRegister: 'never' }) })
    const sensor = world.sensor()
    sensor.connect('dev1', { cleanSession: false, duration: 3600 })
    sensor.subscribe('s/a', 1)
    sensor.connect('dev1', { cleanSession: false, duration: 60 })
    world.publish('s/a', 'x', 1)
    world.publish('s/a', 'y', 1)
    const again = answer(sensor, 2)
    expect(again).toMatchObject([{ type: 'publish', dup: false, topicId: 1, msgId: 1, data: bytes('x') }])
    expect(answer(sensor, 2, again)).toMatchObject([{ type: 'register', topicId: 1 }])
    expect(world.drops()).toEqual(['rejected'])
  })

  it('for a predefined id cannot be cured: the message is dropped, acknowledged [SN-GPUB-7]', () => {
    const [world, sensor] = subscribed([])
    sensor.send({ type: 'subscribe', dup: false, qos: 1, msgId: 5, topicIdType: 'predefined', topicId: 7 })
    world.publish('pre/seven', 'x', 1)
    expect(answer(sensor, 2)).toEqual([])
    expect(world.drops()).toEqual(['rejected'])
    expect(world.broker.acknowledged).toHaveLength(1)
  })
})

describe('PUBACK with another code', () => {
  it.each([3, 0x80, 0xff])('%i drops the message, and the next one follows [SN-GPUB-8, SN-FLD-1]', (code) => {
    const [world, sensor] = subscribed(['s/a'])
    world.publish('s/a', 'x', 2)
    world.publish('s/a', 'next', 1)
    expect(answer(sensor, code)).toMatchObject([{ type: 'publish', data: bytes('next') }])
    expect(world.drops()).toEqual(['rejected'])
  })

  it('3 to a repetition at QoS 1 brings the message once more as a new one: some refuse DUP', () => {
    const [world, sensor] = subscribed(['s/a'])
    world.publish('s/a', 'x', 1)
    sensor.take()
    world.advance(10_000)
    const again = answer(sensor, 3)
    expect(again).toMatchObject([{ type: 'publish', dup: false, msgId: 1, data: bytes('x') }])
    expect(answer(sensor, 3, again)).toEqual([])
    expect(world.drops()).toEqual(['rejected'])
  })

  it('1 stops all sending for T_WAIT, then the same message comes again [SN-GPUB-8]', () => {
    const [world, sensor] = subscribed(['s/a'])
    world.publish('s/a', 'x', 1)
    world.publish('s/a', 'y', 0)
    expect(answer(sensor, 1)).toEqual([])
    sensor.send({ type: 'pingreq', clientId: null }) // being alive does not mean having room
    world.advance(299_000)
    expect(sensor.take()).toEqual([])
    world.advance(1000)
    expect(sensor.take()).toMatchObject([{ type: 'publish', dup: true, msgId: 1, data: bytes('x') }])
  })

  it('nothing waits for an answer to QoS 0: a stray PUBACK changes nothing', () => {
    const [world, sensor] = subscribed(['s/a'])
    world.publish('s/a', 'x', 0)
    expect(sensor.send(puback(1, 0, 3))).toEqual([])
    world.publish('s/a', 'y', 0)
    expect(sensor.types()).toEqual(['publish'])
  })
})
