// What the gateway itself listens to, on its own connection.

import { afterEach, describe, expect, it } from 'vitest'
import { type Broker, haveMosquitto, startAedes, startMosquitto } from '../support/broker.ts'
import { startStrictBroker } from '../support/strict-broker.ts'
import { pause, Rig, text, Witness } from './harness.ts'

const ends: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function open(broker: Broker, changes = {}) {
  const rig = new Rig(broker, changes)
  ends.push(() => rig.close())
  const heard: string[] = []
  rig.upstream.hearOwn('hall/status', (payload) => heard.push(text(payload)))
  while (!rig.upstream.healthy) await pause(5)
  return { rig, heard, upstream: rig.upstream }
}

const brokers: [string, boolean, (port?: number) => Promise<Broker>][] = [
  ['Aedes, MQTT 3.1.1', true, (port) => startAedes(port)],
  ['Mosquitto, MQTT 5', haveMosquitto, () => startMosquitto()],
]

describe.each(brokers)('topics that the gateway listens to, at %s', (name, isHere, start) => {
  it.skipIf(!isHere)('tell of each message, but not of what was retained before', async () => {
    const broker = await start()
    ends.push(() => broker.close())
    const witness = await Witness.at(broker)
    ends.push(() => witness.close())
    await witness.client.publishAsync('hall/status', 'retained', { retain: true, qos: 1 })
    const { heard } = await open(broker)
    while (!heard.includes('online')) {
      await witness.client.publishAsync('hall/other', 'online', { qos: 1 })
      await witness.client.publishAsync('hall/status', 'online', { retain: true, qos: 1 })
      await pause(10)
    }
    expect(new Set(heard)).toEqual(new Set(['online']))
    expect(name).not.toBe('')
  })
})

it('topics that the gateway listens to are heard again after an outage', async () => {
  let broker = await startAedes()
  ends.push(() => broker.close())
  const { heard, upstream } = await open(broker)
  await broker.close()
  while (upstream.healthy) await pause(5)
  broker = await startAedes(broker.port)
  while (!upstream.healthy) await pause(5)
  const witness = await Witness.at(broker)
  ends.push(() => witness.close())
  while (heard.length === 0) {
    await witness.client.publishAsync('hall/status', 'again', { qos: 1 })
    await pause(10)
  }
  expect(heard[0]).toBe('again')
})

describe('a broker that does not permit what the gateway listens to', () => {
  it('is said so once where it refuses the subscription', async () => {
    const broker = await startAedes()
    ends.push(() => broker.close())
    broker.aedes.authorizeSubscribe = (_client, _subscription, done) => done(null, null)
    const warnings: object[] = []
    const nothing = () => undefined
    const warn = (fields: object, message: string) => {
      if (message.includes('listen to this topic')) warnings.push(fields)
    }
    const { upstream } = await open(broker, { log: { debug: nothing, info: nothing, error: nothing, warn } })
    while (warnings.length === 0) await pause(5)
    upstream.hearOwn('hall/status', nothing)
    await pause(100)
    expect(warnings).toEqual([{ topic: 'hall/status' }])
    expect(upstream.healthy).toBe(true)
  })

  it('keeps the connection where it hangs up: the gateway does without for a while', async () => {
    const broker = await startStrictBroker({ maySubscribe: () => false })
    ends.push(() => broker.close())
    const { upstream } = await open(broker, { own: { clientId: 'own' } })
    const opened = () => broker.of('connect', 'own').length
    let before = -1
    while (before !== opened() || !upstream.healthy) {
      before = opened()
      await pause(300)
    }
    expect(before).toBeLessThan(8)
  })
})
