// The gateway was killed and starts again: sensors go on as if it had not been away [SN-SESS-10].

import { describe, expect, it } from 'vitest'
import type { Packet } from '../../src/codec/v1/messages.ts'
import { bytes, text, type VirtualSensor, World } from '../support/world.ts'

type Options = ConstructorParameters<typeof World>[0]

const disconnect: Packet = { type: 'disconnect', duration: null }
const pingreq: Packet = { type: 'pingreq', clientId: null }
const pingresp: Packet = { type: 'pingresp' }
const will = { topic: 'gone', message: 'dev1' }

/** An active sensor with a will: t/temp is its id 1, s/a, subscribed, its id 2. */
function active(options: Options = {}, cleanSession = false): [World, VirtualSensor] {
  const world = new World(options)
  world.advance(8 * 86_400_000) // longer than sessions are kept
  const sensor = world.sensor()
  sensor.connectWithWill('dev1', will, { cleanSession, duration: 60 })
  sensor.register('t/temp')
  sensor.subscribe('s/a', 2)
  world.happened()
  return [world, sensor]
}

function asleep(options?: Options): [World, VirtualSensor] {
  const [world, sensor] = active(options)
  sensor.sleep(600)
  return [world, sensor]
}

const stateOf = (world: World) => world.session('dev1').state
const types = (packets: Packet[]) => packets.map(({ type }) => type)
const arrived = (world: World) => world.broker.published.map(({ payload }) => text(payload))
const saves = (world: World) => world.effects.filter(({ type }) => type === 'saveProgress').length

/** Lines that concern the sensor. */
const exchange = (world: World) => world.happened().filter((line) => line.startsWith('sensor'))

