// Whether all that a connection was to say has left the process: with brokers that stop reading, over everything that MQTT goes over.

import { afterEach, describe, expect, it } from 'vitest'
import { TcpProxy } from '../../../lab/tcp-proxy.ts'
import { freePort, haveMosquitto, startMosquitto } from '../../support/broker.ts'
import { startScriptedBroker } from '../../support/scripted.ts'
import { bytes, type Observed, pause, Rig, Witness } from '../harness.ts'

const will = { topic: 'w', message: bytes('gone'), qos: 0 as const, retain: false }
const later: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const end of later.splice(0).reverse()) await end()
})

/** Publishes until more waits than the system takes. */
async function fill({ connection }: Observed): Promise<void> {
  const much = new Uint8Array(100_000)
  while (connection.isFlushed()) {
    for (let i = 0; i < 10; i++) connection.publish(1, 'much', much, 0, false, false)
    await pause(1)
  }
}

async function flushed({ connection }: Observed): Promise<void> {
  while (!connection.isFlushed()) await pause(5)
}

describe.skipIf(!haveMosquitto).each([
  { scheme: 'mqtt', ws: false, tls: false },
  { scheme: 'mqtts', ws: false, tls: true },
  { scheme: 'ws', ws: true, tls: false },
  { scheme: 'wss', ws: true, tls: true },
])('a connection over $scheme', ({ ws, tls }) => {
  it('tells whether what it says leaves at once, also when the broker reads again [SN-DISC-1]', async () => {
    const mosquitto = await startMosquitto({ ws, tls })
    later.push(() => mosquitto.close())
    const proxy = await TcpProxy.open(await freePort(), mosquitto.port)
    later.push(() => proxy.close())
    const url = mosquitto.url.replace(`${mosquitto.port}`, `${proxy.port}`)
    const witness = await Witness.at(mosquitto, 'w', 'x')
    later.push(() => witness.close())
    const rig = new Rig({ url, ca: mosquitto.ca }, { version: '5', writeBuffer: 100_000_000 })
    later.push(() => rig.close())
    const sensor = rig.sensor()
    sensor.connection.connect({ identity: { clientId: 's' }, clean: true, mend: false, will })
    expect(sensor.connection.isFlushed()).toBe(false) // not even CONNECT has left
    await sensor.next('connected')
    await flushed(sensor)
    sensor.connection.publish(1, 'a', bytes('a'), 0, false, false)
    if (!tls && !ws) expect(sensor.connection.isFlushed()).toBe(true) // also within the tick, and so what follows
    await flushed(sensor)
    await proxy.set('silent')
    await fill(sensor)
    await pause(300)
    expect(sensor.connection.isFlushed()).toBe(false)
    await proxy.set('open')
    await flushed(sensor)
    sensor.connection.close(false, true)
    await rig.sensor().open('s')
    await witness.settled('x')
    expect(witness.messages).toEqual([])
  })
})

it('has nothing to say before it is opened, and when it has ended [SN-DISC-1]', async () => {
  const broker = await startScriptedBroker()
  later.push(() => broker.close())
  const rig = new Rig(broker, { connecting: 1 })
  later.push(() => rig.close())
  const sensor = rig.sensor()
  expect(sensor.connection.isFlushed()).toBe(true)
  await sensor.open('s')
  broker.peers.find(({ clientId }) => clientId === 's')?.cut()
  await sensor.next('closed')
  expect(sensor.connection.isFlushed()).toBe(true)
  sensor.connection.connect({ identity: { clientId: 's' }, clean: true, mend: true, will: undefined })
  expect(sensor.connection.isFlushed()).toBe(false)
  sensor.connection.close(false, true)
  expect(sensor.connection.isFlushed()).toBe(true)
})
