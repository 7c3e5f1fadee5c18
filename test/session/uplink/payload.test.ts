// Payloads go through octet for octet [5.3.2].

import { expect, it } from 'vitest'
import { decode, encode, type Packet } from '../../../src/codec/v1/frame.ts'
import { World } from '../../support/world.ts'

const all = Uint8Array.from({ length: 256 }, (_, i) => i)

it.each([0, 1, 2] as const)('brings all 256 octet values to the broker at QoS %i [SN-FLD-4]', (qos) => {
  const world = new World()
  const sensor = world.sensor()
  sensor.connect('dev1')
  const publish: Packet = {
    type: 'publish',
    dup: false,
    qos,
    retain: false,
    topicIdType: 'short',
    topicId: 0x6162,
    msgId: qos,
    data: all,
  }
  sensor.send(decode(encode(publish)) as Packet)
  expect(world.broker.published).toMatchObject([{ topic: 'ab', payload: all }])
})

it.each([0, 1, 2] as const)('brings all 256 octet values to the sensor at QoS %i [SN-FLD-4]', (qos) => {
  const world = new World()
  const sensor = world.sensor()
  sensor.connect('dev1')
  sensor.subscribe('d/a', qos)
  world.publish('d/a', all, qos)
  expect(sensor.take()).toMatchObject([{ type: 'publish', qos, data: all }])
})

it('brings an empty payload through, both ways [SN-FLD-4]', () => {
  const world = new World()
  const sensor = world.sensor()
  sensor.connect('dev1')
  sensor.subscribe('d/a')
  sensor.publish(sensor.register('d/a'), '')
  expect(sensor.take()).toEqual([])
  world.advance(5)
  expect(world.broker.published[0]?.payload.length).toBe(0)
  expect(world.happened().at(-1)).toBe('sensor ← PUBLISH qos 0 normal topic, ""')
})
