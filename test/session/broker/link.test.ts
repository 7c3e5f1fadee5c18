// The broker connection behind a session: lost, found, refused, taken over; and what the sensor notices [SN-MAP].

import { describe, expect, it } from 'vitest'
import type { Packet } from '../../../src/codec/v1/messages.ts'
import type { UpstreamEvent } from '../../../src/session/events.ts'
import { bytes, noLimits, type VirtualSensor, World, type WorldOptions } from '../../support/world.ts'

const disconnect: Packet = { type: 'disconnect', duration: null }
const pingreq: Packet = { type: 'pingreq', clientId: null }
const pingresp: Packet = { type: 'pingresp' }

function connected(options: WorldOptions = {}, more: { cleanSession?: boolean; duration?: number } = {}) {
  const world = new World(options)
  const sensor = world.sensor()
  sensor.connectWithWill(
    'dev1',
    { topic: 'lwt/1', message: 'gone' },
    { cleanSession: false, duration: 600, ...more },
  )
  sensor.subscribe('d/a', 1)
  world.happened()
  return { world, sensor }
}

const closed = (why: 'lost' | 'unexplained' | 'taken-over' | 'forbidden'): UpstreamEvent => ({
  type: 'closed',
  why,
  detail: '',
})
const connects = (world: World) => world.effects.filter(({ type }) => type === 'connect').length
const happen = (world: World, event: UpstreamEvent) => world.happen(world.session('dev1'), event)

describe('an active sensor', () => {
  it('notices nothing of a broker that restarts within the grace time [AMB-29, SN-MAP-32]', () => {
    const { world, sensor } = connected()
    world.broker.crash()
    world.advance(30_000)
    expect(sensor.send(pingreq)).toEqual([pingresp])
    world.broker.reachable = true
    world.advance(31_000)
    world.publish('d/a', 'm', 1)
    expect(sensor.types()).toEqual(['publish'])
    expect(world.session('dev1').state).toBe('active')
  })

  it('waits with its QoS 1 PUBLISH for the broker, within the time for answers [AMB-29]', () => {
    const { world, sensor } = connected()
    const id = sensor.register('t/temp')
    world.broker.crash()
    expect(sensor.publish(id, 'x', { qos: 1, msgId: 5 })).toEqual([])
    world.broker.reachable = true
    world.advance(4000)
    expect(sensor.take()).toEqual([{ type: 'puback', topicId: id, msgId: 5, returnCode: 0 }])
  })

  it('is told "congestion" when the broker does not come back in time for its PUBLISH [AMB-29, SN-MAP-27]', () => {
    const { world, sensor } = connected()
    const id = sensor.register('t/temp')
    world.broker.crash()
    sensor.publish(id, 'x', { qos: 1, msgId: 5 })
    world.advance(8000)
    expect(sensor.take()).toEqual([{ type: 'puback', topicId: id, msgId: 5, returnCode: 1 }])
  })

  it('is disconnected when the grace time is over, and can connect again [AMB-29, SN-MAP-32]', () => {
    const { world, sensor } = connected()
    world.broker.crash()
    world.advance(59_990)
    expect(sensor.take()).toEqual([])
    world.advance(10)
    expect(sensor.take()).toEqual([disconnect])
    expect(world.session('dev1').state).toBe('disconnected')
    world.broker.reachable = true
    expect(sensor.connect('dev1', { cleanSession: false })).toEqual([{ type: 'connack', returnCode: 0 }])
  })

  it('is disconnected at once when the grace time is 0 [AMB-29, SN-MAP-32]', () => {
    const { world, sensor } = connected({ timers: { grace: 0 } })
    world.broker.crash()
    expect(sensor.take()).toEqual([disconnect])
    expect(world.session('dev1').state).toBe('disconnected')
    expect(connects(world)).toBe(1)
  })

  it('causes no will but the one that the broker publishes for a lost connection [SN-MAP-13, SN-MAP-32]', () => {
    const { world } = connected()
    world.broker.crash()
    world.advance(70_000)
    expect(world.broker.wills).toHaveLength(1)
  })
})

