// A sensor leaves properly, and the broker has to hear of it, although what is said to it waits in the gateway's process [6.12].

import { expect, it } from 'vitest'
import type { Packet } from '../../../src/codec/v1/messages.ts'
import { type VirtualSensor, World } from '../../support/world.ts'

const disconnect: Packet = { type: 'disconnect', duration: null }
const will = { topic: 'lwt/1', message: 'gone' }

function connected(cleanSession = false): [World, VirtualSensor] {
  const world = new World()
  world.store.lag = 1
  const sensor = world.sensor()
  sensor.connectWithWill('dev1', will, { cleanSession, duration: 60 })
  world.happened()
  return [world, sensor]
}

const saidToBroker = (world: World): string[] =>
  world.happened().filter((line) => line.startsWith('gateway → broker'))

it.each([false, true])(
  'tells the broker on a new connection if its farewell may have ended with the process, CleanSession %s [SN-DISC-1]',
  (cleanSession) => {
    const [world, sensor] = connected(cleanSession)
    world.broker.isBackedUp = true
    expect(sensor.send(disconnect)).toEqual([disconnect])
    world.crash()
    world.broker.isBackedUp = false
    world.happened()
    world.start()
    world.advance(60_000)
    const connect = `gateway → broker CONNECT${cleanSession ? ' clean' : ''}`
    expect(saidToBroker(world)).toEqual([connect, 'gateway → broker DISCONNECT'])
    world.restart(10)
    world.happened()
    world.advance(60_000)
    expect(saidToBroker(world)).toEqual([]) // it is settled for good
  },
)

it('keeps the connection while its farewell would wait behind something else, and forgets the session then [SN-DISC-1]', () => {
  const [world, sensor] = connected(true)
  world.broker.isBackedUp = true
  expect(sensor.send(disconnect)).toEqual([disconnect])
  world.advance(10_000)
  expect(saidToBroker(world)).toEqual([])
  expect(world.broker.connected.size).toBe(1)
  const { writes } = world.store
  world.advance(10_000)
  expect(world.store.writes).toBe(writes) // waiting costs none
  world.broker.isBackedUp = false
  world.advance(200)
  expect(saidToBroker(world)).toEqual(['gateway → broker DISCONNECT'])
  expect(world.sessions.byClientId.size).toBe(0)
  expect(world.store.disk.size).toBe(0)
})

it('says it on a new connection, without a will, if the one that takes nothing breaks [SN-DISC-1]', () => {
  const [world, sensor] = connected()
  world.broker.isBackedUp = true
  sensor.send(disconnect)
  world.broker.kill()
  world.broker.reachable = true
  world.broker.isBackedUp = false
  world.advance(60_000)
  expect(saidToBroker(world)).toEqual(['gateway → broker CONNECT', 'gateway → broker DISCONNECT'])
  const connects = world.effects.filter((effect) => effect.type === 'connect')
  expect(connects.map((effect) => effect.will?.topic)).toEqual(['lwt/1', undefined])
})

it('leaves it at that if another gateway has taken the connection over meanwhile [SN-MAP-35]', () => {
  const [world, sensor] = connected()
  world.broker.isBackedUp = true
  sensor.send(disconnect)
  world.happen(world.session('dev1'), { type: 'closed', why: 'taken-over', detail: '' })
  world.advance(60_000)
  expect(saidToBroker(world).filter((line) => line.includes('broker CONNECT'))).toEqual([])
})

it('sends it after a message on its way that is taken over first, also if the process ends before [SN-DISC-1]', () => {
  const [world, sensor] = connected()
  sensor.subscribe('t', 1)
  world.publish('t', 'x', 1)
  world.receive(disconnect, sensor.peer)
  world.fuse = 1 // what is durable is told, and the process ends after the first of it
  world.advance(5)
  expect(world.isRunning).toBe(false)
  expect(world.effects.at(-1)?.type).toBe('acknowledge')
  world.happened()
  world.start()
  world.advance(60_000)
  expect(saidToBroker(world)).toContain('gateway → broker DISCONNECT')
})

it('costs no write, and no moment, where what is said leaves at once [SN-DISC-1]', () => {
  const [world, sensor] = connected(true)
  const { writes } = world.store
  world.receive(disconnect, sensor.peer)
  expect(saidToBroker(world)).toEqual(['gateway → broker DISCONNECT'])
  world.advance(60_000)
  expect(world.store.writes - writes).toBe(2) // the state, and that it is forgotten
  expect(world.store.disk.size).toBe(0)
})

const connectsOf = (world: World) =>
  world.effects
    .filter((effect) => effect.type === 'connect')
    .map(({ mend, will }) => [mend, will?.topic] as const)

it('says it in place of a CONNECT that has not left: one before it may have, by a process that is gone [SN-DISC-1]', () => {
  const [world, sensor] = connected()
  sensor.send(disconnect)
  world.broker.answers = false
  world.broker.isBackedUp = true
  sensor.connectWithWill('dev1', will, { cleanSession: false, duration: 60 })
  world.receive(disconnect, sensor.peer)
  world.broker.answers = true
  world.broker.isBackedUp = false
  world.happened()
  world.advance(60_000)
  expect(connectsOf(world).slice(1)).toEqual([
    [false, 'lwt/1'],
    [true, undefined],
  ])
  expect(saidToBroker(world)).toEqual(['gateway → broker DISCONNECT'])
})

it('keeps nothing of a stranger who gives up before its CONNECT has left [SN-ROB-1]', () => {
  const world = new World()
  const sensor = world.sensor()
  world.broker.answers = false
  world.broker.isBackedUp = true
  sensor.connectWithWill('dev1', will)
  world.receive(disconnect, sensor.peer)
  expect(world.sessions.byClientId.size).toBe(0)
})

it('says it also if the sensor comes back before that, and is refused [SN-DISC-1]', () => {
  const [world, sensor] = connected()
  world.broker.isBackedUp = true
  sensor.send(disconnect)
  world.restart(10)
  world.broker.refuses = 1
  sensor.connect('dev1', { cleanSession: false })
  expect(world.session('dev1')).toMatchObject({ state: 'disconnected', link: { owesFarewell: true } })
  world.broker.refuses = undefined
  world.broker.isBackedUp = false
  world.happened()
  world.advance(60_000)
  expect(saidToBroker(world)).toEqual(['gateway → broker CONNECT', 'gateway → broker DISCONNECT'])
})
