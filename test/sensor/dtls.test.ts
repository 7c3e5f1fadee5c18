// A Sensor at dtls://: keys, certificates, resumption, addresses that change, and what goes wrong; over real UDP.

import { afterEach, describe, expect, it } from 'vitest'
import * as pki from '../../lab/pki.ts'
import { signerOf } from '../../src/dtls/crypto/chance.ts'
import { createTrust, derChain } from '../../src/dtls/crypto/x509.ts'
import type { ServerOptions } from '../../src/dtls/server/options.ts'
import {
  discover,
  type SecuredSession,
  Sensor,
  SensorError,
  type SensorOptions,
} from '../../src/sensor/sensor.ts'
import { DtlsRelay, Nat } from '../support/dtls-relay.ts'
import { TestGateway, TestSensor, until } from '../support/gateway.ts'
import { acceptingGateway, UdpPeer } from '../support/sensor.ts'

const KEY = '000102030405060708090a0b0c0d0e0f'
const psk = { identity: 'meter-17', key: KEY }
const findKey = (identity: string) =>
  identity === psk.identity ? Uint8Array.from(Buffer.from(KEY, 'hex')) : undefined
const credentials = ({ cert, key }: pki.TestCertificate) => ({ chain: derChain(cert), sign: signerOf(key) })
const withCertificates: ServerOptions = {
  certificate: credentials(pki.server),
  clientTrust: createTrust({ authorities: pki.ca.cert, purpose: 'client' }),
}

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const each of cleanUps.splice(0).reverse()) await each()
})

/** A gateway that accepts everything, behind DTLS. */
async function behind(options: ServerOptions = { findKey }) {
  const peer = await UdpPeer.open()
  peer.script = acceptingGateway()
  const relay = await DtlsRelay.open(peer.url, options)
  cleanUps.push(
    () => peer.close(),
    () => relay.end(),
  )
  return { peer, relay }
}

function sensorAt(gateway: string, options: SensorOptions = { psk }) {
  const sensor = new Sensor({ gateway, tRetry: 300, nRetry: 2, ...options })
  const secured: SecuredSession[] = []
  sensor.on('secured', (session) => secured.push(session))
  cleanUps.push(() => sensor.close())
  return { sensor, secured }
}

/** The SensorError that a call ends with. */
async function failureOf(call: Promise<unknown>): Promise<SensorError> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof SensorError) return error
  throw new Error(`expected a SensorError, got ${error}`)
}

