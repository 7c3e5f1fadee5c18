// The queue of messages for one sensor: its limits, and what is dropped at them [6.14].

import { describe, expect, it } from 'vitest'
import type { Packet } from '../../../src/codec/v1/messages.ts'
import { text, type VirtualSensor, World } from '../../support/world.ts'

type Options = ConstructorParameters<typeof World>[0]

function asleep(world: World, clientId = 'dev1', address = '10.0.0.1'): VirtualSensor {
  const sensor = world.sensor(address)
  sensor.connect(clientId, { cleanSession: false, duration: 3600 })
  sensor.subscribe('s/a', 2)
  sensor.sleep(3600)
  return sensor
}

const queued = (world: World, clientId = 'dev1') =>
  world.session(clientId).downlink.queue.map(({ payload }) => text(payload))

function fill(options: Options, messages: [string, 0 | 1 | 2][]): World {
  const world = new World(options)
  asleep(world)
  for (const [payload, qos] of messages) world.publish('s/a', payload, qos)
  return world
}

describe('a full queue', () => {
  it('drops the oldest QoS 0 message first, and counts it [SN-SLP-14]', () => {
    const world = fill({ limits: { queuedMessages: 3 } }, [
      ['1', 1],
      ['2', 0],
      ['3', 0],
      ['4', 1],
    ])
    expect(queued(world)).toEqual(['1', '3', '4'])
    expect(world.drops()).toEqual(['queue-full'])
  })

  it('drops the oldest of all when there is no QoS 0, also for a new one of QoS 0 [SN-SLP-14]', () => {
    const world = fill({ limits: { queuedMessages: 3 } }, [
      ['1', 1],
      ['2', 2],
      ['3', 1],
      ['4', 1],
      ['5', 0],
    ])
    expect(queued(world)).toEqual(['3', '4', '5'])
    expect(world.drops()).toEqual(['queue-full', 'queue-full'])
  })

  it('is full by octets too, and makes as much room as is needed [SN-SLP-14]', () => {
    const limits = { queuedOctets: 100 } // the topic counts, 3 octets
    const world = fill({ limits }, [
      ['a'.repeat(30), 0],
      ['b'.repeat(30), 0],
      ['c'.repeat(80), 1],
    ])
    expect(queued(world)).toEqual(['c'.repeat(80)])
    expect(world.session('dev1').downlink.octets).toBe(83)
  })

  it('drops a message that is larger than all of it, after which it is empty [SN-SLP-14]', () => {
    const world = fill({ limits: { queuedOctets: 50 } }, [['x'.repeat(51), 1]])
    expect(queued(world)).toEqual([])
    expect(world.totals).toEqual({ queuedMessages: 0, queuedOctets: 0 })
  })

  it('takes what is dropped out of the store as well [SN-SLP-14]', () => {
    const world = fill({ limits: { queuedMessages: 1 } }, [
      ['1', 1],
      ['2', 1],
    ])
    const kept = world.effects.flatMap((effect) => (effect.type === 'keepMessage' ? [effect.message.id] : []))
    const dropped = world.effects.flatMap((effect) =>
      effect.type === 'dropMessage' ? [effect.message.id] : [],
    )
    expect([kept, dropped]).toEqual([[1, 2], [1]])
    expect(world.broker.acknowledged).toHaveLength(2)
  })

  it('keeps the message that is on its way to the sensor [SN-SLP-7, SN-SLP-14]', () => {
    const world = new World({ limits: { queuedMessages: 2 } })
    const sensor = world.sensor()
    sensor.connect('dev1', { cleanSession: false, duration: 3600 })
    sensor.subscribe('s/a', 2)
    world.publish('s/a', '1', 1)
    for (const payload of ['2', '3']) world.publish('s/a', payload, 0)
    expect(queued(world)).toEqual(['1', '3'])
    expect(sensor.take()).toMatchObject([{ type: 'publish', msgId: 1 }])
    const rest = sensor.send({ type: 'puback', topicId: 1, msgId: 1, returnCode: 0 })
    expect(rest).toMatchObject([{ type: 'publish', qos: 0 }])
    expect(rest.flatMap((packet) => ('data' in packet ? [text(packet.data)] : []))).toEqual(['3']) // 2 was dropped
  })

  it('drops the newest when only the one on its way is there [SN-SLP-14]', () => {
    const world = new World({ limits: { queuedMessages: 1 } })
    const sensor = world.sensor()
    sensor.connect('dev1', { cleanSession: false, duration: 3600 })
    sensor.subscribe('s/a', 2)
    for (const qos of [1, 0] as const) world.publish('s/a', `${2 - qos}`, qos)
    expect(queued(world)).toEqual(['1'])
    expect(world.drops()).toEqual(['queue-full'])
  })
})

