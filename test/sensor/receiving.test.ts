// What a Sensor does with messages that the gateway starts [6.5, 6.6, 6.10, 6.11].

import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Publish } from '../../src/codec/v1/messages.ts'
import { type ReceivedMessage, Sensor } from '../../src/sensor/sensor.ts'
import { acceptingGateway, UdpPeer } from '../support/sensor.ts'

let gateway: UdpPeer
let sensor: Sensor
let messages: ReceivedMessage[]

beforeEach(async () => {
  gateway = await UdpPeer.open()
  gateway.script = acceptingGateway()
  sensor = new Sensor({ gateway: gateway.url, clientId: 'dev1', predefined: { 9: 'nine' } })
  messages = []
  sensor.on('message', (message) => messages.push(message))
  await sensor.connect()
})

afterEach(async () => {
  sensor.close()
  await gateway.close()
})

function publish(fields: Partial<Publish>): Publish {
  const defaults = { dup: false, qos: 0, retain: false, topicIdType: 'normal', topicId: 1, msgId: 0 } as const
  return { type: 'publish', ...defaults, data: Buffer.from('on'), ...fields }
}

const texts = () => messages.map(({ topic, payload }) => `${topic} ${Buffer.from(payload)}`)
/** All earlier datagrams have been handled once this one is answered. */
const settled = () => sensor.ping()
/** Hex of what the sensor sent since CONNECT, without the pings of the test. */
const answers = () =>
  gateway.heard
    .slice(1)
    .map(({ hex }) => hex)
    .filter((hex) => hex !== '0216')

it('receives a message of a subscribed name', async () => {
  await sensor.subscribe('s/a')
  gateway.send(publish({ retain: true }))
  await settled()
  expect(messages).toEqual([
    {
      topic: 's/a',
      payload: Buffer.from('on'),
      qos: 0,
      retain: true,
      dup: false,
      topicIdType: 'normal',
      topicId: 1,
    },
  ])
})

it('learns names under a wildcard from REGISTER', async () => {
  gateway.send('090a00020001732f61')
  gateway.send(publish({ topicId: 2, qos: 1, msgId: 2 }))
  await settled()
  expect(answers()).toEqual(['070b0002000100', '070d0002000200'])
  expect(texts()).toEqual(['s/a on'])
})

it('answers PUBACK 0x02 to an unknown topic id, at every QoS', async () => {
  gateway.send(publish({ topicId: 9 }))
  gateway.send(publish({ topicId: 9, qos: 1, msgId: 3 }))
  gateway.send(publish({ topicId: 9, qos: 2, msgId: 4 }))
  gateway.send(publish({ topicId: 10, topicIdType: 'predefined', qos: 1, msgId: 5 }))
  await settled()
  expect(answers()).toEqual(['070d0009000002', '070d0009000302', '070d0009000402', '070d000a000502'])
  expect(messages).toEqual([])
})

it('knows configured predefined ids, subscribed predefined ids and short names', async () => {
  await sensor.subscribe({ predefined: 10 })
  gateway.send(publish({ topicId: 9, topicIdType: 'predefined' }))
  gateway.send(publish({ topicId: 10, topicIdType: 'predefined' }))
  gateway.send(publish({ topicId: 0x6162, topicIdType: 'short' }))
  await settled()
  expect(texts()).toEqual(['nine on', 'predefined:10 on', 'ab on'])
})

it('delivers a repeated QoS 1 message again, with its DUP flag', async () => {
  gateway.send(publish({ topicIdType: 'short', topicId: 0x6162, qos: 1, msgId: 7 }))
  gateway.send(publish({ topicIdType: 'short', topicId: 0x6162, qos: 1, msgId: 7, dup: true }))
  await settled()
  expect(messages.map(({ dup }) => dup)).toEqual([false, true])
  expect(answers()).toEqual(['070d6162000700', '070d6162000700'])
})

it('delivers a QoS 2 message exactly once, whatever is repeated', async () => {
  const message = publish({ topicIdType: 'short', topicId: 0x6162, qos: 2, msgId: 7 })
  gateway.send(message)
  gateway.send({ ...message, dup: true })
  gateway.send({ type: 'pubrel', msgId: 7 })
  gateway.send({ type: 'pubrel', msgId: 7 })
  await settled()
  expect(texts()).toEqual(['ab on'])
  expect(answers()).toEqual(['040f0007', '040f0007', '040e0007', '040e0007'])
  gateway.send({ ...message, data: Buffer.from('next') })
  await settled()
  expect(texts()).toEqual(['ab on', 'ab next'])
})

it('keeps the MsgIds of both directions apart', async () => {
  gateway.script = () => []
  const published = sensor.publish({ short: 'ab' }, 'up', { qos: 2 })
  const { msgId } = await gateway.next('publish')
  gateway.send(publish({ topicIdType: 'short', topicId: 0x6162, qos: 2, msgId, data: Buffer.from('down') }))
  expect(await gateway.next('pubrec')).toMatchObject({ msgId })
  gateway.send({ type: 'pubrel', msgId })
  expect(await gateway.next('pubcomp')).toMatchObject({ msgId })
  gateway.send({ type: 'pubrec', msgId })
  expect(await gateway.next('pubrel')).toMatchObject({ msgId })
  gateway.send({ type: 'pubcomp', msgId })
  await published
  expect(texts()).toEqual(['ab down'])
})

it('accepts a long payload in the 3-octet form, and the 3-octet form for a short one', async () => {
  const data = Buffer.alloc(2000, 'x')
  gateway.send(publish({ topicIdType: 'short', topicId: 0x6162, data }))
  gateway.send('01000b0c0261620000' + '6f6e')
  await settled()
  expect(messages.map(({ payload }) => payload.length)).toEqual([2000, 2])
})

it('answers PINGREQ', async () => {
  gateway.send({ type: 'pingreq', clientId: null })
  await settled()
  expect(answers()).toEqual(['0217'])
})

it('forgets ids and unfinished QoS 2 exchanges with a clean session, and keeps them without', async () => {
  const message = publish({ qos: 2, msgId: 7 })
  await sensor.subscribe('s/a')
  gateway.send(message)
  await settled()
  await sensor.disconnect()
  await sensor.connect({ cleanSession: false })
  gateway.send({ ...message, dup: true })
  await settled()
  expect(texts()).toEqual(['s/a on'])
  await sensor.connect({ cleanSession: true })
  gateway.send(message)
  await settled()
  expect(answers().at(-1)).toBe('070d0001000702')
})

it('reports octets that are no message, and goes on', async () => {
  const errors: string[] = []
  sensor.on('error', (error) => errors.push(`${error.code} ${error.message}`))
  for (const hex of ['00', '0519', '0319ff', '0fff', '010002']) gateway.send(hex)
  await settled()
  expect(errors).toHaveLength(5)
  expect(errors).toContain('malformed unknown-type')
})