describe('a Sensor with a shared key', () => {
  it('speaks with a real gateway, both ways, and is called as its identity [DTLS-RUN-8]', async () => {
    const test = await TestGateway.start('embedded')
    cleanUps.push(() => test.stop())
    const relay = await DtlsRelay.open(test.url(), { findKey })
    cleanUps.push(() => relay.end())
    const sensor = new TestSensor({ gateway: relay.url, psk })
    cleanUps.push(() => sensor.close())
    await sensor.connect()
    expect(sensor.clientId).toBe('meter-17')
    await sensor.subscribe('room/+', 1)
    await sensor.publish('room/1', 'twenty', { qos: 2 })
    expect(await sensor.inbox.next()).toMatchObject({ topic: 'room/1', text: 'twenty' })
    await sensor.disconnect()
    expect(relay.of('open')).toMatchObject([{ info: { identity: 'meter-17', kind: 'psk' } }])
    sensor.close()
    await until(() => relay.of('closed').length === 1)
  })

  it('tells of its session, and makes the next one short with what it left [DTLS-RUN-8]', async () => {
    const { relay } = await behind()
    const first = sensorAt(relay.url)
    await first.sensor.connect()
    expect(first.secured).toMatchObject([{ identity: 'meter-17', kind: 'psk', resumed: false }])
    const { resumption } = first.secured[0] ?? {}
    await first.sensor.end()
    if (resumption === undefined) throw new Error('the gateway keeps nothing')
    const second = sensorAt(relay.url, { psk, resume: resumption })
    await second.sensor.connect()
    expect(second.secured).toMatchObject([{ resumed: true }])
  })

  it('connects again, with a short handshake, when the gateway has ended the session', async () => {
    const { relay } = await behind()
    const { sensor, secured } = sensorAt(relay.url)
    const reasons: string[] = []
    sensor.on('disconnected', (why) => reasons.push(why))
    await sensor.connect()
    relay.closeAll()
    await until(() => reasons.length === 1)
    expect(reasons).toEqual(['gateway'])
    await sensor.connect()
    expect(secured.map(({ resumed }) => resumed)).toEqual([false, true])
  })

  it('makes a new session when the gateway lost its end without a word', async () => {
    const { relay } = await behind()
    const { sensor, secured } = sensorAt(relay.url, { psk, tRetry: 50, nRetry: 1 })
    await sensor.connect()
    await sensor.disconnect()
    relay.forget()
    expect((await failureOf(sensor.connect())).code).toBe('timeout')
    await sensor.connect()
    expect(secured).toHaveLength(2)
  })

  it('makes one when it wakes for the second time after that', async () => {
    const { relay, peer } = await behind()
    const { sensor, secured } = sensorAt(relay.url, { psk, tRetry: 50, nRetry: 1 })
    await sensor.connect()
    await sensor.sleep(60)
    relay.forget()
    expect((await failureOf(sensor.wake())).code).toBe('timeout')
    expect(sensor.state).toBe('asleep')
    await sensor.wake()
    expect([secured.length, peer.heard.at(-1)?.packet.type]).toEqual([2, 'pingreq'])
  })

  it('wakes, receives and publishes 50 times behind a NAT that gives it another port each time: one handshake, one CONNECT', async () => {
    const test = await TestGateway.start('embedded')
    cleanUps.push(() => test.stop())
    const relay = await DtlsRelay.open(test.url(), { findKey })
    const nat = await Nat.open(relay.url)
    cleanUps.push(
      () => relay.end(),
      () => nat.end(),
    )
    const sensor = new TestSensor({ gateway: nat.url, psk })
    cleanUps.push(() => sensor.close())
    let connects = 0
    sensor.on('packet', (direction, { type }) => {
      if (direction === 'out' && type === 'connect') connects++
    })
    await sensor.connect()
    await sensor.subscribe('to/meter', 1)
    const office = new TestSensor({ gateway: test.url(), clientId: 'office' })
    cleanUps.push(() => office.close())
    await office.connect()
    await office.subscribe({ short: 'up' }, 1)
    await sensor.sleep(600)
    for (let waking = 1; waking <= 50; waking++) {
      await office.publish('to/meter', `${waking}`, { qos: 1 })
      nat.rebind()
      await sensor.wake()
      expect((await sensor.inbox.next()).text).toBe(`${waking}`)
      await sensor.publish({ short: 'up' }, `${waking}`, { qos: -1 })
      expect((await office.inbox.next()).text).toBe(`${waking}`)
    }
    expect([relay.of('open').length, relay.of('moved').length, connects]).toEqual([1, 50, 1])
  })

  it('finds the gateway by asking it within a session', async () => {
    const { relay } = await behind()
    expect(await discover({ unicast: relay.url, psk, timeout: 500 })).toMatchObject([
      { gwId: 1, url: relay.url, via: 'gwinfo' },
    ])
  })
})

describe('a Sensor with certificates', () => {
  const certificates = { ca: pki.ca.cert, cert: pki.client.cert, key: pki.client.key, clientId: 'meter-17' }

  it('knows the gateway and is known by it', async () => {
    const { relay } = await behind(withCertificates)
    const { sensor, secured } = sensorAt(relay.url, certificates)
    await sensor.connect()
    expect(secured).toMatchObject([{ identity: 'gateway', kind: 'certificate' }])
    expect(relay.of('open')).toMatchObject([{ info: { identity: 'meter-17', kind: 'certificate' } }])
  })

  const mistakes: { what: string; options: SensorOptions; code: string; says: string }[] = [
    {
      what: 'of another authority',
      options: { ...certificates, ca: pki.stranger.cert },
      code: 'security',
      says: 'of no authority that is trusted',
    },
    {
      what: 'for another name',
      options: { ...certificates, serverName: 'other.example' },
      code: 'security',
      says: 'not for other.example',
    },
    {
      what: 'that takes no stranger',
      options: { ...certificates, cert: pki.stranger.cert, key: pki.stranger.key },
      code: 'security',
      says: 'unknown_ca',
    },
    {
      what: 'where its own key is none',
      options: { ...certificates, key: 'not PEM' },
      code: 'invalid',
      says: 'key: ',
    },
    {
      what: 'where its authorities are none',
      options: { ...certificates, ca: 'not PEM' },
      code: 'invalid',
      says: 'ca: ',
    },
  ]
  it.each(mistakes)('does not connect to a gateway $what, and says why', async ({ options, code, says }) => {
    const { relay, peer } = await behind(withCertificates)
    const { sensor } = sensorAt(relay.url, options)
    const error = await failureOf(sensor.connect())
    expect([error.code, error.message]).toEqual([code, expect.stringContaining(says)])
    expect(peer.heard).toEqual([])
  })
})

