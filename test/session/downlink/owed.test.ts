// A QoS 1 message to a sensor that answers at once is stored nowhere: the broker has it until the sensor does [6.6, AMB-28].

import { describe, expect, it } from 'vitest'
import { answerTo } from '../../support/patient.ts'
import { text, type VirtualSensor, World } from '../../support/world.ts'

type Options = ConstructorParameters<typeof World>[0]

function subscriber(options: Options = {}, cleanSession = false): [World, VirtualSensor] {
  const world = new World(options)
  const sensor = world.sensor()
  sensor.connect('dev1', { cleanSession, duration: 3600 })
  sensor.subscribe('s/a', 2)
  sensor.take()
  return [world, sensor]
}

/** The effects of these kinds since the last call. */
function watcher(world: World) {
  let from = world.effects.length
  return (): string[] => {
    const types = world.effects.slice(from).map(({ type }) => type as string)
    from = world.effects.length
    return types.filter((type) => /Message|acknowledge|send/.test(type))
  }
}

const answerAll = (sensor: VirtualSensor) => {
  for (const packet of sensor.take()) {
    const answer = answerTo(packet)
    if (answer !== undefined) sensor.send(answer)
  }
}

describe('a QoS 1 message to a sensor that listens', () => {
  it('is acknowledged to the broker when the sensor has it, and never stored [SN-MAP-22]', () => {
    const [world, sensor] = subscriber()
    const happened = watcher(world)
    world.publish('s/a', 'x', 1)
    expect([happened(), world.broker.acknowledged]).toEqual([['send'], []])
    answerAll(sensor)
    expect([happened(), world.broker.acknowledged]).toEqual([['acknowledge'], [1]])
    world.advance(1000)
    expect(happened()).toEqual([])
  })

  it('is stored first and acknowledged then, if the sensor takes its time [AMB-28]', () => {
    const [world, sensor] = subscriber()
    const happened = watcher(world)
    world.publish('s/a', 'x', 1)
    world.advance(300)
    expect(happened()).toEqual(['send', 'keepMessage', 'acknowledge'])
    answerAll(sensor)
    expect(happened()).toEqual(['dropMessage'])
  })

  it('is taken over before the next one, so that acknowledgements keep their order [MQTT 4.6]', () => {
    const [world, sensor] = subscriber()
    const happened = watcher(world)
    for (const payload of ['1', '2', '3']) world.publish('s/a', payload, 1)
    expect(happened()).toEqual([
      ...['send', 'keepMessage', 'acknowledge'],
      ...['keepMessage', 'acknowledge', 'keepMessage', 'acknowledge'],
    ])
    expect(world.broker.acknowledged).toEqual([1, 2, 3])
    const got: string[] = []
    for (let i = 0; i < 3; i++) {
      for (const packet of sensor.take()) {
        if (packet.type === 'publish') got.push(text(packet.data))
        const answer = answerTo(packet)
        if (answer !== undefined) world.receive(answer, sensor.peer)
      }
    }
    expect(got).toEqual(['1', '2', '3'])
  })

  it('is acknowledged as well when the sensor refuses it, and counted [SN-GPUB-7]', () => {
    const [world, sensor] = subscriber()
    world.publish('s/a', 'x', 1)
    const [packet] = sensor.take()
    if (packet?.type !== 'publish') throw new Error('no PUBLISH came')
    sensor.send({ type: 'puback', topicId: packet.topicId, msgId: packet.msgId, returnCode: 3 })
    answerAll(sensor)
    world.advance(300)
    expect(world.broker.acknowledged).toEqual([1])
    expect(world.broker.sessionOf('dev1').inflight.size).toBe(0)
  })

  it.each([
    ['falls asleep', (sensor: VirtualSensor) => sensor.sleep(600)],
    ['disconnects', (sensor: VirtualSensor) => sensor.send({ type: 'disconnect', duration: null })],
  ])('is kept for the next time, stored first, when the sensor %s before it has answered', (_, leave) => {
    const [world, sensor] = subscriber()
    world.publish('s/a', 'x', 1)
    sensor.take()
    leave(sensor)
    expect(world.broker.acknowledged).toEqual([1])
    world.restart()
    const came = sensor.connect('dev1', { cleanSession: false, duration: 3600 })
    const publishes = came.flatMap((packet) => {
      const answer = answerTo(packet)
      return answer === undefined ? [] : sensor.send(answer) // a REGISTER comes first
    })
    expect(publishes).toMatchObject([{ qos: 1, data: new TextEncoder().encode('x') }])
  })

  it('is not lost when the connection to a broker that forgets sessions breaks', () => {
    const [world, sensor] = subscriber({}, true)
    const happened = watcher(world)
    world.publish('s/a', 'x', 1)
    world.broker.hangUp(world.session('dev1'))
    world.advance(100)
    expect(happened()).toEqual(['send', 'keepMessage', 'acknowledge'])
    answerAll(sensor)
    expect(happened()).toEqual(['dropMessage'])
  })

  it('is in the store when the gateway stops [SN-SESS-10]', () => {
    const [world, sensor] = subscriber()
    const happened = watcher(world)
    world.publish('s/a', 'x', 1)
    sensor.take()
    world.happen(world.session('dev1'), { type: 'suspend' })
    expect(happened()).toEqual(['send', 'keepMessage', 'acknowledge'])
  })

  it('comes again from the broker, if the gateway crashes while it is on its way [SN-MAP-22]', () => {
    const [world, sensor] = subscriber()
    world.publish('s/a', 'x', 1)
    const [first] = sensor.take()
    world.restart()
    world.advance(20_000)
    const again = sensor.take().filter(({ type }) => type === 'publish')
    expect(again[0]).toMatchObject({ qos: 1, data: first?.type === 'publish' ? first.data : undefined })
  })

  it('is stored at once where its acknowledgement would hold up others', () => {
    const [world] = subscriber()
    const happened = watcher(world)
    const message = { topic: 's/a', payload: new Uint8Array(1), qos: 1, retain: false } as const
    world.happen(world.session('dev1'), { type: 'message', message, ack: 9, packetId: 0 })
    expect(happened()).toEqual(['keepMessage', 'acknowledge', 'send'])
  })
})

it('a QoS 2 message is stored at once [SN-MAP-24]', () => {
  const [world] = subscriber()
  const happened = watcher(world)
  world.publish('s/a', 'x', 2)
  expect(happened()).toEqual(['keepMessage', 'acknowledge', 'send'])
})