describe('an active sensor', () => {
  it.each([false, true])('notices nothing, CleanSession %s [SN-SESS-10]', (cleanSession) => {
    const [world, sensor] = active({}, cleanSession)
    world.restart(3000)
    expect(sensor.publish(1, 'x', { qos: 1, msgId: 9 })).toMatchObject([{ type: 'puback', returnCode: 0 }])
    expect(sensor.send(pingreq)).toEqual([pingresp])
    world.publish('s/a', 'm')
    expect(sensor.take()).toMatchObject([{ type: 'publish', topicId: 2, data: bytes('m') }]) // no REGISTER
    expect(world.broker.wills).toEqual([])
    expect([...world.broker.connected.values()]).toMatchObject([
      { will: { topic: 'gone' }, clean: cleanSession },
    ])
  })

  it('keeps its keep-alive time, with little more patience than without the restart [SN-KA-3]', () => {
    const [world, sensor] = active()
    world.advance(50_000)
    sensor.send(pingreq)
    world.restart(1000)
    world.advance(85_000)
    expect(stateOf(world)).toBe('active')
    world.advance(15_000)
    expect(stateOf(world)).toBe('lost')
  })

  it('whose time ran out meanwhile is lost, and its will is published once [SN-WILL-6, SN-MAP-13]', () => {
    const [world] = active()
    world.restart(3_600_000)
    expect(world.broker.wills).toEqual([])
    world.advance(5000)
    expect(stateOf(world)).toBe('lost')
    expect(world.effects.filter(({ type }) => type === 'close')).toMatchObject([{ publishWill: true }])
    world.advance(500_000)
    expect(world.broker.wills).toMatchObject([{ topic: 'gone' }])
    world.restart(1000)
    world.advance(500_000)
    expect(world.broker.wills).toHaveLength(1)
  })

  it('whose time ran out is lost although the broker cannot be reached [SN-KA-3]', () => {
    const [world] = active()
    world.broker.crash()
    world.restart(3_600_000)
    world.advance(5000)
    expect(stateOf(world)).toBe('lost')
  })

  it('gets the message that was on its way again, with DUP and the same MsgId [SN-GPUB-10, SN-GPUB-13]', () => {
    const [world, sensor] = active()
    for (let i = 0; i < 3; i++) world.publish('s/a', `${i}`, 1)
    for (const msgId of [1, 2]) sensor.send({ type: 'puback', topicId: 2, msgId, returnCode: 0 })
    world.restart()
    world.advance(1000)
    expect(sensor.take()).toMatchObject([{ type: 'publish', dup: true, msgId: 3, data: bytes('2') }])
  })

  it('of QoS 2 only after T_retry, since an answer may be on its way [SN-GPUB-13]', () => {
    const [world, sensor] = active()
    world.publish('s/a', 'x', 2)
    sensor.take()
    world.restart()
    world.advance(9_990)
    expect(sensor.take()).toEqual([])
    world.advance(20)
    expect(sensor.take()).toMatchObject([{ type: 'publish', dup: true, msgId: 1 }])
  })

  it('is asked for PUBCOMP again, and gets the message not once more [SN-GPUB-12]', () => {
    const [world, sensor] = active()
    world.publish('s/a', 'x', 2)
    world.publish('s/a', 'y', 1)
    sensor.take()
    sensor.send({ type: 'pubrec', msgId: 1 })
    world.restart()
    world.advance(100)
    expect(sensor.take()).toEqual([{ type: 'pubrel', msgId: 1 }])
    expect(sensor.send({ type: 'pubcomp', msgId: 1 })).toMatchObject([{ type: 'publish', data: bytes('y') }])
  })

  it('has its ids, and no other topic gets one of them [SN-REG-8, SN-SESS-10]', () => {
    const [world, sensor] = active()
    for (let round = 1; round <= 3; round++) {
      world.restart(100)
      expect(sensor.register('t/temp')).toBe(1)
      expect(sensor.register(`t/new${round}`)).toBe(2 + round)
      sensor.publish(1, `${round}`, { qos: 1, msgId: round })
    }
    expect(world.broker.published.map(({ topic }) => topic)).toEqual(['t/temp', 't/temp', 't/temp'])
  })

  it('is active although its CONNECT has come again, so that its will is asked for again [SN-CONN-16, SN-SESS-10]', () => {
    const world = new World()
    const sensor = world.sensor()
    sensor.connectWithWill('dev1', will, { cleanSession: false, duration: 60 })
    sensor.connect('dev1', { cleanSession: false, will: true, duration: 60 })
    expect(stateOf(world)).toBe('willtopic')
    world.happen(world.session('dev1'), { type: 'suspend' }) // another gateway is to go on with it
    world.restart()
    expect(stateOf(world)).toBe('active')
    sensor.take()
    expect(sensor.register('t/temp')).toBe(1)
  })

  it('is asked to learn again what it had not confirmed [SN-GPUB-2]', () => {
    const [world, sensor] = active()
    sensor.subscribe('w/+', 1)
    world.publish('w/a', 'x', 1)
    expect(types(sensor.take())).toEqual(['register'])
    world.restart()
    world.advance(100)
    const [register] = sensor.take()
    if (register?.type !== 'register') throw new Error('no REGISTER')
    expect(register).toMatchObject({ topicId: 3, topicName: 'w/a' })
    expect(sensor.send({ ...register, type: 'regack', returnCode: 0 })).toMatchObject([{ data: bytes('x') }])
    world.restart()
    world.advance(100)
    expect(types(sensor.take())).toEqual(['publish']) // confirmed now
  })
})

describe('an id that is told to the sensor', () => {
  it('is stored before, also when a wildcard brings a message ahead of the answer to SUBSCRIBE [SN-REG-8]', () => {
    const [world, sensor] = active()
    sensor.subscribe('w/+')
    world.broker.answers = false
    sensor.subscribe('w/a')
    world.advance(8000) // SUBACK with an error, and what was held goes on
    world.publish('w/a', 'x', 1)
    expect(sensor.take().at(-1)).toMatchObject({ type: 'register', topicId: 3, topicName: 'w/a' })
    world.broker.answers = true
    world.restart()
    expect(sensor.register('t/other')).toBe(4)
  })
})