describe('a sleeping sensor', () => {
  it('has its connection mended in the background, with the same session [SN-MAP-33]', () => {
    const { world, sensor } = connected()
    sensor.sleep(3600)
    world.broker.crash()
    world.advance(120_000)
    world.broker.reachable = true
    world.advance(120_000)
    expect(sensor.take()).toEqual([])
    world.publish('d/a', 'm', 1)
    expect(sensor.wake('dev1').map(({ type }) => type)).toEqual(['publish'])
  })

  it('has its clean session restored by subscribing again [SN-MAP-33, SN-MAP-4]', () => {
    const { world, sensor } = connected({}, { cleanSession: true })
    sensor.sleep(3600)
    world.happened()
    world.broker.crash()
    world.broker.reachable = true
    world.advance(2000)
    expect(world.happened()).toEqual([
      'gateway → broker CONNECT clean will lwt/1',
      'gateway → broker SUBSCRIBE d/a qos 1',
    ])
    world.publish('d/a', 'm', 1)
    expect(sensor.wake('dev1').map(({ type }) => type)).toEqual(['publish'])
  })

  it('has its connection mended with a grace time of 0 too, and is told at its PINGREQ [SN-MAP-33]', () => {
    const { world, sensor } = connected({ timers: { grace: 0 } })
    sensor.sleep(3600)
    world.broker.crash()
    world.advance(60_000)
    expect(world.session('dev1').state).toBe('asleep')
    world.broker.reachable = true
    world.advance(60_000)
    expect(sensor.wake('dev1')).toEqual([pingresp])
    world.broker.crash()
    expect(sensor.wake('dev1')).toEqual([disconnect])
  })

  it('gets what waits for it while the broker is away for less than the grace time [AMB-29]', () => {
    const { world, sensor } = connected()
    sensor.sleep(3600)
    world.publish('d/a', 'm', 0)
    world.broker.crash()
    world.advance(59_000)
    expect(sensor.wake('dev1').map(({ type }) => type)).toEqual(['publish', 'pingresp'])
  })

  it('gets DISCONNECT for its PINGREQ when the broker is still away after the grace time [SN-MAP-33]', () => {
    const { world, sensor } = connected()
    sensor.sleep(3600)
    world.broker.crash()
    world.advance(61_000)
    expect(sensor.take()).toEqual([])
    expect(world.session('dev1').state).toBe('asleep')
    expect(sensor.wake('dev1')).toEqual([disconnect])
    expect(world.session('dev1').state).toBe('disconnected')
  })

  it('that is awake is told when the grace time is over [SN-MAP-33]', () => {
    const { world, sensor } = connected({ timers: { grace: 5000 } })
    sensor.sleep(3600)
    world.publish('d/a', 'm', 1)
    sensor.wake('dev1')
    world.broker.crash()
    world.advance(5000)
    expect(sensor.take()).toEqual([disconnect])
  })
})

describe('a broker that ends the connection for good', () => {
  it.each([
    ['another gateway has the sensor', closed('taken-over')],
    ['the sensor is not allowed any more', closed('forbidden')],
  ])('because %s: the sensor is told, and nothing tries again [SN-MAP-35, SN-CONN-13]', (_, event) => {
    const { world, sensor } = connected()
    happen(world, event)
    expect(sensor.take()).toEqual([disconnect])
    world.advance(3_600_000)
    expect(connects(world)).toBe(1)
  })

  it('leaves a sleeping sensor asleep; it learns at its next message [SN-MAP-34, SN-MAP-35]', () => {
    const { world, sensor } = connected()
    sensor.sleep(3600)
    happen(world, closed('taken-over'))
    expect(sensor.take()).toEqual([])
    expect(sensor.wake('dev1')).toEqual([disconnect])
    expect(connects(world)).toBe(1)
  })

  it.each(['active', 'asleep'])(
    'by refusing the background connection: an %s sensor is disconnected [SN-MAP-34]',
    (state) => {
      const { world, sensor } = connected()
      if (state === 'asleep') sensor.sleep(3600)
      world.broker.crash()
      world.broker.reachable = true
      world.broker.refuses = 3
      world.advance(2000)
      expect(sensor.take()).toEqual(state === 'asleep' ? [] : [disconnect])
      expect(world.session('dev1').state).toBe('disconnected')
      expect(sensor.send(pingreq)).toEqual([disconnect])
    },
  )
})

