// A radio of a gateway with several workers, as a process: the front has the module, the workers have the sensors.

import { describe, expect, it, type TestContext } from 'vitest'
import { serveRadio } from '../../src/simulation/radio/run-radio.ts'
import { XbeeNetwork } from '../../src/simulation/radio/xbee-network.ts'
import { haveMosquitto, startMosquitto } from '../support/broker.ts'
import { freshName, Office, TestSensor } from '../support/gateway.ts'
import { startCompiled } from '../support/process.ts'
import { workerOfName } from '../support/workers.ts'

async function setUp({ onTestFinished }: TestContext) {
  const clock = () => performance.now()
  const network = new XbeeNetwork({ clock, random: () => 0.5, baud: 115_200, payload: 50 })
  const radio = await serveRadio(network)
  onTestFinished(() => radio.close())
  const mosquitto = await startMosquitto()
  onTestFinished(() => mosquitto.close())
  const content = {
    listeners: [{ url: `tcp://${radio.place}?framing=xbee`, name: 'radio' }],
    broker: mosquitto.url,
    workers: 2,
    store: { type: 'memory' },
    console: { enabled: false },
  }
  const gateway = await startCompiled(content, '-c', 'c.json')
  await gateway.said('gateway started')
  const office = await Office.at(mosquitto, 'radio/up')
  onTestFinished(() => office.close())
  /** A node whose sensor belongs to this worker. */
  async function connected(n: number, worker: number): Promise<TestSensor> {
    let clientId = freshName()
    while (workerOfName(clientId, 2) !== worker) clientId = freshName()
    const transport = network.node(`0013a2004100000${n}`)
    const sensor = new TestSensor({ transport, clientId, tRetry: 5000 })
    onTestFinished(() => sensor.close())
    await sensor.connect()
    return sensor
  }
  return { connected, office }
}

describe.skipIf(!haveMosquitto)('a radio of a gateway with two workers (mosquitto)', () => {
  it('has nodes at both, which get nothing longer than the module carries [LINK-GW-6, LINK-GW-2]', async (context) => {
    const { connected, office } = await setUp(context)
    for (const n of [0, 1]) {
      const sensor = await connected(n, n)
      await sensor.publish('radio/up', `from ${n}`, { qos: 2 })
      expect((await office.inbox.next()).text).toBe(`from ${n}`)
      const down = `radio/down/${n}`
      await sensor.subscribe(down, 1)
      await office.publish(down, 'x'.repeat(44), { qos: 1 })
      await office.publish(down, 'x'.repeat(43), { qos: 1 })
      expect((await sensor.inbox.next()).text).toHaveLength(43)
    }
  })
})
