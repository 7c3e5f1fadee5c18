// The flow to a sensor that listens waits at the broker, by acknowledgements that are withheld, and is not dropped [6.10].

import { describe, expect, it } from 'vitest'
import type { Packet } from '../../../src/codec/v1/messages.ts'
import { queuePolicy, text, type VirtualSensor, World } from '../../support/world.ts'

type Options = ConstructorParameters<typeof World>[0]

function subscriber(
  options: Options = {},
  { cleanSession = false, window = 20 } = {},
): [World, VirtualSensor] {
  const world = new World(options)
  world.broker.window = window
  const sensor = world.sensor()
  sensor.connect('dev1', { cleanSession, duration: 3600 })
  sensor.subscribe('s/a', 2)
  return [world, sensor]
}

/** Answers all that comes, for so long, as a sensor does that loses nothing. Returns the texts of what came. */
function answerAll(world: World, sensor: VirtualSensor, ms = 5000): string[] {
  const texts: string[] = []
  const known = new Set<number>()
  for (let step = 0; step < ms / 5; step++) {
    for (const packet of sensor.take()) {
      const answer = answerTo(packet)
      if (packet.type === 'publish' && !(packet.qos === 2 && known.has(packet.msgId))) {
        texts.push(text(packet.data))
        if (packet.qos === 2) known.add(packet.msgId)
      }
      if (packet.type === 'pubrel') known.delete(packet.msgId)
      if (answer !== undefined) world.receive(answer, sensor.peer)
    }
    world.advance(5)
  }
  return texts
}

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

const numbers = (count: number, from = 1) => Array.from({ length: count }, (_, i) => `${from + i}`)

function burst(world: World, count: number, qos: 0 | 1 | 2 = 1, from = 1): void {
  for (const payload of numbers(count, from)) world.publish('s/a', payload, qos)
}

describe('a burst for a sensor that answers at once', () => {
  it.each([
    [1, 250, 10, false],
    [1, 250, 20, true],
    [2, 250, 10, false],
    [1, 250, Number.POSITIVE_INFINITY, false],
    [1, 1500, 20, false],
  ] as const)(
    'arrives as a whole and in order: QoS %i, %i messages, broker window %s, clean %s [SN-GPUB-11]',
    (qos, count, window, cleanSession) => {
      const [world, sensor] = subscriber({}, { window, cleanSession })
      burst(world, count, qos)
      expect(answerAll(world, sensor, 20_000)).toEqual(numbers(count))
      expect(world.drops()).toEqual([])
      expect(world.session('dev1').downlink.withheld).toBeUndefined()
      expect(world.broker.sessionOf('dev1').inflight.size).toBe(0)
    },
  )

  it('arrives as a whole from 200 retained topics under a wildcard [SN-GPUB-2]', () => {
    const world = new World()
    world.broker.window = 20
    for (const payload of numbers(200)) world.publish(`r/${payload}`, payload, 1, { retain: true })
    const sensor = world.sensor()
    sensor.connect('dev1', { duration: 3600 })
    world.receive(
      { type: 'subscribe', dup: false, qos: 1, msgId: 1, topicIdType: 'normal', topicName: 'r/+' },
      sensor.peer,
    )
    expect(answerAll(world, sensor, 10_000)).toEqual(numbers(200))
    expect(world.drops()).toEqual([])
  })

  it('arrives as a whole while a sleeping sensor is awake, and in its next awake periods [SN-SLP-7]', () => {
    const [world, sensor] = subscriber({ policy: () => ({ messagesPerWake: 100 }) })
    sensor.sleep(3600)
    burst(world, 80)
    world.receive({ type: 'pingreq', clientId: 'dev1' }, sensor.peer)
    burst(world, 250, 1, 81)
    const texts: string[] = []
    for (let wake = 0; wake < 6; wake++) {
      texts.push(...answerAll(world, sensor))
      world.receive({ type: 'pingreq', clientId: 'dev1' }, sensor.peer)
    }
    expect(texts).toEqual(numbers(330))
    expect(world.drops()).toEqual([])
  })
})

