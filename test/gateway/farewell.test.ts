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
import { pause } from '../upstream/harness.ts'

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
    await pause(5)
  }
}

interface Story {
  readonly cleanSession: boolean
  readonly isKilled: boolean
}

describe.skipIf(!haveMosquitto)('a sensor that leaves while the broker reads nothing', () => {
  it.each<Story>([
    { cleanSession: true, isKilled: true },
    { cleanSession: false, isKilled: true },
    { cleanSession: true, isKilled: false },
  ])(
    'has no will published: CleanSession $cleanSession, the process is killed at once: $isKilled [SN-DISC-1]',
    async ({ cleanSession, isKilled }) => {
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
      if (isKilled) {
        first.child.kill('SIGKILL')
        await first.exited
      } else await pause(2000) // the connections of others are cut a second after their farewell
      await proxy.set('open')
      if (isKilled) await start(content, '-c', 'c.json')
      await pause(ABSENCE * 1000 + 2500)
      expect(office.inbox.all).toEqual([])
    },
  )
})
