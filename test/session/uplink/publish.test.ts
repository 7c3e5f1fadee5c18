// PUBLISH from the sensor at QoS 0, 1 and 2: from the datagram to the broker, and the answers [6.6, 6.7].

import { expect, it } from 'vitest'
import type { Publish } from '../../../src/codec/v1/messages.ts'
import { bytes, text, type VirtualSensor, World } from '../../support/world.ts'

function connected(options: ConstructorParameters<typeof World>[0] = {}): [World, VirtualSensor] {
  const world = new World({ predefined: { 7: 'pre/seven' }, ...options })
  const sensor = world.sensor()
  sensor.connect('dev1', { cleanSession: false })
  world.happened()
  return [world, sensor]
}

/** "ab" */
const short = 0x6162
const puback = (topicId: number, msgId: number, returnCode: number) => ({
  type: 'puback',
  topicId,
  msgId,
  returnCode,
})
const topicsAtBroker = (world: World) => world.broker.published.map(({ topic }) => topic)
const publishesAtBroker = (world: World) => world.effects.filter(({ type }) => type === 'publish')

const forms = [
  { topicIdType: 'normal', topicId: 1, topic: 't/temp' },
  { topicIdType: 'predefined', topicId: 7, topic: 'pre/seven' },
  { topicIdType: 'short', topicId: short, topic: 'ab' },
] as const

it.each(forms)('forwards QoS 0 to a $topicIdType topic without an answer [SN-PUB-1]', (form) => {
  const [world, sensor] = connected()
  sensor.register('t/temp')
  expect(sensor.publish(form.topicId, '21', { topicIdType: form.topicIdType })).toEqual([])
  expect(world.broker.published).toMatchObject([{ topic: form.topic, qos: 0, payload: bytes('21') }])
})

it.each(forms)(
  'answers QoS 1 to a $topicIdType topic with PUBACK, ids repeated [SN-PUB-1, SN-PUB-2]',
  (form) => {
    const [world, sensor] = connected()
    sensor.register('t/temp')
    const { topicIdType, topicId, topic } = form
    expect(sensor.publish(topicId, '21', { topicIdType, qos: 1, msgId: 9 })).toEqual([puback(topicId, 9, 0)])
    expect(world.broker.published).toMatchObject([{ topic, qos: 1 }])
  },
)

it.each(forms)(
  'does QoS 2 to a $topicIdType topic in four steps, all with one MsgId [SN-PUB-1, SN-PUB-3]',
  (form) => {
    const [world, sensor] = connected()
    sensor.register('t/temp')
    const { topicIdType, topicId, topic } = form
    expect(sensor.publish(topicId, '21', { topicIdType, qos: 2, msgId: 5 })).toEqual([
      { type: 'pubrec', msgId: 5 },
    ])
    expect(sensor.send({ type: 'pubrel', msgId: 5 })).toEqual([{ type: 'pubcomp', msgId: 5 }])
    expect(world.broker.published).toMatchObject([{ topic, qos: 2 }])
  },
)

it('speaks the octets of the reference exchanges [SN-PUB-1, SN-PUB-2, SN-PUB-3, SN-PUB-4]', () => {
  const [, sensor] = connected()
  expect(sensor.exchange('0c0a00000001742f74656d70')).toEqual(['070b0001000100'])
  expect(sensor.exchange('090c20000100023231')).toEqual(['070d0001000200'])
  expect(sensor.exchange('080c000009000078')).toEqual(['070d0009000002'])
  expect(sensor.exchange('080c42616200057a')).toEqual(['040f0005'])
  expect(sensor.exchange('04100005')).toEqual(['040e0005'])
})

it.each([0, 1, 2] as const)('answers an unknown normal id at QoS %i with PUBACK 0x02 [SN-PUB-4]', (qos) => {
  const [world, sensor] = connected()
  const msgId = qos === 0 ? 0 : 4
  expect(sensor.publish(99, 'x', { qos, msgId })).toEqual([puback(99, msgId, 2)])
  expect(world.broker.published).toEqual([])
})

it.each([0, 1, 2] as const)(
  'answers an unknown predefined id at QoS %i with PUBACK 0x02 [SN-PUB-7]',
  (qos) => {
    const [world, sensor] = connected()
    const msgId = qos === 0 ? 0 : 4
    const answer = sensor.publish(8, 'x', { qos, msgId, topicIdType: 'predefined' })
    expect(answer).toEqual([puback(8, msgId, 2)])
    expect(world.broker.published).toEqual([])
  },
)

