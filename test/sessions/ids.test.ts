// Ids over a crash: none that a sensor or the broker may have heard of is given to something newer, wherever the gateway was
// killed [SN-SESS-10, SN-GPUB-10].

import { describe, expect, it } from 'vitest'
import type { Packet, Publish } from '../../src/codec/v1/messages.ts'
import { text, type VirtualSensor, World } from '../support/world.ts'

type Heard = Extract<Packet, { type: 'publish' | 'register' }>

/** A connected sensor that is subscribed to `s/#`, and a store that takes some time. */
function connected(lag: number): [World, VirtualSensor] {
  const world = new World()
  world.startsAfter = 500
  const sensor = world.sensor()
  sensor.connect('dev1', { cleanSession: false, duration: 600 })
  sensor.subscribe('s/#', 2)
  sensor.register('t/x')
  world.store.lag = lag
  return [world, sensor]
}

const answerTo = (packet: Heard): Packet =>
  packet.type === 'register'
    ? { type: 'regack', topicId: packet.topicId, msgId: packet.msgId, returnCode: 0 }
    : packet.qos === 2
      ? { type: 'pubrec', msgId: packet.msgId }
      : { type: 'puback', topicId: packet.topicId, msgId: packet.msgId, returnCode: 0 }

/** Lets the sensor answer everything at once, and returns what it heard that wants an answer. */
function answering(world: World, sensor: VirtualSensor): Heard[] {
  const heard: Heard[] = []
  world.ears.set(sensor.peer.key, (packet) => {
    if (packet.type === 'register' || (packet.type === 'publish' && packet.qos > 0)) {
      heard.push(packet)
      world.after(1, () => world.receive(answerTo(packet), sensor.peer))
    }
    if (packet.type === 'pubrel')
      world.after(1, () => world.receive({ type: 'pubcomp', msgId: packet.msgId }, sensor.peer))
  })
  return heard
}

describe.each([0, 3])('with a store that takes %i ms', (lag) => {
  it('late answers to what was delivered before a crash do not touch a new command, wherever the crash was', () => {
    for (let fuse = 1; fuse < 60; fuse++) {
      const [world, sensor] = connected(lag)
      const heard = answering(world, sensor)
      world.fuse = fuse
      for (const qos of fuse % 2 === 0 ? ([1, 1, 0, 1] as const) : ([1, 0, 2, 1] as const)) {
        world.publish('s/a', 'old', qos)
        world.advance(100)
      }
      world.crash()
      world.becomeSafe()
      world.advance(60_000) // repetitions, and what the broker had not got rid of
      const before = new Set(heard.map(({ msgId }) => msgId))
      world.ears.delete(sensor.peer.key)
      world.publish('s/a', 'open the valve', 1)
      world.advance(50)
      const told = sensor.take().filter((packet): packet is Publish => packet.type === 'publish')
      expect(
        told.map(({ data }) => text(data)),
        `after ${fuse} effects`,
      ).toEqual(['open the valve'])
      expect(before.has(told[0]?.msgId ?? 0), `after ${fuse} effects`).toBe(false)
      for (const packet of heard) world.receive(answerTo(packet), sensor.peer)
      expect(world.session('dev1').downlink.queue, `after ${fuse} effects`).toHaveLength(1)
    }
  })

  it('a late REGACK for a message of QoS 0 does not confirm the topic of a new one', () => {
    const [world, sensor] = connected(lag)
    const heard = answering(world, sensor)
    world.publish('s/old', 'x', 0)
    world.advance(100)
    world.restart(500)
    world.advance(5000)
    world.ears.delete(sensor.peer.key)
    world.publish('s/new', 'y', 0)
    world.advance(50)
    const [register] = sensor.take()
    expect(register).toMatchObject({ type: 'register', topicName: 's/new' })
    expect(heard.map(({ msgId }) => msgId)).not.toContain(register?.type === 'register' && register.msgId)
  })

  it('a QoS 2 publish never gets the identifier of one that the broker may remember [SN-PUB-11]', () => {
    for (let fuse = 1; fuse < 30; fuse++) {
      const [world, sensor] = connected(lag)
      world.fuse = fuse
      sensor.publish(1, 'old', { qos: 2, msgId: 7 })
      world.advance(100)
      sensor.send({ type: 'pubrel', msgId: 7 })
      world.crash()
      world.becomeSafe()
      world.advance(5000)
      sensor.publish(1, 'new', { qos: 2, msgId: 8 })
      world.advance(5000)
      const tokens = (payload: string) =>
        new Set(
          world.effects.flatMap((effect) =>
            effect.type === 'publish' && text(effect.payload) === payload ? [effect.token] : [],
          ),
        )
      const used = tokens('old')
      for (const token of tokens('new')) expect(used.has(token), `after ${fuse} effects`).toBe(false)
      expect(tokens('new').size).toBeGreaterThan(0)
    }
  })

  it('ids go on to grow over many blocks and crashes', () => {
    const [world, sensor] = connected(lag)
    const heard = answering(world, sensor)
    for (let round = 0; round < 4; round++) {
      for (let i = 0; i < 300; i++) {
        world.publish('s/a', `${round} ${i}`, 1)
        world.advance(20)
      }
      world.restart(500)
      world.advance(3000)
    }
    const published = heard.flatMap((packet) => (packet.type === 'publish' ? [packet] : []))
    expect(published.length).toBeGreaterThanOrEqual(1200)
    const meanings = new Map<number, Set<string>>()
    for (const { msgId, data } of published)
      meanings.set(msgId, (meanings.get(msgId) ?? new Set()).add(text(data)))
    expect([...meanings.values()].every(({ size }) => size === 1)).toBe(true)
  })
})
