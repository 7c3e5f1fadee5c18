// CONNECT and the will dialogue, from the first message to CONNACK [6.2].

import { expect, it } from 'vitest'
import type { Packet } from '../../../src/codec/v1/messages.ts'
import { World } from '../../support/world.ts'

const connack = (returnCode: number): Packet => ({ type: 'connack', returnCode })
const disconnect: Packet = { type: 'disconnect', duration: null }
const willtopic: Packet = { type: 'willtopic', qos: 1, retain: true, willTopic: 'lwt/1' }
const willmsg: Packet = { type: 'willmsg', willMsg: new Uint8Array([0x78]) }

it('answers CONNECT without will with CONNACK only [SN-CONN-1]', () => {
  const world = new World()
  const sensor = world.sensor()
  expect(sensor.sendHex('08040401003c6431')).toEqual([connack(0)])
  expect(world.happened()).toEqual([
    'sensor → CONNECT d1 clean',
    'gateway → broker CONNECT clean',
    'sensor ← CONNACK accepted',
  ])
})

it('asks for will topic and will message before CONNACK [SN-CONN-2, SN-CONN-14]', () => {
  const world = new World()
  const sensor = world.sensor()
  sensor.connect('dev1', { will: true })
  sensor.send(willtopic)
  sensor.send(willmsg)
  expect(world.happened()).toEqual([
    'sensor → CONNECT dev1 clean will',
    'sensor ← WILLTOPICREQ',
    'sensor → WILLTOPIC lwt/1',
    'sensor ← WILLMSGREQ',
    'sensor → WILLMSG',
    'gateway → broker CONNECT clean will lwt/1',
    'sensor ← CONNACK accepted',
  ])
})

it('sends CONNACK not before the broker has accepted [SN-CONN-3]', () => {
  const world = new World()
  const sensor = world.sensor()
  world.broker.latency = 2000
  sensor.connect('dev1')
  world.advance(1990)
  expect(sensor.take()).toEqual([])
  world.advance(10)
  expect(sensor.take()).toEqual([connack(0)])
})

it.each([1, 3] as const)('passes the reason of a refusal on in CONNACK: %i [SN-CONN-4]', (outcome) => {
  const world = new World()
  world.broker.refuses = outcome
  expect(world.sensor().connect('dev1')).toEqual([connack(outcome)])
})

it.each([
  ['an empty one', '06040401003c'],
  ['one with U+0000', '09040401003c610062'],
  ['one that is not UTF-8', '08040401003cc328'],
])('refuses an impossible ClientId: %s [SN-CONN-5, SN-FLD-3]', (_, hex) => {
  const world = new World()
  expect(world.sensor().sendHex(hex)).toEqual([connack(3)])
  expect([world.broker.connects, world.sessions.byClientId.size]).toEqual([0, 0])
})

it('takes 23 octets of ClientId and refuses 24, counted as UTF-8 [SN-CONN-5, SN-CONN-6]', () => {
  const world = new World()
  expect(world.sensor().connect('x'.repeat(23))).toEqual([connack(0)])
  expect(world.sensor('10.0.0.2').connect('x'.repeat(24))).toEqual([connack(3)])
  expect(world.sensor('10.0.0.3').connect('ä'.repeat(12))).toEqual([connack(3)])
  expect(world.sessions.byClientId.size).toBe(1)
})

it('takes longer ClientIds where the configuration says so [SN-CONN-6]', () => {
  const world = new World({ limits: { clientIdLength: 36 } })
  expect(world.sensor().connect('x'.repeat(36))).toEqual([connack(0)])
  expect(world.sensor('10.0.0.2').connect('x'.repeat(37))).toEqual([connack(3)])
})

it('brings the ClientId unchanged to the upstream connection [SN-CONN-7, SN-MAP-1 in part]', () => {
  const world = new World()
  world.sensor().connect('Gerät 7/β')
  expect(world.effects.find(({ type }) => type === 'connect')).toMatchObject({
    session: { clientId: 'Gerät 7/β' },
  })
})

