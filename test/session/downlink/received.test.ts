// QoS 2 from the broker: its identifiers are remembered until it releases them, so that the sensor gets each message once,
// whatever the broker repeats [6.6, SN-MAP-17].

import { expect, it } from 'vitest'
import { text, type VirtualSensor, World } from '../../support/world.ts'

/** A sensor that is subscribed to s/a at QoS 2 and sleeps, so that what comes for it stays in sight. */
function asleep(): { world: World; sensor: VirtualSensor } {
  const world = new World()
  const sensor = world.sensor()
  sensor.connect('dev1', { cleanSession: false, duration: 3600 })
  sensor.subscribe('s/a', 2)
  sensor.sleep(3600)
  return { world, sensor }
}

const queued = (world: World) => world.session('dev1').downlink.queue.map(({ payload }) => text(payload))
const identifiers = (world: World) => [...world.session('dev1').downlink.received]
const since = (world: World, start: number) =>
  world.effects.slice(start).flatMap(({ type }) => (type === 'changed' ? [] : [type]))

/** All that the sensor gets when it wakes, its answers included. */
function wakeUp(world: World, sensor: VirtualSensor): string[] {
  const got: string[] = []
  for (let came = sensor.wake('dev1'); came.length > 0; ) {
    came = came.flatMap((packet) => {
      if (packet.type === 'pubrel') return sensor.send({ type: 'pubcomp', msgId: packet.msgId })
      if (packet.type !== 'publish') return []
      got.push(text(packet.data))
      return sensor.send({ type: 'pubrec', msgId: packet.msgId })
    })
  }
  return [...got, world.session('dev1').state]
}

it('is stored with its identifier before PUBREC, and the identifier deleted before PUBCOMP [SN-MAP-17, SN-MAP-24]', () => {
  const { world } = asleep()
  const start = world.effects.length
  world.publish('s/a', 'x', 2)
  expect(since(world, start)).toEqual(['keepMessage', 'saveProgress', 'acknowledge'])
  expect(world.store.disk.get('dev1')?.progress.received).toEqual([1])
  world.advance(5)
  expect(since(world, start + 3)).toEqual(['saveProgress', 'acknowledge'])
  expect(world.store.disk.get('dev1')?.progress.received).toEqual([])
  expect(queued(world)).toEqual(['x'])
})

it.each([
  ['PUBREC is lost with the connection', 0, (world: World) => world.broker.crash()],
  ['PUBREC is lost with the gateway', 0, (world: World) => world.crash()],
  ['PUBREL is lost with the connection', 1, (world: World) => world.broker.crash()],
  ['PUBREL is lost with the gateway', 1, (world: World) => world.crash()],
])('is delivered once when %s [SN-MAP-17]', (_, stage, fail) => {
  const { world, sensor } = asleep()
  const fuse = stage === 0 ? 'message' : 'releasing'
  world.watch = (cause) => {
    if (!('event' in cause) || cause.event.type !== fuse) return
    world.watch = () => {}
    // the acknowledgement of this event never arrives
    world.broker.connected.delete(cause.session)
    world.after(1, () => {
      fail(world)
      world.happen(cause.session, { type: 'closed', why: 'lost', detail: '' })
    })
  }
  world.publish('s/a', 'x', 2)
  world.advance(100)
  expect(world.broker.sessionOf('dev1').inflight.size).toBe(1)
  world.broker.reachable = true
  world.start()
  world.advance(5000)
  expect(world.broker.sessionOf('dev1').inflight.size).toBe(0)
  expect(identifiers(world)).toEqual([])
  expect(wakeUp(world, sensor)).toEqual(['x', 'asleep'])
})

it('is another message when the broker uses the identifier again after its release [SN-MAP-17]', () => {
  const { world, sensor } = asleep()
  for (const payload of ['1', '2', '3']) {
    world.publish('s/a', payload, 2)
    world.advance(5)
  }
  const used = world.effects.flatMap((effect) => (effect.type === 'acknowledge' && effect.ack > 0 ? [1] : []))
  expect(used).toHaveLength(3)
  expect(wakeUp(world, sensor)).toEqual(['1', '2', '3', 'asleep'])
})

it('is acknowledged again, and not queued, when the broker repeats it unreleased [SN-MAP-17]', () => {
  const { world } = asleep()
  const message = { topic: 's/a', payload: new Uint8Array(1), qos: 2, retain: false } as const
  const start = world.effects.length
  for (const ack of [70, 71]) {
    world.happen(world.session('dev1'), { type: 'message', message, ack, packetId: 9 })
  }
  expect(since(world, start)).toEqual(['keepMessage', 'saveProgress', 'acknowledge', 'acknowledge'])
  world.happen(world.session('dev1'), { type: 'releasing', packetId: 9, ack: 72 })
  world.happen(world.session('dev1'), { type: 'releasing', packetId: 9, ack: 73 }) // completed a second time, too
  expect(since(world, start + 4)).toEqual(['saveProgress', 'acknowledge', 'acknowledge'])
  expect(queued(world)).toHaveLength(1)
})

it('forgets identifiers when the broker has lost the session, also on disk: they mean nothing any more [SN-MAP-17]', () => {
  const { world } = asleep()
  const message = { topic: 's/a', payload: new Uint8Array(1), qos: 2, retain: false } as const
  world.happen(world.session('dev1'), { type: 'message', message, ack: 70, packetId: 1 })
  world.broker.crash()
  world.broker.stored.clear()
  world.broker.reachable = true
  world.advance(5000)
  expect([identifiers(world), world.store.disk.get('dev1')?.progress.received]).toEqual([[], []])
  world.restart()
  world.advance(1000)
  world.publish('s/a', 'new', 2) // the broker calls it 1
  expect(queued(world)).toEqual(['\0', 'new'])
})

it('is remembered though the message itself was dropped [SN-MAP-17, SN-GPUB-9]', () => {
  const { world } = asleep()
  world.happen(world.session('dev1'), {
    type: 'message',
    message: { topic: 's/a', payload: new Uint8Array(2000), qos: 2, retain: false },
    ack: 70,
    packetId: 1,
  })
  expect([world.drops(), identifiers(world)]).toEqual([['too-long'], [1]])
})
