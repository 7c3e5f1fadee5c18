// Messages that the gateway acknowledges as soon as it has them, and forwards when the broker is there (policy `store`).

import { describe, expect, it } from 'vitest'
import type { Packet } from '../../../src/codec/v1/messages.ts'
import type { SpoolPolicy } from '../../../src/session/policy.ts'
import { spoolPolicy, text, type VirtualSensor, World } from '../../support/world.ts'

const disconnect: Packet = { type: 'disconnect', duration: null }
const HOUR = 3_600_000

/** A sensor whose messages are stored; it registered t/temp as id 1. */
function connected(spool: Partial<SpoolPolicy> = {}, cleanSession = false): [World, VirtualSensor] {
  const policy = () => ({ ack: 'store' as const, spool: { ...spoolPolicy, ...spool } })
  const world = new World({ policy })
  const sensor = world.sensor()
  sensor.connectWithWill('dev1', { topic: 'gone', message: '' }, { cleanSession, duration: 60_000 })
  sensor.register('t/temp')
  return [world, sensor]
}

function away(world: World): void {
  world.broker.crash()
  world.broker.wills.length = 0
  world.broker.published.length = 0
}

/** The broker is there again, and all who want to have connected. */
function back(world: World): void {
  world.broker.reachable = true
  world.advance(100_000)
}

/** PUBLISH, and PUBREL at QoS 2; returns what came back. */
function say(sensor: VirtualSensor, data: string, qos: 0 | 1 | 2 = 1, msgId = 5): string[] {
  const came = sensor.publish(1, data, { qos, msgId })
  if (qos === 2 && came[0]?.type === 'pubrec') came.push(...sensor.send({ type: 'pubrel', msgId }))
  return came.map((packet) => `${packet.type}${'returnCode' in packet ? ` ${packet.returnCode}` : ''}`)
}

const arrived = (world: World) => world.broker.published.map(({ payload }) => text(payload))
const spooled = (world: World) => world.session('dev1').uplink.spooled
const onDisk = (world: World) => world.store.disk.get('dev1')?.uplinks.size

describe('a message that the store keeps', () => {
  it.each([
    [1, ['puback 0']],
    [2, ['pubrec', 'pubcomp']],
  ] as const)(
    'of QoS %i is acknowledged while the broker is away, and arrives when it is back',
    (qos, answers) => {
      const [world, sensor] = connected()
      away(world)
      expect(say(sensor, 'x', qos)).toEqual(answers)
      expect([arrived(world), onDisk(world), spooled(world).messages]).toEqual([[], 1, 1])
      back(world)
      expect([arrived(world), onDisk(world), spooled(world)]).toEqual([['x'], 0, { messages: 0, octets: 0 }])
    },
  )

  it('is in the store before it is acknowledged', () => {
    const [world, sensor] = connected()
    for (const qos of [1, 2] as const) {
      const start = world.effects.length
      world.broker.latency = 1000
      sensor.publish(1, 'x', { qos, msgId: 5 })
      expect(world.effects.slice(start).map(({ type }) => type)).toEqual(['keepUplink', 'send', 'publish'])
    }
  })

  it('is acknowledged at once, however slow the broker is', () => {
    const [world, sensor] = connected()
    world.broker.answers = false
    expect([say(sensor, 'x', 1), say(sensor, 'y', 2)]).toEqual([['puback 0'], ['pubrec', 'pubcomp']])
  })

  it('is acknowledged while the connection to the broker is congested, and forwarded after that', () => {
    const [world, sensor] = connected()
    world.happen(world.session('dev1'), { type: 'congestion', on: true })
    expect(say(sensor, 'x')).toEqual(['puback 0'])
    world.advance(10_000)
    expect(arrived(world)).toEqual([])
    world.happen(world.session('dev1'), { type: 'congestion', on: false })
    world.advance(10)
    expect(arrived(world)).toEqual(['x'])
  })

  it('is not stored twice when the sensor repeats it: its PUBACK, PUBREC or PUBCOMP was lost [SN-PUB-11, SN-PUB-12]', () => {
    const [world, sensor] = connected()
    away(world)
    expect(say(sensor, 'x')).toEqual(['puback 0'])
    expect(sensor.publish(1, 'x', { qos: 1, msgId: 5, dup: true })).toMatchObject([{ returnCode: 0 }])
    for (const dup of [false, true]) {
      expect(sensor.publish(1, 'y', { qos: 2, msgId: 6, dup })).toEqual([{ type: 'pubrec', msgId: 6 }])
    }
    for (let i = 0; i < 2; i++) {
      expect(sensor.send({ type: 'pubrel', msgId: 6 })).toEqual([{ type: 'pubcomp', msgId: 6 }])
    }
    back(world)
    expect(arrived(world)).toEqual(['x', 'y'])
  })

  it('arrives in order after an outage, before what is said then', () => {
    const [world, sensor] = connected()
    away(world)
    const early = Array.from({ length: 50 }, (_, i) => `${i}`)
    for (const [i, data] of early.entries()) say(sensor, data, i % 3 === 0 ? 2 : 1, i + 1)
    world.broker.reachable = true
    world.broker.latency = 500
    while (world.session('dev1').link.state !== 'up') world.advance(10)
    say(sensor, 'late')
    world.advance(20_000)
    expect(arrived(world)).toEqual([...early, 'late'])
    expect([spooled(world), onDisk(world)]).toEqual([{ messages: 0, octets: 0 }, 0])
  })
})

