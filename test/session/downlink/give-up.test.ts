// A message that a device cannot take: too long for its buffer, a QoS that it does not know. Others must not wait for it [6.13, 6.14].

import { describe, expect, it } from 'vitest'
import type { Packet } from '../../../src/codec/v1/messages.ts'
import { answerTo } from '../../support/patient.ts'
import { text, World } from '../../support/world.ts'

type Options = ConstructorParameters<typeof World>[0]

const pingreq: Packet = { type: 'pingreq', clientId: null }

/** A sensor that answers all but what it cannot take, the moment it comes. */
function deviceThatIgnores(cannotTake: (packet: Packet) => boolean, options: Options = {}) {
  const world = new World(options)
  const sensor = world.sensor()
  sensor.connect('dev1', { cleanSession: false, duration: 3600 })
  for (const filter of ['s/a', 's/b', 's/c', 'w/+']) sensor.subscribe(filter, 2)
  const got: string[] = []
  /** Answers what came, until nothing more comes. */
  const listen = (came = sensor.take()): void => {
    for (let packets = came; packets.length > 0; ) {
      const [packet, ...others] = packets
      packets = others
      if (packet === undefined || cannotTake(packet)) continue
      if (packet.type === 'publish') got.push(text(packet.data))
      if (packet.type === 'pingresp') got.push('PINGRESP')
      const answer = answerTo(packet)
      if (answer !== undefined) packets.push(...sensor.send(answer))
    }
  }
  /** Seconds pass, and the sensor pings as often as it is told to. */
  const live = (seconds: number, pingsEvery = Number.POSITIVE_INFINITY): void => {
    for (let second = 1; second <= seconds; second++) {
      world.advance(1000)
      listen()
      if (second % pingsEvery === 0) listen(sensor.send(pingreq))
    }
  }
  return { world, sensor, got, listen, live }
}

const isLong = (packet: Packet) => packet.type === 'publish' && packet.data.length > 200
const isQos2 = (packet: Packet) => packet.type === 'publish' && packet.qos === 2
const isPubrel = (packet: Packet) => packet.type === 'pubrel'
const isLongName = (packet: Packet) => packet.type === 'register' && packet.topicName.length > 100
const long = 'x'.repeat(400)
const loggedTopics = (world: World) =>
  world.effects.flatMap((effect) => (effect.type === 'drop' && effect.topic ? [effect.topic] : []))
const messages = (got: string[]) => got.filter((one) => one !== 'PINGRESP')

describe('a message that an active sensor does not take', () => {
  it.each([
    ['too long for it', isLong, long, 1],
    ['of a QoS that it does not know', isQos2, 'two', 2],
  ] as const)(
    '%s is set aside after all repetitions if the sensor spoke meanwhile, and the next goes [AMB-26]',
    (_, cannotTake, payload, qos) => {
      const { world, got, listen, live } = deviceThatIgnores(cannotTake)
      world.publish('s/a', payload, qos)
      world.publish('s/a', 'next', 1)
      listen()
      live(39, 15)
      expect([messages(got), world.drops()]).toEqual([[], []])
      live(2)
      expect([messages(got), world.drops()]).toEqual([['next'], ['undeliverable']])
      expect(loggedTopics(world)).toEqual(['s/a'])
      expect(world.store.disk.get('dev1')?.messages.size ?? 0).toBe(0)
    },
  )

  it('is kept while the sensor is silent, and set aside once it has spoken and still does not take it [AMB-26]', () => {
    const { world, got, listen, live } = deviceThatIgnores(isLong)
    world.publish('s/a', long, 1)
    world.publish('s/b', 'next', 1)
    listen()
    live(600)
    expect(world.drops()).toEqual([])
    live(1, 1)
    live(45)
    expect([messages(got), world.drops()]).toEqual([['next'], ['undeliverable']])
  })

  it('is not repeated for ever when only its release is never answered', () => {
    const { world, got, listen, live } = deviceThatIgnores(isPubrel)
    world.publish('s/a', 'two', 2)
    world.publish('s/b', 'next', 1)
    listen()
    live(45, 15)
    expect(messages(got)).toEqual(['two', 'next'])
    expect(world.session('dev1').downlink.releasing).toBeUndefined()
  })

  it('does not hold up others over connections that are too short for all repetitions', () => {
    const { world, sensor, got, listen, live } = deviceThatIgnores(isLong)
    world.publish('s/a', long, 1)
    world.publish('s/a', 'behind it', 1)
    world.publish('s/b', 'other', 1)
    listen()
    live(5)
    sensor.sleep(600)
    listen(sensor.connect('dev1', { cleanSession: false, duration: 3600 }))
    live(5)
    expect(messages(got)).toEqual(['other']) // within a topic the order holds
  })
})

