// A sensor that moves from one gateway to another, at a real broker: the old gateway does not fight for it [SN-MAP-37].

import { describe, expect, it, onTestFinished } from 'vitest'
import { haveMosquitto, startMosquitto } from '../support/broker.ts'
import { freshName, Office, TestGateway, until } from '../support/gateway.ts'

const COMMANDS = 90

describe.skipIf(!haveMosquitto)('a sensor that moves to another gateway', () => {
  it.each([
    ['3.1.1', 'while it was awake'],
    ['5', 'while it was awake'],
    ['3.1.1', 'while it slept'],
    ['5', 'while it slept'],
  ] as const)(
    'over MQTT %s, %s, gets every command there and has no will published [SN-MAP-37]',
    async (version, how) => {
      const broker = await startMosquitto()
      onTestFinished(() => broker.close())
      const [first, second] = await Promise.all(
        [1, 2].map(() => TestGateway.start(broker, { broker: { version } })),
      )
      if (first === undefined || second === undefined) throw new Error('two gateways were started')
      onTestFinished(async () => {
        await first.stop()
        await second.stop()
      })
      const clientId = freshName()
      const topic = `command/${clientId}`
      const office = await Office.at(broker, `lwt/${clientId}`)
      onTestFinished(() => office.close())
      const options = { clientId, cleanSession: false, will: { topic: `lwt/${clientId}`, message: 'gone' } }

      const before = await first.connected(options)
      await before.subscribe(topic, 1)
      if (how === 'while it slept') await before.sleep(3600)
      const here = await second.connected(options)
      await until(() => first.gateway.status().broker.lost === 1)
      const commands = Array.from({ length: COMMANDS }, (_, i) => `command ${i}`)
      for (const command of commands) {
        await office.publish(topic, command)
        await new Promise((done) => setTimeout(done, 10))
      }
      expect((await here.inbox.take(COMMANDS)).map(({ text }) => text)).toEqual(commands)
      expect(second.gateway.status().broker.lost).toBe(0)
      expect(before.inbox.all).toEqual([])
      expect(first.stateOf({ clientId })).toBe(how === 'while it slept' ? 'asleep' : 'active')
      expect(office.inbox.all).toEqual([])
    },
  )
})