describe('QoS 0', () => {
  it('is dropped while the broker is away, unless the policy keeps it', () => {
    const [world, sensor] = connected()
    away(world)
    expect(say(sensor, 'x', 0)).toEqual(['puback 1'])
    back(world)
    expect([world.drops(), arrived(world)]).toEqual([['upstream-down'], []])
  })

  it('waits where the policy keeps it, in order with the others, without an answer', () => {
    const [world, sensor] = connected({ qos0: true })
    away(world)
    for (const [data, qos] of [
      ['1', 0],
      ['2', 1],
      ['3', 0],
    ] as const)
      say(sensor, data, qos)
    expect(onDisk(world)).toBe(3)
    back(world)
    expect([arrived(world), onDisk(world), spooled(world).messages]).toEqual([['1', '2', '3'], 0, 0])
  })

  it('does not overtake what waits there, and goes by itself when nothing does', () => {
    const [world, sensor] = connected({ qos0: true })
    say(sensor, '1', 0)
    expect(world.store.writes).toBe(2) // of CONNECT and REGISTER
    world.broker.latency = 1000
    sensor.publish(1, '2', { qos: 1, msgId: 5 })
    world.happen(world.session('dev1'), { type: 'congestion', on: true })
    sensor.publish(1, '3', { qos: 1, msgId: 6 })
    world.happen(world.session('dev1'), { type: 'congestion', on: false })
    sensor.publish(1, '4')
    world.advance(3000)
    expect(arrived(world)).toEqual(['1', '2', '3', '4'])
  })
})

describe('the bounds', () => {
  it('of messages: what is above is refused with congestion, and counted [SN-MAP-27]', () => {
    const [world, sensor] = connected({ messages: 2, qos0: true })
    away(world)
    expect([say(sensor, '1', 1, 1), say(sensor, '2', 2, 2)]).toEqual([['puback 0'], ['pubrec', 'pubcomp']])
    expect([say(sensor, '3', 1, 3), say(sensor, '4', 2, 4)]).toEqual([['puback 1'], ['puback 1']])
    say(sensor, '5', 0)
    expect(world.drops()).toEqual(['spool-full', 'spool-full', 'spool-full'])
    expect(world.session('dev1').uplink.open.size).toBe(0)
    back(world)
    expect(arrived(world)).toEqual(['1', '2'])
    expect(say(sensor, '3', 1, 3)).toEqual(['puback 0'])
  })

  it('of octets: topic and payload count [SN-MAP-27]', () => {
    const [world, sensor] = connected({ octets: 20 }) // "t/temp" has 6
    away(world)
    expect(say(sensor, '1234567')).toEqual(['puback 0'])
    expect(spooled(world)).toEqual({ messages: 1, octets: 13 })
    expect(say(sensor, '12')).toEqual(['puback 1'])
    expect(say(sensor, '1')).toEqual(['puback 0'])
  })

  it('of age: what is too old is dropped, counted, and not forwarded', () => {
    const [world, sensor] = connected({ age: HOUR })
    away(world)
    say(sensor, 'old')
    world.advance(HOUR - 60_000)
    say(sensor, 'young')
    world.advance(61_000)
    back(world)
    expect([world.drops(), arrived(world)]).toEqual([['expired'], ['young']])
    expect([onDisk(world), spooled(world).messages]).toEqual([0, 0])
  })

  it('of age make room for what is said now', () => {
    const [world, sensor] = connected({ age: HOUR, messages: 1 })
    away(world)
    say(sensor, 'old')
    expect(say(sensor, 'too many')).toEqual(['puback 1'])
    world.advance(HOUR)
    expect(say(sensor, 'new')).toEqual(['puback 0'])
    expect(world.drops()).toEqual(['spool-full', 'expired'])
  })
})

