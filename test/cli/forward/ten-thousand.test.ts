// Many messages through a forwarder: over a serial line and back, and from many nodes at once.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openLine } from '../../../src/transport/line/line.ts'
import { startAedes } from '../../support/broker.ts'
import { startForwarder } from '../../support/forwarding.ts'
import { Office, TestGateway, TestSensor, until } from '../../support/gateway.ts'
import { hasSocat, PtyPair } from '../../support/ptys.ts'

const ENOUGH = 10_000
/** Messages under way at once: fewer than may wait for a line. */
const WINDOW = 16

/** A gateway that gives back whatever nodes say, and says GWINFO to who searches one. */
async function openEcho(): Promise<string> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  onTestFinished(() => void socket.close())
  socket.on('message', (bytes, { port, address }) => {
    const search = bytes.indexOf(Buffer.from('030101', 'hex'))
    const isSearch = search === 0 || (search === 6 && bytes[1] === 0xfe)
    const answer = isSearch ? Buffer.concat([bytes.subarray(0, search), Buffer.from('030207', 'hex')]) : bytes
    socket.send(answer, port, address)
  })
  return `udp://127.0.0.1:${socket.address().port}`
}

/** PUBLISH at QoS 1 with a number. */
const numbered = (number: number): Buffer => {
  const bytes = Buffer.from('0b0c226162000000000000', 'hex')
  bytes.writeUInt16BE((number % 0xffff) + 1, 5)
  bytes.writeUInt32BE(number, 7)
  return bytes
}

describe.skipIf(!hasSocat)('10,000 messages over a serial line of 115,200 baud (socat)', () => {
  it('go to the gateway and back without loss, without another order, and at the pace of the line [LINK-FW-4]', async () => {
    const ptys = await PtyPair.open()
    onTestFinished(() => ptys.close())
    const from = `serial://${ptys.near}?baud=115200&framing=slip`
    const { forwarder } = await startForwarder({ from: [from], to: await openEcho() })
    const heard: number[] = []
    let sent = 0
    const say = (): void => {
      for (; sent < ENOUGH && sent - heard.length < WINDOW; sent++) node.send(numbered(sent), here)
    }
    const here = { address: ptys.far, port: 0 }
    // the node itself speaks as fast as it can
    const node = await openLine({ url: `serial://${ptys.far}?baud=4000000&framing=slip` }, (bytes) => {
      heard.push(Buffer.from(bytes).readUInt32BE(7))
      say()
    })
    onTestFinished(() => node.close())
    const begun = performance.now()
    say()
    await until(() => heard.length >= ENOUGH, 120_000)
    const seconds = (performance.now() - begun) / 1000
    expect(heard).toEqual(Array.from({ length: ENOUGH }, (_, i) => i))
    const [line] = forwarder.listeners()
    expect(line?.link).toMatchObject({
      frames: { received: ENOUGH, sent: ENOUGH },
      errors: { noise: 0, checksum: 0, full: 0, away: 0 },
    })
    expect((line?.link?.octets.sent ?? 0) / seconds).toBeLessThan(0.95 * 11_520)
    expect(forwarder.core.books).toMatchObject({
      up: { messages: ENOUGH },
      down: { messages: ENOUGH },
      dropped: {},
    })
  }, 150_000)
})

describe('200 nodes behind one forwarder', () => {
  it('connect at once, publish at QoS 1, and each hears what is for it', async () => {
    const [NODES, EACH] = [200, 10]
    const broker = await startAedes()
    onTestFinished(() => broker.close())
    const listeners = [{ url: 'udp://127.0.0.1:0', forwarders: ['127.0.0.1'] }]
    const test = await TestGateway.start(broker, { listeners })
    onTestFinished(() => test.stop())
    const office = await Office.at(broker, 'load/up/#')
    onTestFinished(() => office.close())
    const { forwarder, url } = await startForwarder({ from: ['udp://127.0.0.1:0'], to: test.url() })
    const nodes = Array.from({ length: NODES }, (_, i) => {
      const node = new TestSensor({ gateway: url(), clientId: `load-${i}`, tRetry: 3000, nRetry: 20 })
      onTestFinished(() => node.close())
      return node
    })
    await Promise.all(nodes.map((node) => node.connect()))
    await Promise.all(nodes.map((node) => node.subscribe(`load/down/${node.clientId}`, 1)))
    await Promise.all(
      nodes.map(async (node) => {
        for (let i = 0; i < EACH; i++) await node.publish(`load/up/${node.clientId}`, `${i}`, { qos: 1 })
      }),
    )
    const heard = await office.inbox.take(NODES * EACH, 60_000)
    for (const { clientId } of nodes)
      expect(heard.filter(({ topic }) => topic === `load/up/${clientId}`).map(({ text }) => text)).toEqual(
        Array.from({ length: EACH }, (_, i) => `${i}`),
      )
    await Promise.all(nodes.map((node) => office.publish(`load/down/${node.clientId}`, node.clientId)))
    for (const node of nodes) expect((await node.inbox.next(30_000)).text).toBe(node.clientId)
    expect([forwarder.core.nodes, forwarder.core.books.dropped]).toEqual([NODES, {}])
  }, 120_000)
})
