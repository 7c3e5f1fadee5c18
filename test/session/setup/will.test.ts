// The will: given at the setup, changed in mid-connection, published when the sensor is lost [6.3, 6.4, 6.14].

import { expect, it } from 'vitest'
import type { Packet } from '../../../src/codec/v1/messages.ts'
import { bytes, text, type VirtualSensor, World } from '../../support/world.ts'

const disconnect: Packet = { type: 'disconnect', duration: null }
const willtopic = (
  willTopic: string | null,
  more: { qos?: -1 | 0 | 1 | 2; retain?: boolean } = {},
): Packet => ({
  type: 'willtopic',
  qos: 0,
  retain: false,
  willTopic,
  ...more,
})
const topicUpdate = (
  willTopic: string | null,
  more: { qos?: -1 | 0 | 1 | 2; retain?: boolean } = {},
): Packet => ({
  ...(willtopic(willTopic, more) as Extract<Packet, { type: 'willtopic' }>),
  type: 'willtopicupd',
})
const messageUpdate = (message: string): Packet => ({ type: 'willmsgupd', willMsg: bytes(message) })
const topicResponse = (returnCode: number): Packet => ({ type: 'willtopicresp', returnCode })
const messageResponse = (returnCode: number): Packet => ({ type: 'willmsgresp', returnCode })
const connack = (returnCode: number): Packet => ({ type: 'connack', returnCode })

/** An active sensor with the will "gone" on lwt/1, QoS 1, retained; keep-alive 60 s. */
function withWill(options: { cleanSession?: boolean } = {}): [World, VirtualSensor] {
  const world = new World()
  const sensor = world.sensor()
  const will = { topic: 'lwt/1', message: 'gone', qos: 1, retain: true } as const
  sensor.connectWithWill('dev1', will, { cleanSession: false, ...options })
  world.happened()
  return [world, sensor]
}

/** What the broker publishes when the sensor falls silent for good. */
function publishedOnLoss(world: World): string[] {
  world.advance(86_400_000)
  return world.broker.wills.map(
    ({ topic, message, qos, retain }) => `${topic} "${text(message)}" qos ${qos}${retain ? ' retain' : ''}`,
  )
}

for (const qos of [0, 1, 2] as const) {
  for (const retain of [false, true]) {
    it(`brings a will of QoS ${qos}, retain ${retain}, to the broker [SN-WILL-1, SN-MAP-11]`, () => {
      const world = new World()
      world.sensor().connectWithWill('dev1', { topic: 'lwt/1', message: 'gone', qos, retain })
      const will = { topic: 'lwt/1', message: bytes('gone'), qos, retain }
      expect(world.broker.connected.get(world.session('dev1'))?.will).toEqual(will)
    })
  }
}

it.each([
  ['is empty [SN-WILL-2]', '0207', 'WILLTOPIC empty'],
  ['has flags but no topic [SN-WILL-3]', '030720', 'WILLTOPIC '],
])('connects without a will after a WILLTOPIC that %s', (_, hex, shown) => {
  const [world, sensor] = withWill()
  sensor.send(disconnect)
  world.happened()
  sensor.connect('dev1', { cleanSession: false, will: true })
  sensor.sendHex(hex)
  expect(world.happened()).toEqual([
    'sensor → CONNECT dev1 will',
    'sensor ← WILLTOPICREQ',
    `sensor → ${shown}`,
    'gateway → broker CONNECT',
    'sensor ← CONNACK accepted',
  ])
  expect(publishedOnLoss(world)).toEqual([])
})

it.each([
  ['QoS 0b11', '04076077'],
  ['a wildcard', '060700612f23'],
  ['U+0000', '060700610062'],
])('ends the setup with "not supported" when the will topic has %s [SN-WILL-4, SN-FLG-2]', (_, hex) => {
  const world = new World()
  const sensor = world.sensor()
  sensor.connect('dev1', { will: true })
  expect(sensor.sendHex(hex)).toEqual([connack(3)])
  world.advance(60_000)
  expect(sensor.take()).toEqual([])
  expect([world.broker.connects, world.sessions.byClientId.size]).toEqual([0, 0])
})