it.each([
  ['normal', 0],
  ['normal', 0xffff],
  ['predefined', 0],
  ['predefined', 0xffff],
] as const)('answers the reserved %s id %i with PUBACK 0x02 [SN-PUB-16]', (topicIdType, topicId) => {
  const [, sensor] = connected()
  expect(sensor.publish(topicId, 'x', { topicIdType, qos: 1, msgId: 1 })).toEqual([puback(topicId, 1, 2)])
})

it.each([
  ['a+', 0x612b],
  ['#a', 0x2361],
  ['a NUL', 0x6100],
  ['no UTF-8', 0xff61],
  ['a lone lead octet', 0xc341],
])('answers a short name with %s with PUBACK 0x03, and forwards nothing [SN-PUB-8]', (_, topicId) => {
  const [world, sensor] = connected()
  const answer = sensor.publish(topicId, 'x', { topicIdType: 'short', qos: 1, msgId: 6 })
  expect(answer).toEqual([puback(topicId, 6, 3)])
  expect(world.broker.published).toEqual([])
})

it('takes two octets that are one character as a short name [SN-PUB-8]', () => {
  const [world, sensor] = connected()
  sensor.publish(0xc3a9, 'x', { topicIdType: 'short' })
  expect(topicsAtBroker(world)).toEqual(['é'])
})

it.each([0, 1, 2] as const)(
  'answers the reserved topic id type at QoS %i with PUBACK 0x03 [SN-FLG-3]',
  (qos) => {
    const [, sensor] = connected()
    const answer = sensor.publish(1, 'x', { topicIdType: 'reserved', qos, msgId: 3 })
    expect(answer).toEqual([puback(1, 3, 3)])
  },
)

it('never sends PUBACK accepted but for QoS 1 [SN-PUB-5]', () => {
  const [, sensor] = connected()
  const options = { topicIdType: 'short' } as const
  const answers = [
    ...sensor.publish(short, 'a', options),
    ...sensor.publish(short, 'b', { ...options, qos: 2, msgId: 1 }),
    ...sensor.send({ type: 'pubrel', msgId: 1 }),
  ]
  expect(answers.map(({ type }) => type)).toEqual(['pubrec', 'pubcomp'])
})

it('answers QoS 1 and 2 only when the broker has answered [SN-PUB-6, SN-MAP-21]', () => {
  const [world, sensor] = connected()
  world.broker.latency = 3000
  sensor.publish(short, 'a', { topicIdType: 'short', qos: 1, msgId: 1 })
  sensor.publish(short, 'b', { topicIdType: 'short', qos: 2, msgId: 2 })
  world.advance(2900)
  expect(sensor.take()).toEqual([])
  world.advance(200)
  expect(sensor.types()).toEqual(['puback', 'pubrec'])
})

it('answers PUBREL only when the broker has completed [SN-PUB-6]', () => {
  const [world, sensor] = connected()
  const session = world.session('dev1')
  world.broker.answers = false
  sensor.publish(short, 'b', { topicIdType: 'short', qos: 2, msgId: 2 })
  const { token } = session.uplink.open.get(2) ?? { token: 0 }
  world.happen(session, { type: 'received', token })
  expect(sensor.types()).toEqual(['pubrec'])
  expect(sensor.send({ type: 'pubrel', msgId: 2 })).toEqual([])
  world.happen(session, { type: 'published', token, outcome: 0 })
  expect(sensor.types()).toEqual(['pubcomp'])
})

it('passes retain on; an empty retained message clears [SN-PUB-9, SN-MAP-18]', () => {
  const [world, sensor] = connected()
  sensor.publish(short, 'on', { topicIdType: 'short', retain: true })
  sensor.publish(short, 'now', { topicIdType: 'short' })
  expect(world.broker.published.map(({ retain }) => retain)).toEqual([true, false])
  expect(world.broker.retained.size).toBe(1)
  sensor.publish(short, '', { topicIdType: 'short', retain: true })
  expect(world.broker.published.at(-1)).toMatchObject({ retain: true, payload: bytes('') })
  expect(world.broker.retained.size).toBe(0)
})

it('passes all octets of the payload on as they are [SN-FLD-4]', () => {
  const [world, sensor] = connected()
  const data = Uint8Array.from({ length: 256 }, (_, i) => i)
  const packet: Publish = {
    type: 'publish', dup: false, qos: 0, retain: false, topicIdType: 'short', topicId: short, msgId: 0, data,
  } // biome-ignore format: one line reads better
  sensor.send(packet)
  expect(world.broker.published[0]?.payload).toEqual(data)
})