describe('a sleeping sensor', () => {
  it('sleeps on, is sent nothing, and gets its messages when it wakes [SN-SLP-1, SN-SLP-5]', () => {
    const [world, sensor] = asleep()
    world.publish('s/a', '1', 1)
    world.restart(3000)
    world.publish('s/a', '2', 1)
    world.advance(100_000)
    expect(sensor.take()).toEqual([])
    expect(sensor.wake('dev1')).toMatchObject([{ type: 'publish', data: bytes('1'), dup: false }])
    expect(sensor.send({ type: 'puback', topicId: 2, msgId: 1, returnCode: 0 })).toMatchObject([
      { type: 'publish', data: bytes('2') },
    ])
    expect(sensor.send({ type: 'puback', topicId: 2, msgId: 257, returnCode: 0 })).toEqual([pingresp])
  })

  it('gets what came while the gateway was away [SN-SLP-5]', () => {
    const [world, sensor] = asleep()
    world.crash()
    world.publish('s/a', 'x', 1)
    world.start()
    world.advance(1000)
    expect(types(sensor.wake('dev1'))).toEqual(['publish'])
  })

  it('keeps its sleep time, and is lost when that is over [SN-SLP-2]', () => {
    const [world] = asleep()
    world.advance(300_000)
    world.restart(1000)
    world.advance(350_000)
    expect(stateOf(world)).toBe('asleep')
    world.advance(80_000)
    expect([stateOf(world), world.broker.wills.length]).toEqual(['lost', 1])
  })

  it('that was awake sleeps again, and finds the open message at its next waking [SN-SLP-7, SN-SLP-10]', () => {
    const [world, sensor] = asleep()
    world.publish('s/a', 'x', 1)
    expect(types(sensor.wake('dev1'))).toEqual(['publish'])
    world.restart()
    world.advance(60_000)
    expect([stateOf(world), sensor.take()]).toEqual(['asleep', []])
    expect(sensor.wake('dev1')).toMatchObject([{ type: 'publish', msgId: 1, data: bytes('x') }])
  })

  it('is told again at once that it may sleep, whatever the store does: later it might be awake [SN-SLP-1, SN-SESS-10]', () => {
    const [world, sensor] = asleep()
    world.store.isShared = true
    world.store.isFailing = true
    expect(sensor.send({ type: 'disconnect', duration: 600 })).toEqual([disconnect])
    expect(sensor.send({ type: 'disconnect', duration: 601 })).toEqual([])
    world.store.mend()
    world.advance(1000)
    expect(sensor.take()).toEqual([disconnect])
  })

  it('is not taken for an active one when the gateway is killed right after its DISCONNECT was answered [SN-SLP-1]', () => {
    const [world, sensor] = active()
    world.receive({ type: 'disconnect', duration: 600 }, sensor.peer)
    expect(sensor.take()).toEqual([disconnect])
    world.restart()
    expect(stateOf(world)).toBe('asleep')
  })
})

