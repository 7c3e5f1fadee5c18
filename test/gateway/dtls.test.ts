// Sensors behind DTLS over real UDP: who they are, what they may be called, and what becomes of them when their address changes.

import { createSocket } from 'node:dgram'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ca, client, server, strangers } from '../../lab/pki.ts'
import { signerOf } from '../../src/dtls/crypto/chance.ts'
import { createTrust, derChain } from '../../src/dtls/crypto/x509.ts'
import { DtlsPeer } from '../support/dtls-peer.ts'
import { connect, keyOf, publish, secureScene, subscribe } from '../support/dtls-scene.ts'
import { aWhile, seen, until } from '../support/gateway.ts'

const IDENTITY_VARIABLE = '$' + '{identity}'

describe('who a sensor behind DTLS is', () => {
  it('a sensor whose ClientId is its identity is served, and its messages arrive [DTLS-ID-2]', async () => {
    const { test, office, lines, peer } = await secureScene()
    const meter = await peer('meter-1')
    meter.send(connect('meter-1'))
    expect(await meter.next('connack')).toMatchObject({ returnCode: 0 })
    meter.send(publish('ab', 'hello'))
    expect(await meter.next('puback')).toMatchObject({ returnCode: 0 })
    expect(seen(await office.inbox.next())).toEqual({ topic: 'ab', text: 'hello', qos: 1, retain: false })
    const session = test.gateway.sessions.byClientId.get('meter-1')
    expect(session?.peer?.association).toMatchObject({ identity: 'meter-1', kind: 'psk' })
    expect(lines.find(({ msg }) => msg === 'secure session')).toMatchObject({
      identity: 'meter-1',
      cid: true,
    })
    expect(JSON.stringify(lines)).not.toContain(keyOf(1))
  })

  it('another ClientId than its identity is refused with 0x03, with both names [DTLS-ID-3]', async () => {
    const { test, lines, peer } = await secureScene()
    const meter = await peer('meter-1')
    meter.send(connect('meter-2'))
    expect(await meter.next('connack')).toMatchObject({ returnCode: 3 })
    const line = lines.find(({ reason }) => reason === 'wrong-identity')
    expect(line).toMatchObject({ clientId: 'meter-2', peer: expect.stringContaining('(meter-1)') })
    expect(test.gateway.status().counters.refusals['wrong-identity']).toBe(1)
  })

  it('a rule with patterns of identities lets one of them have it [DTLS-ID-2]', async () => {
    const { peer } = await secureScene({ sensors: [{ match: 'pump-*', identity: ['meter-[', 'meter-?'] }] })
    const meter = await peer('meter-3')
    meter.send(connect('pump-17'))
    expect(await meter.next('connack')).toMatchObject({ returnCode: 0 })
    const forwarder = await peer('fw-1')
    forwarder.send(connect('pump-18'))
    expect(await forwarder.next('connack')).toMatchObject({ returnCode: 3 })
  })

  it('on a plain listener such a rule refuses whoever has no identity [DTLS-ID-2]', async () => {
    const { test } = await secureScene({
      listeners: [{ url: 'udp://127.0.0.1:0' }],
      sensors: [{ match: 'meter-*', identity: ['*'] }],
    })
    await expect(test.connected({ clientId: 'meter-1' })).rejects.toMatchObject({ returnCode: 3 })
    await test.connected({ clientId: 'other' })
  })

  it('the identity goes into the name at the broker [DTLS-ID-4]', async () => {
    const { test, peer } = await secureScene({
      sensors: [{ identity: ['*'], username: IDENTITY_VARIABLE, clientId: `at-${IDENTITY_VARIABLE}` }],
    })
    const meter = await peer('meter-4')
    meter.send(connect('whatever'))
    await meter.next('connack')
    const session = test.gateway.sessions.byClientId.get('whatever')
    expect(session && test.gateway.rules.identityOf(session)).toMatchObject({
      username: 'meter-4',
      clientId: 'at-meter-4',
    })
  })

  it('only forwarders by identity speak for other nodes, wherever they are [DTLS-ID-6]', async () => {
    const { test, peer } = await secureScene({
      dtls: { forwarders: ['fw-*'] },
      sensors: [{ identity: ['fw-*'] }],
    })
    const forwarder = await peer('fw-1')
    const nodes = [Uint8Array.of(1), Uint8Array.of(2)]
    for (const [i, node] of nodes.entries()) forwarder.send(connect(`node-${i}`), node)
    await forwarder.until(
      () => forwarder.heard.filter(({ packet }) => packet.type === 'connack').length === 2,
    )
    expect(forwarder.heard.map(({ nodeId }) => nodeId?.[0]).sort()).toEqual([1, 2])
    const meter = await peer('meter-1')
    meter.send(connect('node-9'), Uint8Array.of(9))
    await until(() => test.gateway.status().counters.refusals['forwarder-not-listed'] === 1)
    expect(test.gateway.sessions.byClientId.has('node-9')).toBe(false)
  })

  it('QoS -1 without a connection, with the rights of its identity [DTLS-ID-7]', async () => {
    const { test, office, peer } = await secureScene({
      qosMinusOne: { enabled: true, topics: ['#'] },
      sensors: [{ match: 'meter-*', publish: ['ab'] }],
    })
    const meter = await peer('meter-5')
    meter.send(publish('zz', 'no', -1))
    meter.send(publish('ab', 'yes', -1))
    expect((await office.inbox.next()).text).toBe('yes')
    expect(test.gateway.status().sensors).toBe(0)
  })

  it('a second session of the same identity takes over with CONNECT [DTLS-ID-5]', async () => {
    const { test, peer } = await secureScene()
    const [first, second] = [await peer('meter-6'), await peer('meter-6')]
    for (const each of [first, second]) {
      each.send(connect('meter-6'))
      await each.next('connack')
    }
    const association = test.gateway.sessions.byClientId.get('meter-6')?.peer
    expect(association?.port).toBe(second.port)
    second.send(publish('ab', 'from the second'))
    await second.next('puback')
    first.send({ type: 'pingreq', clientId: null })
    await first.next('disconnect') // it is a stranger now
  })

  it('what comes in the clear to a DTLS listener is dropped and counted', async () => {
    const { test } = await secureScene()
    const plain = createSocket('udp4')
    onTestFinished(() => void plain.close())
    plain.send(
      Buffer.from('0704040100ff41', 'hex'),
      Number(new URL(test.url().replace('dtls', 'http')).port),
      '127.0.0.1',
    )
    await until(() => (test.gateway.status().counters.dropped['dtls-malformed'] ?? 0) > 0)
    expect(test.gateway.status().sensors).toBe(0)
  })
})

