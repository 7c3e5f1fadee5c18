// The commands and the Sensor at a real gateway's listener at dtls://.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { captureCommand } from '../../src/cli/capture.ts'
import { discoverCommand } from '../../src/cli/discover.ts'
import { pubCommand } from '../../src/cli/pub.ts'
import { traceCommand } from '../../src/cli/trace.ts'
import { Nat } from '../support/dtls-relay.ts'
import { TestGateway, TestSensor, until } from '../support/gateway.ts'
import { startLiveGateway } from '../support/live-gateway.ts'
import { hasSecureListeners, secureListeners } from '../support/secure-listener.ts'
import { FakeTerminal } from '../support/sensor.ts'
import { haveTshark } from '../support/tshark.ts'

const KEY = '000102030405060708090a0b0c0d0e0f'
const psk = { identity: 'meter-17', key: KEY }
const settings = secureListeners({ 'meter-17': KEY, office: KEY })

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const each of cleanUps.splice(0).reverse()) await each()
})

function sensorAt(gateway: string, identity = 'meter-17'): TestSensor {
  const sensor = new TestSensor({ gateway, psk: { identity, key: KEY }, tRetry: 500, nRetry: 20 })
  cleanUps.push(() => sensor.close())
  return sensor
}

describe.runIf(hasSecureListeners)('a real gateway at dtls://', () => {
  it('is found, and takes what pub says; trace and capture show the MQTT-SN inside [DTLS-RUN-8]', async () => {
    const live = await startLiveGateway(undefined, settings)
    const folder = mkdtempSync(join(tmpdir(), 'mqttsn-dtls-'))
    cleanUps.push(
      () => live.stop(),
      () => rmSync(folder, { recursive: true }),
    )
    const url = live.test.url()
    const key = ['--psk', `meter-17:${KEY}`]
    const found = new FakeTerminal()
    await found.run(discoverCommand(found), '-h', url, ...key, '--timeout', '500ms')
    expect(found.lines).toEqual([expect.stringContaining(`at ${url} (gwinfo)`)])

    const tracing = new FakeTerminal()
    const traced = tracing.run(traceCommand(tracing), 'meter-17', '--url', live.url, '--wait', '-n', '8')
    const capturing = new FakeTerminal()
    const file = join(folder, 'all.pcapng')
    const captured = capturing.run(captureCommand(capturing), '-w', file, '--url', live.url, '-n', '8')
    await until(() => capturing.errors.length > 0 && tracing.lines.length + tracing.errors.length > 0)
    const pub = new FakeTerminal()
    const args = ['-h', url, ...key, '-t', 'room/1', '-m', '21.5', '-q', '1']
    expect([await pub.run(pubCommand(pub), ...args), pub.errors]).toEqual([0, []])
    expect([await traced, await captured]).toEqual([0, 0])
    expect(tracing.lines.join('\n')).toMatch(/PUBLISH ─+▶│ {2}QoS 1, room\/1 \(id \d+\), msgId \d+, "21.5"/)
    if (!haveTshark) return
    const decode = ['-n', '-r', file, '-d', `udp.port==${new URL(url.replace('dtls:', 'http:')).port},mqttsn`]
    const text = execFileSync('tshark', decode, { stdio: ['ignore', 'pipe', 'ignore'] }).toString()
    expect(text).toMatch(/Connect Command[\s\S]*Publish Message/)
  })

  it('serves a Sensor whose address changes at each of 50 wakings, after one handshake and one CONNECT', async () => {
    const test = await TestGateway.start('embedded', settings)
    cleanUps.push(() => test.stop())
    const nat = await Nat.open(test.url())
    cleanUps.push(() => nat.end())
    const office = sensorAt(test.url(), 'office')
    await office.connect()
    await office.subscribe({ short: 'up' }, 1)
    const sensor = sensorAt(nat.url)
    const sent = { handshakes: 0, connects: 0 }
    sensor.on('secured', () => sent.handshakes++)
    sensor.on('packet', (way, { type }) => {
      if (way === 'out' && type === 'connect') sent.connects++
    })
    await sensor.connect()
    await sensor.subscribe('to/meter', 1)
    await sensor.sleep(600)
    for (let waking = 1; waking <= 50; waking++) {
      await office.publish('to/meter', `${waking}`, { qos: 1 })
      nat.rebind()
      await sensor.wake()
      expect((await sensor.inbox.next()).text).toBe(`${waking}`)
      await sensor.publish({ short: 'up' }, `${waking}`, { qos: -1 })
      expect((await office.inbox.next()).text).toBe(`${waking}`)
    }
    expect(sent).toEqual({ handshakes: 1, connects: 1 })
  })

  it('goes on with a Sensor after a restart with the durable store: no handshake, no CONNECT', async () => {
    const test = await TestGateway.start('embedded', settings, { durable: true })
    cleanUps.push(() => test.stop())
    const sensor = sensorAt(test.url())
    let handshakes = 0
    sensor.on('secured', () => handshakes++)
    await sensor.connect()
    await test.restart()
    await sensor.publish('after', 'it', { qos: 1 })
    expect([handshakes, sensor.state]).toEqual([1, 'active'])
  })

  it('refuses a client id that is not the identity, and the Sensor says so', async () => {
    const test = await TestGateway.start('embedded', settings)
    cleanUps.push(() => test.stop())
    const sensor = new TestSensor({ gateway: test.url(), psk, clientId: 'office' })
    cleanUps.push(() => sensor.close())
    await expect(sensor.connect()).rejects.toThrow('its identity is "meter-17", its client id "office"')
  })
})
