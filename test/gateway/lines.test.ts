// Sensors on serial lines and behind TCP device servers: everything that sensors on UDP can do, and a plug that is pulled.

import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { describe, expect, it, type TestContext } from 'vitest'
import { openLineTransport } from '../../src/cli/sensor/line-transport.ts'
import { createFraming } from '../../src/transport/framing/framing.ts'
import { haveMosquitto, startMosquitto } from '../support/broker.ts'
import { freshName, Office, TestGateway, until } from '../support/gateway.ts'
import { hasSocat, PtyPair } from '../support/ptys.ts'

async function setUp(
  { onTestFinished }: TestContext,
  framing: string,
  more: object = {},
  listener: object = {},
) {
  const ptys = await PtyPair.open()
  onTestFinished(() => ptys.close())
  const mosquitto = await startMosquitto()
  onTestFinished(() => mosquitto.close())
  const url = `serial://${ptys.near}?framing=${framing}&reopen=20ms..200ms`
  const test = await TestGateway.start(mosquitto, {
    listeners: [{ url, name: 'bench', ...listener }],
    ...more,
  })
  onTestFinished(() => test.stop())
  const base = `line/${freshName()}`
  const office = await Office.at(mosquitto, `${base}/up/#`, 'line/button')
  onTestFinished(() => office.close())
  const transport = await openLineTransport(`serial://${ptys.far}?framing=${framing}&reopen=20ms..200ms`)
  onTestFinished(() => transport.close())
  return { ptys, test, office, transport, up: `${base}/up`, down: `${base}/down` }
}

const linkOf = (test: TestGateway) => test.gateway.status().listeners[0]?.stats.link

describe.skipIf(!hasSocat || !haveMosquitto)('a sensor on a serial line (socat, mosquitto)', () => {
  it.for(['slip', 'cobs', 'hdlc', 'length'])(
    'publishes, subscribes, sleeps and wakes with %s [LINK-GW-1]',
    async (framing, context) => {
      const { ptys, test, office, transport, up, down } = await setUp(context, framing)
      const sensor = await test.connected({ transport, tRetry: 3000 })
      for (const qos of [0, 1, 2] as const) await sensor.publish(up, `reading ${qos}`, { qos })
      expect((await office.inbox.take(3)).map(({ text, qos }) => [text, qos])).toEqual([
        ['reading 0', 0],
        ['reading 1', 1],
        ['reading 2', 2],
      ])
      await sensor.subscribe(`${down}/#`, 2)
      for (const qos of [0, 1, 2] as const) await office.publish(`${down}/set`, `order ${qos}`, { qos })
      expect((await sensor.inbox.take(3)).map(({ text }) => text)).toEqual(['order 0', 'order 1', 'order 2'])
      await sensor.sleep(60)
      await office.publish(`${down}/set`, 'while asleep')
      await until(
        () => (test.gateway.sessions.byClientId.get(sensor.clientId)?.downlink.queue.length ?? 0) > 0,
      )
      await sensor.wake()
      expect((await sensor.inbox.next()).text).toBe('while asleep')
      const peer = test.gateway.sessions.byClientId.get(sensor.clientId)?.peer
      expect(peer).toMatchObject({ address: ptys.near, port: 0 })
      expect(linkOf(test)).toMatchObject({ up: true, errors: { noise: 0, full: 0, away: 0 } })
    },
  )

  it('is told of the gateway from time to time, and when it asks, where "discovery" is on [LINK-GW-9]', async (context) => {
    const { test, transport } = await setUp(context, 'slip', {}, { discovery: { advertise: '1m' } })
    const heard: string[] = []
    transport.onReceive = (bytes) => heard.push(Buffer.from(bytes).toString('hex'))
    await until(() => heard.length > 0, 10_000)
    const { id } = test.config.gateway
    const gwId = id.toString(16).padStart(2, '0')
    expect(heard).toEqual([`0500${gwId}003c`])
    transport.send(Uint8Array.of(3, 1, 0))
    await until(() => heard.length > 1)
    transport.send(Uint8Array.of(3, 1, 0))
    await until(() => heard.length > 2)
    // once each time: there is nobody else whom a group would reach
    expect(heard.slice(1)).toEqual([`0302${gwId}`, `0302${gwId}`])
  })

  it('publishes without a connection [LINK-GW-11]', async (context) => {
    const topics = { 7: 'line/button' }
    const more = { predefined: [{ match: '*', topics }], qosMinusOne: { enabled: true, topics: ['#'] } }
    const { test, office, transport } = await setUp(context, 'slip', more)
    const button = test.sensor({ transport, predefined: topics })
    await button.publish({ predefined: 7 }, 'pressed', { qos: -1 })
    expect((await office.inbox.next()).text).toBe('pressed')
  })

  it('unplugged in the middle of a QoS 2 exchange and plugged in again loses and doubles nothing [LINK-ST-2]', async (context) => {
    const { ptys, test, office, transport, up, down } = await setUp(context, 'hdlc')
    const sensor = await test.connected({ transport, tRetry: 400, nRetry: 100 })
    await sensor.subscribe(down, 2)
    let unplugged: Promise<void> | undefined
    sensor.on('packet', (direction, { type }) => {
      if (direction === 'in' && type === 'pubrec') unplugged ??= ptys.unplug()
    })
    const published = sensor.publish(up, 'exactly once', { qos: 2 })
    await until(() => linkOf(test)?.up === false)
    await unplugged
    await office.publish(down, 'into the void, exactly once', { qos: 2 })
    await ptys.plug()
    await published
    expect((await office.inbox.next()).text).toBe('exactly once')
    expect((await sensor.inbox.next(20_000)).text).toBe('into the void, exactly once')
    await sensor.publish(up, 'and on', { qos: 2 })
    expect((await office.inbox.next()).text).toBe('and on')
    expect(test.stateOf(sensor)).toBe('active')
  })
})

