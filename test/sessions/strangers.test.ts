// Messages from addresses without a connection: told to connect, met with silence, or good as they are [6.12].

import { expect, it } from 'vitest'
import { encode, type Packet } from '../../src/codec/v1/frame.ts'
import { bytes, World } from '../support/world.ts'

const disconnect: Packet = { type: 'disconnect', duration: null }
const publish: Packet = {
  type: 'publish',
  dup: false,
  qos: 0,
  retain: false,
  topicIdType: 'normal',
  topicId: 1,
  msgId: 0,
  data: bytes('x'),
}
const filter = { topicIdType: 'normal', topicName: 'a' } as const
const will = { qos: 0, retain: false, willTopic: 'a' } as const

const requests: Packet[] = [
  publish,
  { ...publish, qos: 1, msgId: 1 },
  { ...publish, qos: 2, msgId: 1 },
  { type: 'register', topicId: 0, msgId: 1, topicName: 'a' },
  { type: 'subscribe', dup: false, qos: 0, msgId: 1, ...filter },
  { type: 'unsubscribe', msgId: 1, ...filter },
  { type: 'pingreq', clientId: null },
  { type: 'pingreq', clientId: 'nobody' },
  { type: 'pubrel', msgId: 1 },
  { type: 'willtopicupd', ...will },
  { type: 'willmsgupd', willMsg: bytes('x') },
]
const answers: Packet[] = [
  { type: 'regack', topicId: 1, msgId: 1, returnCode: 0 },
  { type: 'puback', topicId: 1, msgId: 1, returnCode: 0 },
  { type: 'pubrec', msgId: 1 },
  { type: 'pubcomp', msgId: 1 },
  { type: 'pingresp' },
  { type: 'willtopic', ...will },
  { type: 'willmsg', willMsg: bytes('x') },
]
const named = (packets: Packet[]) =>
  packets.map((packet) => [packet.type + ('qos' in packet ? ` of QoS ${packet.qos}` : ''), packet] as const)

it.each(named(requests))(
  'tells an unknown sender of %s to connect [SN-UNK-1, SN-PUB-15, SN-KA-7]',
  (_, packet) => {
    const world = new World()
    expect(world.sensor().send(packet)).toEqual([disconnect])
    expect(world.effects.map(({ type }) => type)).toEqual(['drop', 'send'])
    expect(world.drops()).toEqual(['unknown-sender'])
    expect(world.sessions.byPeer.size).toBe(0)
  },
)

it.each(named(requests))(
  'tells a disconnected sender of %s to connect [SN-UNK-1, SN-WILL-14]',
  (_, packet) => {
    const world = new World()
    const sensor = world.sensor()
    sensor.connect('dev1', { cleanSession: false })
    sensor.send(disconnect)
    world.effects.length = 0
    expect(sensor.send(packet)).toEqual([disconnect])
    expect(world.effects.map(({ type }) => type)).toEqual(['drop', 'send'])
  },
)

it.each(named(requests))('tells a lost sender of %s to connect [SN-UNK-1, SN-STA-2]', (_, packet) => {
  const world = new World()
  const sensor = world.sensor()
  sensor.connect('dev1', { cleanSession: false, duration: 10 })
  world.advance(16_000)
  expect(world.session('dev1').state).toBe('lost')
  expect(sensor.send(packet)).toEqual([disconnect])
  expect(world.session('dev1').state).toBe('lost')
})

it('tells a sensor that the gateway has restarted, at its next QoS 0 PUBLISH [SN-UNK-1]', () => {
  const before = new World()
  const sensor = before.sensor()
  sensor.connect('dev1')
  const id = sensor.register('t/temp')
  expect(sensor.publish(id, 'x')).toEqual([])
  expect(new World().sensor().publish(id, 'x')).toEqual([disconnect])
})

it.each(named(answers))('is silent on %s from an unknown sender [SN-UNK-2]', (_, packet) => {
  const world = new World()
  expect(world.sensor().send(packet)).toEqual([])
  expect(world.drops()).toEqual(['unasked'])
})

it('answers one address and port three times at once, then once a second [SN-UNK-3]', () => {
  const world = new World()
  const sensor = world.sensor()
  const answered = () => sensor.send({ type: 'pingreq', clientId: null }).length
  expect([answered(), answered(), answered(), answered()]).toEqual([1, 1, 1, 0])
  world.advance(1000)
  expect([answered(), answered()]).toEqual([1, 0])
  expect(world.drops().filter((reason) => reason === 'rate-limited')).toHaveLength(2)
})

it('limits answers per address too, whatever the port [SN-UNK-3]', () => {
  const world = new World({ limits: { repliesPerAddress: 5 } })
  let answered = 0
  for (let port = 6000; port < 6020; port++) {
    world.receive({ type: 'pingreq', clientId: null }, world.sensor('10.0.0.1', port).peer)
    answered = world.effects.filter(({ type }) => type === 'send').length
  }
  expect(answered).toBe(5)
  expect(world.sensor('10.0.0.2').send({ type: 'pingreq', clientId: null })).toEqual([disconnect])
})

it.each(
  named([...requests, { type: 'searchgw', radius: 0 }, disconnect, { type: 'disconnect', duration: 9 }]),
)(
  'answers %s of a stranger with at most one message, and not a longer one [SN-UNK-3, SN-ROB-3]',
  (_, packet) => {
    const world = new World()
    const sent = world.sensor().send(packet)
    const gwinfos = world.effects.filter(({ type }) => type === 'gwinfo').length * 3
    const octets = sent.reduce((sum, answer) => sum + encode(answer).length, gwinfos)
    expect(octets).toBeLessThanOrEqual(encode(packet).length)
    expect(octets).toBeGreaterThan(0)
  },
)

it('answers a CONNECT that it refuses with fewer octets than it has [SN-ROB-3]', () => {
  const world = new World()
  const [answer] = world.sensor().sendHex('06040401003c')
  expect(answer).toEqual({ type: 'connack', returnCode: 3 })
})

it('takes QoS -1 and SEARCHGW without a connection [SN-UNK-4]', () => {
  const world = new World({ predefined: { 7: 'pre/seven' } })
  const sensor = world.sensor()
  expect(sensor.send({ ...publish, qos: -1, topicIdType: 'predefined', topicId: 7 })).toEqual([])
  expect(sensor.send({ type: 'searchgw', radius: 1 })).toEqual([])
  expect(world.happened().filter((line) => line.startsWith('gateway'))).toEqual([
    'gateway → broker (own connection) PUBLISH pre/seven "x"',
    'gateway → all GWINFO',
  ])
})
