// The names that a gateway has at the broker itself: no sensor gets one of them.

import { expect, it, onTestFinished } from 'vitest'
import { createCounters } from '../../src/gateway/counters.ts'
import { openBroker } from '../../src/gateway/open-broker.ts'
import { createSensorRules } from '../../src/gateway/rules/sensor-rules.ts'
import type { WorkerShare } from '../../src/gateway/worker-share.ts'
import { silentLog } from '../../src/log.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { load } from '../config/files.ts'

/** Which of these a sensor may be at the broker, by the gateway of this configuration. */
async function free(names: readonly string[], more: object, clientId = 'gate', share?: WorkerShare) {
  const written = { listeners: [{ name: 'field', url: 'udp://127.0.0.1:0' }], ...more }
  const { config } = load({ ...written, broker: { url: 'embedded', clientId } })
  const books = { counters: createCounters() }
  const broker = await openBroker(config, silentLog, books, createMemoryStore(), share)
  onTestFinished(() => broker.close())
  const rules = createSensorRules(config, () => 0)
  rules.reserve(broker.ownNames)
  return names.filter((name) => !rules.env.isOwnName(name))
}

const store = { type: 'postgres', url: 'postgres://127.0.0.1/mqttsn' }
const shared = { store, cluster: { node: 'gw-1', listen: 'tcp://127.0.0.1:0' } }
const ofNodes = ['gate-gw-1', 'gate-gw-1-q', 'gate-gw-2', 'gate-gw-2-t', 'gate-gw-2-3-q', 'gate-a.new.one']
const ofSensors = ['gateway', 'gat', 'sensor-gate-gw-1', 'Gate-gw-1']

it('of several nodes that each serve a share no sensor is any, those that come later among them', async () => {
  expect(await free([...ofNodes, ...ofSensors], shared)).toEqual(ofSensors)
})

it('the same holds in each worker of a node', async () => {
  // as a fleet names its third worker
  const share = { speaks: false, stored: { index: 2, count: 4 } } as unknown as WorkerShare
  expect(await free([...ofNodes, ...ofSensors], shared, 'gate-gw-1-3', share)).toEqual(ofSensors)
})

it('of one gateway, and of a pair, only those that it has are kept from sensors', async () => {
  const own = ['gate', 'gate-q', 'gate-t', 'gate-p']
  for (const more of [{}, { store, cluster: { node: 'gw-1' } }])
    expect(await free([...own, ...ofNodes, ...ofSensors], more)).toEqual([...ofNodes, ...ofSensors])
})