describe('a sensor that was not there', () => {
  it.each([
    ['disconnected', (_: World, sensor: VirtualSensor) => void sensor.send(disconnect)],
    ['lost', (world: World) => world.advance(100_000)],
  ])('stays %s, has no connection, and finds its session [SN-SESS-10]', (state, end) => {
    const [world, sensor] = active()
    end(world, sensor)
    world.publish('s/a', 'meanwhile', 1)
    const { connects } = world.broker
    world.restart(1000)
    world.advance(60_000)
    expect([stateOf(world), world.broker.connects]).toEqual([state, connects])
    expect(sensor.publish(1, 'x', { qos: 1, msgId: 9 })).toEqual([disconnect])
    expect(types(sensor.connect('dev1', { cleanSession: false }))).toEqual(['connack', 'register'])
  })

  it('is forgotten as long after its end as without the restart [AMB-34]', () => {
    const [world, sensor] = active()
    sensor.send(disconnect)
    world.advance(6 * 86_400_000)
    world.restart(1000)
    world.advance(86_300_000)
    expect(world.sessions.byClientId.size).toBe(1)
    world.advance(200_000)
    expect([world.sessions.byClientId.size, world.store.disk.size]).toEqual([0, 0])
  })

  it('is not there any more when its clean session has ended: also when only that had been written [SN-SESS-6]', () => {
    const [world, sensor] = active({}, true)
    world.publish('s/a', 'x', 1)
    world.fuse = 3 // DISCONNECT is answered, and the session not yet deleted
    world.receive(disconnect, sensor.peer)
    expect([world.isRunning, world.store.disk.size]).toEqual([false, 1])
    expect(types(sensor.take())).toEqual(['publish', 'disconnect'])
    world.happened()
    world.start()
    // the broker has not heard of it yet: the message on its way came first
    world.advance(10)
    expect(world.transcript).toContain('gateway → broker CONNECT clean')
    expect(world.transcript.at(-1)).toBe('gateway → broker DISCONNECT')
    expect([world.sessions.byClientId.size, world.store.disk.size]).toEqual([0, 0])
    expect(world.totals).toEqual({ queuedMessages: 0, queuedOctets: 0 })
    world.advance(500_000)
    expect(world.broker.wills).toEqual([])
  })

  it('is treated as a stranger when it was in the middle of a setup, and can begin anew [SN-UNK-1]', () => {
    const world = new World()
    const sensor = world.sensor()
    sensor.connect('dev1', { cleanSession: false, will: true })
    expect(world.store.writes).toBe(0) // nothing is kept of half a setup
    world.restart(100)
    expect(sensor.send({ type: 'willtopic', qos: 0, retain: false, willTopic: 'gone' })).toEqual([])
    expect(sensor.connect('dev1', { cleanSession: false })).toEqual([{ type: 'connack', returnCode: 0 }])
  })

  it.each(['willtopic', 'connecting'] as const)(
    'keeps its former session when it was in the state "%s" of another setup [SN-SESS-6]',
    (state) => {
      const [world, sensor] = active()
      const session = world.session('dev1')
      if (state === 'connecting') world.broker.answers = false
      sensor.connect('dev1', { cleanSession: false, will: state === 'willtopic', duration: 61 })
      expect(session.state).toBe(state)
      // a message makes the gateway write in the middle of it
      const message = { topic: 's/a', payload: bytes('x'), qos: 2, retain: false } as const
      world.happen(session, { type: 'message', message, ack: 9, packetId: 9 })
      expect(world.store.disk.get('dev1')?.progress.state).toBe(state)
      world.broker.answers = true
      world.restart(1000)
      world.advance(60_000)
      expect([stateOf(world), world.session('dev1').downlink.queue.length]).toEqual(['disconnected', 1])
      expect(types(sensor.connect('dev1', { cleanSession: false }))).toEqual(['connack', 'register'])
    },
  )
})

describe('an address', () => {
  it('on a listener that is gone: the sensor is disconnected, and connects from another one [SN-SESS-10]', () => {
    const [world, sensor] = active()
    world.listenersGone.add('virtual')
    world.restart()
    expect(world.session('dev1')).toMatchObject({ state: 'disconnected', peer: undefined })
    world.advance(86_400_000) // it is kept, from now on
    expect(sensor.connect('dev1', { cleanSession: false })[0]).toEqual({ type: 'connack', returnCode: 0 })
  })

  it('of a clean session on a listener that is gone: the session is gone too [SN-SESS-6]', () => {
    const [world] = active({}, true)
    world.listenersGone.add('virtual')
    world.restart()
    expect([world.sessions.byClientId.size, world.store.disk.size]).toEqual([0, 0])
  })

  it('that two records name belongs to one of them only [SN-CONN-12]', () => {
    const [world, sensor] = active()
    const other = world.sensor('10.0.0.1', 5001)
    other.connect('dev2', { cleanSession: false })
    const stored = world.store.disk.get('dev2')
    if (stored === undefined) throw new Error('nothing stored')
    stored.progress = { ...stored.progress, peer: world.store.disk.get('dev1')?.progress.peer }
    world.restart()
    expect([stateOf(world), world.session('dev2').state]).toEqual(['active', 'disconnected'])
    expect(world.sessions.byPeer.size).toBe(1)
    expect(sensor.publish(1, 'x', { qos: 1, msgId: 9 })).toMatchObject([{ returnCode: 0 }])
    expect(other.connect('dev2', { cleanSession: false })).toEqual([{ type: 'connack', returnCode: 0 }])
  })

  it('that a waking sensor moved to is found again [SN-SLP-16]', () => {
    const [world] = asleep()
    const moved = world.sensor('10.0.0.1', 5999)
    moved.wake('dev1')
    world.restart()
    expect(moved.send(pingreq)).toEqual([pingresp])
  })

  it('behind a forwarder is found again [SN-FWD-4]', () => {
    const world = new World()
    const node = world.sensor('10.0.0.2', 5000, Uint8Array.of(1, 2))
    node.connect('dev1', { cleanSession: false })
    world.restart()
    expect(node.send(pingreq)).toEqual([pingresp])
  })
})

