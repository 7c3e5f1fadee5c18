// CONNECT from a sensor that the gateway takes for active: repeated, new, from elsewhere, under another name [5.3.1, 6.2].

import { expect, it } from 'vitest'
import type { Packet } from '../../../src/codec/v1/messages.ts'
import { World } from '../../support/world.ts'

const connack = (returnCode: number): Packet => ({ type: 'connack', returnCode })
const disconnect: Packet = { type: 'disconnect', duration: null }
const willtopic: Packet = { type: 'willtopic', qos: 1, retain: true, willTopic: 'lwt/1' }
const willmsg: Packet = { type: 'willmsg', willMsg: new Uint8Array([0x78]) }

it('repeats CONNACK for the same CONNECT, without a word to the broker [SN-CONN-10]', () => {
  const world = new World()
  const sensor = world.sensor()
  sensor.connect('dev1', { cleanSession: false })
  world.advance(70_000)
  expect(sensor.connect('dev1', { cleanSession: false })).toEqual([connack(0)])
  expect(world.broker.connects).toBe(1)
})

it.each([
  ['another keep-alive', { duration: 61 }, { keepAlive: 61 }],
  ['another CleanSession', { cleanSession: true }, { cleanSession: true }],
])('sets up anew when CONNECT of an active sensor has %s [SN-CONN-10]', (_, change, session) => {
  const world = new World()
  const sensor = world.sensor()
  const before = { cleanSession: false, duration: 60 }
  sensor.connect('dev1', before)
  expect(sensor.connect('dev1', { ...before, ...change })).toEqual([connack(0)])
  expect(world.broker.connects).toBe(2)
  expect(world.session('dev1')).toMatchObject({ state: 'active', ...session })
})

it('sets up anew when anything was received since the CONNACK [SN-CONN-10]', () => {
  const world = new World()
  const sensor = world.sensor()
  sensor.connect('dev1', { cleanSession: false })
  sensor.send({ type: 'pingreq', clientId: null })
  expect(sensor.connect('dev1', { cleanSession: false })).toEqual([connack(0)])
  expect(world.broker.connects).toBe(2)
})

it('sets up anew when the same CONNECT comes after more than 75 s [SN-CONN-10]', () => {
  const world = new World()
  const sensor = world.sensor()
  sensor.connect('dev1', { duration: 600 })
  world.advance(76_000)
  expect(sensor.connect('dev1', { duration: 600 })).toEqual([connack(0)])
  expect(world.broker.connects).toBe(2)
})

it('prompts again when an active sensor connects with will [SN-CONN-10]', () => {
  const world = new World()
  const sensor = world.sensor()
  sensor.connect('dev1')
  expect(sensor.connect('dev1', { will: true })).toEqual([{ type: 'willtopicreq' }])
  sensor.send(willtopic)
  expect(sensor.send(willmsg)).toEqual([connack(0)])
  expect(world.broker.connected.get(world.session('dev1'))?.will?.topic).toBe('lwt/1')
})

it('moves a session to the address that CONNECT comes from, and tells the old one [SN-CONN-11]', () => {
  const world = new World()
  const [old, young] = [world.sensor('10.0.0.1', 5000), world.sensor('10.0.0.2', 5002)]
  old.connect('dev1', { cleanSession: false })
  old.subscribe('d/a')
  world.happened()
  young.connect('dev1', { cleanSession: false })
  young.subscribe('d/a')
  world.publish('d/a', 'm')
  expect(old.publish(1, 'x', { qos: 1, msgId: 3 })).toEqual([disconnect])
  expect(world.happened()).toEqual([
    'sensor 5002 → CONNECT dev1',
    'sensor ← DISCONNECT',
    'gateway → broker CONNECT',
    'sensor 5002 ← CONNACK accepted',
    'sensor 5002 → SUBSCRIBE d/a',
    'gateway → broker SUBSCRIBE d/a qos 0',
    'sensor 5002 ← SUBACK accepted',
    'sensor 5002 ← PUBLISH qos 0 normal topic, "m"',
    'sensor → PUBLISH qos 1 normal topic, "x"',
    'sensor ← DISCONNECT',
  ])
})

