// Frames that decode and must not be obeyed: each of the vectors, octet for octet, with what the gateway makes of it.

import { expect, it } from 'vitest'
import { decodeFrame, encode } from '../../src/codec/v1/frame.ts'
import { fromHex, malformed, toHex } from '../codec/vectors.ts'
import { type VirtualSensor, World } from '../support/world.ts'

/** What comes before the frame. */
const befores = {
  nothing: () => {},
  connected: (sensor: VirtualSensor) => {
    sensor.connect('dev1')
    sensor.register('t/temp') // topic id 1
  },
  prompted: (sensor: VirtualSensor) => sensor.connect('dev1', { will: true }),
}

/**
 * Before it, what the sensor gets, and what goes to the broker; by name of the vector. A DISCONNECT without a connection
 * never gets there.
 */
const expected: Record<string, [before: keyof typeof befores, answers: string[], broker?: string[]]> = {
  'connect-empty-clientid': ['nothing', ['030503']],
  'connect-clientid-24': ['nothing', ['030503']],
  'connect-clientid-200': ['nothing', ['030503']],
  'connect-clientid-invalid-utf8': ['nothing', ['030503']],
  'connect-clientid-nul': ['nothing', ['030503']],
  'connect-protocolid-00': ['nothing', ['030503']],
  'connect-protocolid-02': ['nothing', ['030503']],
  'willtopic-flags-only': ['prompted', ['030500'], ['CONNECT clean']],
  'willtopic-qos3': ['prompted', ['030503'], ['DISCONNECT']],
  'willtopic-wildcard': ['prompted', ['030503'], ['DISCONNECT']],
  'willtopicupd-qos3': ['connected', ['031b03']],
  'register-empty-name': ['connected', ['070b0000000103']],
  'register-wildcard': ['connected', ['070b0000000103']],
  'register-invalid-utf8': ['connected', ['070b0000000103']],
  'register-from-client-nonzero-topicid': ['connected', ['070b0002000100']],
  'publish-qos1-unknown-normal-id': ['connected', ['070d7777000502']],
  'publish-qos0-unknown-normal-id': ['connected', ['070d7777000002']],
  'publish-qos2-unknown-normal-id': ['connected', ['070d7777000602']],
  'publish-topicid-0000': ['connected', ['070d0000000702']],
  'publish-topicid-ffff': ['connected', ['070dffff000802']],
  'publish-unknown-predefined': ['connected', ['070deeee000902']],
  'publish-topicidtype-11': ['connected', ['070d0001000a03']],
  'publish-qos0-topicidtype-11': ['connected', ['070d0001000003']],
  'publish-qos-1-normal-id': ['connected', []],
  'publish-qos-1-topicidtype-11': ['connected', []],
  'publish-qos-1-long-name-paho-extension': ['connected', []],
  'publish-qos-1-unknown-predefined': ['connected', []],
  'publish-qos1-msgid-0': ['connected', ['070d0001000000'], ['PUBLISH t/temp qos 1 "A"']],
  'publish-short-wildcard-plus': ['connected', ['070d2b61000b03']],
  'publish-short-wildcard-hash': ['connected', ['070d6123000c03']],
  'publish-short-nul': ['connected', ['070d6100000d03']],
  'publish-short-invalid-utf8': ['connected', ['070dc328000e03']],
  'publish-dup-qos0': ['connected', [], ['PUBLISH t/temp qos 0 "A"']],
  'subscribe-qos3': ['connected', ['0813000000000103']],
  'subscribe-topicidtype-11': ['connected', ['0813000000000103']],
  'subscribe-empty-name': ['connected', ['0813000000000103']],
  'subscribe-unknown-predefined': ['connected', ['0813000000000102']],
  'subscribe-predefined-0000': ['connected', ['0813000000000102']],
  'subscribe-predefined-ffff': ['connected', ['0813000000000102']],
  'subscribe-bad-filter-hash-middle': ['connected', ['0813000000000103']],
  'subscribe-bad-filter-plus-glued': ['connected', ['0813000000000103']],
  'subscribe-invalid-utf8': ['connected', ['0813000000000103']],
  'unsubscribe-topicidtype-11': ['connected', []],
  'unsubscribe-unknown-predefined': ['connected', ['04150001']],
  'pingreq-unknown-clientid': ['nothing', ['0218']],
  'publish-from-unknown-sender': ['nothing', ['0218']],
  'wrong-direction-connack-accepted': ['connected', []],
  'wrong-direction-willtopicreq': ['connected', []],
  'wrong-direction-willmsgreq': ['connected', []],
  'wrong-direction-suback-qos0-id1': ['connected', []],
  'wrong-direction-unsuback': ['connected', []],
  'wrong-direction-willtopicresp-accepted': ['connected', []],
  'wrong-direction-willmsgresp-accepted': ['connected', []],
}

