// DISCONNECT, from a sensor and from the gateway, and the end of a gateway [5.4.21, 6.12].

import { expect, it } from 'vitest'
import type { Packet } from '../../../src/codec/v1/messages.ts'
import { type VirtualSensor, World } from '../../support/world.ts'

const disconnect: Packet = { type: 'disconnect', duration: null }
const connack: Packet = { type: 'connack', returnCode: 0 }
const pingreq: Packet = { type: 'pingreq', clientId: null }

function connected(options: { cleanSession?: boolean } = {}): [World, VirtualSensor] {
  const world = new World()
  const sensor = world.sensor()
  const will = { topic: 'lwt/1', message: 'gone' }
  sensor.connectWithWill('dev1', will, { cleanSession: false, ...options })
  world.happened()
  return [world, sensor]
}

/** The state of dev1, or `undefined` if the gateway has no record of it. */
const stateOf = (world: World) => world.sessions.byClientId.get('dev1')?.state

it.each([
  ['without Duration', '0218'],
  ['with Duration 0', '04180000'],
])(
  'ends the connection at DISCONNECT %s, with MQTT DISCONNECT and no will [SN-DISC-1, SN-DISC-3]',
  (_, hex) => {
    const [world, sensor] = connected()
    expect(sensor.sendHex(hex)).toEqual([disconnect])
    expect(world.happened().slice(1)).toEqual(['sensor ← DISCONNECT', 'gateway → broker DISCONNECT'])
    expect(stateOf(world)).toBe('disconnected')
    world.advance(3_600_000)
    expect(world.broker.wills).toEqual([])
  },
)

it('answers DISCONNECT with Duration by one without, and the sensor is asleep [SN-DISC-2, SN-COD-6]', () => {
  const [world, sensor] = connected()
  expect(sensor.sendHex('0418012c')).toEqual([disconnect])
  expect(world.happened()).toEqual(['sensor → DISCONNECT 300 s', 'sensor ← DISCONNECT'])
  expect(world.session('dev1')).toMatchObject({ state: 'asleep', sleep: 300 })
})

it('answers a DISCONNECT each time it is repeated [SN-DISC-4, SN-RTX-1]', () => {
  const [world, sensor] = connected()
  for (let i = 0; i < 3; i++) {
    expect(sensor.send(disconnect)).toEqual([disconnect])
    world.advance(10_000)
  }
})

it('answers a DISCONNECT with Duration each time it is repeated [SN-DISC-4, SN-RTX-1]', () => {
  const [world, sensor] = connected()
  for (let i = 0; i < 3; i++) expect(sensor.sleep(300)).toEqual([disconnect])
  expect(stateOf(world)).toBe('asleep')
})

it('does not play DISCONNECT to and fro with another gateway [SN-DISC-4, SN-UNK-3]', () => {
  const world = new World()
  const stranger = world.sensor()
  expect(stranger.send(disconnect)).toEqual([disconnect])
  for (let i = 0; i < 10; i++) {
    world.advance(50)
    expect(stranger.send(disconnect)).toEqual([])
  }
  world.advance(1000)
  expect(stranger.send(disconnect)).toEqual([disconnect])
})

it('sends DISCONNECT by itself when messages fit no connection any more [SN-DISC-5]', () => {
  const [world, sensor] = connected()
  world.happen(world.session('dev1'), { type: 'closed', why: 'taken-over', detail: '' })
  expect(sensor.take()).toEqual([disconnect])
})

it('needs a CONNECT after DISCONNECT before anything else works [SN-DISC-6]', () => {
  const [world, sensor] = connected()
  sensor.send(disconnect)
  world.advance(60_000)
  expect(sensor.publish(1, 'x', { qos: 1, msgId: 1 })).toEqual([disconnect])
  expect(sensor.send(pingreq)).toEqual([disconnect])
  expect(sensor.connect('dev1', { cleanSession: false })).toEqual([connack])
  expect(sensor.send(pingreq)).toEqual([{ type: 'pingresp' }])
})

it('ends the connection of a sleeping sensor at DISCONNECT [SN-DISC-7, SN-SLP-13]', () => {
  const [world, sensor] = connected()
  sensor.sleep(300)
  expect(sensor.send(disconnect)).toEqual([disconnect])
  expect(stateOf(world)).toBe('disconnected')
  expect(world.broker.connected.size).toBe(0)
})

it('takes a new sleep time from a sleeping sensor, from now on [SN-DISC-7, SN-SLP-13]', () => {
  const [world, sensor] = connected()
  sensor.sleep(300)
  world.advance(200_000)
  expect(sensor.sleep(1000)).toEqual([disconnect])
  world.advance(1_099_000)
  expect(stateOf(world)).toBe('asleep')
  world.advance(2000)
  expect(stateOf(world)).toBe('lost')
})

it.each([
  [null, 'disconnected'],
  [600, 'asleep'],
])('takes DISCONNECT with Duration %s from an awake sensor: %s [SN-DISC-7]', (duration, state) => {
  const [world, sensor] = connected()
  sensor.subscribe('d/a', 1)
  sensor.sleep(300)
  world.publish('d/a', 'm', 1)
  sensor.wake('dev1')
  expect(stateOf(world)).toBe('awake')
  expect(sensor.send({ type: 'disconnect', duration })).toEqual([disconnect])
  expect(stateOf(world)).toBe(state)
  world.advance(60_000)
  expect(sensor.take()).toEqual([])
})

it('says goodbye to active and awake sensors when it stops, and lets sleeping ones sleep [SN-ROB-5, SN-DISC-5]', () => {
  const world = new World()
  const [active, asleep, awake] = ['active', 'asleep', 'awake'].map((name, i) => {
    const sensor = world.sensor(`10.0.0.${i}`)
    sensor.connectWithWill(name, { topic: `lwt/${name}`, message: 'gone' }, { cleanSession: false })
    sensor.subscribe('d/a', 1)
    if (name !== 'active') sensor.sleep(300)
    return sensor
  })
  world.publish('d/a', 'm', 1)
  awake?.wake('awake')
  for (const sensor of [active, asleep, awake]) sensor?.take()
  world.effects.length = 0
  for (const session of world.sessions.byClientId.values()) world.happen(session, { type: 'shutdown' })
  expect([active, asleep, awake].map((sensor) => sensor?.take())).toEqual([[disconnect], [], [disconnect]])
  expect(world.effects.filter(({ type }) => type === 'close')).toMatchObject([
    { publishWill: false },
    { publishWill: false },
    { publishWill: false },
  ])
  expect(world.broker.wills).toEqual([])
  expect(world.effects.filter(({ type }) => type === 'save')).toHaveLength(3)
})

it('ends a setup with CONNACK "congestion" when the gateway stops [SN-ROB-5, SN-CONN-14]', () => {
  const world = new World()
  const [prompted, waiting] = [world.sensor('10.0.0.1'), world.sensor('10.0.0.2')]
  prompted.connect('prompted', { will: true })
  world.broker.answers = false
  waiting.connect('waiting')
  for (const session of [...world.sessions.byClientId.values()]) world.happen(session, { type: 'shutdown' })
  for (const sensor of [prompted, waiting])
    expect(sensor.take()).toEqual([{ type: 'connack', returnCode: 1 }])
})

it('a sensor that left is reported with the address that it had', () => {
  const world = new World()
  const sensor = world.sensor()
  sensor.connect('dev1')
  sensor.send({ type: 'disconnect', duration: null })
  const last = world.effects.findLast(({ type }) => type === 'changed')
  expect(last).toMatchObject({ to: 'disconnected', peer: { address: '10.0.0.1', port: 5000 } })
})
