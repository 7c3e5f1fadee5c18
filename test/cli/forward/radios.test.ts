// Radios and bridges behind a forwarder: a simulated XBee network, and a modem that calls.

import { connect } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { serveRadio } from '../../../src/simulation/radio/run-radio.ts'
import { XbeeNetwork } from '../../../src/simulation/radio/xbee-network.ts'
import { createFraming } from '../../../src/transport/framing/framing.ts'
import { startAedes } from '../../support/broker.ts'
import { startForwarder } from '../../support/forwarding.ts'
import { freshName, Office, TestGateway, TestSensor, until } from '../../support/gateway.ts'
import { UdpPeer } from '../../support/sensor.ts'

async function centre() {
  const broker = await startAedes()
  onTestFinished(() => broker.close())
  const test = await TestGateway.start(broker, {
    gateway: { id: 7 },
    listeners: [{ url: 'udp://127.0.0.1:0', forwarders: ['127.0.0.1'] }],
  })
  onTestFinished(() => test.stop())
  const office = await Office.at(broker, 'air/up/#')
  onTestFinished(() => office.close())
  return { test, office }
}

/** The same in every run. */
function chance(): () => number {
  let state = 1
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32
    return state / 2 ** 32
  }
}

const addressOf = (n: number): string => `0013a200${(0x41000000 + n).toString(16)}`

/** A network of XBee modules, the forwarder's own at the end of a TCP connection. */
async function openAir() {
  const network = new XbeeNetwork({
    clock: () => performance.now(),
    random: chance(),
    baud: 115_200,
    octetsPerSecond: 20_000,
  })
  const radio = await serveRadio(network)
  onTestFinished(() => radio.close())
  return { network, from: `tcp://${radio.place}?framing=xbee&reopen=20ms..200ms` }
}

it('nodes of an XBee network are sensors of their own, by their 64 bits, and hear what is for them [LINK-FW-1]', async () => {
  const { test, office } = await centre()
  const { network, from } = await openAir()
  const { forwarder } = await startForwarder({ from: [from], to: test.url() })
  await until(() => forwarder.listeners()[0]?.link?.up === true)
  for (const n of [0x11, 0x137d, 0x7e]) {
    const node = new TestSensor({
      transport: network.node(addressOf(n)),
      clientId: freshName(),
      tRetry: 3000,
    })
    onTestFinished(() => node.close())
    await node.connect()
    for (const qos of [0, 1, 2] as const) await node.publish(`air/up/${n}`, `reading ${qos}`, { qos })
    expect((await office.inbox.take(3)).map(({ text }) => text)).toEqual([
      'reading 0',
      'reading 1',
      'reading 2',
    ])
    await node.subscribe(`air/down/${n}`, 2)
    for (const qos of [0, 1, 2] as const) await office.publish(`air/down/${n}`, `order ${qos}`, { qos })
    expect((await node.inbox.take(3)).map(({ text }) => text)).toEqual(['order 0', 'order 1', 'order 2'])
    const peer = test.gateway.sessions.byClientId.get(node.clientId)?.peer
    expect(Buffer.from(peer?.nodeId ?? []).toString('hex')).toBe(addressOf(n))
  }
  expect(forwarder.core.books.dropped).toEqual({})
})

it('a node of an XBee network that was not heard since the start is reached all the same', async () => {
  const { test, office } = await centre()
  const { network, from } = await openAir()
  const free = await UdpPeer.open()
  const localPort = free.port
  await free.close()
  const document = { from: [from], to: { url: test.url(), localPort } }
  const first = await startForwarder(document, { ended: false })
  const node = new TestSensor({ transport: network.node(addressOf(1)), clientId: freshName(), tRetry: 3000 })
  onTestFinished(() => node.close())
  await node.connect()
  await node.subscribe('air/down/1', 1)
  await first.forwarder.stop()
  const { forwarder } = await startForwarder(document)
  await until(() => forwarder.listeners()[0]?.link?.up === true)
  expect(forwarder.core.nodes).toBe(0)
  await office.publish('air/down/1', 'are you there')
  expect((await node.inbox.next(20_000)).text).toBe('are you there')
})

it('messages longer than the module carries are dropped and counted, and nodes that are not allowed not heard', async () => {
  const { test, office } = await centre()
  const { network, from } = await openAir()
  const allow = [addressOf(1)]
  const { forwarder } = await startForwarder({ from: [{ url: from, allow }], to: test.url() })
  await until(() => forwarder.listeners()[0]?.link?.up === true)
  const nodeAt = (n: number) => {
    const node = new TestSensor({
      transport: network.node(addressOf(n)),
      clientId: freshName(),
      tRetry: 300,
      nRetry: 1,
    })
    onTestFinished(() => node.close())
    return node
  }
  const allowed = nodeAt(1)
  await allowed.connect()
  await expect(nodeAt(2).connect()).rejects.toThrow()
  expect(forwarder.core.books.dropped['not-allowed']).toBeGreaterThan(0)
  await allowed.subscribe('air/down/1', 0)
  await office.publish('air/down/1', 'x'.repeat(200), { qos: 0 })
  await until(() => (forwarder.core.books.dropped['too-long'] ?? 0) > 0)
})

it('a modem that calls is a node by its address and port, and a bridge with node=encap brings its own ids', async () => {
  const { test, office } = await centre()
  const { forwarder } = await startForwarder({
    from: ['tcp-listen://127.0.0.1:0?framing=slip', 'tcp-listen://127.0.0.1:0?framing=cobs&node=encap'],
    to: test.url(),
  })
  for (const [link, framing] of (['slip', 'cobs'] as const).entries()) {
    const { port } = new URL(forwarder.listeners()[link]?.url.replace('tcp-listen', 'http') ?? '')
    const socket = connect(Number(port), '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    const frames = createFraming(framing, { longest: 1472 })
    const transport = {
      onReceive: (_: Uint8Array) => {},
      onError: () => {},
      send: (bytes: Uint8Array) => void socket.write(frames.encode(bytes)),
      close: () => {},
    }
    socket.on('data', (bytes) => {
      for (const one of frames.push(bytes)) if (one.fault === undefined) transport.onReceive(one.frame)
    })
    const nodeId = Uint8Array.of(0x30, 0x31)
    const node = new TestSensor({
      transport,
      clientId: freshName(),
      tRetry: 2000,
      ...(link === 1 && { nodeId }),
    })
    onTestFinished(() => node.close())
    await node.connect()
    await node.publish(`air/up/${link}`, 'here', { qos: 1 })
    expect((await office.inbox.next()).topic).toBe(`air/up/${link}`)
    const peer = test.gateway.sessions.byClientId.get(node.clientId)?.peer
    expect(Buffer.from(peer?.nodeId ?? []).toString('hex')).toMatch(link === 1 ? /^3031$/ : /^7f000001....$/)
  }
  expect(forwarder.core.books.dropped).toEqual({})
})
