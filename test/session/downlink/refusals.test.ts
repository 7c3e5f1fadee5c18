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

describe('REGACK "invalid topic id" means that the sensor knows the id already', () => {
  /** Asks for a/x with REGISTER, as often as it takes until the answer is no longer to the first one. */
  const rows: [string, (world: World, sensor: VirtualSensor) => Packet[]][] = [
    [
      'when REGISTER was repeated, since the first REGACK was lost',
      (world, sensor) => {
        world.advance(10_000)
        return sensor.take()
      },
    ],
    [
      'when REGISTER is sent again to a sensor that was silent',
      (world, sensor) => {
        world.advance(20_000)
        sensor.take()
        return sensor.send({ type: 'disconnect', duration: 600 }).concat(sensor.wake('dev1'))
      },
    ],
    [
      'when the sensor connected anew meanwhile',
      (_, sensor) => sensor.connect('dev1', { cleanSession: false, duration: 3600 }),
    ],
    [
      'when the gateway was restarted meanwhile',
      (world, sensor) => {
        world.restart()
        world.advance(5_000)
        return sensor.take().concat(sensor.connect('dev1', { cleanSession: false, duration: 3600 }))
      },
    ],
  ]
  it.each(rows)('%s', (_, again) => {
    const [world, sensor] = subscribed(['a/+'])
    world.publish('a/x', 'kept', 1)
    expect(sensor.types()).toEqual(['register'])
    const came = again(world, sensor).filter(({ type }) => type === 'register')
    expect(answer(sensor, 2, came)).toMatchObject([{ type: 'publish', data: bytes('kept') }])
    expect([unsubscribed(world), world.drops()]).toEqual([[], []])
  })

  it.each(['ifUnconfirmed', 'always'] as const)(
    'when it learned it itself, with reRegister "%s"',
    (reRegister) => {
      const world = new World({ policy: () => ({ reRegister }) })
      const sensor = world.sensor()
      sensor.connect('dev1', { cleanSession: false, duration: 3600 })
      sensor.subscribe('a/x', 1)
      sensor.subscribe('b/+', 1)
      sensor.register('b/y')
      sensor.connect('dev1', { cleanSession: false, duration: 60 })
      world.publish('a/x', '1', 1)
      const first = answer(sensor, 2)
      expect(first).toMatchObject([{ type: 'publish', data: bytes('1') }])
      expect(answer(sensor, 0, first)).toEqual([])
      world.publish('b/y', '2', 1)
      expect(answer(sensor, 2)).toMatchObject([{ type: 'publish', data: bytes('2') }])
      expect([unsubscribed(world), world.drops()]).toEqual([[], []])
    },
  )
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

  it.each([0, 1])(
    '3 to a first PUBLISH at QoS 1, with topic id %i, brings REGISTER and the message once more',
    (topicId) => {
      const [world, sensor] = subscribed(['s/a'])
      world.publish('s/a', 'x', 1)
      world.publish('s/a', 'next', 1)
      sensor.take()
      const again = sensor.send(puback(topicId, 1, 3))
      expect(again).toMatchObject([{ type: 'register', topicId: 1, topicName: 's/a' }])
      expect(answer(sensor, 0, again)).toMatchObject([{ type: 'publish', dup: false, data: bytes('x') }])
      expect(sensor.send(puback(topicId, 1, 3)).map(({ type }) => type)).toEqual(['register']) // for the next
      expect(world.drops()).toEqual(['rejected'])
    },
  )

  it('3 without a topic id brings REGISTER at QoS 2 and to a repetition, too: the id is what is not known', () => {
    const [world, sensor] = subscribed(['s/a'])
    world.publish('s/a', 'two', 2)
    sensor.take()
    const first = sensor.send(puback(0, 1, 3))
    expect(first.map(({ type }) => type)).toEqual(['register'])
    answer(sensor, 0, first)
    sensor.send({ type: 'pubrec', msgId: 1 })
    sensor.send({ type: 'pubcomp', msgId: 1 })
    world.publish('s/a', 'one', 1)
    world.advance(10_000)
    sensor.take()
    expect(sensor.send(puback(0, 2, 3)).map(({ type }) => type)).toEqual(['register'])
    expect(world.drops()).toEqual([])
  })

  it('3 to QoS 0, without a topic id, makes REGISTER come before the next of every topic', () => {
    const [world, sensor] = subscribed(['s/a', 's/b'])
    world.publish('s/a', 'x')
    sensor.take()
    expect(sensor.send(puback(0, 0, 3))).toEqual([])
    for (const topic of ['s/a', 's/b']) {
      world.publish(topic, 'y')
      const came = sensor.take()
      expect(came).toMatchObject([{ type: 'register', topicName: topic }])
      expect(answer(sensor, 0, came)).toMatchObject([{ type: 'publish', data: bytes('y') }])
    }
  })

  it('does not use up the messages of a waking when the message is sent once more', () => {
    const world = new World({ policy: () => ({ messagesPerWake: 1 }) })
    const sensor = world.sensor()
    sensor.connect('dev1', { cleanSession: false, duration: 3600 })
    sensor.subscribe('s/a', 1)
    sensor.sleep(600)
    world.publish('s/a', 'x', 1)
    const again = answer(sensor, 3, sensor.wake('dev1'))
    const sent = answer(sensor, 0, again)
    expect([...again, ...sent].map(({ type }) => type)).toEqual(['register', 'publish'])
  })

  it('is to the message of its MsgId, whatever topic id it names', () => {
    const [world, sensor] = subscribed(['s/a'])
    world.publish('s/a', 'x', 1)
    sensor.take()
    expect(sensor.send(puback(99, 1, 2))).toMatchObject([{ type: 'register', topicId: 1 }])
    sensor.send({ type: 'regack', topicId: 77, msgId: 1, returnCode: 0 })
    expect(sensor.send(puback(88, 1, 0))).toEqual([])
    expect([world.drops(), world.session('dev1').downlink.queue]).toEqual([[], []])
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
