// A forwarder to a gateway at dtls://: keys and certificates, a NAT that changes ports, sessions that end or are lost.

import { describe, expect, it, onTestFinished } from 'vitest'
import * as pki from '../../../lab/pki.ts'
import { DtlsRelay, Nat } from '../../support/dtls-relay.ts'
import { keyOf, secureScene } from '../../support/dtls-scene.ts'
import { startForwarder } from '../../support/forwarding.ts'
import { aWhile, freshName, TestGateway, TestSensor, until } from '../../support/gateway.ts'

const psk = `fw-1:${keyOf(100)}`
/** Nodes behind the forwarder may have any name. */
const nodesOfAny = { dtls: { forwarders: ['fw-*'] }, sensors: [{ identity: ['fw-*'] }] }

function nodeAt(gateway: string, options: object = {}) {
  const node = new TestSensor({ gateway, clientId: freshName(), tRetry: 500, nRetry: 30, ...options })
  onTestFinished(() => node.close())
  const connects = { sent: 0 }
  node.on('packet', (way, { type }) => {
    if (way === 'out' && type === 'connect') connects.sent++
  })
  return { node, connects }
}

const secureOf = (test: TestGateway) => test.gateway.status().listeners[0]?.stats.secure

describe('a forwarder with a key', () => {
  it('brings nodes to a gateway that names its identity, and what the gateway says back to them [LINK-FW-5]', async () => {
    const { test, office } = await secureScene(nodesOfAny)
    const { lines, url } = await startForwarder({
      from: ['udp://127.0.0.1:0'],
      to: { url: test.url(), psk },
    })
    const { node } = nodeAt(url())
    await node.connect()
    await node.subscribe('to/node', 2)
    for (const qos of [0, 1, 2] as const) await node.publish('from/node', `reading ${qos}`, { qos })
    expect((await office.inbox.take(3)).map(({ text }) => text)).toEqual([
      'reading 0',
      'reading 1',
      'reading 2',
    ])
    await office.publish('to/node', 'an order', { qos: 2 })
    expect((await node.inbox.next()).text).toBe('an order')
    expect(test.gateway.sessions.byClientId.get(node.clientId)?.peer).toMatchObject({
      association: { identity: 'fw-1' },
    })
    expect(lines.filter(({ msg }) => msg === 'secure session')).toMatchObject([
      { identity: 'fw-1', kind: 'psk' },
    ])
  })

  it('says what to change where the gateway does not name its identity [LINK-FW-6]', async () => {
    const { test } = await secureScene({ ...nodesOfAny, dtls: { forwarders: ['other'] } })
    const { forwarder, lines } = await startForwarder(
      { from: ['udp://127.0.0.1:0'], to: { url: test.url(), psk }, keepalive: '1s' },
      { served: false },
    )
    await until(() => forwarder.core.watch.standing === 'refusing', 20_000)
    expect(lines.find(({ level }) => level === 'error')).toMatchObject({
      hint: expect.stringMatching(/identity of this forwarder, "fw-1", in "dtls.forwarders"/),
    })
  })

  it('behind a NAT that gives it another port again and again: one handshake, and no node notices [LINK-FW-5]', async () => {
    const { test, office } = await secureScene(nodesOfAny)
    const nat = await Nat.open(test.url())
    onTestFinished(() => nat.end())
    const { forwarder, url } = await startForwarder({
      from: ['udp://127.0.0.1:0'],
      to: { url: nat.url, psk },
    })
    const nodes = [nodeAt(url()), nodeAt(url()), nodeAt(url())]
    for (const { node } of nodes) {
      await node.connect()
      await node.subscribe(`to/${node.clientId}`, 1)
    }
    for (let round = 1; round <= 20; round++) {
      nat.rebind()
      await Promise.all(
        nodes.map(({ node }) => node.publish(`from/${node.clientId}`, `${round}`, { qos: 1 })),
      )
      await Promise.all(nodes.map(({ node }) => office.publish(`to/${node.clientId}`, `${round}`)))
      for (const { node } of nodes) expect((await node.inbox.next()).text).toBe(`${round}`)
    }
    // and while messages are under way, of which some get lost then
    const changing = setInterval(() => nat.rebind(), 100)
    for (let round = 21; round <= 40; round++) {
      await Promise.all(
        nodes.map(({ node }) => node.publish(`from/${node.clientId}`, `${round}`, { qos: 2 })),
      )
      await aWhile(50)
    }
    clearInterval(changing)
    const heard = (await office.inbox.take(180, 20_000)).filter(({ topic }) => topic.startsWith('from/'))
    for (const { node } of nodes) {
      const own = heard.filter(({ topic }) => topic === `from/${node.clientId}`)
      expect(own.map(({ text }) => text)).toEqual(Array.from({ length: 40 }, (_, i) => `${i + 1}`))
    }
    expect(nodes.map(({ connects }) => connects.sent)).toEqual([1, 1, 1])
    expect(secureOf(test)).toMatchObject({ sessions: 1, handshakes: { full: 1 } })
    expect(secureOf(test)?.moves).toBeGreaterThanOrEqual(20)
    expect(secureOf(test)?.handshakes.resumed ?? 0).toBe(0)
    expect(forwarder.way.handshakes).toEqual({ full: 1, resumed: 0, failed: 0 })
  }, 60_000)

  it('keeps its session through a time in which nothing reaches the gateway, and its nodes theirs [LINK-FW-5]', async () => {
    const { test, office } = await secureScene(nodesOfAny)
    const nat = await Nat.open(test.url())
    onTestFinished(() => nat.end())
    const { forwarder, lines, url } = await startForwarder({
      from: ['udp://127.0.0.1:0'],
      to: { url: nat.url, psk },
      keepalive: '1s',
    })
    const { node, connects } = nodeAt(url(), { keepAlive: 0 })
    await node.connect()
    nat.block(true)
    await until(() => forwarder.core.watch.standing === 'silent', 20_000)
    await aWhile(1500) // a handshake is under way by now
    nat.block(false)
    await until(() => forwarder.core.watch.standing === 'serving', 20_000)
    await node.publish('from/node', 'and on', { qos: 1 })
    expect((await office.inbox.next()).text).toBe('and on')
    expect(connects.sent).toBe(1)
    expect(lines.map(({ msg }) => msg).filter((msg) => /gateway/.test(String(msg)))).toEqual([
      'the gateway serves',
      'no gateway answers',
      'the gateway serves',
    ])
    await until(() => secureOf(test)?.sessions === 1, 20_000)
  }, 60_000)

  it('makes a new session where the gateway has ended the one before, and nodes connect again', async () => {
    const { test, office } = await secureScene(nodesOfAny)
    const { forwarder, url } = await startForwarder({
      from: ['udp://127.0.0.1:0'],
      to: { url: test.url(), psk },
      keepalive: '1s',
    })
    const { node } = nodeAt(url(), { tRetry: 300, nRetry: 1 })
    await node.connect()
    await test.restart() // its store is in memory: it ends all sessions
    await until(() => forwarder.core.watch.standing === 'serving' && secureOf(test)?.sessions === 1, 30_000)
    await until(() => test.gateway.status().broker.healthy)
    await node.connect()
    await node.publish('from/node', 'again', { qos: 1 })
    expect((await office.inbox.next()).text).toBe('again')
  }, 60_000)

  it('makes a new session where the gateway has lost its own without a word', async () => {
    const test = await TestGateway.start('embedded', {
      listeners: [{ url: 'udp://127.0.0.1:0', forwarders: ['127.0.0.1'] }],
    })
    onTestFinished(() => test.stop())
    const relay = await DtlsRelay.open(test.url(), { findKey: () => Buffer.from(keyOf(100), 'hex') })
    onTestFinished(() => relay.end())
    const { forwarder, lines, url } = await startForwarder({
      from: ['udp://127.0.0.1:0'],
      to: { url: relay.url, psk },
      keepalive: '1s',
    })
    relay.forget()
    await until(() => relay.of('open').length === 2, 30_000)
    await until(() => forwarder.core.watch.standing === 'serving', 30_000)
    const { node } = nodeAt(url())
    await node.connect()
    expect(lines.map(({ msg }) => msg).filter((msg) => /gateway|session/.test(String(msg)))).toEqual([
      'secure session',
      'the gateway serves',
      'no gateway answers',
      'secure session',
      'the gateway serves',
    ])
  }, 70_000)

  it('keeps its session when the gateway is restarted with a durable store, and its nodes theirs', async () => {
    const { test, office } = await secureScene(nodesOfAny, { durable: true })
    const { forwarder, url } = await startForwarder({
      from: ['udp://127.0.0.1:0'],
      to: { url: test.url(), psk },
      keepalive: '1s',
    })
    const { node, connects } = nodeAt(url(), { cleanSession: false })
    await node.connect()
    await test.restart()
    await until(() => test.gateway.status().broker.healthy)
    await node.publish('from/node', 'still here', { qos: 2 })
    expect((await office.inbox.next()).text).toBe('still here')
    expect(connects.sent).toBe(1)
    expect(forwarder.way.handshakes).toEqual({ full: 1, resumed: 0, failed: 0 })
  })

  it('that is refused says why, tries again, and drops what nodes say meanwhile', async () => {
    const { test } = await secureScene(nodesOfAny)
    const { forwarder, lines, url } = await startForwarder(
      { from: ['udp://127.0.0.1:0'], to: { url: test.url(), psk: `fw-1:${keyOf(1)}` } },
      { served: false },
    )
    const { node } = nodeAt(url(), { tRetry: 50, nRetry: 1 })
    await expect(node.connect()).rejects.toThrow()
    expect(forwarder.core.books.dropped['upstream-down']).toBeGreaterThan(0)
    await until(() => lines.some(({ msg }) => String(msg).startsWith('no way to the gateway')), 30_000)
    expect(lines.find(({ level }) => level === 'warn')).toMatchObject({
      reason: expect.stringContaining('does not know the identity "fw-1"'),
    })
    expect(JSON.stringify(lines)).not.toContain(keyOf(1))
  }, 40_000)
})

describe('a forwarder with a certificate', () => {
  it('knows the gateway by its authority, and is known by its own name [LINK-FW-5]', async () => {
    const { test, office } = await secureScene({
      ...nodesOfAny,
      sensors: [{ identity: ['*'] }],
      dtls: {
        psk: undefined,
        cert: pki.server.cert,
        key: pki.server.key,
        clientCa: pki.ca.cert,
        forwarders: ['*'],
      },
    })
    const { url } = await startForwarder({
      from: ['udp://127.0.0.1:0'],
      to: {
        url: test.url(),
        ca: pki.ca.cert,
        cert: pki.client.cert,
        key: pki.client.key,
      },
    })
    const { node } = nodeAt(url())
    await node.connect()
    await node.publish('from/node', 'signed', { qos: 1 })
    expect((await office.inbox.next()).text).toBe('signed')
    const { association } = test.gateway.sessions.byClientId.get(node.clientId)?.peer ?? {}
    expect(association?.kind).toBe('certificate')
  })
})
