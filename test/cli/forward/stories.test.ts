// Nodes on a line and on UDP behind a forwarder, at a real gateway: everything that sensors can do, and what may go away meanwhile.

import { describe, expect, it, onTestFinished } from 'vitest'
import { freePort } from '../../../lab/processes.ts'
import { openLineTransport } from '../../../src/cli/sensor/line-transport.ts'
import { discover } from '../../../src/sensor/sensor.ts'
import { startAedes } from '../../support/broker.ts'
import { startForwarder } from '../../support/forwarding.ts'
import { freshName, Office, TestGateway, TestSensor, until } from '../../support/gateway.ts'
import { hasSocat, PtyPair } from '../../support/ptys.ts'
import { UdpPeer } from '../../support/sensor.ts'

/** A gateway that lets this machine forward, at a broker with an office. */
async function centre(overrides: Record<string, unknown> = {}, parts: { durable?: boolean } = {}) {
  const broker = await startAedes()
  onTestFinished(() => broker.close())
  const listeners = [{ url: 'udp://127.0.0.1:0', forwarders: ['127.0.0.1'] }]
  const test = await TestGateway.start(broker, { gateway: { id: 7 }, listeners, ...overrides }, parts)
  onTestFinished(() => test.stop())
  const base = `fw/${freshName()}`
  const office = await Office.at(broker, `${base}/up/#`, 'fw/button')
  onTestFinished(() => office.close())
  return { test, office, up: `${base}/up`, down: `${base}/down` }
}

async function plugged() {
  const ptys = await PtyPair.open()
  onTestFinished(() => ptys.close())
  const from = `serial://${ptys.near}?framing=slip&reopen=20ms..200ms`
  const transport = await openLineTransport(`serial://${ptys.far}?framing=slip&reopen=20ms..200ms`)
  onTestFinished(() => transport.close())
  return { ptys, from, transport }
}

/** A sensor that counts its CONNECTs. */
function sensorWith(options: ConstructorParameters<typeof TestSensor>[0]) {
  const sensor = new TestSensor({ clientId: freshName(), tRetry: 1000, nRetry: 20, ...options })
  onTestFinished(() => sensor.close())
  const connects = { sent: 0 }
  sensor.on('packet', (way, { type }) => {
    if (way === 'out' && type === 'connect') connects.sent++
  })
  return { sensor, connects }
}

type Centre = Awaited<ReturnType<typeof centre>>

/** QoS 0 to 2 both ways, asleep and awake. */
async function liveALife(sensor: TestSensor, { test, office, up, down }: Centre): Promise<void> {
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
  await until(() => (test.gateway.sessions.byClientId.get(sensor.clientId)?.downlink.queue.length ?? 0) > 0)
  await sensor.wake()
  expect((await sensor.inbox.next()).text).toBe('while asleep')
}