it.each([0, 2, 255])('refuses ProtocolId %i and keeps nothing [SN-CONN-8]', (protocolId) => {
  const world = new World()
  const sensor = world.sensor()
  expect(sensor.connect('dev1', { protocolId })).toEqual([connack(3)])
  expect([world.broker.connects, world.sessions.byClientId.size]).toEqual([0, 0])
})

it('makes one upstream connection and one CONNACK of three equal CONNECTs [SN-CONN-9, SN-RTX-1]', () => {
  const world = new World()
  const sensor = world.sensor()
  world.broker.latency = 1000
  for (let i = 0; i < 3; i++) sensor.connect('dev1')
  world.advance(1000)
  expect(sensor.take()).toEqual([connack(0)])
  expect(world.broker.connects).toBe(1)
})

it('restarts the prompting when CONNECT with will is repeated [SN-CONN-9]', () => {
  const world = new World()
  const sensor = world.sensor()
  sensor.connect('dev1', { will: true })
  expect(sensor.connect('dev1', { will: true })).toEqual([{ type: 'willtopicreq' }])
  sensor.send(willtopic)
  expect(sensor.connect('dev1', { will: true })).toEqual([{ type: 'willtopicreq' }])
  expect(sensor.send(willtopic)).toEqual([{ type: 'willmsgreq' }])
  expect(sensor.send(willmsg)).toEqual([connack(0)])
  expect(world.broker.connects).toBe(1)
})

const willed = (cleanSession: boolean) => ({ will: true, cleanSession })

/** A sensor with a will that has just got its CONNACK, and whose CONNECT then comes once more, or more often. */
function repeatedTooLate(cleanSession: boolean, times = 1) {
  const world = new World()
  const sensor = world.sensor()
  sensor.connect('dev1', willed(cleanSession))
  sensor.send(willtopic)
  sensor.send(willmsg)
  for (let time = 0; time < times; time += 1)
    expect(sensor.connect('dev1', willed(cleanSession))).toEqual([{ type: 'willtopicreq' }])
  return { world, sensor }
}

it.each([
  [true, 1],
  [false, 1],
  [true, 4],
  [false, 4],
])(
  'takes a sensor that goes on at its word: its CONNECT with will was repeated before it heard CONNACK, clean %s, %s times [SN-CONN-9, SN-CONN-16]',
  (cleanSession, times) => {
    const { world, sensor } = repeatedTooLate(cleanSession, times)
    expect(sensor.send({ type: 'register', topicId: 0, msgId: 1, topicName: 'a' })).toMatchObject([
      { type: 'regack', returnCode: 0 },
    ])
    expect([world.session('dev1').state, world.broker.connects]).toEqual(['active', 1])
    world.advance(100_000)
    expect(sensor.types()).not.toContain('willtopicreq')
    expect(world.broker.wills.map(({ topic }) => topic)).toEqual(['lwt/1'])
  },
)

it('mends the broker connection of such a sensor, should it break meanwhile [SN-CONN-9, SN-MAP-31]', () => {
  const { world, sensor } = repeatedTooLate(false)
  world.broker.hangUp(world.session('dev1'))
  world.advance(5000)
  sensor.send({ type: 'register', topicId: 0, msgId: 1, topicName: 'a' })
  world.advance(5000)
  expect([world.session('dev1').state, world.session('dev1').link.state]).toEqual(['active', 'up'])
})

it.each([
  ['falls silent', (world: World) => world.advance(200_000)],
  ['loses its address to another one', (world: World) => void world.sensor().connect('dev2')],
])('publishes the will of such a sensor that %s: it had its CONNACK [SN-WILL-6, SN-CONN-9]', (_, end) => {
  const { world } = repeatedTooLate(true)
  end(world)
  world.advance(1000)
  expect(world.broker.wills.map(({ topic }) => topic)).toEqual(['lwt/1'])
})

it('tells such a sensor of a stop with DISCONNECT, and takes no CONNACK back [SN-ROB-5, SN-CONN-9]', () => {
  const { world, sensor } = repeatedTooLate(true)
  world.happen(world.session('dev1'), { type: 'shutdown' })
  expect(sensor.take()).toEqual([{ type: 'disconnect', duration: null }])
})