it('forwards a QoS 1 PUBLISH that is repeated while the broker is slow only once [SN-PUB-10, SN-MAP-16]', () => {
  const [world, sensor] = connected()
  world.broker.latency = 5000
  const options = { topicIdType: 'short', qos: 1, msgId: 3 } as const
  sensor.publish(short, '21', options)
  for (let i = 0; i < 3; i++) sensor.publish(short, '21', { ...options, dup: true })
  world.advance(6000)
  expect(sensor.take()).toEqual([puback(short, 3, 0)])
  expect(publishesAtBroker(world)).toHaveLength(1)
})

it('repeats PUBREC for a repeated QoS 2 PUBLISH, without forwarding it again [SN-PUB-10, SN-PUB-11]', () => {
  const [world, sensor] = connected()
  const options = { topicIdType: 'short', qos: 2, msgId: 3 } as const
  expect(sensor.publish(short, '21', options)).toEqual([{ type: 'pubrec', msgId: 3 }])
  const repeated = sensor.publish(short, '21', { ...options, dup: true })
  expect(repeated).toEqual([{ type: 'pubrec', msgId: 3 }])
  expect(world.broker.published).toHaveLength(1)
})

it('delivers QoS 2 once though PUBREC and PUBCOMP are lost in turn [SN-PUB-11]', () => {
  const [world, sensor] = connected()
  const options = { topicIdType: 'short', qos: 2, msgId: 3 } as const
  sensor.publish(short, '21', options) // PUBREC lost
  world.advance(10_000)
  expect(sensor.publish(short, '21', { ...options, dup: true })).toEqual([{ type: 'pubrec', msgId: 3 }])
  sensor.send({ type: 'pubrel', msgId: 3 }) // PUBCOMP lost
  world.advance(10_000)
  expect(sensor.send({ type: 'pubrel', msgId: 3 })).toEqual([{ type: 'pubcomp', msgId: 3 }])
  expect(world.broker.published).toHaveLength(1)
})

it('answers PUBREL for an unknown MsgId with PUBCOMP [SN-PUB-11]', () => {
  const [, sensor] = connected()
  expect(sensor.send({ type: 'pubrel', msgId: 77 })).toEqual([{ type: 'pubcomp', msgId: 77 }])
})

it('keeps QoS 2 exactly once over a new CONNECT of the same session [SN-PUB-11]', () => {
  const [world, sensor] = connected()
  const options = { topicIdType: 'short', qos: 2, msgId: 3 } as const
  sensor.publish(short, '21', options) // PUBREC lost, and the sensor starts anew
  sensor.send({ type: 'disconnect', duration: null })
  sensor.connect('dev1', { cleanSession: false })
  expect(sensor.publish(short, '21', { ...options, dup: true })).toEqual([{ type: 'pubrec', msgId: 3 }])
  expect(sensor.send({ type: 'pubrel', msgId: 3 })).toEqual([{ type: 'pubcomp', msgId: 3 }])
  expect(world.broker.published).toHaveLength(1)
})

it('keeps the answer to an earlier PUBLISH back until CONNACK; a repetition gets it [SN-CONN-14, SN-PUB-12]', () => {
  const [world, sensor] = connected()
  const options = { topicIdType: 'short', qos: 1, msgId: 3 } as const
  world.broker.latency = 1000
  sensor.publish(short, '21', options)
  sensor.connect('dev1', { cleanSession: false, will: true })
  world.advance(2000)
  expect(sensor.take()).toEqual([])
  sensor.send({ type: 'willtopic', qos: 0, retain: false, willTopic: null })
  world.advance(1000)
  expect(sensor.take()).toEqual([{ type: 'connack', returnCode: 0 }])
  expect(sensor.publish(short, '21', { ...options, dup: true })).toEqual([puback(short, 3, 0)])
  expect(world.broker.published).toHaveLength(1)
})

it('acknowledges a QoS 1 PUBLISH again whose PUBACK was lost, without forwarding it [SN-PUB-12]', () => {
  const [world, sensor] = connected()
  const options = { topicIdType: 'short', qos: 1, msgId: 3 } as const
  sensor.publish(short, '21', options)
  expect(sensor.publish(short, '21', { ...options, dup: true })).toEqual([puback(short, 3, 0)])
  expect(world.broker.published).toHaveLength(1)
})