describe('a connection that is lost without a reason', () => {
  it('is opened again with growing pauses, so that two gateways do not fight [SN-MAP-31, SN-MAP-36, SN-MAP-37]', () => {
    const { world } = connected({ random: () => 0.5, timers: { grace: 3_600_000 } })
    const attempts: number[] = []
    for (let round = 0; round < 8; round++) {
      const before = connects(world)
      const lostAt = world.now
      happen(world, closed('lost'))
      while (connects(world) === before) world.advance(10)
      attempts.push(Math.round((world.now - lostAt) / 100) / 10)
      world.advance(5000) // up again, but not for long
    }
    expect(attempts).toEqual([1, 2, 4, 8, 16, 32, 60, 60])
  })

  it('starts with a short pause again once a connection has held [SN-MAP-31]', () => {
    const { world } = connected({ random: () => 0.5 })
    for (let round = 0; round < 3; round++) {
      happen(world, closed('lost'))
      world.advance(1100)
      expect(connects(world)).toBe(2 + round)
      world.advance(31_000)
    }
  })

  it('is opened again at different times for different sensors [SN-MAP-31]', () => {
    const chances = [0.1, 0.9, 0.5]
    const world = new World({ random: () => chances.shift() ?? 0 })
    const names = ['a', 'b']
    for (const name of names) world.sensor(`10.0.0.${name}`).connect(name)
    chances.splice(0, 9, 0.1, 0.9)
    world.broker.crash()
    const [a, b] = names.map((name) => world.session(name).link.retryAt - world.now)
    expect([a, b]).toEqual([600, 1400])
  })
})

describe('a connection that the broker closes without a word, while it serves others', () => {
  it('is not opened again before an active sensor speaks, which may be with another gateway [SN-MAP-37]', () => {
    const { world, sensor } = connected()
    happen(world, closed('unexplained'))
    world.advance(50_000)
    expect(connects(world)).toBe(1)
    expect(sensor.take()).toEqual([])
    expect(sensor.send(pingreq)).toEqual([pingresp])
    world.advance(100)
    expect(connects(world)).toBe(2)
    world.publish('d/a', 'm', 1)
    expect(sensor.types()).toEqual(['publish'])
  })

  it('makes an active sensor that says nothing connect again when the grace time is over [SN-MAP-32, SN-MAP-37]', () => {
    const { world, sensor } = connected()
    happen(world, closed('unexplained'))
    world.advance(60_000)
    expect(sensor.take()).toEqual([disconnect])
    world.advance(600_000)
    expect(connects(world)).toBe(1)
    expect(sensor.connect('dev1', { cleanSession: false })).toEqual([{ type: 'connack', returnCode: 0 }])
  })

  it('is opened again when a sleeping sensor wakes, however long it slept [SN-MAP-33, SN-MAP-37]', () => {
    const { world, sensor } = connected()
    sensor.sleep(3600)
    happen(world, closed('unexplained'))
    world.advance(3_000_000)
    expect(connects(world)).toBe(1)
    expect(sensor.wake('dev1')).toEqual([pingresp])
    world.advance(100)
    expect(connects(world)).toBe(2)
  })

  it('causes no will when the sensor stays away, since it may be alive elsewhere [SN-MAP-12, SN-MAP-37]', () => {
    const { world, sensor } = connected()
    sensor.sleep(60)
    world.broker.connected.delete(world.session('dev1'))
    happen(world, closed('unexplained'))
    world.advance(200_000)
    expect(world.session('dev1').state).toBe('lost')
    expect(connects(world)).toBe(1)
    expect(world.broker.wills).toEqual([])
  })

  it('is opened again after the usual pause when that was the beginning of an outage [SN-MAP-31, SN-MAP-37]', () => {
    const { world } = connected({ random: () => 0.5 })
    happen(world, closed('unexplained'))
    world.advance(300)
    happen(world, closed('lost'))
    world.advance(600)
    expect(connects(world)).toBe(1)
    world.advance(150)
    expect(connects(world)).toBe(2)
  })

  it('is opened again with growing pauses for a sensor that never stops speaking [SN-MAP-31, SN-MAP-37]', () => {
    const { world, sensor } = connected({ random: () => 0.5, timers: { grace: 3_600_000 } })
    const attempts: number[] = []
    for (let round = 0; round < 6; round += 1) {
      const before = connects(world)
      const closedAt = world.now
      happen(world, closed('unexplained'))
      while (connects(world) === before) {
        sensor.send(pingreq)
        world.advance(50)
      }
      attempts.push(Math.round((world.now - closedAt) / 1000))
      world.advance(100)
    }
    expect(attempts).toEqual([1, 2, 4, 8, 16, 32])
  })
})