/** The codec already refuses these two, so that they never reach a session. */
const refusedByCodec = ['encap-no-node-id', 'encap-nested']

const frames = malformed.filter(({ layer }) => layer !== 'codec')

it('has an expectation for every frame that is refused by meaning or direction [SN-COD-4]', () => {
  const names = frames.map(({ name }) => name).sort()
  expect([...Object.keys(expected), ...refusedByCodec].sort()).toEqual(names)
})

const reaching = frames.filter(({ name }) => !refusedByCodec.includes(name))

it.each(reaching)(
  'does with $name what is recommended [SN-COD-4, SN-FLG-2, SN-FLG-3, SN-FLD-3]',
  ({ name, hex }) => {
    const [before, answers, broker = []] = expected[name] ?? ['nothing', ['missing']]
    const world = new World()
    const sensor = world.sensor()
    befores[before](sensor)
    world.happened()
    const state = world.sessions.byClientId.get('dev1')?.state
    expect(sensor.sendHex(hex).map((packet) => toHex(encode(packet)))).toEqual(answers)
    const prefix = 'gateway → broker '
    const lines = world.happened().filter((line) => line.startsWith(prefix))
    expect(lines.map((line) => line.slice(prefix.length))).toEqual(broker)
    if (before !== 'prompted') {
      expect(world.sessions.byClientId.get('dev1')?.state).toBe(state)
      expect(world.sessions.byClientId.size).toBe(before === 'connected' ? 1 : 0)
    }
    if (answers.length === 0 && broker.length === 0 && name !== 'unsubscribe-topicidtype-11') {
      expect(world.effects.at(-1)).toMatchObject({ type: 'drop' }) // silently, but counted
    }
  },
)

it.each(refusedByCodec)('never sees %s [SN-COD-4, SN-FWD-2, SN-FWD-8]', (name) => {
  const hex = malformed.find((frame) => frame.name === name)?.hex ?? ''
  expect(decodeFrame(fromHex(hex)).packet.type).toBe('malformed')
})

it.each(reaching.filter(({ name }) => name.startsWith('wrong-direction')))(
  'discards $name from a stranger too [SN-TYP-3]',
  ({ hex }) => {
    const world = new World()
    expect(world.sensor().sendHex(hex)).toEqual([])
    expect(world.drops()).toEqual(['wrong-direction'])
  },
)

it.each([
  ['register', '070a0000000061', '070b0002000000'],
  ['subscribe', '061220000061', '0813200002000000'],
  ['unsubscribe', '061400000061', '04150000'],
  ['publish of QoS 2', '080c400001000041', '040f0000'],
])('accepts MsgId 0 in %s and echoes it [SN-FLD-5]', (_, hex, answer) => {
  const world = new World()
  const sensor = world.sensor()
  befores.connected(sensor)
  expect(sensor.sendHex(hex).map((packet) => toHex(encode(packet)))).toEqual([answer])
})

it('ignores the MsgId of a QoS 0 and QoS -1 PUBLISH [SN-FLD-5]', () => {
  const world = new World()
  const sensor = world.sensor()
  befores.connected(sensor)
  expect(sensor.sendHex('080c000001123441')).toEqual([])
  expect(sensor.sendHex('080c626162123441')).toEqual([])
  expect(world.broker.published.map(({ topic }) => topic)).toEqual(['t/temp', 'ab'])
})

it('never uses MsgId 0 itself, also after 65,535 of them [SN-FLD-5, SN-GPUB-10]', () => {
  const world = new World()
  const sensor = world.sensor()
  sensor.connect('dev1')
  sensor.subscribe('d/a', 1)
  world.session('dev1').downlink.nextMessage = 0xfffe
  const used: number[] = []
  for (let i = 0; i < 3; i++) {
    world.publish('d/a', 'm', 1)
    const [publish] = sensor.take()
    if (publish?.type !== 'publish') throw new Error('no PUBLISH')
    used.push(publish.msgId)
    sensor.send({ type: 'puback', topicId: publish.topicId, msgId: publish.msgId, returnCode: 0 })
  }
  expect(used).toEqual([0xfffe, 0xffff, 1])
})
