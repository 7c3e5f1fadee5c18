// A broker that has no session for a sensor: it is given the subscriptions that the gateway remembers [6.3, SN-MAP-3, -4].

import { expect, it } from 'vitest'
import type { Packet } from '../../../src/codec/v1/messages.ts'
import { World } from '../../support/world.ts'

const disconnect: Packet = { type: 'disconnect', duration: null }

/** An active sensor, subscribed to d/a, that leaves CleanSession 0 unless told otherwise. */
function connected(more: { cleanSession?: boolean } = {}) {
  const world = new World()
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

it('gives the broker the subscriptions again before CONNACK, retained messages not wanted [SN-MAP-3]', () => {
  const { world, sensor } = connected()
  world.publish('d/a', 'old', 1, { retain: true })
  sensor.send(disconnect)
  world.broker.stored.clear()
  world.happened()
  sensor.connect('dev1', { cleanSession: false })
  expect(world.happened()).toEqual([
    'sensor → CONNECT dev1',
    'gateway → broker CONNECT will lwt/1',
    'gateway → broker SUBSCRIBE d/a qos 1',
    'sensor ← CONNACK accepted',
    'sensor ← REGISTER d/a', // the message that was not acknowledged in the last connection
  ])
  expect(world.effects.findLast(({ type }) => type === 'subscribe')).toMatchObject({ replay: false })
})

it('subscribes to nothing when the broker has the session [SN-MAP-3]', () => {
  const { world, sensor } = connected()
  sensor.send(disconnect)
  world.happened()
  sensor.connect('dev1', { cleanSession: false })
  expect(world.happened()).not.toContain('gateway → broker SUBSCRIBE d/a qos 1')
})

it('answers CONNACK "congestion" when it cannot subscribe now, and does so the next time [SN-MAP-3]', () => {
  const { world, sensor } = connected()
  sensor.send(disconnect)
  world.broker.stored.clear()
  world.broker.subscribeOutcome = 1
  expect(sensor.connect('dev1', { cleanSession: false })).toEqual([{ type: 'connack', returnCode: 1 }])
  world.broker.subscribeOutcome = 0
  expect(sensor.connect('dev1', { cleanSession: false })).toEqual([{ type: 'connack', returnCode: 0 }])
  world.publish('d/a', 'm', 1)
  expect(sensor.types()).toEqual(['register'])
})

it('subscribes with the next connection what was not answered when one was lost [SN-MAP-3]', () => {
  const { world, sensor } = connected()
  world.broker.crash()
  world.broker.stored.clear()
  world.broker.reachable = true
  world.broker.latency = 100
  world.advance(650) // connected, and the SUBSCRIBE is under way
  expect(world.happened()).toContain('gateway → broker SUBSCRIBE d/a qos 1')
  world.broker.crash()
  world.broker.reachable = true
  world.advance(5000)
  world.publish('d/a', 'm', 1)
  expect(sensor.types()).toEqual(['publish'])
})

it('lets the sensor connect when the broker refuses a subscription for good [SN-MAP-3]', () => {
  const { world, sensor } = connected()
  sensor.send(disconnect)
  world.broker.stored.clear()
  world.broker.subscribeOutcome = 3
  expect(sensor.connect('dev1', { cleanSession: false })).toEqual([{ type: 'connack', returnCode: 0 }])
  expect(world.session('dev1').subscriptions.size).toBe(0)
})

it('connects clean and subscribes, when a clean session goes on [SN-MAP-4]', () => {
  const { world, sensor } = connected({ cleanSession: true })
  world.broker.crash()
  world.broker.reachable = true
  world.advance(2000)
  expect(world.effects.filter(({ type }) => type === 'connect').at(-1)).toMatchObject({
    clean: true,
    mend: true,
    will: { topic: 'lwt/1' },
  })
  world.publish('d/a', 'm', 1)
  expect(sensor.types()).toEqual(['publish'])
})
