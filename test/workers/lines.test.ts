// Lines of a gateway with several workers, as a process: the front has the line, the workers have the sensors.

import { describe, expect, it, type TestContext } from 'vitest'
import { openLineTransport } from '../../src/cli/sensor/line-transport.ts'
import { haveMosquitto, startMosquitto } from '../support/broker.ts'
import { freshName, Office, TestSensor } from '../support/gateway.ts'
import { startCompiled } from '../support/process.ts'
import { hasSocat, PtyPair } from '../support/ptys.ts'
import { workerOfName } from '../support/workers.ts'

interface Listed {
  readonly link?: { readonly up: boolean; readonly errors: Readonly<Record<string, number>> }
}

async function setUp({ onTestFinished }: TestContext, pace: object) {
  const ptys = await PtyPair.open()
  onTestFinished(() => ptys.close())
  const mosquitto = await startMosquitto()
  onTestFinished(() => mosquitto.close())
  const parameters = 'framing=slip&node=encap&reopen=50ms..200ms'
  const content = {
    listeners: [{ url: `serial://${ptys.near}?${parameters}`, name: 'bench', pace }],
    broker: mosquitto.url,
    workers: 2,
    store: { type: 'memory' },
    console: { enabled: true, url: 'http://127.0.0.1:0' },
  }
  const gateway = await startCompiled(content, '-c', 'c.json')
  const { console: url } = (await gateway.said('gateway started')) as { console?: string }
  const link = async () => {
    const [one] = (await (await fetch(`${url}/api/listeners`)).json()) as Listed[]
    return one?.link
  }
  const line = await openLineTransport(`serial://${ptys.far}?${parameters}`)
  onTestFinished(() => line.close())
  const nodes = new Set<{ onReceive(bytes: Uint8Array): void }>()
  line.onReceive = (bytes) => {
    for (const node of nodes) node.onReceive(bytes)
  }
  /** A node behind the line, whose sensor belongs to this worker. */
  async function connected(id: number, worker: number): Promise<TestSensor> {
    let clientId = freshName()
    while (workerOfName(clientId, 2) !== worker) clientId = freshName()
    const transport = {
      onReceive: (_: Uint8Array) => {},
      onError: () => {},
      send: (bytes: Uint8Array) => line.send(bytes),
      close: () => {},
    }
    nodes.add(transport)
    const sensor = new TestSensor({ transport, nodeId: Uint8Array.of(id), clientId, tRetry: 5000 })
    onTestFinished(() => sensor.close())
    await sensor.connect()
    return sensor
  }
  const office = await Office.at(mosquitto, 'nobody/listens')
  onTestFinished(() => office.close())
  return { ptys, gateway, content, link, connected, office }
}

describe.skipIf(!hasSocat || !haveMosquitto)(
  'a line of a gateway with two workers (socat, mosquitto)',
  () => {
    it('loses nothing of much that is for many, at QoS 0 too, and keeps its order [LINK-GW-6, LINK-PC-2]', async (context) => {
      const { link, connected, office } = await setUp(context, { octetsPerSecond: 4000, messages: 16 })
      const sensors = await Promise.all([0, 1, 2, 3].map((id) => connected(id, id % 2)))
      const topic = (sensor: TestSensor) => `lines/${sensor.clientId}`
      for (const sensor of sensors) await sensor.subscribe(topic(sensor), 0)
      const texts = Array.from({ length: 80 }, (_, i) => `message ${i}`)
      for (const text of texts)
        for (const sensor of sensors) await office.publish(topic(sensor), text, { qos: 0 })
      for (const sensor of sensors)
        expect((await sensor.inbox.take(80, 60_000)).map(({ text }) => text)).toEqual(texts)
      expect(await link()).toMatchObject({ up: true, errors: { full: 0, noise: 0 } })
    }, 120_000)
  },
)
