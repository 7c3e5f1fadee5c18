// The limits on what waits for all sensors together: who has most makes room, and nobody else [SN-ROB-1, SN-ROB-4].

import { describe, expect, it } from 'vitest'
import { queuePolicy, text, type VirtualSensor, World } from '../support/world.ts'

type Options = ConstructorParameters<typeof World>[0]

function sleeper(world: World, clientId: string, address: string, port = 5000): VirtualSensor {
  const sensor = world.sensor(address, port)
  sensor.connect(clientId, { cleanSession: false, duration: 3600 })
  sensor.subscribe(`to/${clientId}`, 1)
  sensor.sleep(3600)
  return sensor
}

const queued = (world: World, clientId: string) =>
  world.session(clientId).downlink.queue.map(({ payload }) => text(payload))

/** Many sleepers at one address, each of which has let a hundred empty messages wait for it: the total is reached. */
function siege(sleepers: number, options: Options = {}): World {
  const limits = { sensors: 10_000, totalQueuedMessages: sleepers * 100, ...options?.limits }
  const world = new World({ ...options, limits })
  for (let i = 0; i < sleepers; i++) sleeper(world, `greedy${i}`, '10.6.6.6', 2000 + i)
  for (let i = 0; i < sleepers; i++) {
    const session = world.session(`greedy${i}`)
    const message = { topic: `to/greedy${i}`, payload: new Uint8Array(0), qos: 0, retain: false } as const
    for (let n = 0; n < 100; n++)
      world.happen(session, { type: 'message', message, ack: undefined, packetId: 0 })
  }
  expect(world.totals.queuedMessages).toBe(limits.totalQueuedMessages)
  return world
}

describe('when those who fill the queues have reached the total', () => {
  it.each([0, 1, 2] as const)('an active sensor still gets its messages at QoS %i [SN-ROB-4]', (qos) => {
    const world = siege(101)
    const sensor = world.sensor('10.0.0.1')
    sensor.connect('active', { duration: 3600 })
    sensor.subscribe('to/active', 2)
    const before = world.drops().length
    world.publish('to/active', 'now', qos)
    expect(sensor.take()).toMatchObject([{ type: 'publish', qos }])
    expect(world.drops().length).toBe(before) // what is delivered at once needs no room
  })

  it('an honest sleeper gets what waited for it, at the cost of who has most [SN-ROB-4]', () => {
    const world = siege(101)
    const sensor = sleeper(world, 'honest', '10.0.0.1')
    const wanted = Array.from({ length: 50 }, (_, i) => `${i}`)
    for (const payload of wanted) world.publish('to/honest', payload, 1)
    expect(queued(world, 'honest')).toEqual(wanted)
    const texts: string[] = []
    let packets = sensor.wake('honest')
    while (packets.length > 0) {
      const [packet] = packets
      if (packet?.type !== 'publish') break
      texts.push(text(packet.data))
      const { topicId, msgId } = packet
      packets = sensor.send({ type: 'puback', topicId, msgId, returnCode: 0 })
    }
    expect(texts).toEqual(wanted)
    const left = Array.from({ length: 101 }, (_, i) => queued(world, `greedy${i}`).length)
    expect([Math.min(...left), Math.max(...left)]).toEqual([99, 100])
    expect(world.totals.queuedMessages).toBeLessThanOrEqual(101 * 100)
  })

  it('the octets are shared in the same manner [SN-ROB-4]', () => {
    const world = new World({ limits: { totalQueuedOctets: 1000, queuedOctets: 900 } })
    sleeper(world, 'greedy', '10.6.6.6')
    sleeper(world, 'honest', '10.0.0.1')
    for (let i = 0; i < 4; i++) world.publish('to/greedy', 'x'.repeat(200), 1)
    for (let i = 0; i < 3; i++) world.publish('to/honest', 'y'.repeat(100), 1)
    expect(queued(world, 'honest')).toHaveLength(3)
    expect(queued(world, 'greedy')).toHaveLength(3)
    expect(world.totals.queuedOctets).toBeLessThanOrEqual(1000)
  })

  it('QoS 0 of who has most goes first [SN-SLP-14]', () => {
    const world = new World({ limits: { totalQueuedMessages: 4 } })
    sleeper(world, 'greedy', '10.6.6.6')
    sleeper(world, 'honest', '10.0.0.1')
    for (const qos of [1, 0, 1, 0] as const) world.publish('to/greedy', `${qos}`, qos)
    world.publish('to/honest', 'a', 0)
    world.publish('to/honest', 'b', 0)
    expect([queued(world, 'greedy'), queued(world, 'honest')]).toEqual([
      ['1', '1'],
      ['a', 'b'],
    ])
  })

  it('the moment is known, for whoever watches [SN-ROB-1]', () => {
    const world = siege(3)
    expect(world.sessions.totalReachedAt).toBe(Number.NEGATIVE_INFINITY)
    sleeper(world, 'honest', '10.0.0.1')
    world.publish('to/honest', 'x', 1)
    expect(world.sessions.totalReachedAt).toBeLessThanOrEqual(world.now)
    expect(world.sessions.totalReachedAt).toBeGreaterThan(world.now - 100)
  })
})

it('QoS 1 that the total refuses is not acknowledged: the broker keeps it until the sensor wakes [SN-ROB-1, AMB-28]', () => {
  const queueFor = () => ({ ...queuePolicy, overflow: 'drop-newest' as const })
  const world = new World({ limits: { totalQueuedMessages: 2 }, policy: () => ({ queueFor }) })
  const sensor = sleeper(world, 'dev1', '10.0.0.1')
  for (const payload of ['1', '2', '3', '4']) world.publish('to/dev1', payload, 1)
  expect(queued(world, 'dev1')).toEqual(['1', '2'])
  expect(world.broker.acknowledged).toHaveLength(2)
  const texts: string[] = []
  for (let packets = sensor.wake('dev1'); packets.length > 0; ) {
    const [packet] = packets
    if (packet?.type !== 'publish') break
    texts.push(text(packet.data))
    packets = sensor.send({ type: 'puback', topicId: packet.topicId, msgId: packet.msgId, returnCode: 0 })
  }
  expect(texts).toEqual(['1', '2', '3', '4'])
  expect(world.broker.acknowledged).toHaveLength(4)
  expect(world.drops()).toEqual([])
})
