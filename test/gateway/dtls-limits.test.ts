// What is long enough for a record, and what becomes of a sensor whose session is over.

import { describe, expect, it } from 'vitest'
import { encodeFrame } from '../../src/codec/v1/frame.ts'
import { connect, publish, secureScene, subscribe } from '../support/dtls-scene.ts'
import { until } from '../support/gateway.ts'

describe('a message in a record', () => {
  it('may have as many octets as without DTLS, and no more: the record around it does not count [DTLS-REC-13]', async () => {
    const longest = 200
    const { test, office, peer } = await secureScene({
      listeners: [
        {
          url: 'dtls://127.0.0.1:0',
          maxMessageSize: longest,
          dtls: { psk: { keys: { 'meter-1': '0f'.repeat(16) } } },
        },
      ],
    })
    const meter = await peer('meter-1', { psk: ['meter-1', '0f'.repeat(16)] })
    meter.send(connect('meter-1'))
    await meter.next('connack')
    const around = encodeFrame(publish('ab', '')).length
    const fits = 'x'.repeat(longest - around)
    meter.send(publish('ab', fits))
    await meter.next('puback')
    expect((await office.inbox.next()).text).toBe(fits)
    meter.send(publish('ab', `${fits}x`, 1, 2))
    await until(() => test.gateway.status().counters.dropped.oversized === 1)
    // the other way: what would be longer is not sent, what fits is
    meter.send(subscribe('xt'))
    await meter.next('suback')
    await office.publish('xt', `${fits}x`)
    await until(() => (test.gateway.status().counters.dropped['too-long'] ?? 0) === 1)
    await office.publish('xt', fits)
    expect((await meter.next('publish')).data).toHaveLength(fits.length)
  })
})

describe('a sensor that says goodbye to DTLS', () => {
  it('is answered, and its MQTT-SN session stays as it is: it may sleep without one [DTLS-AL-1]', async () => {
    const { test, office, peer } = await secureScene()
    const meter = await peer('meter-1')
    meter.send(connect('meter-1', false))
    await meter.next('connack')
    meter.send(subscribe('xt'))
    await meter.next('suback')
    meter.send({ type: 'disconnect', duration: 600 })
    await meter.next('disconnect')
    meter.goodbye()
    const secure = () => test.gateway.status().listeners[0]?.stats.secure
    await until(() => secure()?.sessions === 0)
    expect(test.stateOf({ clientId: 'meter-1' })).toBe('asleep')
    await office.publish('xt', 'while it sleeps')
    await until(() => test.gateway.sessions.byClientId.get('meter-1')?.downlink.queue.length === 1)
    const again = await peer('meter-1')
    again.send({ type: 'pingreq', clientId: 'meter-1' })
    expect(Buffer.from((await again.next('publish')).data).toString()).toBe('while it sleeps')
    expect(test.stateOf({ clientId: 'meter-1' })).toBe('awake')
  })
})