describe.skipIf(!hasSocat)('a node on a serial line behind a forwarder (socat)', () => {
  it('connects, publishes, subscribes, sleeps and wakes [LINK-FW-1]', async () => {
    const there = await centre()
    const { from, transport } = await plugged()
    const { forwarder, lines } = await startForwarder({ from: [from], to: there.test.url() })
    const { sensor } = sensorWith({ transport })
    await sensor.connect()
    await liveALife(sensor, there)
    expect(there.test.gateway.sessions.byClientId.get(sensor.clientId)?.peer?.nodeId).toEqual(
      Buffer.from([1]),
    )
    expect(forwarder.core.books.dropped).toEqual({})
    expect(lines.filter(({ level }) => level !== 'debug').map(({ msg }) => msg)).toEqual([
      'line open',
      'nodes are heard',
      'the gateway serves',
    ])
  })

  it('publishes without a connection, and finds the gateway by asking the forwarder [LINK-GW-11]', async () => {
    const topics = { 7: 'fw/button' }
    const there = await centre({
      predefined: [{ match: '*', topics }],
      qosMinusOne: { enabled: true, topics: ['#'] },
    })
    const { from, transport } = await plugged()
    const { forwarder } = await startForwarder({ from: [from], to: there.test.url() })
    const { sensor: button } = sensorWith({ transport, predefined: topics })
    await button.publish({ predefined: 7 }, 'pressed', { qos: -1 })
    expect((await there.office.inbox.next()).text).toBe('pressed')
    const heard: string[] = []
    transport.onReceive = (bytes) => heard.push(Buffer.from(bytes).toString('hex'))
    transport.send(Buffer.from('030101', 'hex'))
    await until(() => heard.length > 0)
    expect([heard, forwarder.core.books.searches]).toEqual([['030207'], 1])
  })

  it('that is unplugged in the middle of a QoS 2 exchange and plugged in again loses and doubles nothing', async () => {
    const there = await centre()
    const { ptys, from, transport } = await plugged()
    const { lines } = await startForwarder({ from: [from], to: there.test.url() })
    const { sensor, connects } = sensorWith({ transport, tRetry: 400, nRetry: 100 })
    await sensor.connect()
    let unplugged: Promise<void> | undefined
    sensor.on('packet', (direction, { type }) => {
      if (direction === 'in' && type === 'pubrec') unplugged ??= ptys.unplug()
    })
    const published = sensor.publish(there.up, 'exactly once', { qos: 2 })
    await until(() => lines.some(({ msg }) => String(msg).startsWith('line away')))
    await unplugged
    await ptys.plug()
    await published
    await sensor.publish(there.up, 'and on', { qos: 2 })
    expect((await there.office.inbox.take(2)).map(({ text }) => text)).toEqual(['exactly once', 'and on'])
    expect(connects.sent).toBe(1)
  })

  it('goes on when the gateway was restarted, with what its store has', async () => {
    const there = await centre({ timers: { tRetry: '1s' } }, { durable: true })
    const { from, transport } = await plugged()
    const { forwarder } = await startForwarder({ from: [from], to: there.test.url(), keepalive: '1s' })
    const { sensor, connects } = sensorWith({ transport, cleanSession: false })
    await sensor.connect()
    await sensor.subscribe(there.down, 1)
    await there.test.restart()
    await until(() => there.test.gateway.status().broker.healthy)
    await sensor.publish(there.up, 'still here', { qos: 2 })
    expect((await there.office.inbox.next()).text).toBe('still here')
    await there.office.publish(there.down, 'you, too')
    expect((await sensor.inbox.next(20_000)).text).toBe('you, too')
    expect(connects.sent).toBe(1)
    expect(forwarder.core.watch.standing).toBe('serving')
  })

  it('does not notice that the forwarder was restarted, if that sends from the same port', async () => {
    const there = await centre()
    const { from, transport } = await plugged()
    const localPort = await freePort()
    const document = { from: [from], to: { url: there.test.url(), localPort } }
    const first = await startForwarder(document)
    const { sensor, connects } = sensorWith({ transport })
    await sensor.connect()
    await sensor.subscribe(there.down, 1)
    await first.forwarder.stop()
    const published = sensor.publish(there.up, 'meanwhile', { qos: 1 })
    await startForwarder(document)
    await published
    expect((await there.office.inbox.next()).text).toBe('meanwhile')
    await there.office.publish(there.down, 'an order')
    expect((await sensor.inbox.next()).text).toBe('an order')
    expect(connects.sent).toBe(1)
  })
})

