// Shared subscriptions `$share/<group>/<filter>`: messages come with the name that is shared [6.9; MQTT 5, 4.8.2].

import { expect, it } from 'vitest'
import type { Packet } from '../../../src/codec/v1/messages.ts'
import { bytes, noLimits, type VirtualSensor, World } from '../../support/world.ts'

function connected(options: ConstructorParameters<typeof World>[0] = {}): [World, VirtualSensor] {
  const world = new World(options)
  const sensor = world.sensor()
  sensor.connect('dev1', { cleanSession: false, duration: 3600 })
  return [world, sensor]
}

/** The broker delivers to this member of the group. */
function deliver(world: World, topic: string, payload: string): void {
  const message = { topic, payload: bytes(payload), qos: 0, retain: false } as const
  world.happen(world.session('dev1'), { type: 'message', message, ack: undefined, packetId: 0 })
}

const idIn = ([packet]: Packet[]): number => (packet?.type === 'suback' ? packet.topicId : -1)

it.each([
  ['t/x', 'ifUnconfirmed'],
  ['t/x', 'always'],
  ['ab', 'ifUnconfirmed'], // a name that would fit a short one
  ['pre/seven', 'always'],
] as const)(
  'SUBACK names the id with which messages of %s come, without REGISTER where none is asked for (%s) [SN-SUB-1]',
  (topic, reRegister) => {
    const [world, sensor] = connected({ predefined: { 7: 'pre/seven' }, policy: () => ({ reRegister }) })
    const topicId = idIn(sensor.subscribe(`$share/g/${topic}`))
    expect(topicId).toBe(sensor.register(topic))
    deliver(world, topic, 'x')
    const [came] = sensor.take()
    expect(came).toMatchObject({ type: reRegister === 'always' ? 'register' : 'publish', topicId })
  },
)

it('a device that never answers REGISTER gets it, too, after a new connection [AMB-26]', () => {
  const [world, sensor] = connected()
  const topicId = idIn(sensor.subscribe('$share/g/t/x'))
  sensor.connect('dev1', { cleanSession: false, duration: 60 })
  deliver(world, 't/x', 'x')
  world.advance(50_000)
  expect(sensor.take().at(-1)).toMatchObject({ type: 'publish', topicId, data: bytes('x') })
})

it('wildcards in it get id 0, and names are registered as they come [SN-SUB-2]', () => {
  const [world, sensor] = connected()
  expect(idIn(sensor.subscribe('$share/g/t/+'))).toBe(0)
  deliver(world, 't/y', 'x')
  expect(sensor.take()).toMatchObject([{ type: 'register', topicName: 't/y' }])
})

it('a name that the sensor refuses ends the shared subscription to it at the broker, and subscribing brings it back [SN-GPUB-6]', () => {
  const [world, sensor] = connected()
  const topicId = idIn(sensor.subscribe('$share/g/t/x'))
  sensor.connect('dev1', { cleanSession: false, duration: 60 })
  deliver(world, 't/x', 'x')
  sensor.send({ type: 'regack', topicId, msgId: 1, returnCode: 3 })
  expect([...world.session('dev1').subscriptions]).toEqual([])
  expect(world.effects.filter(({ type }) => type === 'unsubscribe')).toMatchObject([
    { filter: '$share/g/t/x' },
  ])
  sensor.subscribe('$share/g/t/#')
  deliver(world, 't/x', 'y')
  expect(sensor.types()).toEqual(['register'])
})

it.each(['$share', '$share/g', '$share/g/', '$share//t', '$share/+/t'])(
  '%s is refused with 0x03, and never reaches the broker [SN-SUB-6, SN-SUB-10]',
  (filter) => {
    const [world, sensor] = connected()
    expect(sensor.subscribe(filter)).toMatchObject([{ type: 'suback', topicId: 0, returnCode: 3 }])
    expect(world.effects.filter(({ type }) => type === 'subscribe')).toEqual([])
  },
)

it('a broker that says it has none is not asked: 0x03 [SN-MAP-9]', () => {
  const world = new World()
  world.broker.limits = { ...noLimits, sharedAvailable: false }
  const sensor = world.sensor()
  sensor.connect('dev1')
  expect(sensor.subscribe('$share/g/t')).toMatchObject([{ type: 'suback', returnCode: 3 }])
  expect(sensor.subscribe('t')).toMatchObject([{ type: 'suback', returnCode: 0 }])
})
