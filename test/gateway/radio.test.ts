// Sensors on a simulated XBee network, at a real gateway and a real broker: everything that sensors on UDP can do, with losses, with
// short addresses that change, and with nodes that are out of reach.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, type TestContext } from 'vitest'
import { createLog } from '../../src/log.ts'
import { type RunningRadio, serveRadio, serveRadioOnPty } from '../../src/simulation/radio/run-radio.ts'
import { XbeeNetwork, type XbeeNetworkOptions } from '../../src/simulation/radio/xbee-network.ts'
import { haveMosquitto, startMosquitto } from '../support/broker.ts'
import { freshName, Office, TestGateway, type TestParts, until } from '../support/gateway.ts'
import { hasSocat } from '../support/ptys.ts'

const clock = () => performance.now()
/** The same in every run. */
function chance(seed = 1): () => number {
  let state = seed
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32
    return state / 2 ** 32
  }
}
const addressOf = (n: number): string => `0013a200${(0x41000000 + n).toString(16)}`

interface Options extends Partial<XbeeNetworkOptions> {
  readonly query?: string
  readonly more?: object
  readonly listener?: object
  /** listeners besides */
  readonly others?: readonly object[]
  readonly parts?: TestParts
  readonly onPty?: boolean
}

async function setUp({ onTestFinished }: TestContext, options: Options = {}) {
  const { query = '', more = {}, listener = {}, others = [], parts, onPty = false, ...air } = options
  const network = new XbeeNetwork({ clock, random: chance(), baud: 115_200, octetsPerSecond: 20_000, ...air })
  const folder = mkdtempSync(join(tmpdir(), 'mqttsn-radio-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const open = (): Promise<RunningRadio | undefined> =>
    onPty ? serveRadioOnPty(network, join(folder, 'xbee')) : serveRadio(network)
  const radio = await open()
  if (radio === undefined) throw new Error('there is no modem')
  onTestFinished(() => radio.close())
  const mosquitto = await startMosquitto()
  onTestFinished(() => mosquitto.close())
  const url = onPty
    ? `xbee://${radio.place}?flow=none&reopen=20ms..200ms${query}`
    : `tcp://${radio.place}?framing=xbee&reopen=20ms..200ms${query}`
  const listeners = [{ url, name: 'radio', ...listener }, ...others]
  const logged: string[] = []
  const log = createLog(
    { level: 'info', format: 'json', payloads: false },
    { write: (line: string) => void logged.push(line) },
  )
  const test = await TestGateway.start(mosquitto, { listeners, ...more }, { log, ...parts })
  onTestFinished(() => test.stop())
  const base = `radio/${freshName()}`
  const office = await Office.at(mosquitto, `${base}/up/#`, 'radio/button')
  onTestFinished(() => office.close())
  const link = () => test.gateway.status().listeners[0]?.stats.link
  const peerOf = (clientId: string) => test.gateway.sessions.byClientId.get(clientId)?.peer
  return { network, test, office, link, peerOf, logged, radio, up: `${base}/up`, down: `${base}/down` }
}

describe.skipIf(!haveMosquitto)('sensors on an XBee network (mosquitto)', () => {
  it.for([
    ['AP=2', { mode: 2, query: '&api=2' }],
    ['AP=1', { mode: 1, query: '&api=1' }],
    ['AO=1', { output: 1 }],
    ['AO=2, 802.15.4', { output: 2 }],
  ] as const)(
    'publish, subscribe, sleep and wake, many on one line, with %s [LINK-GW-1]',
    async ([, options], context) => {
      const { network, test, office, link, peerOf, up, down } = await setUp(context, options)
      const sensors = [0x11, 0x137d, 0x7e].map((n) => ({ n, transport: network.node(addressOf(n)) }))
      for (const { n, transport } of sensors) {
        const sensor = await test.connected({ transport, tRetry: 3000 })
        for (const qos of [0, 1, 2] as const) await sensor.publish(`${up}/${n}`, `reading ${qos}`, { qos })
        expect((await office.inbox.take(3)).map(({ text }) => text)).toEqual(
          [0, 1, 2].map((q) => `reading ${q}`),
        )
        await sensor.subscribe(`${down}/${n}`, 2)
        for (const qos of [0, 1, 2] as const) await office.publish(`${down}/${n}`, `order ${qos}`, { qos })
        expect((await sensor.inbox.take(3)).map(({ text }) => text)).toEqual(
          [0, 1, 2].map((q) => `order ${q}`),
        )
        await sensor.sleep(60)
        await office.publish(`${down}/${n}`, 'while asleep')
        await until(
          () => (test.gateway.sessions.byClientId.get(sensor.clientId)?.downlink.queue.length ?? 0) > 0,
        )
        await sensor.wake()
        expect((await sensor.inbox.next()).text).toBe('while asleep')
        expect(peerOf(sensor.clientId)).toMatchObject({ address: `xbee/${addressOf(n)}`, port: 0 })
      }
      expect(test.gateway.sessions.byPeer.size).toBe(3)
      expect(link()).toMatchObject({ up: true, errors: { noise: 0, checksum: 0, full: 0, undelivered: 0 } })
      expect(network.uart.overrun).toBe(0)
      if ('output' in options && options.output === 2) expect(link()?.signal?.rssi).toBeLessThan(-39)
    },
  )

  it('lose nothing at QoS 1 and 2 through losses and short addresses that change', async (context) => {
    const { network, test, office, link, up } = await setUp(context, { loss: 0.15, moves: 0.2 })
    const sent: string[] = []
    const lives = Array.from({ length: 5 }, async (_, n) => {
      const sensor = await test.connected({ transport: network.node(addressOf(n)), tRetry: 150, nRetry: 60 })
      for (let i = 0; i < 12; i++) {
        sent.push(`${n} ${i}`)
        await sensor.publish(`${up}/${n}`, `${n} ${i}`, { qos: i % 2 === 0 ? 1 : 2 })
      }
    })
    const heard = new Set<string>()
    const listening = (async () => {
      while (heard.size < 60) heard.add((await office.inbox.next(30_000)).text)
    })()
    await Promise.all([...lives, listening])
    expect([...heard].sort()).toEqual(sent.sort())
    expect(link()?.errors.undelivered).toBeGreaterThan(0)
  })

  it('learn the length of messages from the module, and get none that is longer [LINK-GW-2]', async (context) => {
    const { network, test, office, down } = await setUp(context, { payload: 50 })
    const sensor = await test.connected({ transport: network.node(addressOf(1)) })
    await until(() => test.gateway.sessions.byClientId.get(sensor.clientId)?.peer?.listener.maxMessage === 50)
    await sensor.subscribe(down, 1)
    await office.publish(down, 'x'.repeat(44), { qos: 1 })
    await office.publish(down, 'x'.repeat(43), { qos: 1 })
    expect((await sensor.inbox.next()).text).toHaveLength(43)
    expect(test.gateway.status().counters.dropped['too-long']).toBe(1)
  })

  it('find the gateway by SEARCHGW to all, of which nothing else is taken [LINK-GW-9, LINK-GW-10]', async (context) => {
    const { network, test, link } = await setUp(context, { listener: { discovery: { advertise: '20m' } } })
    const [near, far] = [network.node(addressOf(1)), network.node(addressOf(2))]
    const heard: [node: string, type: number | undefined][] = []
    near.onReceive = (bytes) => heard.push(['near', bytes[1]])
    far.onReceive = (bytes) => heard.push(['far', bytes[1]])
    near.broadcast(Uint8Array.of(3, 0x01, 2))
    await expect.poll(() => heard).toContainEqual(['near', 0x02])
    near.broadcast(Uint8Array.from([...Buffer.from('0a040401003c6d313335', 'hex')]))
    await expect.poll(() => link()?.errors.broadcast).toBe(1)
    expect(heard.filter(([, type]) => type === 0x02)).toEqual([['near', 0x02]])
    expect(test.gateway.sessions.byPeer.size).toBe(0)
  })

  it('hear ADVERTISE, sent to all [LINK-GW-9]', async (context) => {
    const heard: (number | undefined)[] = []
    const { network } = await setUp(context, {
      listener: { discovery: { advertise: '1s' } },
      clock,
    })
    for (const n of [1, 2]) network.node(addressOf(n)).onReceive = (bytes) => heard.push(bytes[1])
    await expect.poll(() => heard.length, { timeout: 5000 }).toBeGreaterThanOrEqual(2)
    expect(new Set(heard)).toEqual(new Set([0x00]))
  })

  it('publish without a connection [LINK-GW-11]', async (context) => {
    const topics = { 7: 'radio/button' }
    const more = { predefined: [{ match: '*', topics }], qosMinusOne: { enabled: true, topics: ['#'] } }
    const { network, test, office } = await setUp(context, { more })
    const button = test.sensor({ transport: network.node(addressOf(1)), predefined: topics })
    await button.publish({ predefined: 7 }, 'pressed', { qos: -1 })
    expect((await office.inbox.next()).text).toBe('pressed')
  })

  it('out of reach are counted and named, and go on when they are back', async (context) => {
    const { network, test, office, link, down } = await setUp(context, {
      more: { timers: { tRetry: '100ms', nRetry: 5 } },
    })
    const node = network.node(addressOf(9))
    const sensor = await test.connected({ transport: node, tRetry: 300, nRetry: 100 })
    await sensor.subscribe(down, 1)
    node.isReachable = false
    await office.publish(down, 'to nobody', { qos: 1 })
    await expect
      .poll(() => link()?.unreachable, { timeout: 10_000 })
      .toEqual({ count: 1, some: [`xbee/${addressOf(9)}`] })
    expect(link()?.errors.undelivered).toBeGreaterThanOrEqual(5)
    node.isReachable = true
    await sensor.ping()
    expect((await sensor.inbox.next()).text).toBe('to nobody')
    expect(link()?.unreachable.count).toBe(0)
  })

  it('go on after the module was reset in the middle [LINK-DL-4]', async (context) => {
    const { network, test, office, up } = await setUp(context, { octetsPerSecond: 1000 })
    const sensor = await test.connected({ transport: network.node(addressOf(1)), tRetry: 300, nRetry: 50 })
    for (let i = 0; i < 5; i++) {
      const published = sensor.publish(up, `${i}`, { qos: 1 })
      network.reset()
      await published
      expect((await office.inbox.next()).text).toBe(`${i}`)
    }
  })

  it('go on when the device server comes back, and the module is asked anew [LINK-ST-2, LINK-DL-4]', async (context) => {
    const { network, test, office, link, up, radio, logged } = await setUp(context)
    const sensor = await test.connected({ transport: network.node(addressOf(1)), tRetry: 300, nRetry: 100 })
    await radio.close()
    await expect.poll(() => link()?.up).toBe(false)
    const published = sensor.publish(up, 'meanwhile', { qos: 2 })
    const again = await serveRadio(network, Number(radio.place.split(':')[1]))
    context.onTestFinished(() => again.close())
    await published
    expect((await office.inbox.next()).text).toBe('meanwhile')
    const modules = () => logged.filter((line) => line.includes('XBee module: address')).length
    await expect.poll(modules).toBe(2)
    await expect.poll(link).toMatchObject({ up: true, unconfirmed: 0 })
  })

  it('a module in transparent mode is told, with the commands that mend it [LINK-DL-5]', async (context) => {
    const { logged } = await setUp(context, { mode: 0 })
    await expect.poll(() => logged.join('\n'), { timeout: 5000 }).toContain('ATAP2,D61,D71,WR,CN')
  })

  it('go on after a restart of the gateway, which knows where they are [LINK-GW-5]', async (context) => {
    const { network, test, office, down, peerOf } = await setUp(context, { parts: { durable: true } })
    const node = network.node(addressOf(3))
    const sensor = await test.connected({ transport: node, tRetry: 3000 })
    await sensor.subscribe(down, 1)
    await test.restart(async () => {
      network.moveNode(node) // what it knew of short addresses would be of no use
    })
    expect(peerOf(sensor.clientId)).toMatchObject({ address: `xbee/${addressOf(3)}`, port: 0 })
    await office.publish(down, 'after the restart', { qos: 1 })
    expect((await sensor.inbox.next()).text).toBe('after the restart')
    expect(test.stateOf(sensor)).toBe('active')
  })

  it('are others on another radio, though the address is the same, and move there where they may [LINK-GW-1]', async (context) => {
    const other = new XbeeNetwork({ clock, random: chance(2), baud: 115_200 })
    const radio = await serveRadio(other)
    context.onTestFinished(() => radio.close())
    const second = { url: `tcp://${radio.place}?framing=xbee`, name: 'other', roaming: 'any' }
    const { network, test, peerOf } = await setUp(context, {
      listener: { roaming: 'any' },
      others: [second],
    })
    const [here, there] = [network.node(addressOf(4)), other.node(addressOf(4))]
    const first = await test.connected({ transport: here })
    const twin = await test.connected({ transport: there })
    expect([first, twin].map((one) => peerOf(one.clientId)?.listener.name)).toEqual(['radio', 'other'])
    expect([first, twin].map((one) => test.stateOf(one))).toEqual(['active', 'active'])
    const moved = await test.connected({ transport: other.node(addressOf(5)), clientId: first.clientId })
    expect(peerOf(moved.clientId)).toMatchObject({ address: `xbee/${addressOf(5)}` })
    expect(peerOf(moved.clientId)?.listener.name).toBe('other')
  })

  it.skipIf(!hasSocat)('on a pseudo terminal as on a real port (socat)', async (context) => {
    const { network, test, office, link, up } = await setUp(context, { onPty: true })
    const sensor = await test.connected({ transport: network.node(addressOf(1)) })
    await sensor.publish(up, 'by wire', { qos: 2 })
    expect((await office.inbox.next()).text).toBe('by wire')
    expect(link()).toMatchObject({ up: true, errors: { noise: 0 } })
  })
})
