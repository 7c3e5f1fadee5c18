// Who a sensor has proved to be decides which ClientIds it may have, and its session goes where it goes.

import { describe, expect, it } from 'vitest'
import type { Association, Peer } from '../../../src/session/peers.ts'
import { peerKey } from '../../../src/session/peers.ts'
import { VirtualSensor, World } from '../../support/world.ts'

const psk = (number: number, identity: string): Association => ({ number, identity, kind: 'psk' })

/** A sensor whose link has authenticated it. */
function secureSensor(
  world: World,
  association: Association,
  address = '10.0.0.1',
  port = 5000,
): VirtualSensor {
  const key = peerKey(0, address, port, undefined, association)
  const peer: Peer = { key, listener: world.listener, address, port, association }
  return new VirtualSensor(world, peer)
}
const refused = (world: World) =>
  world.effects.flatMap((effect) => (effect.type === 'refused' ? [effect.refusal.reason] : []))

describe('a sensor with a proved identity', () => {
  it('may have the ClientId that is its identity, and no other [DTLS-ID-2, DTLS-ID-3]', () => {
    const world = new World()
    expect(secureSensor(world, psk(1, 'meter-1')).connect('meter-1')).toEqual([
      { type: 'connack', returnCode: 0 },
    ])
    expect(secureSensor(world, psk(2, 'meter-2')).connect('meter-1')).toEqual([
      { type: 'connack', returnCode: 3 },
    ])
    expect(refused(world)).toEqual(['wrong-identity'])
    expect(world.session('meter-1').peer?.association?.number).toBe(1)
  })

  it('takes its session over with a new association, from whatever address [DTLS-ID-5]', () => {
    const world = new World()
    secureSensor(world, psk(1, 'meter-1')).connect('meter-1', { cleanSession: false })
    world.advance(2000)
    const again = secureSensor(world, psk(2, 'meter-1'), '10.9.9.9', 7)
    expect(again.connect('meter-1', { cleanSession: false })).toEqual([{ type: 'connack', returnCode: 0 }])
    expect(world.session('meter-1').peer).toBe(again.peer)
  })

  it('goes on from another address with the same association, without a CONNECT [DTLS-ID-5]', () => {
    const world = new World()
    const before = secureSensor(world, psk(1, 'meter-1'))
    before.connect('meter-1')
    before.subscribe('cmd', 1)
    before.sleep(60)
    const after = secureSensor(world, psk(1, 'meter-1'), '10.9.9.9', 7)
    world.publish('cmd', 'hello', 1)
    expect(after.wake('meter-1').map(({ type }) => type)).toContain('publish')
    expect(world.session('meter-1').peer).toMatchObject({ address: '10.9.9.9', port: 7 })
  })

  it('cannot be displaced by a PINGREQ of somebody else with its ClientId, from any link [DTLS-ID-2]', () => {
    const world = new World({ roaming: 'any' })
    const own = secureSensor(world, psk(1, 'meter-1'))
    own.connect('meter-1')
    own.sleep(60)
    for (const thief of [secureSensor(world, psk(2, 'meter-2'), '10.0.0.2'), world.sensor('10.0.0.3')])
      expect(thief.wake('meter-1').map(({ type }) => type)).toEqual(['disconnect'])
    expect(world.session('meter-1').peer).toBe(own.peer)
    const moved = secureSensor(world, psk(3, 'meter-1'), '10.0.0.4')
    expect(moved.wake('meter-1').map(({ type }) => type)).toEqual(['pingresp'])
  })

  it('has shown that it hears: nothing is held back from its address', () => {
    const world = new World()
    secureSensor(world, psk(1, 'meter-1')).connect('meter-1')
    expect(world.session('meter-1').validation.done).toBe(true)
  })
})

describe('a rule with identities', () => {
  const world = () =>
    new World({
      policy: () => ({ mayBe: (identity) => identity?.startsWith('fleet-') === true }),
    })

  it('lets those it names have the ClientId, and refuses who has proved none [DTLS-ID-2]', () => {
    const one = world()
    expect(secureSensor(one, psk(1, 'fleet-7')).connect('any')).toEqual([{ type: 'connack', returnCode: 0 }])
    expect(one.sensor('10.0.0.2').connect('other')).toEqual([{ type: 'connack', returnCode: 3 }])
    expect(refused(one)).toEqual(['wrong-identity'])
  })
})
