// DTLS in front of several threads: sessions end in the receiving thread, and workers know who speaks.

import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startAedes } from '../support/broker.ts'
import { DtlsPeer } from '../support/dtls-peer.ts'
import { connect, KEYS, publish, subscribe } from '../support/dtls-scene.ts'
import { freeUdpPort } from '../support/dtls-udp.ts'
import { aWhile, Office } from '../support/gateway.ts'
import { startCompiled } from '../support/process.ts'

describe.skipIf(!existsSync('dist/src/cli.js'))('a gateway of two workers', () => {
  it('serves sensors behind DTLS by their identities, and after SIGKILL goes on with their sessions [DTLS-RUN-1]', async () => {
    const broker = await startAedes()
    onTestFinished(() => broker.close())
    const office = await Office.at(broker, 'ab')
    onTestFinished(() => office.close())
    const [port, path] = [await freeUdpPort(), mkdtempSync(join(tmpdir(), 'mqttsn-dtls-'))]
    onTestFinished(() => rmSync(path, { recursive: true, force: true }))
    const listeners = [{ url: `dtls://127.0.0.1:${port}`, dtls: { psk: { keys: KEYS } } }]
    const content = {
      listeners,
      workers: 2,
      broker: { url: broker.url, reconnect: { min: '20ms', max: '200ms' } },
      store: { path },
    }
    const first = await startCompiled(content, '-c', 'c.json')
    const meters: DtlsPeer[] = []
    for (let i = 1; i <= 6; i++) {
      const identity = `meter-${i}`
      const meter = await DtlsPeer.open(first.url, {
        psk: [identity, KEYS[identity] ?? ''],
        connectionIdLength: 0,
      })
      onTestFinished(() => meter.close())
      meters.push(meter)
      meter.send(connect(i === 6 ? 'meter-1' : identity, false))
      expect(await meter.next('connack')).toMatchObject({ returnCode: i === 6 ? 3 : 0 })
      if (i === 6) continue
      meter.send(subscribe('xt'))
      await meter.next('suback')
      meter.send(publish('ab', identity))
      await meter.next('puback')
      expect((await office.inbox.next()).text).toBe(identity)
      await meter.move()
      meter.send({ type: 'disconnect', duration: 600 })
      await meter.next('disconnect')
    }
    first.child.kill('SIGKILL')
    await first.exited
    await startCompiled(content, '-c', 'c.json')
    await office.publish('xt', 'after the crash')
    for (const [i, meter] of meters.slice(0, 5).entries()) {
      await meter.move()
      const publishes = () => meter.heard.flatMap(({ packet }) => (packet.type === 'publish' ? [packet] : []))
      for (let tries = 0; tries < 50 && publishes().length === 0; tries++) {
        meter.send({ type: 'pingreq', clientId: `meter-${i + 1}` })
        await aWhile(100)
      }
      expect(publishes().map(({ data }) => Buffer.from(data).toString())[0]).toBe('after the crash')
      expect(meter.handshakes).toBe(1)
      expect(new Set(meter.sequences).size).toBe(meter.sequences.length)
    }
  })
})