describe('a broker that does not take it', () => {
  it('for good: the message is set aside as a dead letter and counted, the next ones follow', () => {
    const [world, sensor] = connected()
    world.broker.publishOutcome = 3
    expect([say(sensor, '1', 1), say(sensor, '2', 2)]).toEqual([['puback 0'], ['pubrec', 'pubcomp']])
    world.advance(10)
    expect([world.drops(), onDisk(world), spooled(world).messages]).toEqual([['refused', 'refused'], 2, 0])
    expect(world.session('dev1').uplink.dead.size).toBe(2)
    world.broker.publishOutcome = 0
    say(sensor, '3')
    expect(arrived(world)).toEqual(['3'])
  })

  it.each([0x80, 0x83, 0x87, 0x90, 0x97, 0x99])(
    'with reason code %i: it waits and is tried again, later each time, and what follows waits behind it',
    (reason) => {
      const [world, sensor] = connected()
      const session = world.session('dev1')
      world.broker.answers = false
      for (const msgId of [1, 2]) expect(say(sensor, `${msgId}`, 1, msgId)).toEqual(['puback 0'])
      const outcome = reason === 0x97 ? 1 : 3
      const tries: number[] = []
      const times = () =>
        world.effects.filter((one) => one.type === 'publish' && text(one.payload) === '1').length
      let seen = times()
      for (let second = 0; second < 700; second++) {
        if (tries.length === 0 || times() > seen) {
          seen = times()
          tries.push(second)
          for (const { token } of [...session.uplink.outgoing.values()]) {
            world.happen(session, { type: 'published', token, outcome, reason })
          }
        }
        world.advance(1000)
      }
      const pauses = tries.slice(1).map((at, i) => at - (tries[i] ?? 0))
      expect(pauses.slice(0, 6)).toEqual([1, 2, 4, 8, 16, 32])
      expect(Math.max(...pauses)).toBeLessThanOrEqual(300)
      expect([world.drops(), onDisk(world), spooled(world).messages]).toEqual([[], 2, 2])
      world.broker.answers = true
      world.advance(300_000)
      expect([arrived(world), onDisk(world)]).toEqual([['1', '2'], 0])
    },
  )

  it('with a reason code, one topic only: messages of other topics do not wait, and after an hour it is a dead letter', () => {
    const [world, sensor] = connected()
    sensor.register('t/other') // id 2
    const original = world.broker.perform.bind(world.broker)
    world.broker.perform = (effect) => {
      if (effect.type !== 'publish' || effect.topic !== 't/temp') return original(effect)
      const { session, token } = effect
      world.after(1, () => world.happen(session, { type: 'published', token, outcome: 3, reason: 0x87 }))
    }
    for (const [topicId, data, msgId] of [[1, 'no', 1], [2, 'yes 1', 2], [1, 'no, too', 3], [2, 'yes 2', 4]] as const)
      sensor.publish(topicId, data, { qos: 1, msgId }) // biome-ignore format: a table
    world.advance(1000)
    expect(arrived(world)).toEqual(['yes 1', 'yes 2'])
    world.advance(3 * HOUR)
    const dead = [...world.session('dev1').uplink.dead.values()].map(({ token }) =>
      world.store.contentsOf('dev1', token),
    )
    expect([dead, spooled(world).messages]).toEqual([['no', 'no, too'], 0])
  })

  it('for now: it is tried again after T_WAIT, and what follows waits behind it', () => {
    const [world, sensor] = connected()
    world.broker.publishOutcome = 1
    say(sensor, '1')
    world.broker.publishOutcome = 0
    say(sensor, '2')
    world.advance(299_000)
    expect(arrived(world)).toEqual([])
    world.advance(1100)
    expect([arrived(world), world.drops(), onDisk(world)]).toEqual([['1', '2'], [], 0])
  })

  it('for now, the later one first and congested in between: nothing is asked without end, and the order stays', () => {
    const [world, sensor] = connected()
    world.broker.answers = false
    const session = world.session('dev1')
    const refuse = (token: number) => world.happen(session, { type: 'published', token, outcome: 1 })
    for (const msgId of [1, 2]) sensor.publish(1, `${msgId}`, { qos: 1, msgId })
    refuse(2)
    world.advance(500)
    refuse(1)
    world.broker.answers = true
    world.advance(300_100) // throws if a deadline does not pass
    expect(arrived(world)).toEqual(['1', '2'])
    world.broker.publishOutcome = 1
    sensor.publish(1, '3', { qos: 1, msgId: 3 })
    world.broker.publishOutcome = 0
    world.happen(session, { type: 'congestion', on: true })
    world.advance(400_000)
    expect(arrived(world)).toHaveLength(2)
    world.happen(session, { type: 'congestion', on: false })
    world.advance(1)
    expect(arrived(world)).toEqual(['1', '2', '3'])
  })
})

