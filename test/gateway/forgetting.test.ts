// A session that the gateway forgets ends at the broker too: nobody would ever take what is queued for it there [SN-SESS-6].

import { connect } from 'mqtt'
import { describe, expect, it, onTestFinished } from 'vitest'
import { haveMosquitto, startMosquitto } from '../support/broker.ts'
import { aWhile, freshName, TestGateway } from '../support/gateway.ts'

/** Whether the broker has a session of this ClientId. */
async function isKept(url: string, clientId: string): Promise<boolean> {
  const client = connect(url, { clientId, clean: false, protocolVersion: 4, reconnectPeriod: 0 })
  try {
    return await new Promise((resolve, reject) => {
      client.once('connect', ({ sessionPresent }) => resolve(sessionPresent))
      client.once('error', reject)
    })
  } finally {
    await client.endAsync()
  }
}

describe.skipIf(!haveMosquitto).each(['3.1.1', '5'] as const)(
  'at a broker with MQTT %s ends a session',
  (version) => {
    it.each([
      ['that is forgotten by hand', {}],
      ['that gives way to a newcomer', { limits: { sensors: 1 } }],
    ])('%s', async (_, more) => {
      const broker = await startMosquitto()
      onTestFinished(() => broker.close())
      const test = await TestGateway.start(broker, { broker: { version }, ...more })
      onTestFinished(() => test.stop())
      const clientId = freshName()
      const sensor = await test.connected({ clientId, cleanSession: false })
      await sensor.subscribe('d/a', 1)
      await sensor.disconnect()
      const session = test.gateway.sessions.byClientId.get(clientId)
      expect(session?.state).toBe('disconnected')
      if ('limits' in more) await test.connected()
      else if (session !== undefined) test.gateway.dispatch(session, { type: 'command', command: 'forget' })
      expect(test.gateway.sessions.byClientId.has(clientId)).toBe(false)
      await aWhile(500)
      expect(await isKept(broker.url, clientId)).toBe(false)
    })

    it('of nobody who is back in time', async () => {
      const broker = await startMosquitto()
      onTestFinished(() => broker.close())
      const test = await TestGateway.start(broker, { broker: { version } })
      onTestFinished(() => test.stop())
      const clientId = freshName()
      const first = await test.connected({ clientId, cleanSession: false })
      await first.disconnect()
      const session = test.gateway.sessions.byClientId.get(clientId)
      if (session !== undefined) test.gateway.dispatch(session, { type: 'command', command: 'forget' })
      const again = await test.connected({ clientId, cleanSession: false })
      await again.subscribe('d/a', 1)
      await aWhile(500)
      expect(test.gateway.sessions.byClientId.get(clientId)?.state).toBe('active')
      expect(test.gateway.status().broker.lost).toBe(0)
      await again.disconnect()
      expect(await isKept(broker.url, clientId)).toBe(true)
    })
  },
)
