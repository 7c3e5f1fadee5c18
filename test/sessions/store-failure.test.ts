// The store cannot write: what needs no write passes, what does is refused at once, and nobody waits behind what is held.

import { describe, expect, it } from 'vitest'
import type { Packet } from '../../src/codec/v1/messages.ts'
import { bytes, text, type VirtualSensor, World } from '../support/world.ts'

const pingreq: Packet = { type: 'pingreq', clientId: null }

/** A connected sensor that registered t/temp as id 1, at a store that fails from now on. */
function failing(ack: 'broker' | 'store' = 'broker'): [World, VirtualSensor] {
  const world = new World({ policy: () => ({ ack }) })
  const sensor = world.sensor()
  sensor.connect('dev1', { cleanSession: false })
  sensor.register('t/temp')
  world.store.isFailing = true
  return [world, sensor]
}

const arrived = (world: World) => world.broker.published.map(({ payload }) => text(payload))
const register = (topicName: string, msgId = 70): Packet => ({
  type: 'register',
  topicId: 0,
  msgId,
  topicName,
})

/** Types of answers, with the return code of those that have one. */
const short = (packets: Packet[]) =>
  packets.map((packet) => ('returnCode' in packet ? `${packet.type} ${packet.returnCode}` : packet.type))

describe('while the store cannot write', () => {
  it('PINGREQ, QoS 0, QoS 1 that the broker acknowledges, and DISCONNECT pass [SN-KA-10]', () => {
    const [world, sensor] = failing()
    expect(sensor.send(pingreq)).toEqual([{ type: 'pingresp' }])
    expect(sensor.publish(1, 'zero')).toEqual([])
    expect(short(sensor.publish(1, 'one', { qos: 1, msgId: 5 }))).toEqual(['puback 0'])
    expect(arrived(world)).toEqual(['zero', 'one'])
    expect(short(sensor.send({ type: 'disconnect', duration: null }))).toEqual(['disconnect'])
  })

  for (const duration of [null, 600])
    it(`at a server that others may have, a sensor is told that it ${duration === null ? 'left' : 'sleeps'} when that is durable, also if it asks again [SN-SLP-5]`, () => {
      const [world, sensor] = failing()
      world.store.isShared = true
      expect(sensor.send({ type: 'disconnect', duration })).toEqual([])
      world.advance(5000)
      expect(sensor.send({ type: 'disconnect', duration })).toEqual([])
      expect(sensor.send(pingreq).filter(({ type }) => type === 'disconnect')).toEqual([])
      world.store.mend()
      world.advance(100)
      expect(short(sensor.take()).filter((type) => type === 'disconnect')).toEqual(['disconnect'])
    })

  it('what needs a write is told to try later, at once, and counted [SN-ROB-1]', () => {
    const [world, sensor] = failing()
    const subscribe: Packet = {
      type: 'subscribe',
      dup: false,
      qos: 1,
      msgId: 71,
      topicIdType: 'normal',
      topicName: 's/a',
    }
    const answers = [
      sensor.send(register('t/new')),
      sensor.send(subscribe),
      sensor.publish(1, 'two', { qos: 2, msgId: 72 }),
      sensor.send({ type: 'willtopicupd', qos: 0, retain: false, willTopic: 'w' }),
      sensor.send({ type: 'willmsgupd', willMsg: bytes('w') }),
      world.sensor('10.0.0.2').connect('dev2'),
    ]
    expect(answers.map(short)).toEqual([['regack 1'], ['suback 1'], ['puback 1'], ['willtopicresp 1'], ['willmsgresp 1'], ['connack 1']]) // biome-ignore format: a table
    expect(world.drops()).toEqual(new Array(6).fill('store-failing'))
    expect([arrived(world), world.session('dev1').topics.byId.size]).toEqual([[], 1])
  })

  it('a message that the store should keep is told to try later, and a repetition of an accepted one is acknowledged', () => {
    const [world, sensor] = failing('store')
    world.store.mend()
    expect(short(sensor.publish(1, 'kept', { qos: 1, msgId: 5 }))).toEqual(['puback 0'])
    world.store.isFailing = true
    expect(short(sensor.publish(1, 'kept', { qos: 1, msgId: 5, dup: true }))).toEqual(['puback 0'])
    expect(short(sensor.publish(1, 'more', { qos: 1, msgId: 6 }))).toEqual(['puback 1'])
    expect(short(sensor.publish(1, 'zero'))).toEqual([])
    expect(arrived(world)).toEqual(['kept', 'zero'])
  })

  it('a topic that is known is registered again without a write', () => {
    const [, sensor] = failing()
    expect(sensor.send(register('t/temp'))).toMatchObject([{ type: 'regack', topicId: 1, returnCode: 0 }])
  })

  it('an answer that is held from before blocks nothing behind it, and comes when the store can write', () => {
    const [world, sensor] = failing()
    world.store.mend()
    world.store.lag = 10_000
    expect(sensor.send(register('t/new'))).toEqual([])
    expect(sensor.send(pingreq)).toEqual([]) // in order, as long as the disk is only slow
    world.store.isFailing = true
    expect(short(sensor.send(pingreq))).toEqual(['pingresp'])
    expect(short(sensor.publish(1, 'one', { qos: 1, msgId: 5 }))).toEqual(['puback 0'])
    expect(arrived(world)).toEqual(['one'])
    expect(short(sensor.send(register('t/new')))).toEqual(['regack 1']) // its id is not on the disk yet
    world.store.mend()
    world.advance(40_000)
    expect(short(sensor.take())).toEqual(['regack 0', 'pingresp'])
    expect(short(sensor.send(register('t/more')))).toEqual([])
    world.advance(40_000)
    expect(short(sensor.take())).toEqual(['regack 0'])
  })

  it('a repeated CONNECT, SUBSCRIBE or PUBLISH whose answer is held is told to try later, too', () => {
    const [world, sensor] = failing('store')
    world.store.mend()
    world.store.lag = 60_000
    const subscribe: Packet = { type: 'subscribe', dup: false, qos: 1, msgId: 71, topicIdType: 'normal', topicName: 's/a' } // biome-ignore format: short
    expect([sensor.send(subscribe), sensor.publish(1, 'x', { qos: 1, msgId: 5 })]).toEqual([[], []])
    const other = world.sensor('10.0.0.2')
    expect(other.connect('dev2')).toEqual([])
    world.store.isFailing = true
    const again = [
      sensor.send(subscribe),
      sensor.publish(1, 'x', { qos: 1, msgId: 5, dup: true }),
      other.connect('dev2'),
    ]
    expect(again.map(short)).toEqual([['suback 1'], ['puback 1'], ['connack 1']])
  })

  it('a message from the broker that cannot be kept is withheld, and holds nothing up', () => {
    const world = new World()
    const sensor = world.sensor()
    sensor.connect('dev1', { cleanSession: false })
    sensor.register('t/temp')
    sensor.subscribe('s/a', 2)
    world.store.isFailing = true
    world.publish('s/a', 'down', 2)
    expect(sensor.take()).toEqual([])
    expect(short(sensor.send(pingreq))).toEqual(['pingresp'])
    expect(short(sensor.publish(1, 'up', { qos: 1, msgId: 5 }))).toEqual(['puback 0'])
    expect(arrived(world)).toContain('up')
    world.store.mend()
    world.advance(10)
    expect(sensor.take()).toMatchObject([{ type: 'publish', data: bytes('down') }])
  })
})