describe('what is withheld', () => {
  it('is neither stored nor acknowledged, and never more than the window of the broker [AMB-28]', () => {
    const [world] = subscriber()
    burst(world, 250)
    const { queue, withheld } = world.session('dev1').downlink
    expect([queue.length, withheld?.length]).toEqual([50, 20])
    expect(world.store.disk.get('dev1')?.messages.size).toBe(50)
    expect(world.broker.acknowledged).toHaveLength(50)
  })

  it('is bounded also where the broker knows no window: beyond that messages are dropped and counted [SN-ROB-1]', () => {
    const [world] = subscriber({}, { window: Number.POSITIVE_INFINITY })
    burst(world, 1000)
    const { queue, withheld } = world.session('dev1').downlink
    expect([queue.length, withheld?.length]).toEqual([50, 256])
    expect(world.drops()).toEqual(Array(1000 - 306).fill('queue-full'))
    expect(world.broker.acknowledged).toHaveLength(1000 - 256)
  })

  it('leaves half of the queue to QoS 0, which is dropped beyond [SN-SLP-14]', () => {
    const [world, sensor] = subscriber()
    burst(world, 60)
    burst(world, 60, 0, 1001)
    expect(world.session('dev1').downlink.queue).toHaveLength(100)
    expect(world.drops()).toEqual(Array(10).fill('queue-full'))
    const texts = answerAll(world, sensor)
    expect(texts.filter((one) => Number(one) < 1000)).toEqual(numbers(60))
    expect(texts).toHaveLength(110)
  })

  it.each([1, 2] as const)(
    'comes again at QoS %i when the connection breaks, each message once and in order [SN-MAP-17]',
    (qos) => {
      const [world, sensor] = subscriber()
      burst(world, 100, qos)
      world.broker.crash()
      world.broker.reachable = true
      world.advance(5_000)
      expect(world.session('dev1').downlink.withheld?.length).toBeGreaterThan(0)
      expect(answerAll(world, sensor, 20_000)).toEqual(numbers(100))
    },
  )

  it('comes again after a crash of the gateway [SN-SESS-10]', () => {
    const [world, sensor] = subscriber()
    burst(world, 100)
    world.restart(100)
    const texts = answerAll(world, sensor, 60_000)
    expect([...new Set(texts)]).toEqual(numbers(100))
    expect(texts.length).toBeLessThanOrEqual(101) // what was on its way may come twice
  })

  it('survives the loss of the connection where a clean session is gone with it [SN-MAP-3]', () => {
    const [world, sensor] = subscriber({}, { cleanSession: true })
    burst(world, 60)
    world.broker.crash()
    world.broker.reachable = true
    world.advance(5_000)
    expect(answerAll(world, sensor)).toEqual(numbers(60))
  })

  it('waits at the broker when the sensor disconnects, and comes when it is back [SN-SESS-6]', () => {
    const [world, sensor] = subscriber()
    burst(world, 100)
    sensor.send({ type: 'disconnect', duration: null })
    expect(world.session('dev1').downlink.withheld).toBeUndefined()
    world.receive(
      { type: 'connect', will: false, cleanSession: false, protocolId: 1, duration: 60, clientId: 'dev1' },
      sensor.peer,
    )
    expect(answerAll(world, sensor)).toEqual(numbers(100))
  })

  it('is known when the broker repeats it on the same connection [SN-MAP-17]', () => {
    const [world, sensor] = subscriber()
    burst(world, 55)
    const session = world.session('dev1')
    const [first] = session.downlink.withheld ?? []
    if (first === undefined) throw new Error('nothing is withheld')
    const { message, ack, packetId } = first
    world.happen(session, { type: 'message', message, ack, packetId })
    expect(session.downlink.withheld).toHaveLength(5)
    expect(answerAll(world, sensor)).toEqual(numbers(55))
  })

  it('gives way to a newer one of its topic where only the newest counts, and is acknowledged then [SN-SLP-14]', () => {
    const queueFor = () => ({ ...queuePolicy, overflow: 'latest-per-topic' as const })
    const [world, sensor] = subscriber({ policy: () => ({ queueFor }), limits: { queuedMessages: 1 } })
    sensor.subscribe('s/b', 1)
    for (const [topic, payload] of ['a1', 'b1', 'b2', 'b3'].map((one) => [`s/${one[0]}`, one] as const)) {
      world.publish(topic, payload, 1)
    }
    expect(world.session('dev1').downlink.withheld).toHaveLength(1)
    expect(answerAll(world, sensor)).toEqual(['a1', 'b3'])
    expect(world.broker.sessionOf('dev1').inflight.size).toBe(0)
  })

  it('is acknowledged and gone when a person empties the queue', () => {
    const [world, sensor] = subscriber()
    burst(world, 60)
    world.happen(world.session('dev1'), { type: 'command', command: 'clearQueue' })
    world.advance(100)
    answerAll(world, sensor, 100)
    expect(world.broker.sessionOf('dev1').inflight.size).toBe(0)
  })
})
