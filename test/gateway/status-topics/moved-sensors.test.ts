// What is said of sensors that come from another node, and of those that go to one.

import { expect, it, onTestFinished } from 'vitest'
import { SensorStatus } from '../../../src/gateway/status-topics/sensor-status.ts'
import type { Session } from '../../../src/session/session.ts'
import { load } from '../../config/files.ts'
import { TestGateway } from '../../support/gateway.ts'

const STATUS = 'mqttsn/gateway/1/sensor/pump-1'
const DEVICE = 'homeassistant/device/mqttsn-1/pump-1/config'

/** What a node says that has begun without sensors; with a sensor that another one has served. */
async function node() {
  const test = await TestGateway.start('embedded')
  onTestFinished(() => test.stop())
  await test.connected({ clientId: 'pump-1' })
  const session = test.gateway.sessions.byClientId.get('pump-1') as Session
  const byClientId = new Map<string, Session>()
  const said = new Map<string, string>()
  const upstream = {
    ...{ healthy: true, ownOpenings: 1, hearOwn() {} },
    publishOwn: (topic: string, payload: Uint8Array) => {
      said.set(topic, Buffer.from(payload).toString())
      return true
    },
  }
  const listeners = [{ name: 'field', url: 'udp://127.0.0.1:0' }]
  const { config } = load({ listeners, broker: 'embedded', homeAssistant: { discovery: true } })
  const status = new SensorStatus({ byClientId }, upstream, config, true)
  return { session, byClientId, said, status }
}

it('of one that comes all is said, later changes too, and taken back when it is forgotten', async () => {
  const { session, byClientId, said, status } = await node()
  byClientId.set('pump-1', session)
  status.adopt(session)
  status.send(performance.now())
  expect([...said.keys()].sort()).toEqual([DEVICE, STATUS])
  expect(JSON.parse(said.get(STATUS) ?? '')).toMatchObject({ state: 'active', queued: 0 })
  session.heardAt += 1000
  said.clear()
  status.sayChanges()
  status.send(performance.now())
  expect([...said.keys()]).toEqual([STATUS])
  byClientId.delete('pump-1')
  status.forget(session)
  status.send(performance.now())
  expect([said.get(STATUS), said.get(DEVICE)]).toEqual(['', ''])
})

it('of one that goes nothing is said any more, what waits included', async () => {
  const { session, byClientId, said, status } = await node()
  byClientId.set('pump-1', session)
  status.say(session, 'asleep')
  byClientId.delete('pump-1')
  status.release(session)
  status.sayChanges()
  status.send(performance.now())
  expect([...said.keys()]).toEqual([])
})