describe('the connections to the broker', () => {
  /** Fifty sensors at different ports, after a restart at which reading takes so long. */
  function crowd(reading = 0, options: Options = {}): [World, VirtualSensor[]] {
    const world = new World(options)
    world.reading = reading
    const sensors = Array.from({ length: 50 }, (_, i) => {
      const sensor = world.sensor('10.0.0.1', 6000 + i)
      sensor.connect(`dev${i}`, { cleanSession: false, duration: 3600 })
      sensor.register('t/temp')
      return sensor
    })
    world.restart()
    return [world, sensors]
  }

  it('come back spread over time, and all of them [SN-MAP-31]', () => {
    const [world] = crowd()
    const before = world.broker.connects
    world.advance(20)
    const early = world.broker.connects - before
    expect([early > 0, early < 25]).toEqual([true, true])
    world.advance(1000)
    expect([world.broker.connects - before, world.broker.connected.size]).toEqual([50, 50])
  })

  it('come back spread over time as well where reading all of them has taken long [SN-MAP-31]', () => {
    const [world] = crowd(5000)
    const before = world.broker.connects
    world.advance(20)
    const early = world.broker.connects - before
    expect([early > 0, early < 25]).toEqual([true, true])
    world.advance(1000)
    expect([world.broker.connects - before, world.broker.connected.size]).toEqual([50, 50])
  })

  it.each([0, 30])(
    'come back although the last one has its turn after the grace time, with %i ms of reading: that counts from its turn on [AMB-29]',
    (reading) => {
      const [world, sensors] = crowd(reading, { timers: { grace: 50 } })
      world.advance(1000)
      expect(world.broker.connected.size).toBe(50)
      expect(sensors.flatMap((sensor) => sensor.take())).toEqual([])
    },
  )

  it('are given up after the grace time for one that speaks before its turn, counted from then on [AMB-29]', () => {
    const [world, sensors] = crowd(0, { timers: { grace: 50 } })
    world.broker.crash()
    const [last] = sensors.slice(-1)
    last?.publish(1, 'x', { qos: 1, msgId: 1 })
    world.advance(60)
    expect(last?.take()).toContainEqual(disconnect)
  })

  it('come no later than others that are due, where reading has taken long: a keep-alive that is over is over [SN-KA-2]', () => {
    const world = new World()
    world.sensor().connect('dev1', { cleanSession: false, duration: 60 })
    world.reading = 100_000
    world.restart()
    world.advance(1)
    expect(stateOf(world)).toBe('lost')
  })

  it('of those that speak come first, once each', () => {
    const [world, sensors] = crowd()
    const before = world.broker.connects
    const last = sensors[49]
    last?.publish(1, 'x', { qos: 1, msgId: 1 })
    last?.publish(1, 'y', { qos: 1, msgId: 2 })
    expect(arrived(world)).toEqual(['x', 'y'])
    expect(world.broker.connects - before).toBeLessThan(10)
    world.advance(1000)
    expect(world.broker.connects - before).toBe(50)
  })

  it('of those that sleep come too, since messages are for them [SN-MAP-33]', () => {
    const [world] = asleep()
    world.restart()
    world.advance(100)
    expect(world.broker.connected.size).toBe(1)
  })

  it('are tried again where the broker cannot be reached, for the grace time from the start on [AMB-29]', () => {
    const [world, sensor] = active()
    world.broker.crash()
    world.session('dev1').keepAlive = 6000
    world.happened()
    sensor.register('t/b') // so that it is saved
    world.restart(50_000)
    world.advance(59_000)
    expect(stateOf(world)).toBe('active')
    world.advance(2000)
    expect(stateOf(world)).toBe('disconnected')
    expect(exchange(world).at(-1)).toBe('sensor ← DISCONNECT')
  })

  it('bring the subscriptions again to a broker that has lost them [SN-MAP-3, SN-MAP-4]', () => {
    const [world, sensor] = active({}, true)
    world.restart()
    world.advance(100)
    world.publish('s/a', 'm')
    expect(types(sensor.take())).toEqual(['publish'])
  })
})