it('asks such a sensor for another will, if it answers [SN-CONN-9]', () => {
  const { world, sensor } = repeatedTooLate(true)
  sensor.send({ ...willtopic, willTopic: 'lwt/2' } as Packet)
  expect(sensor.send(willmsg)).toEqual([connack(0)])
  world.advance(100_000)
  expect(world.broker.wills.map(({ topic }) => topic)).toEqual(['lwt/2'])
})

it('does not take a sensor at its word that has done something since CONNACK: it has rebooted [SN-CONN-10]', () => {
  const world = new World()
  const sensor = world.sensor()
  sensor.connect('dev1', willed(true))
  sensor.send(willtopic)
  sensor.send(willmsg)
  sensor.register('a')
  sensor.connect('dev1', willed(true))
  expect(sensor.send({ type: 'register', topicId: 0, msgId: 2, topicName: 'b' })).toEqual([])
  expect(world.session('dev1').state).toBe('willtopic')
})

it('sends CONNACK first, whatever has waited for the sensor [SN-CONN-14]', () => {
  const world = new World()
  const sensor = world.sensor()
  sensor.connect('dev1', { cleanSession: false })
  sensor.subscribe('d/#', 1)
  sensor.send(disconnect)
  for (const text of ['1', '2', '3']) world.publish('d/a', text, 1)
  expect(sensor.connect('dev1', { cleanSession: false }).map(({ type }) => type)).toEqual([
    'connack',
    'register',
  ])
})

it('holds what the broker sends during a setup until CONNACK [SN-CONN-14, SN-MAP-30]', () => {
  const world = new World()
  const sensor = world.sensor()
  sensor.connect('dev1', { cleanSession: false })
  sensor.subscribe('d/a', 0)
  sensor.connect('dev1', { cleanSession: false, will: true })
  world.publish('d/a', 'm')
  expect(sensor.take()).toEqual([])
  sensor.send({ type: 'willtopic', qos: 0, retain: false, willTopic: null })
  world.happened()
  sensor.send({
    type: 'regack',
    topicId: 1,
    msgId: world.session('dev1').downlink.nextMessage - 1,
    returnCode: 0,
  })
  expect(world.happened()).toEqual(['sensor → REGACK accepted', 'sensor ← PUBLISH qos 0 normal topic, "m"'])
})

it.each([
  ['WILLTOPICREQ', []],
  ['WILLMSGREQ', [willtopic]],
] as const)(
  'repeats %s N_retry times, then forgets the setup silently [SN-CONN-15, SN-RTX-2]',
  (name, before) => {
    const world = new World({ timers: { tRetry: 10_000, nRetry: 3 } })
    const sensor = world.sensor()
    sensor.connect('dev1', { will: true })
    for (const packet of before) sensor.send(packet)
    world.advance(9000)
    world.happened()
    for (let i = 0; i < 3; i++) {
      world.advance(10_000)
      expect(world.happened()).toEqual([`sensor ← ${name}`])
    }
    world.advance(3_600_000)
    expect(world.happened().filter((line) => line.startsWith('sensor'))).toEqual([])
    expect([world.broker.connects, world.sessions.byClientId.size, world.sessions.byPeer.size]).toEqual([
      0, 0, 0,
    ])
  },
)

it('asks for the will message again when WILLTOPIC is repeated [SN-CONN-16]', () => {
  const world = new World()
  const sensor = world.sensor()
  sensor.connect('dev1', { will: true })
  expect(sensor.send(willtopic)).toEqual([{ type: 'willmsgreq' }])
  expect(sensor.send(willtopic)).toEqual([{ type: 'willmsgreq' }])
  expect(sensor.send(willmsg)).toEqual([connack(0)])
})

