// Dead letters as a gateway with a durable store has them, at a broker as strict as a cloud's.

import { expect, it, onTestFinished } from 'vitest'
import { createView } from '../../src/monitor/view.ts'
import { TestGateway, until } from '../support/gateway.ts'
import { startStrictBroker } from '../support/strict-broker.ts'

it('they lie on the disk over a restart, are shown, and arrive whole when the broker permits them and they are sent again', async () => {
  const forbidden = (topic: string): boolean => topic.startsWith('forbidden/')
  const broker = await startStrictBroker({ mayPublish: (_, topic) => !forbidden(topic) })
  onTestFinished(() => broker.close())
  const gateway = await TestGateway.start(
    broker,
    { sensors: [{ ack: 'store' }], broker: { keepAlive: '60s' } },
    { durable: true },
  )
  onTestFinished(() => gateway.stop())
  const sensor = await gateway.connected({ keepAlive: 60 })
  const long = 'x'.repeat(1000)
  await sensor.publish('forbidden/1', long, { qos: 1 })
  await sensor.publish('permitted', 'goes on', { qos: 1 })
  const dead = () => gateway.gateway.rules.env.deadLetters
  await until(
    () => dead().messages === 1 && broker.of('publish').some(({ topic }) => topic === 'permitted'),
    20_000,
  )

  await gateway.restart(async () => {
    broker.rules = { ...broker.rules, mayPublish: () => true }
  })
  expect(dead()).toEqual({ messages: 1, octets: 1000 + 'forbidden/1'.length })
  const view = createView(gateway.gateway, gateway.config, '0')
  onTestFinished(() => view.close())
  expect(view.info()).toMatchObject({ deadLetters: 1, deadLetterOctets: 1011 })
  expect(view.sensor(sensor.clientId)?.deadLetters).toMatchObject([
    { topic: 'forbidden/1', qos: 1, retain: false, octets: 1000, why: 'hung-up' },
  ])

  expect(view.act(sensor.clientId, { type: 'resendDeadLetters' })).toBe(true)
  await until(
    () => broker.of('publish').some(({ topic, text }) => topic === 'forbidden/1' && text === long),
    20_000,
  )
  await until(() => gateway.gateway.rules.env.spooled.messages === 0)
  expect(dead()).toEqual({ messages: 0, octets: 0 })
  await gateway.restart()
  expect([dead().messages, gateway.gateway.rules.env.spooled.messages]).toEqual([0, 0])
}, 60_000)
