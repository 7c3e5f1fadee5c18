// The gateway's own connection and another client with the same ClientId, at real brokers.

import { connectAsync } from 'mqtt'
import { expect, it, onTestFinished } from 'vitest'
import { createUpstream } from '../../../src/upstream/mqtt/mqtt.ts'
import { startAedes } from '../../support/broker.ts'
import { until } from '../../support/gateway.ts'
import { startScriptedBroker } from '../../support/scripted.ts'
import { upstreamOptions } from '../harness.ts'

function recorded() {
  const errors: string[] = []
  const quiet = () => {}
  const log = {
    debug: quiet,
    info: quiet,
    warn: quiet,
    error: (_: object, text: string) => errors.push(text),
  }
  return { errors, log }
}

it('says that another client uses its ClientId, once, and tries again more slowly: MQTT 3.1.1', async () => {
  const broker = await startAedes()
  onTestFinished(() => broker.close())
  const { errors, log } = recorded()
  const options = upstreamOptions(broker, { version: '3.1.1', own: { clientId: 'shared-name' }, log })
  const upstream = createUpstream(options)
  onTestFinished(() => upstream.close(1000))
  let taken = 0
  const rival = await connectAsync(broker.url, { clientId: 'shared-name', reconnectPeriod: 50 })
  onTestFinished(() => rival.endAsync(true))
  rival.on('close', () => {
    taken += 1
  })
  await until(() => errors.length > 0)
  expect(errors[0]).toContain('another client uses the ClientId "shared-name"')
  expect(errors[0]).toContain('broker.clientId')
  const before = taken
  await new Promise((done) => setTimeout(done, 1500))
  expect(taken - before).toBeLessThanOrEqual(3) // it was some twenty times a second
  expect(errors).toHaveLength(1)
})

it('says so at once where the broker tells it: MQTT 5, 0x8E', async () => {
  const broker = await startScriptedBroker()
  onTestFinished(() => broker.close())
  const { errors, log } = recorded()
  const upstream = createUpstream(upstreamOptions(broker, { version: '5', own: { clientId: 'mine' }, log }))
  onTestFinished(() => upstream.close(1000))
  await until(() => upstream.healthy)
  broker.peers[0]?.send({ cmd: 'disconnect', reasonCode: 0x8e })
  await until(() => errors.length > 0)
  expect(errors).toEqual([expect.stringContaining('another client uses the ClientId "mine"')])
})

it('says nothing of the kind when the broker restarts, or is gone for a while', async () => {
  const { errors, log } = recorded()
  let broker = await startAedes()
  const port = Number(new URL(broker.url).port)
  const upstream = createUpstream(
    upstreamOptions(broker, { version: '3.1.1', own: { clientId: 'mine' }, log }),
  )
  onTestFinished(() => upstream.close(1000))
  for (let restart = 0; restart < 2; restart += 1) {
    await until(() => upstream.healthy)
    await broker.close()
    await until(() => !upstream.healthy)
    await new Promise((done) => setTimeout(done, 300)) // long enough for an attempt that finds nobody
    broker = await startAedes(port)
  }
  await until(() => upstream.healthy)
  await broker.close()
  expect(errors).toEqual([])
})
