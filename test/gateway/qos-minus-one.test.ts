// QoS -1 from anybody at a broker that says no by hanging up: health, GWINFO and honest buttons do not depend on it.

import { createSocket } from 'node:dgram'
import { describe, expect, it, onTestFinished } from 'vitest'
import { haveMosquitto, startMosquitto } from '../support/broker.ts'
import { aWhile, Office, TestGateway, until } from '../support/gateway.ts'
import { startStrictBroker } from '../support/strict-broker.ts'

/** A sender of bare datagrams, and what came back to it. */
async function sender(test: TestGateway) {
  const socket = createSocket('udp4')
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  onTestFinished(() => void socket.close())
  const heard: string[] = []
  socket.on('message', (bytes) => heard.push(bytes.toString('hex')))
  const port = Number(new URL(test.url()).port)
  return { heard, send: (hex: string) => socket.send(Buffer.from(hex, 'hex'), port, '127.0.0.1') }
}

/** QoS -1 PUBLISH to a short topic name. */
function press(topic: string, data: string): string {
  const body = `0c62${Buffer.from(topic).toString('hex')}0000${Buffer.from(data).toString('hex')}`
  return (body.length / 2 + 1).toString(16).padStart(2, '0') + body
}

const limits = { qosMinusOne: { perAddress: 1000 } }

describe('a stranger`s QoS -1 message at which the broker hangs up', () => {
  it.skipIf(!haveMosquitto)(
    'costs nobody else anything: Mosquitto with a largest packet [SN-QM1-4]',
    async () => {
      const broker = await startMosquitto({ lines: ['max_packet_size 200'] })
      onTestFinished(() => broker.close())
      const test = await TestGateway.start(broker, { ...limits, broker: { version: '3.1.1' } })
      onTestFinished(() => test.stop())
      const office = await Office.at(broker, '#')
      const [button, stranger, seeker] = [await sender(test), await sender(test), await sender(test)]
      const health: boolean[] = []
      for (let i = 0; i < 120; i++) {
        if (i % 10 === 0) stranger.send(press('zz', 'x'.repeat(220)))
        if (i % 40 === 0) seeker.send('030101')
        button.send(press('ab', `${i}`))
        await aWhile(10)
        health.push(test.gateway.isHealthy())
      }
      const honest = () => office.inbox.all.filter(({ topic }) => topic === 'ab').map(({ text }) => text)
      await until(() => honest().length >= 120)
      expect(honest()).toEqual(Array.from({ length: 120 }, (_, i) => `${i}`))
      expect(health.every(Boolean)).toBe(true)
      expect(seeker.heard.filter((hex) => hex.startsWith('0302')).length).toBe(3)
      expect(test.gateway.status().counters.dropped['suspended-topic']).toBe(12)
    },
  )

  it('costs nobody else anything: a forbidden predefined topic among ten honest ones', async () => {
    const broker = await startStrictBroker({
      mayPublish: (_, topic) => topic !== 'forbidden',
      publishesPerSecond: undefined,
    })
    onTestFinished(() => broker.close())
    const topics = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`${i + 1}`, `button/${i + 1}`]))
    const test = await TestGateway.start(broker, { ...limits, predefined: { ...topics, 99: 'forbidden' } })
    onTestFinished(() => test.stop())
    const button = await sender(test)
    const hex = (value: number) => value.toString(16).padStart(4, '0')
    const pressNumber = (id: number, data: number) => button.send(`090c61${hex(id)}0000${hex(data)}`)
    for (let round = 0; round < 20; round++) {
      pressNumber(99, round)
      for (let id = 1; id <= 10; id++) pressNumber(id, round)
      await aWhile(100)
      expect(test.gateway.isHealthy()).toBe(true)
    }
    const honest = () => broker.of('publish').filter(({ topic }) => topic.startsWith('button/'))
    await until(() => honest().length >= 200)
    expect(honest().length).toBe(200)
    expect(test.gateway.status().counters.dropped['suspended-topic']).toBe(20)
  })
})
