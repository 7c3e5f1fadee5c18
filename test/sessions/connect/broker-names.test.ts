// Names at the broker: what a sensor's ClientId becomes there must be its own.

import { describe, expect, it } from 'vitest'
import type { Packet } from '../../../src/codec/v1/messages.ts'
import { World } from '../../support/world.ts'

const connack = (returnCode: number): Packet => ({ type: 'connack', returnCode })

/** The rules of a gateway where doors share a prefix with what other sensors may be called, and keys all become one. */
const nameAtBroker = (clientId: string): string => {
  if (clientId.startsWith('door')) return `site-${clientId}`
  return clientId.startsWith('key') ? 'key' : clientId
}

describe('a CONNECT is refused with 0x03, and counted', () => {
  it.each([
    ['the ClientId of the gateway itself', 'the-gateway', (id: string) => id],
    ['one that the rules turn into it', 'gateway', (id: string) => `the-${id}`],
  ])('with %s', (_, clientId, name) => {
    const world = new World({ nameAtBroker: name })
    expect(world.sensor().connect(clientId)).toEqual([connack(3)])
    expect(world.drops()).toEqual(['name-taken'])
    expect(world.broker.connects).toBe(0)
    expect(world.sessions.byClientId.size).toBe(0)
  })

  it.each([
    ['site-door1', 'door1'],
    ['door1', 'site-door1'],
    ['key1', 'key2'],
  ])('with %s while %s has the same name at the broker, also asleep or gone for a while', (second, first) => {
    const world = new World({ nameAtBroker })
    const sensor = world.sensor()
    sensor.connect(first, { cleanSession: false })
    const other = world.sensor('10.0.0.9')
    expect(other.connect(second)).toEqual([connack(3)])
    sensor.sleep(600)
    expect(other.connect(second)).toEqual([connack(3)])
    sensor.send({ type: 'disconnect', duration: null })
    expect(other.connect(second)).toEqual([connack(3)])
    expect(world.drops()).toEqual(['name-taken', 'name-taken', 'name-taken'])
    expect(world.broker.connects).toBe(1)
    world.advance(3_000_000_000) // until the session of the first one is forgotten
    expect(world.sessions.byClientId.size).toBe(0)
    expect(other.connect(second)).toEqual([connack(0)])
  })

  it('but not of a sensor that comes again itself, from wherever, nor of one that only looks alike', () => {
    const world = new World({ nameAtBroker })
    for (const address of ['10.0.0.1', '10.0.0.2']) {
      for (const clientId of ['door1', 'key1', 'plain'])
        expect(world.sensor(address).connect(clientId).at(-1)).toEqual(connack(0))
    }
    expect(world.sensor('10.0.0.3').connect('door11')).toEqual([connack(0)])
    expect(world.drops()).toEqual([])
  })
})