it('takes a will message without octets [SN-WILL-5]', () => {
  const world = new World()
  world.sensor().connectWithWill('dev1', { topic: 'lwt/1', message: '' })
  expect(publishedOnLoss(world)).toEqual(['lwt/1 "" qos 0'])
})

it('has the broker publish the will once when the keep-alive time has passed [SN-WILL-6, SN-MAP-13]', () => {
  const [world] = withWill()
  world.advance(89_000)
  expect(world.happened()).toEqual(['sensor ← PINGREQ'])
  world.advance(2000)
  expect(world.happened()).toEqual(['gateway → broker closes, will wanted'])
  expect(publishedOnLoss(world)).toEqual(['lwt/1 "gone" qos 1 retain'])
})

it('has the broker publish the will once when the sleep time has passed [SN-WILL-6, SN-MAP-13]', () => {
  const [world, sensor] = withWill()
  sensor.sleep(300)
  world.advance(329_000)
  expect(world.broker.wills).toEqual([])
  expect(publishedOnLoss(world)).toEqual(['lwt/1 "gone" qos 1 retain'])
})

it('lets nobody learn by the will that a sensor was lost before that is durable [SN-WILL-6]', () => {
  const [world] = withWill()
  world.store.lag = 500
  world.advance(90_000)
  expect(world.session('dev1').state).toBe('lost')
  expect(world.broker.wills).toEqual([])
  expect(world.store.disk.get('dev1')?.progress.state).toBe('active')
  world.advance(1000)
  expect(world.store.disk.get('dev1')?.progress.state).toBe('lost')
  expect(publishedOnLoss(world)).toEqual(['lwt/1 "gone" qos 1 retain'])
})

it('does not publish the will on DISCONNECT [SN-WILL-7, SN-MAP-12]', () => {
  const [world, sensor] = withWill()
  sensor.send(disconnect)
  expect(world.happened()).toEqual([
    'sensor → DISCONNECT',
    'sensor ← DISCONNECT',
    'gateway → broker DISCONNECT',
  ])
  expect(publishedOnLoss(world)).toEqual([])
})

it.each([
  ['as it is', { cleanSession: false, will: false }],
  ['clean', { cleanSession: true, will: false }],
  ['with a new will', { cleanSession: false, will: true }],
])('does not publish the will for falling asleep and connecting again, %s [SN-WILL-7]', (_, options) => {
  const [world, sensor] = withWill()
  sensor.sleep(300)
  world.advance(200_000)
  sensor.connect('dev1', options)
  if (options.will) {
    sensor.send(willtopic('lwt/2'))
    sensor.send({ type: 'willmsg', willMsg: bytes('new') })
  }
  expect(world.session('dev1').state).toBe('active')
  expect(world.broker.wills).toEqual([])
})

it('changes the topic of the will alone, with QoS and retain [SN-WILL-8]', () => {
  const [world, sensor] = withWill()
  expect(sensor.send(topicUpdate('lwt/new', { qos: 2, retain: false }))).toEqual([topicResponse(0)])
  expect(publishedOnLoss(world)).toEqual(['lwt/new "gone" qos 2'])
})

it('changes the message of the will alone [SN-WILL-8]', () => {
  const [world, sensor] = withWill()
  expect(sensor.send(messageUpdate('new'))).toEqual([messageResponse(0)])
  expect(publishedOnLoss(world)).toEqual(['lwt/1 "new" qos 1 retain'])
})

