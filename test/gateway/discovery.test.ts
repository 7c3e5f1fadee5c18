// How sensors find a gateway: SEARCHGW, GWINFO and ADVERTISE over real multicast, kept within this machine [6.1].

import { describe, expect, it, type TestContext } from 'vitest'
import { decode } from '../../src/codec/v1/frame.ts'
import type { Packet } from '../../src/codec/v1/messages.ts'
import { discover } from '../../src/sensor/sensor.ts'
import { type Endpoint, openEndpoint } from '../support/endpoint.ts'
import { aWhile, TestGateway, until } from '../support/gateway.ts'
import { startScriptedBroker } from '../support/scripted.ts'

const GROUP = '225.1.1.1'

interface Heard {
  readonly packet: Packet | { readonly type: 'malformed' }
  readonly port: number
  readonly at: number
}

/** A device that hears the group, on a port of the group's own for each test. */
async function hearer({ onTestFinished }: TestContext) {
  const endpoint = await openEndpoint(GROUP, 0, true)
  onTestFinished(() => endpoint.close())
  endpoint.socket.addMembership(GROUP, '127.0.0.1')
  const heard: Heard[] = []
  endpoint.socket.on('message', (bytes, { port }) =>
    heard.push({ packet: decode(new Uint8Array(bytes)), port, at: performance.now() }),
  )
  return { heard, port: endpoint.port }
}

/** A gateway with a group on the loopback interface, at a scripted broker of its own. */
async function start({ onTestFinished }: TestContext, port: number, id: number, discovery: object = {}) {
  const broker = await startScriptedBroker()
  onTestFinished(() => broker.close())
  const listener = { url: 'udp://127.0.0.1:0', discovery: { group: GROUP, port, ...discovery } }
  const test = await TestGateway.start(broker, { gateway: { id }, listeners: [listener] })
  onTestFinished(() => test.stop())
  return { broker, test, port: Number(new URL(test.url()).port) }
}

async function device({ onTestFinished }: TestContext): Promise<Endpoint> {
  const endpoint = await openEndpoint('127.0.0.1')
  onTestFinished(() => endpoint.close())
  endpoint.socket.setMulticastInterface('127.0.0.1')
  return endpoint
}

const gwIds = (heard: readonly Heard[]): (number | undefined)[] =>
  heard.map(({ packet }) => (packet.type === 'advertise' ? packet.gwId : undefined))

const hexOf = ({ bytes }: { bytes: Uint8Array }): string => Buffer.from(bytes).toString('hex')

describe('discovery', { concurrent: true }, () => {
  it('SEARCHGW straight to the gateway is answered at once, to anyone [SN-SGW-1, SN-SGW-3, SN-COD-8] [SN-SGW-4, SN-UNK-4 in part]', async (context) => {
    const { test } = await start(context, (await hearer(context)).port, 7, { advertise: 0 })
    const found = await discover({ unicast: test.url(), timeout: 200 })
    expect(found).toMatchObject([{ gwId: 7, url: test.url(), via: 'gwinfo' }])
    const times: number[] = []
    for (let turn = 0; turn < 5; turn++) {
      const peer = await test.peer()
      const asked = performance.now()
      peer.send('030101')
      await peer.next('gwinfo')
      times.push(performance.now() - asked)
      expect(peer.heard[0]?.hex).toBe('030207')
    }
    expect(Math.min(...times)).toBeLessThan(100)
    expect(test.gateway.sessions.byPeer.size + test.gateway.sessions.byClientId.size).toBe(0)

    const curious = await test.peer()
    for (let turn = 0; turn < 10; turn++) curious.send('030101')
    await until(() => (test.gateway.status().counters.dropped['rate-limited'] ?? 0) >= 6)
    await aWhile()
    expect(curious.heard.length).toBeLessThan(5)
  })

  it('SEARCHGW to the group is answered to the group and to the one who asked [SN-SGW-2 in part]', async (context) => {
    const { heard, port } = await hearer(context)
    const gateway = await start(context, port, 9, { advertise: 0 })
    const searcher = await device(context)
    await searcher.send(Buffer.from('030100', 'hex'), port, GROUP)
    expect(hexOf(await searcher.next())).toBe('030209')
    await until(() => heard.length === 2)
    // The group hears the question, too; the answer comes from the address to connect to.
    expect(heard.map(({ packet }) => packet.type).sort()).toEqual(['gwinfo', 'searchgw'])
    expect(heard.find(({ packet }) => packet.type === 'gwinfo')?.port).toBe(gateway.port)
  })

  it('ADVERTISE comes as often as it says, while the broker is there [SN-ADV-1, SN-ADV-3, SN-ADV-5]', async (context) => {
    const { heard, port } = await hearer(context)
    const { broker, test, port: gatewayPort } = await start(context, port, 5, { advertise: '1s' })
    await until(() => heard.length === 2)
    const advertise = { type: 'advertise', gwId: 5, duration: 1 }
    expect(heard.map(({ packet }) => packet)).toEqual([advertise, advertise])
    expect(heard.every((each) => each.port === gatewayPort)).toBe(true)
    const gap = (heard[1]?.at ?? 0) - (heard[0]?.at ?? 0)
    expect(gap).toBeGreaterThan(900)
    expect(gap).toBeLessThan(2000)

    await broker.close()
    await until(() => !test.gateway.status().broker.healthy)
    const before = heard.length
    const searcher = await device(context)
    await searcher.send(Buffer.from('030100', 'hex'), gatewayPort, '127.0.0.1')
    await aWhile(1300)
    expect(heard).toHaveLength(before)
    expect(searcher.waiting).toBe(0)

    const again = await startScriptedBroker(undefined, broker.port)
    context.onTestFinished(() => again.close())
    await until(() => heard.length > before)
  })

  it('a stand-by gateway takes over when the other is missed, and steps back when it returns [SN-ADV-6]', async (context) => {
    const { heard, port } = await hearer(context)
    const main = await start(context, port, 1, { advertise: '1s' })
    await start(context, port, 2, { advertise: '1s', standbyFor: 1, missed: 2 })
    await until(() => heard.length === 3)
    expect(gwIds(heard)).toEqual([1, 1, 1])

    await main.test.stopGateway()
    await until(() => gwIds(heard).includes(2))
    const taken = heard[gwIds(heard).indexOf(2)]?.at ?? 0
    const last = heard[gwIds(heard).lastIndexOf(1)]?.at ?? 0
    expect(taken - last).toBeGreaterThan(1900)

    await start(context, port, 1, { advertise: '1s' })
    const before = heard.length
    await until(() => heard.length >= before + 2)
    const since = heard.slice(before)
    expect(gwIds(since).slice(gwIds(since).indexOf(1))).not.toContain(2)
  })
})