it('a connection that moves to another broker blames nothing that was under way, however often', () => {
  const [world, sensor] = connected()
  world.broker.answers = false
  say(sensor, '1')
  const session = world.session('dev1')
  for (let i = 0; i < 4; i++) {
    world.happen(session, { type: 'closed', why: 'lost', detail: 'moved', moved: true })
    world.advance(5000)
  }
  expect([world.drops(), session.uplink.dead.size, spooled(world).messages]).toEqual([[], 0, 1])
  world.broker.answers = true
  world.happen(session, { type: 'closed', why: 'lost', detail: 'moved', moved: true })
  world.advance(100_000)
  expect(arrived(world)).toContain('1')
})

describe('a sensor that goes while its messages wait', () => {
  const ends: [string, (world: World, sensor: VirtualSensor) => void][] = [
    ['disconnects', (_, sensor) => sensor.send(disconnect)],
    ['is lost', (world) => world.advance(70_000_000)],
  ]

  it.each(ends.flatMap(([name, end]) => [false, true].map((clean) => [name, clean, end] as const)))(
    '%s, CleanSession %s: they still arrive, then the connection is closed',
    (_, cleanSession, end) => {
      const [world, sensor] = connected({}, cleanSession)
      away(world)
      say(sensor, '1', 1, 1)
      say(sensor, '2', 2, 2)
      end(world, sensor)
      expect(world.sessions.byPeer.size).toBe(0)
      back(world)
      expect(arrived(world)).toEqual(['1', '2'])
      expect([world.broker.connected.size, world.broker.wills]).toEqual([0, []])
      expect(world.sessions.byClientId.has('dev1')).toBe(!cleanSession)
      expect(world.store.disk.has('dev1')).toBe(!cleanSession)
    },
  )

  it.each(ends)('%s: they arrive after a restart of the gateway, too', (_, end) => {
    const [world, sensor] = connected({}, true)
    away(world)
    say(sensor, '1')
    end(world, sensor)
    world.restart(1000)
    back(world)
    expect([arrived(world), world.broker.wills]).toEqual([['1'], []])
    expect([world.sessions.byClientId.size, world.store.disk.size]).toEqual([0, 0])
  })

  it('is lost while the broker is there: the will is published once, and the connection for the rest has none [SN-MAP-13]', () => {
    const [world, sensor] = connected()
    world.broker.publishOutcome = 1 // so that it waits
    say(sensor, '1')
    world.broker.publishOutcome = 0
    world.session('dev1').keepAlive = 60
    world.advance(91_000)
    expect(world.session('dev1').state).toBe('lost')
    world.advance(10_000)
    expect([...world.broker.connected.values()]).toMatchObject([{ will: undefined }])
    world.advance(400_000)
    expect(arrived(world)).toEqual(['', '1'])
    expect([world.broker.wills.length, world.broker.connected.size]).toEqual([1, 0])
  })

  it('connects clean: they still arrive [SN-SESS-8]', () => {
    const [world, sensor] = connected()
    away(world)
    say(sensor, '1', 1, 1)
    sensor.publish(1, '2', { qos: 2, msgId: 2 })
    world.broker.reachable = true
    expect(sensor.connect('dev1', { cleanSession: true })).toEqual([{ type: 'connack', returnCode: 0 }])
    expect(arrived(world)).toEqual(['1', '2'])
    expect(world.session('dev1')).toMatchObject({ uplink: { open: { size: 0 }, outgoing: { size: 0 } } })
    expect(onDisk(world)).toBe(0)
  })

  it('comes back while they wait: it has its session, and they are still in order', () => {
    const [world, sensor] = connected()
    away(world)
    say(sensor, '1')
    sensor.send(disconnect)
    world.broker.reachable = true
    sensor.connect('dev1', { cleanSession: false })
    say(sensor, '2')
    expect(arrived(world)).toEqual(['1', '2'])
  })

  it('is not forgotten before they have arrived, but when its session is too old [AMB-34]', () => {
    const [world, sensor] = connected()
    away(world)
    say(sensor, '1')
    sensor.send(disconnect)
    world.advance(7 * 24 * HOUR - 1000)
    expect(spooled(world).messages).toBe(1)
    world.advance(2000)
    expect([world.sessions.byClientId.size, world.store.disk.size]).toEqual([0, 0])
    expect(world.drops()).toEqual(['expired'])
  })

  it('can be forgotten by hand, with them', () => {
    const [world, sensor] = connected()
    away(world)
    say(sensor, '1')
    world.happen(world.session('dev1'), { type: 'command', command: 'forget' })
    expect([world.sessions.byClientId.size, world.store.disk.size]).toEqual([0, 0])
  })
})

