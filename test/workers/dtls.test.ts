// DTLS in front of several threads: sessions end in the receiving thread, and workers know who speaks.

import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { freePort } from '../../lab/processes.ts'
import type { SensorDetail } from '../../src/console/contract/sensors.ts'
import { startAedes } from '../support/broker.ts'
import { DtlsPeer } from '../support/dtls-peer.ts'
import { connect, KEYS, publish, subscribe } from '../support/dtls-scene.ts'
import { aWhile, Office } from '../support/gateway.ts'
import { startCompiled } from '../support/process.ts'

/** Two workers behind a DTLS listener, with a console. */
async function twoWorkers() {
  const broker = await startAedes()
  onTestFinished(() => broker.close())
  const content = {
    listeners: [{ url: 'dtls://127.0.0.1:0', dtls: { psk: { keys: KEYS } } }],
    workers: 2,
    broker: { url: broker.url },
    store: { type: 'memory' },
    console: { url: 'http://127.0.0.1:0' },
  }
  const gateway = await startCompiled(content, '-c', 'c.json')
  const { console: served } = await gateway.said('gateway started')
  const api = `${served}/api`
  const sensor = async (clientId: string): Promise<SensorDetail> =>
    JSON.parse(await (await fetch(`${api}/sensors/${clientId}`)).text())
  return { ...gateway, api, served, sensor }
}

async function connected(url: string, identity: string): Promise<DtlsPeer> {
  const meter = await DtlsPeer.open(url, { psk: [identity, KEYS[identity] ?? ''], connectionIdLength: 0 })
  onTestFinished(() => meter.close())
  meter.send(connect(identity, false))
  expect(await meter.next('connack')).toMatchObject({ returnCode: 0 })
  return meter
}

describe.skipIf(!existsSync('dist/src/cli.js'))('a gateway of two workers', () => {
  it('shows the secure sessions of sensors of both, and ends them, one and several', async () => {
    const { url, api, served, sensor } = await twoWorkers()
    const identities = Array.from({ length: 6 }, (_, i) => `meter-${i + 1}`)
    const meters = await Promise.all(identities.map((identity) => connected(url, identity)))
    for (const identity of identities)
      expect((await sensor(identity)).secure).toMatchObject({
        identity,
        open: { connectionId: true, received: 1, suite: expect.stringContaining('PSK') },
      })
    const metrics = await (await fetch(`${served}/metrics`)).text()
    expect(metrics).toMatch(/mqttsn_dtls_handshake_seconds_count\{listener="[^"]+",kind="psk"\} 6\n/)
    const isOver = (meter: DtlsPeer | undefined) =>
      meter?.until(() => meter.effects.some(({ type }) => type === 'closed'))
    const end = () => fetch(`${api}/sensors/meter-1/secure-session/end`, { method: 'POST' })
    expect((await end()).status).toBe(204)
    await isOver(meters[0])
    expect((await end()).status).toBe(409)
    const answer = await fetch(`${api}/actions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ clientIds: identities, action: 'endSecureSession' }),
    })
    expect(await answer.json()).toEqual({
      done: 5,
      failed: [{ clientId: 'meter-1', error: 'wrong-state' }],
    })
    for (const meter of meters) await isOver(meter)
    for (const identity of identities) {
      const { state, secure } = await sensor(identity)
      expect([state, secure?.open]).toEqual(['active', undefined])
    }
    const again = await connected(url, 'meter-1')
    again.send(publish('ab', 'again'))
    await again.next('puback')
    expect((await sensor('meter-1')).secure?.open).toMatchObject({ received: 2 })
  })

  it('records what was on the wire, and what was inside it at either of them', async () => {
    const { url, api } = await twoWorkers()
    const response = await fetch(`${api}/capture?link=true`)
    const reader = response.body?.getReader()
    for (const identity of ['meter-1', 'meter-2', 'meter-3']) {
      const meter = await connected(url, identity)
      meter.send(publish('ab', identity))
      await meter.next('puback')
    }
    let text = ''
    const wanted = (identity: string) => [`${identity}: DTLS`, `${identity}: CONNECT`, `${identity}: PUBACK`]
    const all = ['no session: DTLS', ...['meter-1', 'meter-2', 'meter-3'].flatMap(wanted)]
    while (!all.every((comment) => text.includes(comment))) {
      const { value, done } = (await reader?.read()) ?? { done: true }
      if (done) break
      text += Buffer.from(value ?? []).toString('latin1')
    }
    await reader?.cancel()
    expect(all.filter((comment) => !text.includes(comment))).toEqual([])
  })

  it('accepts nothing once more after SIGKILL that it has acknowledged, and takes the next record [DTLS-RUN-2]', async () => {
    const broker = await startAedes()
    onTestFinished(() => broker.close())
    const office = await Office.at(broker, 'ab')
    onTestFinished(() => office.close())
    const [port, path] = [await freePort(), mkdtempSync(join(tmpdir(), 'mqttsn-dtls-'))]
    onTestFinished(() => rmSync(path, { recursive: true, force: true }))
    const content = {
      listeners: [{ url: `dtls://127.0.0.1:${port}`, dtls: { psk: { keys: KEYS } } }],
      workers: 2,
      broker: { url: broker.url, reconnect: { min: '20ms', max: '200ms' } },
      store: { path },
    }
    const first = await startCompiled(content, '-c', 'c.json')
    const meter = await connected(first.url, 'meter-1')
    for (let i = 1; i <= 5; i++) {
      meter.send(publish('ab', `${i}`, 1, i))
      await meter.next('puback')
      expect((await office.inbox.next()).text).toBe(`${i}`)
    }
    const recorded = meter.sent.slice(-5)
    first.child.kill('SIGKILL')
    await first.exited
    const second = await startCompiled(content, '-c', 'c.json')
    await second.said('broker')
    for (const bytes of recorded) meter.replay(bytes)
    meter.send(publish('ab', 'the next one', 1, 6))
    await meter.next('puback', 20_000)
    expect((await office.inbox.next()).text).toBe('the next one')
    expect(meter.handshakes).toBe(1)
  })

  it('serves sensors behind DTLS by their identities, and after SIGKILL goes on with their sessions [DTLS-RUN-1]', async () => {
    const broker = await startAedes()
    onTestFinished(() => broker.close())
    const office = await Office.at(broker, 'ab')
    onTestFinished(() => office.close())
    const [port, path] = [await freePort(), mkdtempSync(join(tmpdir(), 'mqttsn-dtls-'))]
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