describe('a Sensor that cannot be secured', () => {
  it.each([
    ['another key', { identity: 'meter-17', key: 'ff'.repeat(16) }],
    ['an identity that nobody knows', { identity: 'stranger', key: KEY }],
  ])('with %s says so, and that it may be either', async (_, wrong) => {
    const { relay, peer } = await behind()
    const error = await failureOf(sensorAt(relay.url, { psk: wrong, tRetry: 100 }).sensor.connect())
    expect(error.code).toBe('security')
    expect(error.message).toMatch(/does not know the identity "[\w-]+", or has another key/)
    expect(error.message).not.toContain(wrong.key)
    expect(peer.heard).toEqual([])
  })

  it('gets no answer where nobody is, within the patience of any request', async () => {
    const silent = await UdpPeer.open()
    cleanUps.push(() => silent.close())
    const url = silent.url.replace('udp:', 'dtls:')
    const { sensor } = sensorAt(url, { psk, tRetry: 50, nRetry: 1 })
    const error = await failureOf(sensor.connect())
    expect([error.code, error.message]).toEqual(['timeout', `DTLS with ${url}: no answer`])
    expect(sensor.state).toBe('disconnected')
    expect(silent.heard.length).toBeGreaterThanOrEqual(2)
  })

  it('is told when the gateway takes certificates only', async () => {
    const { relay } = await behind(withCertificates)
    const error = await failureOf(sensorAt(relay.url).sensor.connect())
    expect([error.code, error.message]).toEqual(['security', expect.stringContaining('handshake_failure')])
  })

  it('says that its client id is not its identity, where the gateway refuses it', async () => {
    const { relay, peer } = await behind()
    peer.script = ({ type }) => (type === 'connect' ? [{ type: 'connack', returnCode: 3 }] : [])
    const other = await failureOf(sensorAt(relay.url, { psk, clientId: 'other' }).sensor.connect())
    expect([other.code, other.returnCode]).toEqual(['rejected', 3])
    expect(other.message).toContain('its identity is "meter-17", its client id "other"')
    const same = await failureOf(sensorAt(relay.url).sensor.connect())
    expect(same.message).toBe('CONNECT: gateway answered 3 (rejected: not supported)')
  })

  it('ends its waiting when it is closed', async () => {
    const silent = await UdpPeer.open()
    cleanUps.push(() => silent.close())
    const { sensor } = sensorAt(silent.url.replace('udp:', 'dtls:'))
    const connecting = failureOf(sensor.connect())
    await silent.next()
    sensor.close()
    expect((await connecting).code).toBe('closed')
  })

  it('sends no message that fits into no record', async () => {
    const { relay } = await behind()
    const { sensor } = sensorAt(relay.url)
    await sensor.connect()
    const error = await failureOf(sensor.publish({ short: 'ab' }, new Uint8Array(16_384), { qos: 1 }))
    expect(error.code).toBe('too-long')
    await sensor.publish({ short: 'ab' }, new Uint8Array(16_000), { qos: 1 })
  })

  it.each<[string, SensorOptions]>([
    ['dtls:// needs psk, or ca', { gateway: 'dtls://gw:8883' }],
    ['psk, cert, key and ca need a gateway at dtls://', { gateway: 'udp://gw:1884', psk }],
    ['psk, cert, key and ca need a gateway at dtls://', { ca: pki.ca.cert }],
    ['cert and key belong together', { gateway: 'dtls://gw:8883', ca: 'x', cert: 'x' }],
    ['cert needs ca', { gateway: 'dtls://gw:8883', psk, cert: 'x', key: 'x' }],
    ['psk.key: 8 to 64 octets', { gateway: 'dtls://gw:8883', psk: { identity: 'a', key: 'short' } }],
    ['psk.key: 8 to 64 octets', { gateway: 'dtls://gw:8883', psk: { identity: 'a', key: '00'.repeat(7) } }],
    ['psk.identity: 1 to 128 octets', { gateway: 'dtls://gw:8883', psk: { identity: '', key: KEY } }],
  ])('refuses options that do not fit: %s', (says, options) => {
    expect(() => new Sensor({ clientId: 'a', ...options })).toThrow(says)
  })
})
