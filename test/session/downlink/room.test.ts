// A link that says how much room it has: what nobody repeats waits for it in the queue, and is not lost.

import { describe, expect, it } from 'vitest'
import type { Packet } from '../../../src/codec/v1/messages.ts'
import { World } from '../../support/world.ts'

const datas = (packets: Packet[]) =>
  packets.flatMap((packet) => (packet.type === 'publish' ? [new TextDecoder().decode(packet.data)] : []))

/** A sensor on a link with so much room, which a test may change. */
function onLink(room: number) {
  const world = new World()
  const link = { room }
  Object.assign(world.listener, { room: () => link.room })
  const sensor = world.sensor()
  sensor.connect('dev1', { cleanSession: false, duration: 3600 })
  sensor.subscribe('s', 2)
  sensor.take()
  return { world, link, sensor }
}

describe('a link with little room', () => {
  it('gets as many messages as it takes, the others when it has room again, in their order [LINK-PC-3]', () => {
    const { world, link, sensor } = onLink(0)
    for (const text of ['1', '2', '3', '4', '5']) world.publish('s', text, 0)
    expect(datas(sensor.take())).toEqual([])
    link.room = 2
    world.advance(100)
    expect(datas(sensor.take())).toEqual(['1', '2'])
    link.room = 10
    world.advance(200)
    expect(datas(sensor.take())).toEqual(['3', '4', '5'])
  })

  it('keeps a sleeper awake until its messages have left [LINK-PC-3]', () => {
    const { world, link, sensor } = onLink(10)
    sensor.send({ type: 'disconnect', duration: 600 })
    for (const text of ['1', '2', '3']) world.publish('s', text, 0)
    sensor.take()
    link.room = 1
    const first = sensor.send({ type: 'pingreq', clientId: 'dev1' })
    expect([datas(first), first.some(({ type }) => type === 'pingresp')]).toEqual([['1'], false])
    link.room = 10
    world.advance(200)
    const rest = sensor.take()
    expect([datas(rest), rest.at(-1)?.type]).toEqual([['2', '3'], 'pingresp'])
  })

  it('answers all the same: only messages of the broker wait [LINK-PC-2]', () => {
    const { sensor } = onLink(0)
    expect(sensor.send({ type: 'pingreq', clientId: null }).map(({ type }) => type)).toEqual(['pingresp'])
  })
})
