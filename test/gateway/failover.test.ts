// Two real brokers: sensors go on at the second when the first is killed, and return when it is back.

import { describe, expect, it, onTestFinished } from 'vitest'
import { haveMosquitto, startMosquitto } from '../support/broker.ts'
import { Office, TestGateway, until } from '../support/gateway.ts'

describe.skipIf(!haveMosquitto)('with two brokers', () => {
  it.each(['3.1.1', '5'])(
    'nothing of QoS 1 is lost when the first is killed, and all return to it: MQTT %s',
    async (version) => {
      const [first, second] = [await startMosquitto(), await startMosquitto()]
      for (const broker of [first, second]) onTestFinished(() => broker.close())
      const test = await TestGateway.start(first, {
        broker: { url: [first.url, second.url], returnAfter: '1s', version },
        status: { enabled: true, prefix: 'status' },
      })
      onTestFinished(() => test.stop())
      const offices = { [second.url]: await Office.at(second, '#') }
      const sensors = [await test.connected(), await test.connected()]
      for (const sensor of sensors) await sensor.subscribe(`to/${sensor.clientId}`, 1)
      const [one] = sensors
      const told: string[] = []
      for (const sensor of sensors) sensor.on('disconnected', (why) => told.push(why))
      await first.stop('SIGKILL')
      const sent = Array.from({ length: 10 }, (_, i) => `message ${i}`)
      for (const text of sent)
        await one
          ?.publish('from/one', text, { qos: 1 })
          .catch(() => one.publish('from/one', text, { qos: 1 }))
      await until(() => test.gateway.status().broker.url === second.url)
      await until(() => test.gateway.status().broker.connected === 2)
      const seen = () =>
        offices[second.url]?.inbox.all.filter(({ topic }) => topic === 'from/one').map(({ text }) => text) ??
        []
      await until(() => new Set(seen()).size === sent.length)
      expect([...new Set(seen())]).toEqual(sent)
      await offices[second.url]?.publish(`to/${one?.clientId}`, 'hello')
      await until(() => one?.inbox.all.some(({ text }) => text === 'hello') === true)
      await until(
        () =>
          offices[second.url]?.inbox.all.some(
            ({ topic, text }) => topic.endsWith('/status') && text.includes('online'),
          ) === true,
      )

      await first.start()
      await until(() => test.gateway.status().broker.url === first.url, 20_000)
      await until(() => test.gateway.status().broker.connected === 2, 20_000)
      const office = await Office.at(first, '#')
      await one?.publish('from/one', 'back', { qos: 1 })
      await until(() => office.inbox.all.some(({ text }) => text === 'back'))
      expect(told).toEqual([])
    },
  )
})
