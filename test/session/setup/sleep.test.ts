// Sleeping sensors: silence, buffering, waking up [6.14, figures 4 and 5].

import { describe, expect, it } from 'vitest'
import type { Packet } from '../../../src/codec/v1/messages.ts'
import { bytes, type VirtualSensor, World } from '../../support/world.ts'

type Options = ConstructorParameters<typeof World>[0]

const pingreq: Packet = { type: 'pingreq', clientId: null }
const pingresp: Packet = { type: 'pingresp' }
const disconnect: Packet = { type: 'disconnect', duration: null }
/** "ab" */
const short = 0x6162

/** A sensor with a will that knows topic s/a as id 1 and sleeps. */
function asleep(duration = 600, options: Options = {}, keepAlive = 60): [World, VirtualSensor] {
  const world = new World(options)
  const sensor = world.sensor()
  const will = { topic: 'gone', message: 'dev1' }
  sensor.connectWithWill('dev1', will, { cleanSession: false, duration: keepAlive })
  sensor.subscribe('s/a', 2)
  expect(sensor.sleep(duration)).toEqual([disconnect])
  world.happened()
  return [world, sensor]
}

const stateOf = (world: World) => world.session('dev1').state
const stateAfter = (world: World, ms: number) => {
  world.advance(ms)
  return stateOf(world)
}
const puback = (msgId: number, returnCode = 0): Packet => ({ type: 'puback', topicId: 1, msgId, returnCode })
const withoutBroker = (lines: string[]) => lines.filter((line) => line.startsWith('sensor'))
const types = (packets: Packet[]) => packets.map(({ type }) => type)

describe('while asleep', () => {
  it('a sensor is sent nothing: messages of every QoS are buffered [SN-SLP-1]', () => {
    const [world, sensor] = asleep()
    for (const qos of [0, 1, 2] as const) world.publish('s/a', `${qos}`, qos)
    world.advance(500_000)
    expect(sensor.take()).toEqual([])
    expect(world.session('dev1').downlink.queue.map(({ qos }) => qos)).toEqual([0, 1, 2])
  })

  it('what was on its way when the sensor fell asleep is not repeated [SN-SLP-1, SN-SLP-7]', () => {
    const [world, sensor] = asleep()
    sensor.connect('dev1', { cleanSession: false })
    world.publish('s/a', 'x', 1)
    sensor.send({ type: 'regack', topicId: 1, msgId: 1, returnCode: 0 })
    sensor.sleep(600)
    world.advance(300_000)
    expect(sensor.take()).toEqual([])
    expect(sensor.send(pingreq)).toMatchObject([{ type: 'publish', dup: true, msgId: 1 }])
  })

  it('the sleep time runs, with tolerance, and the keep-alive time does not [SN-SLP-2]', () => {
    const [world] = asleep(300, {}, 10)
    expect(stateAfter(world, 100_000)).toBe('asleep')
    expect(stateAfter(world, 229_900)).toBe('asleep')
    expect(stateAfter(world, 200)).toBe('lost')
    expect(world.broker.wills).toMatchObject([{ topic: 'gone' }])
  })

  it.each([
    [10, 15],
    [60, 90],
    [61, 67.1],
  ])('a sensor that sleeps for %i s is lost after %d s [SN-SLP-2, SN-KA-3]', (duration, seconds) => {
    const [world] = asleep(duration)
    const since = world.session('dev1').heardAt
    expect(stateAfter(world, since + seconds * 1000 - 1 - world.now)).toBe('asleep')
    expect(stateAfter(world, 1)).toBe('lost')
  })

  it('the connection to the broker stays, for as long as one can sleep [SN-SLP-19]', () => {
    const [world, sensor] = asleep(65_535)
    const before = world.effects.length
    expect(stateAfter(world, 65_535_000 * 1.09)).toBe('asleep')
    expect(world.effects.slice(before)).toEqual([])
    expect([...world.broker.connected.keys()].map(({ clientId }) => clientId)).toEqual(['dev1'])
    expect(sensor.send(pingreq)).toEqual([pingresp])
  })

  it('requests are processed and answered, the sleep time starts anew, and nothing buffered is sent [SN-SLP-18]', () => {
    const [world, sensor] = asleep(600)
    world.publish('s/a', 'x', 1)
    world.advance(500_000)
    expect(sensor.publish(short, 'up', { topicIdType: 'short', qos: 1, msgId: 4 })).toMatchObject([
      { type: 'puback', msgId: 4, returnCode: 0 },
    ])
    expect(sensor.register('t/b')).toBe(2)
    expect(types(sensor.subscribe('s/+'))).toEqual(['suback'])
    expect(
      types(sensor.send({ type: 'unsubscribe', msgId: 9, topicIdType: 'normal', topicName: 's/+' })),
    ).toEqual(['unsuback'])
    expect(stateAfter(world, 659_000)).toBe('asleep')
    expect(world.session('dev1').downlink.queue).toHaveLength(1)
  })

  it('DISCONNECT ends the session, without a will [SN-SLP-13, SN-DISC-7]', () => {
    const [world, sensor] = asleep()
    expect(sensor.send(disconnect)).toEqual([disconnect])
    expect(stateOf(world)).toBe('disconnected')
    expect(world.broker.wills).toEqual([])
  })

  it('DISCONNECT with a Duration sets a new sleep time, from now on [SN-SLP-13, SN-DISC-7]', () => {
    const [world, sensor] = asleep(600)
    world.advance(500_000)
    expect(sensor.sleep(100)).toEqual([disconnect])
    expect(stateAfter(world, 109_900)).toBe('asleep')
    expect(stateAfter(world, 200)).toBe('lost')
  })
})