it('the grace time does not end the session of a sensor whose messages are stored [AMB-29]', () => {
  for (const grace of [60_000, 0]) {
    const world = new World({ timers: { grace }, policy: () => ({ ack: 'store' }) })
    const sensor = world.sensor()
    sensor.connect('dev1', { duration: 60_000 })
    sensor.register('t/temp')
    away(world)
    world.advance(HOUR)
    expect(say(sensor, 'x')).toEqual(['puback 0'])
    back(world)
    expect(arrived(world)).toEqual(['x'])
  }
})

it('a full spool survives a restart: counted, in order, once', () => {
  const [world, sensor] = connected({ messages: 40 })
  away(world)
  const all = Array.from({ length: 40 }, (_, i) => `${i}`)
  for (const [i, data] of all.entries()) say(sensor, data, i % 2 === 0 ? 1 : 2, i + 1)
  const before = { ...spooled(world) }
  world.restart(5000)
  expect(spooled(world)).toEqual(before)
  expect(say(sensor, 'too many')).toEqual(['puback 1'])
  back(world)
  expect([arrived(world), spooled(world).messages, onDisk(world)]).toEqual([all, 0, 0])
})

it('a message under way to the broker when the gateway is killed arrives, at QoS 2 once [SN-PUB-11]', () => {
  const [world, sensor] = connected()
  world.broker.latency = 1000
  expect(sensor.publish(1, '1', { qos: 2, msgId: 1 })).toEqual([{ type: 'pubrec', msgId: 1 }])
  world.restart()
  world.broker.latency = 1
  world.advance(5000)
  expect(sensor.send({ type: 'pubrel', msgId: 1 })).toEqual([{ type: 'pubcomp', msgId: 1 }])
  expect([arrived(world), spooled(world).messages, onDisk(world)]).toEqual([['1'], 0, 0])
})
