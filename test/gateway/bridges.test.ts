// Bridges that call the gateway over TCP, with many nodes behind each: who may, and what becomes of the nodes when bridges change.

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, expect, it, type TestContext } from 'vitest'
import { createFraming } from '../../src/transport/framing/framing.ts'
import { haveMosquitto, startMosquitto } from '../support/broker.ts'
import { freshName, Office, TestGateway, until } from '../support/gateway.ts'

/** A bridge, from this address: transports for nodes behind it, by their ids. */
async function bridge(url: string, localAddress = '127.0.0.1') {
  const framing = createFraming('cobs', { longest: 1472, crc: 'x25' })
  const socket: Socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', localAddress })
  socket.on('error', () => {})
  const closed = once(socket, 'close')
  await once(socket, 'connect')
  const nodes = new Set<{ onReceive(bytes: Uint8Array): void }>()
  socket.on('data', (bytes) => {
    for (const one of framing.push(bytes))
      if (one.fault === undefined) for (const node of nodes) node.onReceive(one.frame)
  })
  const node = (id: number) => {
    const transport = {
      onReceive: (_: Uint8Array) => {},
      onError: () => {},
      send: (bytes: Uint8Array) => void socket.write(framing.encode(bytes)),
      close: () => {},
    }
    nodes.add(transport)
    return { transport, nodeId: Uint8Array.of(id) }
  }
  return { socket, closed, node }
}

async function setUp({ onTestFinished }: TestContext, listener: object = {}, more: object = {}) {
  const mosquitto = await startMosquitto()
  onTestFinished(() => mosquitto.close())
  const url = 'tcp-listen://127.0.0.1:0?framing=cobs&crc=x25&node=encap'
  const test = await TestGateway.start(mosquitto, {
    listeners: [{ url, name: 'bridges', ...listener }],
    ...more,
  })
  onTestFinished(() => test.stop())
  const base = `bridges/${freshName()}`
  const office = await Office.at(mosquitto, `${base}/up/#`)
  onTestFinished(() => office.close())
  const bound = test.gateway.status().listeners[0]?.url ?? ''
  const opened = async (localAddress?: string) => {
    const one = await bridge(bound, localAddress)
    onTestFinished(() => void one.socket.destroy())
    return one
  }
  return { test, office, opened, up: `${base}/up`, down: `${base}/down` }
}

const counted = (test: TestGateway) => test.gateway.status().counters