describe('a sensor with a certificate', () => {
  const certificates = { psk: undefined, cert: server.cert, key: server.key, clientCa: ca.cert }
  const own = (pem: { cert: string; key: string }) => ({
    certificate: { chain: derChain(pem.cert), sign: signerOf(pem.key) },
    serverTrust: createTrust({ authorities: ca.cert, purpose: 'server' }),
  })

  it('is who its certificate names, beside sensors with keys [DTLS-ID-1]', async () => {
    const { test, office, peer } = await secureScene({
      dtls: { ...certificates, psk: { keys: { a: keyOf(1) } } },
    })
    const meter = await DtlsPeer.open(test.url(), own(client))
    onTestFinished(() => meter.close())
    meter.send(connect('meter-17'))
    expect(await meter.next('connack')).toMatchObject({ returnCode: 0 })
    meter.send(publish('ab', 'certified'))
    expect((await office.inbox.next()).text).toBe('certified')
    expect(test.gateway.sessions.byClientId.get('meter-17')?.peer?.association).toMatchObject({
      kind: 'certificate',
    })
    expect(peer).toBeDefined()
  })

  it('of a stranger`s authority gets no session, and the log says why', async () => {
    const { test, lines } = await secureScene({ dtls: certificates })
    const meter = await DtlsPeer.start(test.url(), own(strangers))
    onTestFinished(() => meter.close())
    await until(() => lines.some(({ msg }) => msg === 'handshake failed'))
    expect(lines.find(({ msg }) => msg === 'handshake failed')).toMatchObject({
      cause: 'certificate',
      hint: expect.stringContaining('clientCa'),
    })
    expect(test.gateway.status().listeners[0]?.stats.secure).toMatchObject({
      sessions: 0,
      handshakes: { certificate: 1 },
    })
  })
})

describe('sessions that no sensor uses', () => {
  it('end after a while; those of connected and sleeping sensors stay [DTLS-LIM-6]', async () => {
    const { test, lines, peer } = await secureScene({ dtls: { idle: '1s' } })
    const [idle, active, gone] = [await peer('meter-1'), await peer('meter-2'), await peer('meter-3')]
    for (const [i, each] of [active, gone].entries()) {
      each.send(connect(`meter-${i + 2}`))
      await each.next('connack')
    }
    gone.send({ type: 'disconnect', duration: null })
    await gone.next('disconnect')
    await idle.until(() => idle.effects.some(({ type }) => type === 'closed'), 30_000)
    await gone.until(() => gone.effects.some(({ type }) => type === 'closed'), 30_000)
    expect(lines.filter(({ why }) => why === 'idle')).toHaveLength(2)
    active.send(publish('ab', 'still here'))
    await active.next('puback')
    expect(test.gateway.status().listeners[0]?.stats.secure?.sessions).toBe(1)
  }, 40_000)

  it('make room for others when there are too many, and sensors in use do not [DTLS-LIM-3]', async () => {
    const { test, lines, peer } = await secureScene({ dtls: { sessions: 2 } })
    const used = await peer('meter-1')
    used.send(connect('meter-1'))
    await used.next('connack')
    await peer('meter-2')
    const third = await peer('meter-3')
    expect(lines.find(({ why }) => why === 'displaced')).toMatchObject({ identity: 'meter-2' })
    third.send(connect('meter-3'))
    await third.next('connack')
    const fourth = await DtlsPeer.start(test.url(), { psk: ['meter-4', keyOf(4)] })
    onTestFinished(() => fourth.close())
    await until(() => (test.gateway.status().counters.dropped['dtls-sessions'] ?? 0) > 0)
    expect(fourth.handshakes).toBe(0)
  })
})