describe.skipIf(!haveMosquitto)('sensors behind a device server on TCP (mosquitto)', () => {
  it('are many on one line, encapsulated with their node ids, with node=encap [LINK-GW-1, LINK-GW-3]', async ({
    onTestFinished,
  }) => {
    const mosquitto = await startMosquitto()
    onTestFinished(() => mosquitto.close())
    let connected: (socket: Socket) => void = () => {}
    const connection = new Promise<Socket>((resolve) => {
      connected = resolve
    })
    const server = createServer((socket) => connected(socket))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : 0
    const url = `tcp://127.0.0.1:${port}?framing=cobs&crc=x25&node=encap`
    const test = await TestGateway.start(mosquitto, { listeners: [{ url }] })
    onTestFinished(() => test.stop())
    const socket = await connection
    onTestFinished(() => {
      socket.destroy()
      server.close()
    })
    const framing = createFraming('cobs', { longest: 1472, crc: 'x25' })
    const heard: ((bytes: Uint8Array) => void)[] = []
    socket.on('data', (bytes) => {
      for (const { frame } of framing.push(bytes).filter((one) => one.fault === undefined)) {
        for (const hear of heard) hear(frame)
      }
    })
    const radio = (nodeId: number) => {
      const transport = {
        onReceive: (_: Uint8Array) => {},
        onError: () => {},
        send: (bytes: Uint8Array) => void socket.write(framing.encode(bytes)),
        close: () => {},
      }
      heard.push((bytes) => transport.onReceive(bytes))
      return { transport, nodeId: Uint8Array.of(nodeId) }
    }
    const office = await Office.at(mosquitto, 'radio/#')
    onTestFinished(() => office.close())
    for (const node of [0x30, 0x31]) {
      const sensor = await test.connected(radio(node))
      await sensor.publish(`radio/${node}`, 'here', { qos: 1 })
      expect((await office.inbox.next()).topic).toBe(`radio/${node}`)
    }
    expect(test.gateway.sessions.byClientId.size).toBe(2)
  })
})