describe.skipIf(!haveMosquitto)('bridges that call the gateway (mosquitto)', () => {
  it('a second bridge takes over the nodes it speaks for, whose sessions go on [LINK-ST-6, LINK-GW-1]', async (context) => {
    const { test, office, opened, up, down } = await setUp(context)
    const [first, second] = [await opened(), await opened('127.0.0.2')]
    const shared = first.node(0x30)
    const moving = await test.connected({ ...shared, tRetry: 2000 })
    const staying = await test.connected({ ...first.node(0x31), tRetry: 2000 })
    for (const sensor of [moving, staying]) await sensor.subscribe(`${down}/${sensor.clientId}`, 1)
    const before = test.gateway.sessions.byClientId.get(moving.clientId)
    // the radio of the node is heard by another bridge from now on
    const { transport } = second.node(0x30)
    transport.onReceive = (bytes) => shared.transport.onReceive(bytes)
    shared.transport.send = transport.send
    await moving.publish(up, 'through the second', { qos: 1 })
    expect((await office.inbox.next()).text).toBe('through the second')
    for (const sensor of [moving, staying]) {
      await office.publish(`${down}/${sensor.clientId}`, `to ${sensor.clientId}`, { qos: 1 })
      expect((await sensor.inbox.next()).text).toBe(`to ${sensor.clientId}`)
    }
    first.socket.destroy()
    await moving.publish(up, 'still here', { qos: 2 })
    expect((await office.inbox.next()).text).toBe('still here')
    expect(test.gateway.sessions.byClientId.get(moving.clientId)).toBe(before)
    expect(before?.peer?.address).toBe('bridge/127.0.0.2')
    expect(counted(test).refusals).toEqual({})
  })

  it('a bridge that calls again finds its nodes as they were [LINK-ST-2]', async (context) => {
    const { test, office, opened, up } = await setUp(context)
    const first = await opened()
    const node = first.node(7)
    const sensor = await test.connected({ ...node, tRetry: 2000 })
    first.socket.destroy()
    await first.closed
    const again = await opened()
    const { transport } = again.node(7)
    transport.onReceive = (bytes) => node.transport.onReceive(bytes)
    node.transport.send = transport.send
    await sensor.publish(up, 'after the call', { qos: 2 })
    expect((await office.inbox.next()).text).toBe('after the call')
  })

  it('may call only from where "allow" says, and who may not is counted and told [LINK-ST-6]', async (context) => {
    const { test, opened } = await setUp(context, { allow: ['127.0.0.1'] })
    const stranger = await opened('127.0.0.9')
    await stranger.closed
    expect(counted(test).refusals).toEqual({ 'address-not-admitted': 1 })
    expect(test.gateway.status().listeners[0]?.stats.link?.connections).toEqual({ open: 0, refused: 1 })
    const friend = await opened()
    await test.connected(friend.node(1))
  })

  it('are bounded node by node by allow, deny and from with link addresses [LINK-GW-3]', async (context) => {
    const sensors = [{ match: 'only-32', from: ['32'] }]
    const { test, opened } = await setUp(context, { allow: ['3*'], deny: ['33'] }, { sensors })
    const one = await opened()
    await test.connected({ ...one.node(0x30), clientId: freshName() })
    for (const id of [0x33, 0x40]) {
      const sensor = test.sensor({ ...one.node(id), tRetry: 100, nRetry: 1 })
      await expect(sensor.connect()).rejects.toThrow()
    }
    expect(counted(test).refusals['address-not-admitted']).toBeGreaterThanOrEqual(2)
    const wrong = test.sensor({ ...one.node(0x31), clientId: 'only-32' })
    await expect(wrong.connect()).rejects.toThrow()
    expect(counted(test).refusals['wrong-address']).toBe(1)
    await test.connected({ ...one.node(0x32), clientId: 'only-32' })
  })

  it('one from where the rule of a sensor does not let it come does not take it over [LINK-GW-3, LINK-ST-6]', async (context) => {
    const sensors = [{ match: '*', from: ['127.0.0.1'] }]
    const { test, opened, up } = await setUp(context, {}, { sensors })
    const [first, foreign] = [await opened(), await opened('127.0.0.3')]
    const sensor = await test.connected({ ...first.node(5), tRetry: 2000 })
    const { transport } = foreign.node(5)
    transport.send(Uint8Array.from(Buffer.from('04fe0005' + '0216', 'hex')))
    await until(() => counted(test).refusals['wrong-address'] === 1)
    await sensor.publish(up, 'undisturbed', { qos: 1 })
    expect(test.gateway.sessions.byClientId.get(sensor.clientId)?.peer?.address).toBe('bridge/127.0.0.1')
  })

  it('rates count for each node by itself [LINK-GW-4]', async (context) => {
    const { test, opened } = await setUp(context, {}, { limits: { repliesPerAddress: 2, repliesPerPeer: 2 } })
    const one = await opened()
    const heard = new Map<number, number>()
    const search = (id: number) => Uint8Array.of(4, 0xfe, 0, id, 3, 1, 0)
    for (const id of [1, 2, 3]) {
      const { transport } = one.node(id)
      transport.onReceive = (bytes) => {
        if (bytes[3] === id) heard.set(id, (heard.get(id) ?? 0) + 1)
      }
      for (let i = 0; i < 6; i++) transport.send(search(id))
    }
    await until(() => [1, 2, 3].every((id) => (heard.get(id) ?? 0) >= 2))
    await until(() => (counted(test).refusals['too-many-answers'] ?? 0) >= 3)
    for (const id of [1, 2, 3]) expect(heard.get(id)).toBeLessThan(6)
  })

  it('are found again after a restart, in a durable store [LINK-GW-5]', async (context) => {
    const { onTestFinished } = context
    const mosquitto = await startMosquitto()
    onTestFinished(() => mosquitto.close())
    const listeners = [{ url: 'tcp-listen://127.0.0.1:0?framing=cobs&crc=x25&node=encap', name: 'bridges' }]
    const test = await TestGateway.start(mosquitto, { listeners }, { durable: true })
    onTestFinished(() => test.stop())
    const first = await bridge(test.gateway.status().listeners[0]?.url ?? '')
    const node = first.node(9)
    const sensor = await test.connected({ ...node, tRetry: 2000 })
    await test.restart()
    const again = await bridge(test.gateway.status().listeners[0]?.url ?? '')
    onTestFinished(() => void again.socket.destroy())
    const { transport } = again.node(9)
    transport.onReceive = (bytes) => node.transport.onReceive(bytes)
    node.transport.send = transport.send
    const office = await Office.at(mosquitto, 'after/restart')
    onTestFinished(() => office.close())
    await sensor.publish('after/restart', 'known', { qos: 1 })
    expect((await office.inbox.next()).text).toBe('known')
  })
})
