// Two devices with one ClientId: the session goes from one to the other at most once a second, and people are told [SN-CONN-11].

import { expect, it } from 'vitest'
import type { Packet } from '../../../src/codec/v1/messages.ts'
import { describePeer } from '../../../src/session/peers.ts'
import { World } from '../../support/world.ts'

const connect: Packet = {
  type: 'connect',
  will: false,
  cleanSession: true,
  protocolId: 1,
  duration: 60,
  clientId: 'twin',
}
const warnings = (world: World): string[][] =>
  world.effects.flatMap((effect) =>
    effect.type === 'contested' ? [[describePeer(effect.other), describePeer(effect.peer)]] : [],
  )

it('devices that connect as soon as they are told to take over once a second', () => {
  const world = new World()
  const twins = [world.sensor('10.0.0.1'), world.sensor('10.0.0.2')]
  let connects = 0
  for (const { peer } of twins) {
    world.ears.set(peer.key, ({ type }) => {
      if (type !== 'disconnect') return
      world.after(1, () => {
        connects += 1
        world.receive(connect, peer)
      })
    })
    // a device that hears nothing tries again by itself
    world.after(500, function again() {
      if (world.session('twin').peer?.key !== peer.key) world.receive(connect, peer)
      world.after(500, again)
    })
  }
  for (const { peer } of twins) world.receive(connect, peer)
  world.advance(5000)
  expect(connects).toBeLessThanOrEqual(7)
  const opened = world.effects.filter(({ type }) => type === 'connect').length
  expect(opened).toBeLessThanOrEqual(8)
  expect(warnings(world)[0]?.toSorted()).toEqual(['10.0.0.1:5000', '10.0.0.2:5000'])
})

it('the second takeover within a second is met with silence, so that its device waits before it tries again', () => {
  const world = new World()
  const [a, b] = [world.sensor('10.0.0.1'), world.sensor('10.0.0.2')]
  a.connect('twin')
  expect(b.connect('twin')).toEqual([{ type: 'connack', returnCode: 0 }])
  expect(a.connect('twin')).toEqual([])
  expect(world.session('twin').peer).toBe(b.peer)
  expect(world.effects.findLast(({ type }) => type === 'drop')).toMatchObject({
    reason: 'rate-limited',
    refusal: { reason: 'client-id-contested', clientId: 'twin', peer: a.peer },
  })
  world.advance(1000)
  expect(a.connect('twin')).toEqual([{ type: 'connack', returnCode: 0 }])
})

it('a sensor that reboots at another port, or whose address has changed, is served at once and raises no alarm [SN-CONN-11]', () => {
  const world = new World()
  world.sensor('10.0.0.1', 5000).connect('twin')
  for (const [address, port] of [
    ['10.0.0.1', 5001],
    ['10.0.0.2', 5000],
    ['10.0.0.3', 5000],
  ] as const) {
    expect(world.sensor(address, port).connect('twin')).toEqual([{ type: 'connack', returnCode: 0 }])
    world.advance(5000)
  }
  expect(world.sensor('10.0.0.3', 5000).connect('twin')).toEqual([{ type: 'connack', returnCode: 0 }])
  expect(warnings(world)).toEqual([])
})

it('devices that take turns slowly are noticed too', () => {
  const world = new World()
  const [a, b] = [world.sensor('10.0.0.1'), world.sensor('10.0.0.2')]
  for (let round = 0; round < 3; round++) {
    for (const twin of [a, b]) {
      expect(twin.connect('twin')).toEqual([{ type: 'connack', returnCode: 0 }])
      world.advance(10_000)
    }
  }
  expect(warnings(world).length).toBeGreaterThanOrEqual(1)
})

it('sleepers that wake by the same ClientId from two addresses move once a second', () => {
  const world = new World({ roaming: 'any' })
  const [a, b] = [world.sensor('10.0.0.1'), world.sensor('10.0.0.2')]
  a.connect('twin', { cleanSession: false })
  a.sleep(300)
  expect(b.wake('twin')).toEqual([{ type: 'pingresp' }])
  expect(a.wake('twin')).toEqual([])
  expect(world.session('twin').peer).toBe(b.peer)
  expect(warnings(world)).toHaveLength(1)
})