describe('PINGREQ of a sleeping sensor', () => {
  it('is answered with PINGRESP at once when nothing is buffered, and the full sleep time starts anew [SN-SLP-4]', () => {
    const [world, sensor] = asleep(600)
    world.advance(600_000)
    expect(sensor.wake('dev1')).toEqual([pingresp])
    expect(stateAfter(world, 659_000)).toBe('asleep')
    expect(stateAfter(world, 2_000)).toBe('lost')
  })

  it('makes it awake, while the sleep time stands still [SN-SLP-3]', () => {
    const [world, sensor] = asleep(10)
    world.publish('s/a', 'x', 1)
    sensor.wake('dev1')
    expect(stateAfter(world, 29_900)).toBe('awake') // 10 s of sleep would be over after 15 s
    sensor.send(puback(1))
    expect(stateAfter(world, 14_900)).toBe('asleep')
    expect(stateAfter(world, 200)).toBe('lost')
  })

  it('starts the full sleep time at PINGRESP, also when that had to wait for the broker [SN-SLP-4, SN-SLP-5]', () => {
    const [world, sensor] = asleep(10)
    world.broker.latency = 7_000
    sensor.subscribe('t/a')
    expect(sensor.wake('dev1')).toEqual([])
    world.advance(7_000)
    expect(types(sensor.take())).toEqual(['suback', 'pingresp'])
    expect(stateAfter(world, 14_900)).toBe('asleep') // PINGREQ was more than 15 s ago
    expect(stateAfter(world, 200)).toBe('lost')
  })

  it('brings all that is buffered in order of arrival, then PINGRESP [SN-SLP-5, SN-SLP-7]', () => {
    const [world, sensor] = asleep()
    for (const text of ['1', '2', '3']) world.publish('s/a', text)
    sensor.wake('dev1')
    expect(world.happened()).toEqual([
      'sensor → PINGREQ dev1',
      'sensor ← PUBLISH qos 0 normal topic, "1"',
      'sensor ← PUBLISH qos 0 normal topic, "2"',
      'sensor ← PUBLISH qos 0 normal topic, "3"',
      'sensor ← PINGRESP',
    ])
    expect(stateOf(world)).toBe('asleep')
  })

  it('speaks the octets of the reference exchange [SN-SLP-5, SN-SLP-6]', () => {
    const [world, sensor] = asleep()
    world.publish('s/a', 'm1', 0)
    world.publish('s/a', 'm2', 1)
    expect(sensor.exchange('061664657631')).toEqual(['090c00000100006d31', '090c20000100026d32'])
    expect(sensor.exchange('070d0001000200')).toEqual(['0217'])
  })

  it('ends with PINGRESP only when all handshakes are complete [SN-SLP-6]', () => {
    const [world, sensor] = asleep()
    sensor.subscribe('t/+', 2) // also in sleep
    world.publish('s/a', '1', 1)
    world.publish('t/a', '2', 2)
    world.happened()
    sensor.wake('dev1')
    sensor.send(puback(1))
    sensor.send({ type: 'regack', topicId: 2, msgId: 2, returnCode: 0 })
    sensor.send({ type: 'pubrec', msgId: 2 })
    expect(stateOf(world)).toBe('awake')
    sensor.send({ type: 'pubcomp', msgId: 2 })
    expect(withoutBroker(world.happened())).toEqual([
      'sensor → PINGREQ dev1',
      'sensor ← PUBLISH qos 1 normal topic, "1"',
      'sensor → PUBACK accepted',
      'sensor ← REGISTER t/a',
      'sensor → REGACK accepted',
      'sensor ← PUBLISH qos 2 normal topic, "2"',
      'sensor → PUBREC',
      'sensor ← PUBREL',
      'sensor → PUBCOMP',
      'sensor ← PINGRESP',
    ])
    expect(stateOf(world)).toBe('asleep')
  })

  it('takes messages that arrive meanwhile along [SN-SLP-8]', () => {
    const [world, sensor] = asleep()
    world.publish('s/a', '1', 1)
    sensor.wake('dev1')
    world.publish('s/a', '2', 0)
    expect(sensor.send(puback(1))).toMatchObject([{ type: 'publish', data: bytes('2') }, pingresp])
  })

  it('brings no more messages than allowed per waking; the rest comes at the next one [SN-SLP-8]', () => {
    const [world, sensor] = asleep(600, { policy: () => ({ messagesPerWake: 2 }) })
    for (const text of ['1', '2', '3']) world.publish('s/a', text)
    expect(types(sensor.wake('dev1'))).toEqual(['publish', 'publish', 'pingresp'])
    expect(sensor.wake('dev1')).toMatchObject([{ type: 'publish', data: bytes('3') }, pingresp])
  })

  it('completes the last message that is allowed before PINGRESP, at QoS 2 too [SN-SLP-6, SN-SLP-8]', () => {
    const [world, sensor] = asleep(600, { policy: () => ({ messagesPerWake: 1 }) })
    world.publish('s/a', '1', 2)
    world.publish('s/a', '2', 2)
    sensor.wake('dev1')
    expect(sensor.send({ type: 'pubrec', msgId: 1 })).toEqual([{ type: 'pubrel', msgId: 1 }])
    expect(sensor.send({ type: 'pubcomp', msgId: 1 })).toEqual([pingresp])
  })

  it('lasts no longer than allowed: a stream of messages is cut off [SN-SLP-8]', () => {
    const [world, sensor] = asleep(600, { policy: () => ({ messagesPerWake: 1000 }) })
    world.publish('s/a', '1', 1)
    sensor.wake('dev1')
    for (let msgId = 1; msgId < 29; msgId++) {
      world.publish('s/a', 'more', 1)
      expect(types(sensor.send(puback(msgId)))).toEqual(['publish'])
      world.advance(1_000)
    }
    world.publish('s/a', 'more', 1)
    world.advance(2_000)
    sensor.take()
    expect(sensor.send(puback(29))).toEqual([pingresp])
    expect(stateOf(world)).toBe('asleep')
    expect(world.session('dev1').downlink.queue).toHaveLength(1)
  })

  it('repeated while awake neither starts the delivery anew nor doubles it [SN-SLP-9]', () => {
    const [world, sensor] = asleep()
    world.publish('s/a', '1', 1)
    world.publish('s/a', '2', 1)
    expect(types(sensor.wake('dev1'))).toEqual(['publish'])
    expect(sensor.wake('dev1')).toEqual([])
    expect(sensor.send(puback(1))).toMatchObject([{ type: 'publish', msgId: 2 }])
    expect(sensor.send(puback(2))).toEqual([pingresp])
  })

  it('is simply answered again when PINGRESP was lost [SN-SLP-9]', () => {
    const [world, sensor] = asleep()
    world.publish('s/a', '1', 0)
    expect(types(sensor.wake('dev1'))).toEqual(['publish', 'pingresp'])
    expect(sensor.wake('dev1')).toEqual([pingresp])
  })

  it('needs no ClientId from the address of the sensor [SN-SLP-15]', () => {
    const [world, sensor] = asleep()
    world.publish('s/a', '1', 0)
    expect(types(sensor.send(pingreq))).toEqual(['publish', 'pingresp'])
  })

  it('leaves out what MQTT 5 says has expired meanwhile [SN-SLP-20]', () => {
    const [world, sensor] = asleep()
    world.publish('s/a', 'short', 1, { expiresAt: world.now + 60_000 })
    world.publish('s/a', 'long', 0, { expiresAt: world.now + 500_000 })
    world.advance(100_000)
    expect(sensor.wake('dev1')).toMatchObject([{ type: 'publish', data: bytes('long') }, pingresp])
    expect(world.drops()).toEqual(['expired'])
  })

  it('does not stall on a sensor that reports congestion: PINGRESP, and the message waits [SN-SLP-6]', () => {
    const [world, sensor] = asleep()
    world.publish('s/a', '1', 1)
    sensor.wake('dev1')
    expect(sensor.send(puback(1, 1))).toEqual([pingresp])
    expect(world.session('dev1').downlink.queue).toHaveLength(1)
  })
})