describe('nodes on UDP behind a forwarder', () => {
  it('live as sensors of their own, each with address and port as its id [LINK-FW-1]', async () => {
    const there = await centre()
    const { forwarder, url } = await startForwarder({ from: ['udp://127.0.0.1:0'], to: there.test.url() })
    for (let i = 0; i < 3; i++) {
      const { sensor } = sensorWith({ gateway: url() })
      await sensor.connect()
      await liveALife(sensor, there)
      const peer = there.test.gateway.sessions.byClientId.get(sensor.clientId)?.peer
      expect(Buffer.from(peer?.nodeId ?? []).toString('hex')).toMatch(/^7f000001....$/)
    }
    expect([forwarder.core.nodes, forwarder.core.books.dropped]).toEqual([3, {}])
  })

  it('on IPv6 as well', async () => {
    const there = await centre()
    const { url } = await startForwarder({ from: ['udp://[::1]:0'], to: there.test.url() })
    const { sensor } = sensorWith({ gateway: url() })
    await sensor.connect()
    await sensor.publish(there.up, 'six', { qos: 1 })
    expect((await there.office.inbox.next()).text).toBe('six')
  })

  it('find the gateway by asking a group that the forwarder listens to', async () => {
    const there = await centre()
    const port = await freePort()
    const group = { group: '127.255.255.255', port }
    await startForwarder({ from: [{ url: 'udp://127.0.0.1:0', group }], to: there.test.url() })
    const found = await discover({ group: group.group, port, timeout: 1000 })
    expect(found).toMatchObject([{ gwId: 7, via: 'gwinfo' }])
    const { sensor } = sensorWith({ gateway: found[0]?.url ?? '' })
    await sensor.connect()
  })

  it('from addresses that are not allowed are not heard, and counted', async () => {
    const there = await centre()
    const { forwarder, url } = await startForwarder({
      from: [{ url: 'udp://127.0.0.1:0', allow: ['10.0.0.0/8'] }],
      to: there.test.url(),
    })
    const { sensor } = sensorWith({ gateway: url(), tRetry: 50, nRetry: 1 })
    await expect(sensor.connect()).rejects.toThrow()
    expect(forwarder.core.books.dropped['not-allowed']).toBeGreaterThan(0)
    expect(there.test.gateway.sessions.byClientId.size).toBe(0)
  })

  it('behind another forwarder are dropped and counted, as an encapsulation has no other inside [5.5]', async () => {
    const there = await centre()
    const second = await startForwarder({ from: ['udp://127.0.0.1:0'], to: there.test.url() })
    const first = await startForwarder({ from: ['udp://127.0.0.1:0'], to: second.url() }, { served: false })
    const { sensor } = sensorWith({ gateway: first.url(), tRetry: 50, nRetry: 1 })
    await expect(sensor.connect()).rejects.toThrow()
    expect(second.forwarder.core.books.dropped['malformed: encapsulation']).toBeGreaterThan(0)
  })
})

describe('a forwarder', () => {
  it('says once what to change at a gateway that does not name it, and when that was done [LINK-FW-6]', async () => {
    const there = await centre({ listeners: [{ url: 'udp://127.0.0.1:0' }] })
    const { forwarder, lines, url } = await startForwarder(
      { from: ['udp://127.0.0.1:0'], to: there.test.url(), keepalive: '1s' },
      { served: false },
    )
    await until(() => forwarder.core.watch.standing === 'refusing', 20_000)
    expect(lines.find(({ msg }) => String(msg).includes('takes nothing'))).toMatchObject({
      level: 'error',
      hint: expect.stringContaining('listeners[].forwarders'),
    })
    const { sensor } = sensorWith({ gateway: url(), tRetry: 50, nRetry: 1 })
    await expect(sensor.connect()).rejects.toThrow()
    expect(there.test.gateway.status().counters.dropped['not-allowed']).toBeGreaterThan(0)
  })

  it('that starts before its gateway serves nodes as soon as that is there', async () => {
    const broker = await startAedes()
    onTestFinished(() => broker.close())
    const free = await UdpPeer.open()
    await free.close()
    const { forwarder, lines, url } = await startForwarder(
      { from: ['udp://127.0.0.1:0'], to: free.url, keepalive: '1s' },
      { served: false },
    )
    await until(() => forwarder.core.watch.standing === 'silent', 30_000)
    expect(lines.find(({ msg }) => msg === 'no gateway answers')).toMatchObject({
      to: free.url,
      reason: 'nobody listens there',
    })
    const test = await TestGateway.start(broker, {
      listeners: [{ url: free.url, forwarders: ['127.0.0.1'] }],
    })
    onTestFinished(() => test.stop())
    await until(() => forwarder.core.watch.standing === 'serving', 30_000)
    const { sensor } = sensorWith({ gateway: url() })
    await sensor.connect()
  })
})
