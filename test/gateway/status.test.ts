// Status topics at the broker: what others can know of gateway and sensors without asking.

import { expect, it, onTestFinished } from 'vitest'
import { startAedes } from '../support/broker.ts'
import { Office, TestGateway, until } from '../support/gateway.ts'

it('publishes the states of gateway and sensors, retained, and says so when it stops', async () => {
  const broker = await startAedes()
  onTestFinished(() => broker.close())
  const office = await Office.as(broker, {}, 'fleet/#')
  onTestFinished(() => office.close())
  const heard = (topic: string) =>
    JSON.parse(office.inbox.all.findLast((seen) => seen.topic === topic)?.text ?? '{}')

  const test = await TestGateway.start(broker, {
    status: { enabled: true, prefix: 'fleet' },
    gateway: { id: 7 },
  })
  onTestFinished(() => test.stop())
  await until(() => heard('fleet/gateway/7/status').state === 'online')
  const sensor = await test.connected({ clientId: 'pump-1' })
  const topic = 'fleet/gateway/7/sensor/pump-1'
  await until(() => heard(topic).state === 'active')
  await sensor.sleep(100)
  await until(() => heard(topic).state === 'asleep')
  expect(heard(topic).asleepUntil).toBeGreaterThan(Date.now() + 90_000)
  await test.stop()
  await until(() => heard('fleet/gateway/7/status').state === 'offline')
})