describe('a sensor that falls silent while awake', () => {
  it('gets the open message again, then nothing, not even PINGRESP, and keeps its messages [SN-SLP-10, SN-SLP-7]', () => {
    const [world, sensor] = asleep(600)
    world.publish('s/a', '1', 1)
    world.publish('s/a', '2', 0)
    world.happened()
    sensor.wake('dev1')
    expect(stateAfter(world, 60_000)).toBe('asleep')
    expect(world.happened()).toEqual([
      'sensor → PINGREQ dev1',
      'sensor ← PUBLISH qos 1 normal topic, "1"',
      'sensor ← PUBLISH qos 1 dup normal topic, "1"',
      'sensor ← PUBLISH qos 1 dup normal topic, "1"',
      'sensor ← PUBLISH qos 1 dup normal topic, "1"',
    ])
    expect(sensor.wake('dev1')).toMatchObject([{ type: 'publish', dup: true, msgId: 1 }])
    expect(sensor.send(puback(1))).toMatchObject([{ type: 'publish', data: bytes('2') }, pingresp])
  })

  it('is lost when its sleep time has passed since its last message [SN-SLP-10]', () => {
    const [world, sensor] = asleep(600)
    world.publish('s/a', '1', 1)
    sensor.wake('dev1')
    expect(stateAfter(world, 659_900)).toBe('asleep')
    expect(stateAfter(world, 200)).toBe('lost')
  })

  it('never waits longer than T_retry for the next message of the gateway [SN-RTX-4]', () => {
    const [world, sensor] = asleep(600)
    world.publish('s/a', '1', 1)
    sensor.wake('dev1')
    sensor.take()
    for (let i = 0; i < 3; i++) {
      world.advance(10_000)
      expect(types(sensor.take())).toEqual(['publish'])
    }
  })

  it('is asked for PUBCOMP again at the next waking, where PUBREL was not answered [SN-SLP-7]', () => {
    const [world, sensor] = asleep()
    world.publish('s/a', '1', 2)
    sensor.wake('dev1')
    sensor.send({ type: 'pubrec', msgId: 1 })
    expect(stateAfter(world, 60_000)).toBe('asleep')
    expect(sensor.wake('dev1')).toEqual([{ type: 'pubrel', msgId: 1 }])
    expect(sensor.send({ type: 'pubcomp', msgId: 1 })).toEqual([pingresp])
  })
})

