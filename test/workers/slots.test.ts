// Slots of a fleet that come and go: its sensors go on where they were, whichever of its workers has them.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { allSlots, slotOfName } from '../../src/sessions/slots.ts'
import { haveMosquitto, startMosquitto } from '../support/broker.ts'
import { compileFleetProgram } from '../support/fleet-program.ts'
import { freshName, Office, TestSensor } from '../support/gateway.ts'
import { UdpPeer } from '../support/sensor.ts'
import { workerOfName } from '../support/workers.ts'

const WORKERS = 2
let program: Awaited<ReturnType<typeof compileFleetProgram>>

beforeAll(async () => {
  program = await compileFleetProgram('test/workers/slots-child.ts')
})
afterAll(() => program.remove())

async function fleet() {
  const mosquitto = await startMosquitto()
  onTestFinished(() => mosquitto.close())
  const settings = {
    workers: WORKERS,
    listeners: [{ url: 'udp://127.0.0.1:0', name: 'sensors' }],
    broker: { url: mosquitto.url, clientId: freshName() },
    store: { type: 'memory' },
    gateway: { warmUp: 0 },
    console: { enabled: false },
    log: { level: 'silent' },
  }
  const child = spawn(process.execPath, [program.file, JSON.stringify(settings)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  onTestFinished(async () => {
    child.stdin.end()
    setTimeout(() => child.kill('SIGKILL'), 8000).unref()
    await ended
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const said = async () => String((await lines.next()).value)
  const url = await said()
  const ask = async (...what: unknown[]) => {
    child.stdin.write(`${JSON.stringify(what)}\n`)
    return said()
  }
  const sensorOf = async (worker: number) => {
    let clientId = freshName()
    while (workerOfName(clientId, WORKERS) !== worker) clientId = freshName()
    const sensor = new TestSensor({ gateway: url, clientId, cleanSession: false, tRetry: 8000 })
    onTestFinished(() => sensor.close())
    await sensor.connect()
    return sensor
  }
  const dropped = async (): Promise<Record<string, number>> => JSON.parse(await ask('dropped'))
  return { mosquitto, url, ask, sensorOf, dropped }
}

describe.skipIf(!haveMosquitto)('a fleet', { timeout: 40_000 }, () => {
  it('lets go of slots of every worker and takes them up again: what comes meanwhile waits, in order', async () => {
    const { mosquitto, ask, sensorOf, dropped } = await fleet()
    const topic = `fleet/${freshName()}`
    const office = await Office.at(mosquitto, topic)
    onTestFinished(() => office.close())
    const sensors = [await sensorOf(0), await sensorOf(1)]
    const seen: string[] = []
    for (const sensor of sensors) {
      await sensor.publish(topic, `${sensor.clientId} first`, { qos: 1 })
      await sensor.subscribe(`${topic}/${sensor.clientId}`, 2)
      sensor.on('packet', (direction, { type }) => {
        if (/connect|register|subscribe/.test(type)) seen.push(`${direction} ${type}`)
      })
    }
    const slots = sensors.map(({ clientId }) => slotOfName(clientId))
    let isMoving = true
    const speaking = sensors.map(async (sensor) => {
      const sent = [`${sensor.clientId} first`]
      while (isMoving || sent.length < 20) {
        const text = `${sensor.clientId} ${sent.length}`
        await sensor.publish(topic, text, { qos: 2 })
        sent.push(text)
      }
      return sent
    })
    const begun = performance.now()
    for (let times = 0; times < 8; times += 1)
      expect(await ask('move', times % 2 === 0 ? slots : allSlots)).toBe('done')
    const took = performance.now() - begun
    isMoving = false
    await Promise.all(speaking)
    // nobody has waited for his time to repeat himself, unless the machine is too slow for the end of an exchange
    if (took < 3000) expect(await dropped()).toEqual({})
    for (const [i, sent] of (await Promise.all(speaking)).entries()) {
      const { clientId, inbox } = sensors[i] ?? expect.unreachable()
      const came = () =>
        office.inbox.all.map(({ text }) => text).filter((text) => text.startsWith(`${clientId} `))
      await expect.poll(() => came().length, { timeout: 10_000 }).toBe(sent.length)
      expect(came()).toEqual(sent)
      await office.publish(`${topic}/${clientId}`, 'down', { qos: 2 })
      expect((await inbox.next()).text).toBe('down')
    }
    expect(seen).toEqual([])
    expect(await dropped()).not.toHaveProperty('unknown-sender')
  })

  it('answers nobody whose slot it does not serve, and counts what comes from there', async () => {
    const { url, ask, sensorOf, dropped } = await fleet()
    const [gone, here] = [await sensorOf(0), await sensorOf(1)]
    expect(await ask('release', [slotOfName(gone.clientId)])).toBe('done')
    const { hostname, port } = new URL(url)
    const stranger = await UdpPeer.open()
    onTestFinished(() => stranger.close())
    stranger.remote = { address: hostname, port: Number(port) }
    stranger.send({ type: 'pingreq', clientId: gone.clientId })
    stranger.send({ type: 'pingreq', clientId: null })
    await here.publish('fleet/here', 'x', { qos: 1 })
    await expect.poll(async () => (await dropped())['no-owner'], { timeout: 8000 }).toBe(2)
    expect(stranger.heard).toEqual([])
    expect(await ask('adopt', allSlots)).toBe('done')
    await gone.publish('fleet/gone', 'x', { qos: 1 })
    stranger.send({ type: 'pingreq', clientId: null })
    await expect.poll(() => stranger.heard.length, { timeout: 8000 }).toBe(1)
  })
})