describe('a sensor behind a NAT', () => {
  it('sleeps, and wakes up from 50 other ports without a handshake or CONNECT, and gets what waits [DTLS-CID-5]', async () => {
    const { test, office, peer } = await secureScene()
    const meter = await peer('meter-7', { connectionIdLength: 0 })
    meter.send(connect('meter-7', false))
    await meter.next('connack')
    meter.send(subscribe('xt'))
    await meter.next('suback')
    meter.send({ type: 'disconnect', duration: 600 })
    await meter.next('disconnect')
    for (let waking = 1; waking <= 50; waking++) {
      await office.publish('xt', `message ${waking}`)
      await until(() => test.gateway.sessions.byClientId.get('meter-7')?.downlink.queue.length === 1)
      await meter.move()
      meter.send({ type: 'pingreq', clientId: 'meter-7' })
      const { data, msgId, topicId } = await meter.next('publish')
      expect(Buffer.from(data).toString()).toBe(`message ${waking}`)
      meter.send({ type: 'puback', topicId, msgId, returnCode: 0 })
      await meter.next('pingresp')
    }
    expect(meter.handshakes).toBe(1)
    expect(test.gateway.status().listeners[0]?.stats.secure).toMatchObject({
      moves: 50,
      sessions: 1,
      handshakes: { full: 1 },
    })
  })

  it('does not move to an address that its rule forbids [DTLS-CID-8]', async () => {
    const { test, peer } = await secureScene({ sensors: [{ from: ['127.0.0.1'] }] })
    const meter = await peer('meter-8')
    meter.send(connect('meter-8'))
    await meter.next('connack')
    await meter.move('127.0.0.2')
    meter.send(publish('ab', 'from elsewhere'))
    await until(() => (test.gateway.status().counters.dropped['dtls-address'] ?? 0) > 0)
    await meter.move('127.0.0.1')
    meter.send(publish('ab', 'from here', 1, 2))
    expect(await meter.next('puback')).toMatchObject({ msgId: 2 })
  })
})

describe('handshakes that fail', () => {
  it('with a wrong key the log says so when time is up, and nothing of the key [DTLS-HS-18]', async () => {
    const { test, lines } = await secureScene({ dtls: { handshake: '1s', retransmit: '300ms' } })
    const wrong = await DtlsPeer.start(test.url(), { psk: ['meter-1', keyOf(77)], retransmit: 200 })
    const unknown = await DtlsPeer.start(test.url(), { psk: ['nobody', keyOf(78)], retransmit: 200 })
    onTestFinished(() => [wrong, unknown].forEach((each) => void each.close()))
    await until(() => lines.filter(({ msg }) => msg === 'handshake failed').length >= 2)
    const hints = lines
      .filter(({ msg }) => msg === 'handshake failed')
      .map(({ cause, hint }) => [cause, hint])
    expect(hints).toContainEqual(['wrong-key', expect.stringMatching(/"meter-1": its key is not the one/)])
    expect(hints).toContainEqual(['unknown-identity', expect.stringMatching(/"nobody" has no key/)])
    expect(JSON.stringify(lines)).not.toMatch(new RegExp(`${keyOf(77)}|${keyOf(1)}`))
  })

  it('a flood of hellos stops no honest sensor [DTLS-LIM-5 in part]', async () => {
    const { test, office, peer } = await secureScene()
    const hello = await helloTo(test.url())
    const flood = createSocket('udp4')
    onTestFinished(() => void flood.close())
    const { port } = new URL(test.url().replace('dtls', 'http'))
    let isFlooding = true
    const flooding = (async () => {
      while (isFlooding) {
        for (let i = 0; i < 100; i++) flood.send(hello, Number(port), '127.0.0.1')
        await aWhile(10)
      }
    })()
    for (let i = 1; i <= 5; i++) {
      const meter = await peer(`meter-${i}`)
      meter.send(connect(`meter-${i}`))
      await meter.next('connack')
      meter.send(publish('ab', `${i}`))
      await meter.next('puback')
      expect((await office.inbox.next()).text).toBe(`${i}`)
    }
    isFlooding = false
    await flooding
    const secure = test.gateway.status().listeners[0]?.stats.secure
    expect(secure?.helloVerifies).toBeGreaterThan(500)
    expect(secure).toMatchObject({ sessions: 5, halfOpen: 0 })
  })
})

/** The first hello of a client, as it lies on the wire. */
async function helloTo(url: string): Promise<Buffer> {
  const listening = createSocket('udp4')
  await new Promise<void>((resolve) => listening.bind(0, '127.0.0.1', resolve))
  const heard = new Promise<Buffer>((resolve) => listening.once('message', resolve))
  const place = url.replace(/\d+$/, String(listening.address().port))
  const client = await DtlsPeer.start(place, { psk: ['meter-1', keyOf(1)] })
  const hello = await heard
  client.close()
  listening.close()
  return hello
}