describe('the limits over all sensors', () => {
  it.each([
    ['messages', { totalQueuedMessages: 4 }],
    ['octets', { totalQueuedOctets: 16 }],
  ])('of %s make room in the own queue where no other is longer [SN-ROB-1, SN-ROB-4]', (_, limits) => {
    const world = new World({ limits })
    asleep(world, 'dev1', '10.0.0.1')
    asleep(world, 'dev2', '10.0.0.2')
    for (const payload of ['1', '2', '3']) world.publish('s/a', payload, 1)
    expect(queued(world, 'dev1')).toEqual(['2', '3'])
    expect(queued(world, 'dev2')).toEqual(['2', '3'])
    expect(world.totals).toEqual({ queuedMessages: 4, queuedOctets: 16 })
  })

  it('get room back when messages are delivered, and when sessions end [SN-ROB-1]', () => {
    const world = new World()
    const first = asleep(world, 'dev1', '10.0.0.1')
    const second = asleep(world, 'dev2', '10.0.0.2')
    for (const payload of ['1', '2']) world.publish('s/a', payload, 0)
    expect(world.totals.queuedMessages).toBe(4)
    expect(first.wake('dev1').map(({ type }) => type)).toEqual(['publish', 'publish', 'pingresp'])
    expect(world.totals.queuedMessages).toBe(2)
    second.connect('dev2', { cleanSession: true })
    expect(world.totals).toEqual({ queuedMessages: 0, queuedOctets: 0 })
  })
})

it('one sensor that does not acknowledge delays none of a hundred others [SN-ROB-4]', () => {
  const world = new World()
  const silent = world.sensor('10.1.0.1')
  silent.connect('silent', { cleanSession: false, duration: 3600 })
  silent.subscribe('s/a', 2)
  const others = Array.from({ length: 100 }, (_, i) => {
    const sensor = world.sensor('10.0.0.1', 6000 + i)
    sensor.connect(`dev${i}`, { duration: 3600 })
    sensor.subscribe('s/a', 1)
    return sensor
  })
  for (let round = 1; round <= 5; round++) {
    world.publish('s/a', `${round}`, 1)
    for (const sensor of others) {
      const [message, ...more] = sensor.take()
      if (message?.type !== 'publish') throw new Error(`no message in round ${round}`)
      expect([text(message.data), more]).toEqual([`${round}`, []])
      const { topicId, msgId } = message
      const answer: Packet = { type: 'puback', topicId, msgId, returnCode: 0 }
      world.receive(answer, sensor.peer)
    }
  }
  expect(queued(world, 'silent')).toEqual(['1', '2', '3', '4', '5'])
})

describe('a queue that is emptied by hand', () => {
  const clearQueue = { type: 'command', command: 'clearQueue' } as const

  it('does not interrupt the setup of a connection', () => {
    const world = new World()
    const sensor = world.sensor()
    sensor.connect('dev1', { will: true })
    world.happen(world.session('dev1'), clearQueue)
    world.advance(10_000)
    expect(sensor.types()).toEqual(['willtopicreq'])
    world.advance(60_000)
    expect(world.sessions.byClientId.size).toBe(0)
  })

  it('lets an awake sensor sleep again', () => {
    const world = new World()
    const sensor = asleep(world)
    world.publish('s/a', 'x', 1)
    sensor.wake('dev1')
    world.happen(world.session('dev1'), clearQueue)
    expect(sensor.types()).toEqual(['pingresp'])
    expect(world.session('dev1').state).toBe('asleep')
  })
})