it('takes the same MsgId without DUP, or with another payload, as a new message [SN-PUB-12]', () => {
  const [world, sensor] = connected()
  const options = { topicIdType: 'short', qos: 1, msgId: 3 } as const
  sensor.publish(short, '21', options)
  sensor.publish(short, '21', options)
  sensor.publish(short, '22', { ...options, dup: true })
  expect(world.broker.published.map(({ payload }) => text(payload))).toEqual(['21', '21', '22'])
})

it('tolerates ten PUBLISHes at once, and answers the next one with congestion [SN-PUB-13]', () => {
  const [world, sensor] = connected()
  world.broker.latency = 1000
  const all = Array.from({ length: 11 }, (_, i) => i + 1)
  const answers = all.flatMap((msgId) =>
    sensor.publish(short, `${msgId}`, { topicIdType: 'short', qos: msgId % 2 === 0 ? 2 : 1, msgId }),
  )
  expect(answers).toEqual([puback(short, 11, 1)])
  world.advance(2000)
  expect(sensor.take()).toEqual(
    all.slice(0, 10).map((msgId) => (msgId % 2 === 0 ? { type: 'pubrec', msgId } : puback(short, msgId, 0))),
  )
  expect(world.broker.published).toHaveLength(10)
})

it('does not say congestion while the broker is merely slow [SN-PUB-14]', () => {
  const [world, sensor] = connected()
  world.broker.latency = 7000
  sensor.publish(short, '21', { topicIdType: 'short', qos: 1, msgId: 3 })
  world.advance(7100)
  expect(sensor.take()).toEqual([puback(short, 3, 0)])
})

it('accepts MsgId 0 at QoS 1 and 2, and ignores a MsgId at QoS 0 [SN-FLD-5]', () => {
  const [world, sensor] = connected()
  expect(sensor.publish(short, 'a', { topicIdType: 'short', qos: 1, msgId: 0 })).toEqual([
    puback(short, 0, 0),
  ])
  const received = sensor.publish(short, 'b', { topicIdType: 'short', qos: 2, msgId: 0 })
  expect(received).toEqual([{ type: 'pubrec', msgId: 0 }])
  expect(sensor.publish(short, 'c', { topicIdType: 'short', qos: 0, msgId: 9 })).toEqual([])
  expect(world.broker.published).toHaveLength(3)
})

it.each([0, 1, 2] as const)(
  'answers a stranger who publishes at QoS %i with DISCONNECT [SN-PUB-15]',
  (qos) => {
    const [world] = connected()
    const stranger = world.sensor('10.0.0.9')
    const answer = stranger.publish(short, 'x', { topicIdType: 'short', qos, msgId: 1 })
    expect(answer).toEqual([{ type: 'disconnect', duration: null }])
    expect(world.broker.published).toEqual([])
  },
)

it('answers a sensor that had disconnected with DISCONNECT [SN-PUB-15]', () => {
  const [world, sensor] = connected()
  sensor.send({ type: 'disconnect', duration: null })
  world.advance(2000)
  const answer = sensor.publish(short, 'x', { topicIdType: 'short', qos: 1, msgId: 1 })
  expect(answer).toEqual([{ type: 'disconnect', duration: null }])
  expect(world.broker.published).toEqual([])
})

it('says nothing of DUP to the broker, whose connection decides about it [SN-PUB-17]', () => {
  const [world, sensor] = connected()
  sensor.publish(short, 'x', { topicIdType: 'short', dup: true })
  const [effect] = publishesAtBroker(world)
  expect(effect).toMatchObject({ topic: 'ab', qos: 0 })
  expect(Object.keys(effect ?? {})).not.toContain('dup')
})

it('keeps MsgIds apart from what the broker is asked with: one number for PUBLISH and SUBSCRIBE at once [SN-MAP-15]', () => {
  const [world, sensor] = connected()
  world.broker.latency = 1000
  sensor.publish(short, 'x', { topicIdType: 'short', qos: 1, msgId: 5 })
  sensor.send({ type: 'subscribe', dup: false, qos: 1, msgId: 5, topicIdType: 'normal', topicName: 's/+' })
  const tokens = world.effects.flatMap((effect) =>
    effect.type === 'publish' || effect.type === 'subscribe' ? [effect.token] : [],
  )
  expect(new Set(tokens).size).toBe(2)
  world.advance(1000)
  expect(sensor.take()).toEqual([
    puback(short, 5, 0),
    { type: 'suback', qos: 1, topicId: 0, msgId: 5, returnCode: 0 },
  ])
})