describe('a message that a waking sensor does not take', () => {
  function asleepWith(cannotTake: (packet: Packet) => boolean, topic = 's/a') {
    const device = deviceThatIgnores(cannotTake)
    device.sensor.sleep(600)
    device.world.publish(topic, isLongName === cannotTake ? 'named' : long, cannotTake === isQos2 ? 2 : 1)
    device.world.publish('s/b', 'other', 1)
    device.world.publish('s/c', 'third', 0)
    return device
  }

  it.each([
    ['too long', isLong, 's/a'],
    ['QoS 2', isQos2, 's/a'],
    ['with a name too long', isLongName, `w/${'n'.repeat(150)}`],
  ] as const)(
    '%s: PINGRESP comes, at the next waking others come first, and after two it is set aside',
    (_, cannotTake, topic) => {
      const { world, sensor, got, listen, live } = asleepWith(cannotTake, topic)
      listen(sensor.wake('dev1'))
      live(41, 15)
      expect(got).toEqual(['PINGRESP'])
      listen(sensor.wake('dev1'))
      expect(got).toEqual(['PINGRESP', 'other', 'third'])
      live(41, 15)
      expect(got).toEqual(['PINGRESP', 'other', 'third', 'PINGRESP'])
      expect(world.drops()).toEqual([topic === 's/a' ? 'undeliverable' : 'unregistered'])
      expect(world.session('dev1').downlink.queue).toEqual([])
    },
  )

  it('that does not repeat its PINGREQ gets PINGRESP at the second waking, since that shows that it is there', () => {
    const { world, sensor, got, listen, live } = deviceThatIgnores(isLong)
    sensor.sleep(600)
    world.publish('s/a', long, 1)
    listen(sensor.wake('dev1'))
    live(41)
    expect(got).toEqual([])
    listen(sensor.wake('dev1'))
    live(41)
    expect([got, world.drops(), world.session('dev1').state]).toEqual([
      ['PINGRESP'],
      ['undeliverable'],
      'asleep',
    ])
  })

  it('is the release of a QoS 2 message: after two wakings it is given up, too', () => {
    const { world, sensor, got, listen, live } = deviceThatIgnores(isPubrel)
    sensor.sleep(600)
    world.publish('s/a', 'two', 2)
    world.publish('s/b', 'other', 1)
    for (let waking = 1; waking <= 2; waking++) {
      listen(sensor.wake('dev1'))
      live(41, 15)
    }
    listen(sensor.wake('dev1'))
    expect(got).toEqual(['two', 'PINGRESP', 'PINGRESP', 'other', 'PINGRESP'])
  })

  it('keeps the order of its topic: what is behind it never overtakes it', () => {
    const { world, sensor, got, listen, live } = deviceThatIgnores(() => false)
    sensor.sleep(600)
    world.publish('s/a', 'open', 1)
    world.publish('s/b', 'other', 1)
    world.publish('s/a', 'close', 1)
    sensor.wake('dev1') // deaf for once
    world.advance(41_000)
    sensor.take()
    listen(sensor.wake('dev1'))
    live(1)
    expect(messages(got)).toEqual(['other', 'open', 'close'])
  })
})

describe('a device whose rule says how much it takes', () => {
  const options: Options = { policy: () => ({ maxMessageSize: 100 }) }

  it('is not sent longer messages: they are dropped at once, and acknowledged to the broker [SN-GPUB-9]', () => {
    const { world, got, listen } = deviceThatIgnores(() => false, options)
    world.publish('s/a', 'x'.repeat(93), 1) // 100 octets
    world.publish('s/a', 'x'.repeat(94), 1)
    listen()
    expect(got.map(({ length }) => length)).toEqual([93])
    expect(world.drops()).toEqual(['too-long'])
    expect(world.broker.acknowledged).toHaveLength(2)
  })

  it('nor is it sent a longer REGISTER [SN-GPUB-9]', () => {
    const { world, got, listen } = deviceThatIgnores(() => false, options)
    world.publish(`w/${'n'.repeat(92)}`, 'fits', 1) // a REGISTER of 100 octets
    world.publish(`w/${'n'.repeat(93)}`, 'does not', 1)
    world.publish('s/a', 'next', 1)
    listen()
    expect(got).toEqual(['fits', 'next'])
    expect(world.drops()).toEqual(['too-long'])
  })
})
