// `mqttsn sub` against a scripted gateway over real UDP.

import { afterEach, beforeEach, expect, it } from 'vitest'
import { subCommand } from '../../src/cli/sub.ts'
import type { Packet, Qos } from '../../src/codec/v1/messages.ts'
import { until } from '../support/gateway.ts'
import { acceptingGateway, FakeTerminal, UdpPeer } from '../support/sensor.ts'

let gateway: UdpPeer
let terminal: FakeTerminal

beforeEach(async () => {
  gateway = await UdpPeer.open()
  gateway.script = acceptingGateway()
  terminal = new FakeTerminal()
})

afterEach(() => gateway.close())

function sub(...args: string[]): Promise<number | undefined> {
  return terminal.run(subCommand(terminal), '--gateway', gateway.url, '--client-id', 'dev1', ...args)
}

const message = (data: string | Uint8Array, qos: Qos = 0): Packet => ({
  type: 'publish',
  dup: false,
  qos,
  retain: false,
  topicIdType: 'normal',
  topicId: 1,
  msgId: qos === 0 ? 0 : 9,
  data: Buffer.from(data),
})

it('prints topic and payload, and ends after so many messages', async () => {
  const running = sub('-t', 's/a', '-n', '2')
  await gateway.next('subscribe')
  gateway.send(message('hello world'))
  gateway.send(message('wörld'))
  gateway.send(message('too many'))
  expect(await running).toBe(0)
  expect(terminal.lines).toEqual(['s/a hello world', 's/a wörld'])
  await gateway.next('disconnect')
})

it('prints payloads that are not text, or would act on the terminal, as hex', async () => {
  const running = sub('-t', 's/a', '-n', '3')
  await gateway.next('subscribe')
  gateway.send(message(Uint8Array.of(0xff, 0x00)))
  gateway.send(message('\u001b[2J'))
  gateway.send(message('a\tb'))
  await running
  expect(terminal.lines).toEqual(['s/a ff00', 's/a 1b5b324a', 's/a a\tb'])
})

it('prints JSON', async () => {
  const running = sub('-t', 's/a', '-n', '2', '-q', '1', '--json')
  await gateway.next('subscribe')
  gateway.send(message('on', 1))
  gateway.send(message(Uint8Array.of(0xff)))
  await running
  expect(terminal.lines.map((line) => JSON.parse(line))).toEqual([
    { topic: 's/a', payload: 'on', qos: 1, retain: false, dup: false },
    { topic: 's/a', payloadHex: 'ff', qos: 0, retain: false, dup: false },
  ])
})

it('subscribes to all that it is given, at one QoS', async () => {
  const running = sub('-t', 'a', '-t', 'b/#', '--predefined', '5', '--short', 'ab', '-q', '2')
  for (let count = 0; count < 4; count += 1) await gateway.next('subscribe')
  terminal.interrupt()
  expect(await running).toBe(0)
  const filters = gateway.heard.map(({ packet }) => packet).filter(({ type }) => type === 'subscribe')
  expect(filters).toMatchObject([
    { topicName: 'a', qos: 2 },
    { topicName: 'b/#', qos: 2 },
    { topicIdType: 'predefined', topicId: 5, qos: 2 },
    { topicIdType: 'short', topicId: 0x6162, qos: 2 },
  ])
  expect(gateway.types()).toMatch(/disconnect$/)
})

it('says when it is subscribed, with the QoS that is granted, apart from messages', async () => {
  const accept = acceptingGateway()
  gateway.script = (packet, heard) => {
    const answers = accept(packet, heard)
    return packet.type === 'subscribe'
      ? answers.map((one) => (one.type === 'suback' ? { ...one, qos: 1 } : one))
      : answers
  }
  const running = sub('-t', 'a/+', '--predefined', '5', '--short', 'ab', '-q', '2')
  for (let count = 0; count < 3; count += 1) await gateway.next('subscribe')
  await until(() => terminal.errors.length === 3)
  terminal.interrupt()
  await running
  expect(terminal.errors).toEqual(
    ['a/+', 'predefined:5', 'ab'].map((name) => `subscribed to ${name}, QoS 1, not 2`),
  )
  expect(terminal.lines).toEqual([])

  terminal = new FakeTerminal()
  const scripted = sub('-t', 'a', '-q', '1', '--json')
  await until(() => terminal.errors.length === 1)
  terminal.interrupt()
  await scripted
  expect(terminal.errors.map((line) => JSON.parse(line))).toEqual([{ subscribed: { topic: 'a', qos: 1 } }])
})

it('sleeps, wakes and prints what was kept', async () => {
  const accept = acceptingGateway()
  gateway.script = (packet, heard) =>
    packet.type === 'pingreq' ? [message('kept'), { type: 'pingresp' }] : accept(packet, heard)
  expect(await sub('-t', 's/a', '-n', '2', '--sleep', '20ms')).toBe(0)
  expect(terminal.lines).toEqual(['s/a kept', 's/a kept'])
  expect(terminal.errors).toEqual(['subscribed to s/a, QoS 0'])
  expect(gateway.types()).toBe('connect subscribe disconnect pingreq pingreq disconnect')
  expect(gateway.heard[2]?.packet).toMatchObject({ duration: 1 })
})

it('connects and subscribes again when the gateway ends the connection', async () => {
  const running = sub('-t', 's/a', '-n', '1', '--retry', '300ms', '--retries', '20')
  await gateway.next('subscribe')
  gateway.send({ type: 'disconnect', duration: null })
  await gateway.next('subscribe')
  gateway.send(message('back'))
  expect(await running).toBe(0)
  expect(terminal.lines).toEqual(['s/a back'])
  expect(terminal.errors).toContain('connection lost, connecting again')
})

it('ends with 1 when the subscription is refused', async () => {
  const accept = acceptingGateway()
  gateway.script = (packet, heard) => {
    if (packet.type !== 'subscribe') return accept(packet, heard)
    return [{ type: 'suback', qos: 0, topicId: 0, msgId: packet.msgId, returnCode: 3 }]
  }
  expect(await sub('-t', 'secret')).toBe(1)
  expect(terminal.errors.join()).toContain('not supported')
})

it('ends with 3 when nobody answers, or too little came in time', async () => {
  expect(await sub('-t', 's/a', '-n', '1', '--timeout', '50ms')).toBe(3)
  gateway.script = () => []
  expect(await sub('-t', 's/a', '--retry', '10ms', '--retries', '1')).toBe(3)
})

it.each([
  [[], 'give at least one of --topic'],
  [['-t', 'a', '-q', '-1'], 'expected 0, 1 or 2'],
  [['-t', 'a', '-n', 'many'], 'expected a whole number'],
])('ends with 2 on wrong usage: %j', async (args, expected) => {
  expect(await sub(...args)).toBe(2)
  expect(terminal.errors.join('\n')).toContain(expected)
})