describe('CONNECT', () => {
  const connect = { cleanSession: false, duration: 100 }

  it('of a sleeping sensor makes it active: CONNACK first, then what is buffered [SN-SLP-11]', () => {
    const [world, sensor] = asleep()
    world.publish('s/a', '1', 0)
    world.happened()
    sensor.connect('dev1', connect)
    expect(stateOf(world)).toBe('active')
    expect(world.happened()).toEqual([
      'sensor → CONNECT dev1',
      'sensor ← CONNACK accepted',
      'sensor ← REGISTER s/a', // a new connection: the id is not confirmed yet
    ])
    expect(sensor.send({ type: 'regack', topicId: 1, msgId: 1, returnCode: 0 })).toMatchObject([
      { type: 'publish' },
    ])
  })

  it('of an awake sensor makes it active too, and the open message comes again [SN-SLP-11]', () => {
    const [world, sensor] = asleep()
    world.publish('s/a', '1', 1)
    sensor.wake('dev1')
    expect(types(sensor.connect('dev1', connect))).toEqual(['connack', 'register'])
    expect(stateOf(world)).toBe('active')
    const again = sensor.send({ type: 'regack', topicId: 1, msgId: 1, returnCode: 0 })
    expect(again).toMatchObject([{ type: 'publish', dup: true, msgId: 1 }])
    expect(sensor.send(puback(1))).toEqual([]) // no PINGRESP any more
  })

  it('of a sleeping sensor brings its keep-alive time back, with the new value [SN-SLP-11]', () => {
    const [world, sensor] = asleep(600)
    sensor.connect('dev1', connect)
    expect(stateAfter(world, 109_900)).toBe('active')
    expect(stateAfter(world, 200)).toBe('lost')
  })

  it('of a sleeping sensor without flags is nothing to the broker [SN-SLP-12]', () => {
    const [world, sensor] = asleep()
    sensor.connect('dev1', connect)
    expect(world.happened()).toEqual(['sensor → CONNECT dev1', 'sensor ← CONNACK accepted'])
    expect(world.session('dev1').will.topic?.name).toBe('gone')
  })

  it('of a sleeping sensor with Will asks for a new will [SN-SLP-12]', () => {
    const [world, sensor] = asleep()
    sensor.connectWithWill('dev1', { topic: 'new', message: 'will' }, connect)
    expect(world.happened()).toEqual([
      'sensor → CONNECT dev1 will',
      'sensor ← WILLTOPICREQ',
      'sensor → WILLTOPIC new',
      'sensor ← WILLMSGREQ',
      'sensor → WILLMSG',
      'gateway → broker CONNECT will new',
      'sensor ← CONNACK accepted',
    ])
    expect(world.broker.wills).toEqual([])
  })

  it('of a sleeping sensor with CleanSession deletes subscriptions, will and buffer [SN-SLP-12]', () => {
    const [world, sensor] = asleep()
    world.publish('s/a', '1', 1)
    expect(types(sensor.connect('dev1', { cleanSession: true }))).toEqual(['connack'])
    expect(world.session('dev1')).toMatchObject({ downlink: { queue: [] }, will: { topic: undefined } })
    expect([world.session('dev1').subscriptions.size, world.session('dev1').topics.byId.size]).toEqual([0, 0])
    expect(world.totals.queuedMessages).toBe(0)
    expect(world.broker.wills).toEqual([])
  })

  it('of a sleeping sensor ignores CleanSession where the configuration says "resume" [SN-SLP-12, AMB-1]', () => {
    const [world, sensor] = asleep(600, { policy: () => ({ asleepConnect: 'resume' }) })
    world.publish('s/a', '1', 0)
    expect(types(sensor.connect('dev1', { cleanSession: true }))).toEqual(['connack', 'register'])
    expect(world.session('dev1').subscriptions.size).toBe(1)
    expect(world.session('dev1').cleanSession).toBe(false)
  })
})

