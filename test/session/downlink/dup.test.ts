// DUP: taken either way from sensors, and set by the gateway on what it sends again [5.3.4].

import { expect, it } from 'vitest'
import { World } from '../../support/world.ts'

it('takes PUBLISH and SUBSCRIBE with and without DUP, and repeats its own PUBLISH with DUP and the same MsgId [SN-FLG-4]', () => {
  const world = new World()
  const sensor = world.sensor()
  sensor.connect('dev1')
  const topicId = sensor.register('a')
  for (const [msgId, dup] of [
    [11, false],
    [12, true],
  ] as const) {
    const [puback] = sensor.publish(topicId, `data ${msgId}`, { qos: 1, msgId, dup })
    expect(puback).toMatchObject({ type: 'puback', msgId, returnCode: 0 })
    const filter = { topicIdType: 'normal', topicName: `s/${msgId}` } as const
    const [suback] = sensor.send({ type: 'subscribe', dup, qos: 1, msgId: msgId + 10, ...filter })
    expect(suback).toMatchObject({ type: 'suback', msgId: msgId + 10, returnCode: 0 })
  }
  world.publish('s/11', 'on', 1)
  const [first] = sensor.take()
  expect(first).toMatchObject({ type: 'publish', dup: false, qos: 1 })
  world.advance(world.settings.timers.tRetry)
  expect(sensor.take()).toEqual([{ ...first, dup: true }])
})
