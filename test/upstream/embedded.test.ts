// The broker inside the gateway, the gateway's own connection, and what is refused before anything starts.

import { describe, expect, it } from 'vitest'
import { startEmbeddedBroker } from '../../src/upstream/embedded.ts'
import { createUpstream } from '../../src/upstream/mqtt/mqtt.ts'
import { startScriptedBroker } from '../support/scripted.ts'
import { bytes, pause, Rig, text, upstreamOptions } from './harness.ts'

describe('the embedded broker', () => {
  it('carries messages between sensors, and ends', async () => {
    const broker = await startEmbeddedBroker()
    expect(broker.url).toMatch(/^mqtt:\/\/127\.0\.0\.1:\d+$/)
    const rig = new Rig(broker, { version: '3.1.1' })
    const [one, two] = [rig.sensor(), rig.sensor()]
    await one.open('one')
    await two.open('two')
    two.connection.subscribe(1, 'a', 0, true)
    await two.next('subscribed')
    one.connection.publish(1, 'a', bytes('hello'), 0, false, false)
    expect(text((await two.next('message')).message.payload)).toBe('hello')
    await broker.close()
    expect((await one.next('closed')).why).toBe('lost')
    await rig.close()
  })

  it('takes the port that it is given, or says that it cannot', async () => {
    const first = await startEmbeddedBroker()
    const port = Number(new URL(first.url).port)
    await expect(startEmbeddedBroker(port)).rejects.toThrow('EADDRINUSE')
    await first.close()
    const again = await startEmbeddedBroker(port)
    expect(again.url).toBe(first.url)
    await again.close()
  })
})

describe('the gateway`s own connection', () => {
  it('is tried again with growing, jittered pauses [SN-MAP-31]', async () => {
    const broker = await startScriptedBroker()
    const times: number[] = []
    broker.script = (peer, { cmd }) => {
      if (cmd !== 'connect') return undefined
      times.push(performance.now())
      peer.send({ cmd: 'connack', sessionPresent: false, returnCode: 3, reasonCode: 0x88 })
      return true
    }
    const rig = new Rig(broker, { version: '3.1.1', reconnect: { min: 40, max: 160 }, random: () => 0.5 })
    while (times.length < 6) await pause(10)
    expect(rig.upstream.healthy).toBe(false)
    expect(rig.upstream.publishAnonymous('a', bytes('x'), false)).toBe(false)
    const pauses = times.slice(1).map((time, index) => time - (times[index] ?? 0))
    // three quarters of 40, 80, 160, 160, 160
    for (const [index, least] of [30, 60, 120, 120, 120].entries()) {
      expect(pauses[index]).toBeGreaterThan(least - 2)
    }
    expect(pauses[0]).toBeLessThan(110)
    await rig.close()
    const attempts = times.length
    await pause(200)
    expect(times.length).toBe(attempts)
    await broker.close()
  })

  it('is not counted with the sensors` and does not wait behind them', async () => {
    const broker = await startScriptedBroker((peer, { cmd }) => cmd === 'connect' && peer.clientId !== 'own')
    const rig = new Rig(broker, { own: { clientId: 'own' }, connecting: 1, version: '5' })
    const sensors = [rig.sensor(), rig.sensor()]
    for (const [index, { connection }] of sensors.entries()) {
      connection.connect({
        identity: { clientId: `s${index}` },
        clean: true,
        mend: false,
        will: undefined,
      })
    }
    while (!rig.upstream.healthy) await pause(5)
    expect(rig.upstream.stats()).toMatchObject({ connected: 0, connecting: 1, waiting: 1 })
    await rig.close()
    await broker.close()
  })
})

describe('createUpstream', () => {
  it.each([
    ['not a url', 'not a URL'],
    ['http://127.0.0.1', 'mqtt, mqtts, ws or wss'],
    ['mqtt://user:secret@127.0.0.1', 'must not hold a user or password'],
    ['mqtt://', 'not a URL|no host'],
  ])('refuses the URL %s and says why', (url, reason) => {
    expect(() => createUpstream(upstreamOptions({ url }))).toThrow(new RegExp(reason))
  })

  it.each(['mqtts', 'wss'])('refuses shared certificates that are none, for %s', (scheme) => {
    const options = upstreamOptions({ url: `${scheme}://127.0.0.1:1`, ca: 'no PEM' })
    expect(() => createUpstream({ ...options, tls: { ...options.tls, cert: 'x', key: 'x' } })).toThrow()
  })
})