describe('a sleeping sensor at another address', () => {
  it('is known by its ClientId on the same host, and gets everything there from then on [SN-SLP-16]', () => {
    const [world, old] = asleep()
    world.publish('s/a', '1', 0)
    const moved = world.sensor('10.0.0.1', 5999)
    expect(types(moved.wake('dev1'))).toEqual(['publish', 'pingresp'])
    world.publish('s/a', '2', 0)
    expect(types(moved.wake('dev1'))).toEqual(['publish', 'pingresp'])
    expect(old.take()).toEqual([])
    expect(old.send(pingreq)).toEqual([disconnect]) // a stranger now
  })

  it.each([
    ['off', '10.0.0.1', 5999, disconnect],
    ['port', '10.0.0.2', 5000, disconnect],
    ['any', '10.0.0.2', 5999, pingresp],
  ] as const)(
    'is met, with roaming "%s", at %s:%i with %j [SN-SLP-16, AMB-21]',
    (roaming, address, port, answer) => {
      const [world] = asleep(600, { roaming })
      expect(world.sensor(address, port).wake('dev1')).toEqual([answer])
    },
  )

  it('may move only to where its ClientId is allowed [SN-SLP-16, SN-ROB-2]', () => {
    const [world] = asleep(600, {
      roaming: 'any',
      policy: () => ({ mayComeFrom: (host) => host !== '10.0.0.6' }),
    })
    expect(world.sensor('10.0.0.6').wake('dev1')).toEqual([disconnect])
    expect(world.sensor('10.0.0.7').wake('dev1')).toEqual([pingresp])
  })

  it('gets there at once what it was sent at the old one, as a repetition [SN-SLP-16, SN-SLP-7]', () => {
    const [world, old] = asleep()
    world.publish('s/a', '1', 1)
    expect(types(old.wake('dev1'))).toEqual(['publish'])
    const moved = world.sensor('10.0.0.1', 5999)
    expect(moved.wake('dev1')).toMatchObject([{ type: 'publish', dup: true, msgId: 1 }])
    expect(moved.send(puback(1))).toEqual([pingresp])
  })

  it('that now belongs to another sensor: the ClientId decides [SN-SLP-17]', () => {
    const [world] = asleep()
    world.publish('s/a', '1', 0)
    const other = world.sensor('10.0.0.1', 5999)
    other.connect('dev2')
    expect(types(other.wake('dev1'))).toEqual(['publish', 'pingresp'])
    expect(world.sessions.byPeer.get(other.peer.key)?.clientId).toBe('dev1')
  })

  it('names a ClientId that nobody has: DISCONNECT, also from the address of another [SN-SLP-17, SN-KA-7]', () => {
    const [world, sensor] = asleep()
    expect(sensor.wake('dev9')).toEqual([disconnect])
    expect(stateOf(world)).toBe('asleep')
  })
})