describe('the will', () => {
  it('is left to the broker when the sensor is lost, and only then [SN-MAP-12, SN-MAP-13, SN-MAP-14]', () => {
    const endings: [string, (world: World, sensor: VirtualSensor) => void, boolean][] = [
      ['DISCONNECT', (_, sensor) => sensor.send(disconnect), false],
      ['keep-alive', (world) => world.advance(700_000), true],
      ['shutdown', (world) => world.happen(world.session('dev1'), { type: 'shutdown' }), false],
      ['CONNECT clean', (_, sensor) => sensor.connect('dev1', { cleanSession: true }), false],
      [
        'CONNECT, elsewhere',
        (world) => world.sensor('10.9.9.9').connect('dev1', { cleanSession: true }),
        false,
      ],
      ['another sensor here', (_, sensor) => sensor.connect('dev2'), true],
    ]
    for (const [name, end, published] of endings) {
      const { world, sensor } = connected()
      end(world, sensor)
      world.advance(60_000)
      expect([name, world.broker.wills.length]).toEqual([name, published ? 1 : 0])
      const close = world.effects.find(({ type }) => type === 'close')
      expect(close).toMatchObject({ publishWill: published })
    }
  })

  it('is the stored one in every CONNECT to the broker, and none when there is no topic [SN-MAP-11]', () => {
    const { world, sensor } = connected()
    sensor.send({ type: 'willmsgupd', willMsg: bytes('new') })
    world.broker.crash()
    world.broker.reachable = true
    world.advance(2000)
    sensor.send({ type: 'willtopicupd', qos: 0, retain: false, willTopic: null })
    const wills = world.effects.flatMap((effect) => (effect.type === 'connect' ? [effect.will] : []))
    const will = { topic: 'lwt/1', qos: 0, retain: false }
    expect(wills).toEqual([
      { ...will, message: bytes('gone') },
      { ...will, message: bytes('new') },
      { ...will, message: bytes('new') },
      undefined,
    ])
  })
})

describe('messages from the broker', () => {
  it('are dropped when their time has passed, while the sensor slept [SN-SLP-20, SN-MAP-10 in part]', () => {
    const { world, sensor } = connected()
    sensor.sleep(3600)
    world.publish('d/a', 'stale', 1, { expiresAt: world.now + 10_000 })
    world.publish('d/a', 'fresh', 1, { expiresAt: world.now + 60_000 })
    world.advance(20_000)
    expect(sensor.wake('dev1')).toMatchObject([{ type: 'publish', data: bytes('fresh') }])
    expect(world.drops()).toEqual(['expired'])
  })

  it('are held in a setup until CONNACK [SN-MAP-30]', () => {
    const world = new World()
    const sensor = world.sensor()
    world.broker.answers = false
    sensor.connect('dev1', { cleanSession: false })
    const message = { topic: 'ab', payload: bytes('m'), qos: 0, retain: false } as const
    happen(world, { type: 'message', message, ack: undefined, packetId: 0 })
    expect(sensor.take()).toEqual([])
    happen(world, { type: 'connected', sessionPresent: true, limits: noLimits })
    expect(sensor.types()).toEqual(['connack', 'publish'])
  })
})