it('makes a new will effective by connecting upstream anew, and answers after that [SN-WILL-8, SN-WILL-10]', () => {
  const [world, sensor] = withWill()
  sensor.subscribe('d/a', 1)
  world.happened()
  world.broker.latency = 1000
  sensor.send(messageUpdate('new'))
  expect(world.happened()).toEqual(['sensor → WILLMSGUPD', 'gateway → broker CONNECT will lwt/1'])
  world.advance(1000)
  expect(world.happened()).toEqual(['sensor ← WILLMSGRESP accepted'])
  expect(world.broker.wills).toEqual([])
  world.broker.latency = 1
  world.publish('d/a', 'still here', 1)
  expect(sensor.take()).toMatchObject([
    { type: 'willmsgresp' },
    { type: 'publish', data: bytes('still here') },
  ])
})

it('keeps the subscriptions of a clean session through a will update [SN-WILL-8, SN-MAP-4]', () => {
  const [world, sensor] = withWill({ cleanSession: true })
  sensor.subscribe('d/a', 1)
  world.happened()
  expect(sensor.send(messageUpdate('new'))).toEqual([messageResponse(0)])
  expect(world.happened()).toEqual([
    'sensor → WILLMSGUPD',
    'gateway → broker CONNECT clean will lwt/1',
    'sensor ← WILLMSGRESP accepted',
    'gateway → broker SUBSCRIBE d/a qos 1',
  ])
  world.publish('d/a', 'm', 1)
  expect(sensor.take()).toMatchObject([{ type: 'publish' }])
})

it('answers both updates that arrive while the broker is asked [SN-WILL-8]', () => {
  const [world, sensor] = withWill()
  world.broker.latency = 500
  sensor.send(topicUpdate('lwt/2'))
  sensor.send(messageUpdate('new'))
  world.advance(1000)
  expect(sensor.take()).toEqual([topicResponse(0), messageResponse(0)])
  expect(publishedOnLoss(world)).toEqual(['lwt/2 "new" qos 0'])
})

it('deletes the whole will with an empty WILLTOPICUPD [SN-WILL-9]', () => {
  const [world, sensor] = withWill()
  expect(sensor.sendHex('021a')).toEqual([topicResponse(0)])
  expect(sensor.send(topicUpdate('lwt/2'))).toEqual([topicResponse(0)])
  expect(publishedOnLoss(world)).toEqual(['lwt/2 "" qos 0'])
})

it('publishes nothing on loss after an empty WILLTOPICUPD [SN-WILL-9]', () => {
  const [world, sensor] = withWill()
  sensor.sendHex('021a')
  expect(publishedOnLoss(world)).toEqual([])
})

it('stores a will message without a topic until there is one [SN-WILL-11]', () => {
  const world = new World()
  const sensor = world.sensor()
  sensor.connect('dev1')
  expect(sensor.send(messageUpdate('gone'))).toEqual([messageResponse(0)])
  expect(world.broker.connects).toBe(1)
  expect(sensor.send(topicUpdate('lwt/1'))).toEqual([topicResponse(0)])
  expect(publishedOnLoss(world)).toEqual(['lwt/1 "gone" qos 0'])
})

it('makes a will with an empty message of a topic alone [SN-WILL-11]', () => {
  const world = new World()
  const sensor = world.sensor()
  sensor.connect('dev1')
  expect(sensor.send(topicUpdate('lwt/1', { qos: 1 }))).toEqual([topicResponse(0)])
  expect(publishedOnLoss(world)).toEqual(['lwt/1 "" qos 1'])
})

it.each([
  ['QoS 0b11', '041a6077'],
  ['a wildcard', '061a00612f23'],
])('refuses a WILLTOPICUPD with %s and keeps the will [SN-WILL-12, SN-FLG-2]', (_, hex) => {
  const [world, sensor] = withWill()
  expect(sensor.sendHex(hex)).toEqual([topicResponse(3)])
  expect(world.broker.connects).toBe(1)
  expect(publishedOnLoss(world)).toEqual(['lwt/1 "gone" qos 1 retain'])
})