it('takes the same CONNECT from another address for a new setup, not for a repetition [SN-CONN-10, -11]', () => {
  const world = new World()
  world.sensor('10.0.0.1').connect('dev1')
  expect(world.sensor('10.0.0.2').connect('dev1')).toEqual([connack(0)])
  expect(world.broker.connects).toBe(2)
})

it('takes another ClientId from a known address for another sensor [SN-CONN-12]', () => {
  const world = new World()
  const sensor = world.sensor()
  sensor.connectWithWill('dev1', { topic: 'lwt/1', message: 'gone' }, { cleanSession: false })
  const id = sensor.register('only/dev1')
  expect(sensor.connect('dev2')).toEqual([connack(0)])
  expect(world.session('dev1')).toMatchObject({ state: 'lost', peer: undefined })
  expect(world.broker.wills).toMatchObject([{ topic: 'lwt/1' }])
  expect([...world.broker.connected.keys()].map(({ clientId }) => clientId)).toEqual(['dev2'])
  expect(sensor.publish(id, 'x', { qos: 1, msgId: 1 })).toMatchObject([{ type: 'puback', returnCode: 2 }])
})

it('ends a half-open setup silently when another ClientId connects from its address [SN-CONN-12, SN-STA-1]', () => {
  const world = new World()
  const sensor = world.sensor()
  sensor.connect('dev1', { cleanSession: false, will: true })
  expect(sensor.connect('dev2')).toEqual([connack(0)])
  expect(world.effects.filter(({ type }) => type === 'changed')).toMatchObject([
    { session: { clientId: 'dev1' }, to: 'willtopic' },
    { session: { clientId: 'dev1' }, to: 'disconnected' },
    { session: { clientId: 'dev2' }, to: 'connecting' },
    { session: { clientId: 'dev2' }, to: 'active' },
  ])
  expect([...world.sessions.byClientId.keys()]).toEqual(['dev2'])
})

it('forwards a QoS 1 PUBLISH again when the sensor repeats it in its next connection [SN-SESS-9, SN-DISC-6]', () => {
  const world = new World()
  const sensor = world.sensor()
  sensor.connect('dev1', { cleanSession: false })
  const id = sensor.register('t/temp')
  world.broker.answers = false
  expect(sensor.publish(id, 'x', { qos: 1, msgId: 5 })).toEqual([])
  sensor.send(disconnect)
  world.broker.answers = true
  sensor.connect('dev1', { cleanSession: false })
  expect(sensor.publish(id, 'x', { qos: 1, msgId: 5, dup: true })).toMatchObject([
    { type: 'puback', msgId: 5, returnCode: 0 },
  ])
  expect(world.broker.published).toHaveLength(1)
})

it('forwards it again too when a clean session is resumed with a new will [AMB-1]', () => {
  const world = new World({ policy: () => ({ asleepConnect: 'resume' }) })
  const sensor = world.sensor()
  sensor.connect('dev1', { cleanSession: true })
  const id = sensor.register('t/temp')
  world.broker.answers = false
  sensor.publish(id, 'x', { qos: 1, msgId: 5 })
  sensor.sleep(300)
  world.broker.answers = true
  sensor.connect('dev1', { cleanSession: true, will: true })
  sensor.send(willtopic)
  expect(sensor.send(willmsg)).toEqual([connack(0)])
  expect(sensor.publish(id, 'x', { qos: 1, msgId: 5, dup: true })).toMatchObject([
    { type: 'puback', returnCode: 0 },
  ])
})

it('writes the session to the store before CONNACK [SN-SESS-10]', () => {
  const world = new World()
  world.sensor().connect('dev1', { cleanSession: false })
  const order = world.effects.map(({ type }) => type).filter((type) => type === 'save' || type === 'send')
  expect(order).toEqual(['save', 'send'])
})
