// A sensor leaves while the broker reads nothing, and the process is killed before its farewell has left: no will, after all [6.12].

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { TcpProxy } from '../../lab/tcp-proxy.ts'
import { Sensor } from '../../src/sensor/sensor.ts'
import { freePort, haveMosquitto, startMosquitto } from '../support/broker.ts'
import { freshName, Office } from '../support/gateway.ts'
import { start } from '../support/process.ts'

/** Seconds that the broker waits for a gateway that is gone. */
const ABSENCE = 2

/** Publishes until more waits in the gateway than it takes for a broker that reads nothing. */
async function fill(sensor: Sensor): Promise<void> {
  let isFull = false
  sensor.on('error', () => {
    isFull = true
  })
  const much = new Uint8Array(1300)
  while (!isFull) {
    for (let i = 0; i < 50; i++) await sensor.publish('much', much)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

describe.skipIf(!haveMosquitto)('a sensor that leaves while the broker reads nothing', () => {
  it.each([true, false])(
    'has no will published when the process is killed at once, CleanSession %s [SN-DISC-1]',
    async (cleanSession) => {
      const folder = mkdtempSync(join(tmpdir(), 'farewell-'))
      onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
      const mosquitto = await startMosquitto()
      onTestFinished(() => mosquitto.close())
      const proxy = await TcpProxy.open(await freePort(), mosquitto.port)
      onTestFinished(() => proxy.close())
      const clientId = freshName()
      const office = await Office.at(mosquitto, `gone/${clientId}`)
      onTestFinished(() => office.close())
      const content = {
        broker: { url: `mqtt://127.0.0.1:${proxy.port}`, version: '5', absence: `${ABSENCE}s` },
        store: { path: folder },
        log: { format: 'json' },
      }
      const first = await start(content, '-c', 'c.json')
      const will = { topic: `gone/${clientId}`, message: 'gone' }
      const sensor = new Sensor({ gateway: first.url, clientId, cleanSession, will })
      onTestFinished(() => sensor.close())
      await sensor.connect()
      await proxy.set('silent')
      await fill(sensor)
      await sensor.disconnect()
      first.child.kill('SIGKILL')
      await first.exited
      await proxy.set('open')
      const second = await start(content, '-c', 'c.json')
      await new Promise((resolve) => setTimeout(resolve, ABSENCE * 1000 + 2500))
      expect(office.inbox.all).toEqual([])
      expect(second.child.exitCode).toBe(null)
    },
  )
})