it('ignores a repeated WILLMSG while the broker is asked, and answers it after CONNACK [SN-CONN-16]', () => {
  const world = new World()
  const sensor = world.sensor()
  world.broker.latency = 1000
  sensor.connect('dev1', { will: true })
  sensor.send(willtopic)
  sensor.send(willmsg)
  expect(sensor.send(willmsg)).toEqual([])
  world.advance(1000)
  expect(sensor.take()).toEqual([connack(0)])
  expect(sensor.send(willmsg)).toEqual([connack(0)])
  expect(world.broker.connects).toBe(1)
  sensor.send({ type: 'pingreq', clientId: null })
  expect(sensor.send(willmsg)).toEqual([])
})

it('is silent on a WILLTOPIC or WILLMSG that was not asked for [SN-CONN-17]', () => {
  const world = new World()
  const sensor = world.sensor()
  for (const packet of [willtopic, willmsg]) expect(sensor.send(packet)).toEqual([])
  sensor.connect('dev1')
  for (const packet of [willtopic, willmsg]) expect(sensor.send(packet)).toEqual([])
  expect(world.drops()).toEqual(['unasked', 'unasked', 'unasked', 'unasked'])
  expect(world.session('dev1').will.topic).toBeUndefined()
})

it('is silent on requests during the setup, and ends it with DISCONNECT [SN-CONN-18]', () => {
  const world = new World()
  const sensor = world.sensor()
  sensor.connect('dev1', { will: true })
  expect(sensor.send({ type: 'register', topicId: 0, msgId: 1, topicName: 'a' })).toEqual([])
  expect(sensor.subscribe('a')).toEqual([])
  expect(sensor.publish(1, 'x', { qos: 1, msgId: 2 })).toEqual([])
  expect(sensor.send({ type: 'pingreq', clientId: null })).toEqual([])
  expect(sensor.send(disconnect)).toEqual([disconnect])
  expect(sensor.send(willtopic)).toEqual([])
  world.advance(60_000)
  expect(sensor.take()).toEqual([])
  expect(world.sessions.byClientId.size).toBe(0)
})

it('refuses one sensor more than the limit with congestion, and keeps no record of it [SN-CONN-19]', () => {
  const world = new World({ limits: { sensors: 2 } })
  for (const name of ['a', 'b']) expect(world.sensor(`10.0.0.${name}`).connect(name)).toEqual([connack(0)])
  expect(world.sensor('10.0.0.9').connect('c')).toEqual([connack(1)])
  expect([...world.sessions.byClientId.keys()]).toEqual(['a', 'b'])
})

it.each(['refused', 'silent'])(
  'answers congestion in time when the broker is %s [SN-CONN-19, SN-MAP-26]',
  (how) => {
    const world = new World()
    const sensor = world.sensor()
    if (how === 'silent') world.broker.answers = false
    else world.broker.reachable = false
    sensor.connect('dev1', { cleanSession: false })
    world.advance(4990)
    expect(world.happened()).toContain('sensor ← CONNACK congestion')
    expect([world.sessions.byClientId.size, world.sessions.byPeer.size]).toEqual([0, 0])
  },
)

it('takes the Duration of CONNECT for the keep-alive time, 0 for none [SN-CONN-20]', () => {
  const world = new World()
  world.sensor('10.0.0.1').connect('short', { duration: 10, cleanSession: false })
  world.sensor('10.0.0.2').connect('none', { duration: 0 })
  world.advance(14_900)
  expect(world.session('short').state).toBe('active')
  world.advance(100)
  expect(world.session('short').state).toBe('lost')
  world.advance(30 * 86_400_000)
  expect(world.session('none').state).toBe('active')
})

it('starts a new setup with a clean slate, whatever became of the last one [SN-CONN-9, SN-CONN-15]', () => {
  const world = new World()
  const sensor = world.sensor()
  sensor.connect('dev1', { cleanSession: false })
  sensor.send(disconnect)
  world.broker.answers = false
  sensor.connect('dev1', { cleanSession: false })
  sensor.send(disconnect)
  world.advance(10_000)
  sensor.connect('dev1', { cleanSession: false, will: true })
  world.advance(5000)
  expect(world.session('dev1').state).toBe('willtopic')
  expect(sensor.take()).toEqual([])
})