it('answers congestion and keeps the will while the broker cannot be reached [SN-WILL-12]', () => {
  const [world, sensor] = withWill()
  world.broker.crash()
  expect(sensor.send(topicUpdate('lwt/2'))).toEqual([topicResponse(1)])
  expect(sensor.send(messageUpdate('new'))).toEqual([messageResponse(1)])
  expect(world.broker.connects).toBe(1)
  expect(world.session('dev1').will).toMatchObject({ topic: { name: 'lwt/1' }, message: bytes('gone') })
})

it.each([
  ['refuses it', 3],
  ['cannot be reached then', 1],
] as const)('goes back to the old will when the broker %s [SN-WILL-10, SN-WILL-12]', (_, code) => {
  const [world, sensor] = withWill()
  world.broker.refuses = code
  world.receive(messageUpdate('new'), sensor.peer)
  world.advance(1)
  expect(sensor.take()).toEqual([messageResponse(code)])
  world.broker.refuses = undefined
  for (let i = 0; i < 4; i++) {
    world.advance(15_000)
    expect(sensor.send({ type: 'pingreq', clientId: null })).toEqual([{ type: 'pingresp' }])
  }
  expect(publishedOnLoss(world)).toEqual(['lwt/1 "gone" qos 1 retain'])
})

it('answers congestion when the broker is silent on the new will, and takes it up later [SN-WILL-12, SN-RTX-6]', () => {
  const [world, sensor] = withWill()
  world.broker.answers = false
  sensor.send(messageUpdate('new'))
  world.advance(8000)
  expect(sensor.take()).toEqual([messageResponse(1)])
  expect(world.session('dev1').will.message).toEqual(bytes('gone'))
})

it('answers every repetition of an update, without connecting again [SN-WILL-13, SN-RTX-1]', () => {
  const [world, sensor] = withWill()
  for (let i = 0; i < 3; i++) {
    expect(sensor.send(topicUpdate('lwt/2'))).toEqual([topicResponse(0)])
    expect(sensor.send(messageUpdate('new'))).toEqual([messageResponse(0)])
  }
  expect(world.broker.connects).toBe(3) // the setup, and one for each of the two changes
})

it('connects once for an update that is repeated before the broker has answered [SN-WILL-13, SN-RTX-1]', () => {
  const [world, sensor] = withWill()
  world.broker.latency = 500
  for (let i = 0; i < 3; i++) sensor.send(messageUpdate('new'))
  world.advance(500)
  expect(sensor.take()).toEqual([messageResponse(0)])
  expect(world.broker.connects).toBe(2)
})

it('takes a change of QoS or retain alone for a change [SN-WILL-8]', () => {
  const [world, sensor] = withWill()
  sensor.send(topicUpdate('lwt/1', { qos: 1, retain: false }))
  expect(world.broker.connects).toBe(2)
  sensor.send(topicUpdate('lwt/1', { qos: 2, retain: false }))
  expect(publishedOnLoss(world)).toEqual(['lwt/1 "gone" qos 2'])
})

it('refuses an update from a stranger with DISCONNECT [SN-WILL-14]', () => {
  const [world, sensor] = withWill()
  sensor.send(disconnect)
  expect(sensor.send(topicUpdate('lwt/2'))).toEqual([disconnect])
  expect(world.sensor('10.0.0.2').send(messageUpdate('new'))).toEqual([disconnect])
  expect(world.session('dev1').will.topic?.name).toBe('lwt/1')
})

it('does not let an unfinished update disturb the next connection [SN-WILL-12]', () => {
  const [world, sensor] = withWill()
  world.broker.answers = false
  sensor.send(messageUpdate('new'))
  sensor.send(disconnect)
  world.broker.answers = true
  sensor.connect('dev1', { cleanSession: false })
  world.happened()
  world.advance(20_000)
  expect(world.happened()).toEqual([])
})