describe('QoS 0 of a sensor whose connection to the broker is not back yet', () => {
  it('is forwarded when it is back, in order', () => {
    const [world, sensor] = active()
    world.restart()
    world.broker.latency = 500
    for (const data of ['1', '2', '3']) sensor.publish(1, data)
    expect([arrived(world), world.drops()]).toEqual([[], []])
    world.advance(1000)
    expect(arrived(world)).toEqual(['1', '2', '3'])
    expect(sensor.take()).toEqual([])
  })

  it('waits only up to sixteen messages: the others are dropped, counted, and answered once [SN-MAP-27]', () => {
    const [world, sensor] = active()
    world.restart()
    world.broker.latency = 500
    const answers = Array.from({ length: 20 }, (_, i) => sensor.publish(1, `${i}`)).flat()
    expect(answers).toMatchObject([{ type: 'puback', msgId: 0, returnCode: 1 }])
    expect(world.drops()).toEqual(Array(4).fill('upstream-down'))
    world.advance(1000)
    expect(arrived(world)).toHaveLength(16)
  })

  it('does not wait for a broker that could not be reached [SN-MAP-27]', () => {
    const [world, sensor] = active()
    world.broker.crash()
    world.restart()
    sensor.publish(1, 'early') // makes it try
    world.advance(100)
    expect(sensor.publish(1, 'late')).toMatchObject([{ type: 'puback', returnCode: 1 }])
    expect(world.drops()).toEqual(['upstream-down'])
  })
})

describe('when a sensor was heard last', () => {
  it('is written now and then, not at every message', () => {
    const [world, sensor] = active()
    const before = saves(world)
    for (let i = 0; i < 60; i++) {
      sensor.publish(1, 'x')
      world.advance(995)
    }
    const written = saves(world) - before
    expect([written >= 5, written <= 11]).toEqual([true, true]) // a tenth of its 60 s is not worth a write
    expect(world.effects.filter((effect) => effect.type === 'saveProgress' && !effect.lazy)).toEqual([])
  })

  it('is written once a minute of a sensor without supervision', () => {
    const world = new World()
    const sensor = world.sensor()
    sensor.connect('dev1', { duration: 0 })
    const before = saves(world)
    for (let i = 0; i < 300; i++) {
      sensor.send(pingreq)
      world.advance(995)
    }
    expect(saves(world) - before).toBe(4)
  })
})

it('tells the broker of a sensor that left well while its connection was away, also after a second crash [SN-DISC-1]', () => {
  const world = new World()
  world.store.lag = 1
  const sensor = world.sensor()
  sensor.connectWithWill('dev1', { topic: 'gone', message: 'x' }, { cleanSession: false, duration: 60 })
  world.restart(10)
  world.receive({ type: 'disconnect', duration: null }, sensor.peer) // before the broker is reached again
  expect(world.session('dev1').link.owesFarewell).toBe(true)
  world.broker.answers = false
  world.advance(20)
  world.broker.answers = true
  world.restart(10)
  world.happened()
  world.advance(60_000)
  expect(world.happened()).toEqual(['gateway → broker CONNECT', 'gateway → broker DISCONNECT'])
  expect(world.session('dev1').link).toMatchObject({ owesFarewell: false, state: 'closed' })
  world.restart(10)
  world.happened()
  world.advance(60_000)
  expect(world.happened()).toEqual([])
})
