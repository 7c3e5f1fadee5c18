// `mqttsn top` at a real gateway with its console; its screen on streams that stand for a terminal.

import { PassThrough } from 'node:stream'
import type { ReadStream, WriteStream } from 'node:tty'
import { stripVTControlCharacters } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { plain } from '../../src/cli/terminal/paint.ts'
import { keysOf, type Looking, pressKey } from '../../src/cli/top/keys.ts'
import type { Snapshot } from '../../src/cli/top/look.ts'
import { overview, sensorTable } from '../../src/cli/top/report.ts'
import { showTop } from '../../src/cli/top/screen.ts'
import { topCommand } from '../../src/cli/top.ts'
import { until } from '../support/gateway.ts'
import { type LiveGateway, startLiveGateway } from '../support/live-gateway.ts'
import { FakeTerminal } from '../support/sensor.ts'

let live: LiveGateway
let awake: string
let asleep: string
beforeAll(async () => {
  live = await startLiveGateway()
  const one = await live.test.connected()
  await one.subscribe('a/b')
  const two = await live.test.connected()
  await two.sleep(100)
  awake = one.clientId
  asleep = two.clientId
})
afterAll(() => live.stop())

async function top(...args: string[]) {
  const terminal = new FakeTerminal()
  const code = await terminal.run(topCommand(terminal), '--url', live.url, ...args)
  return { code, lines: terminal.lines, errors: terminal.errors.join('\n') }
}

it('reports once where no terminal is: gateway, broker, traffic, sensors', async () => {
  const { code, lines } = await top()
  expect(code).toBe(0)
  expect(lines[0]).toMatch(/^MQTT-SN gateway \d+, version 1\.2\.3, up [\d.]+ m?s$/)
  expect(lines[1]).toMatch(/^broker {5}mqtt:\/\/127\.0\.0\.1:\d+ up \(MQTT .*\), 2 connections$/)
  expect(lines[2]).toMatch(/^listener {3}.*udp:\/\/127\.0\.0\.1:\d+, receive buffer [\d.]+ [KM]iB/)
  expect(lines[3]).toMatch(/^datagrams {2}in \d+, out \d+, 0 repeated$/)
  expect(lines[4]).toBe('messages   published 0, delivered 0, 0 waiting (0 B)')
  expect(lines[6]).toBe('sensors    2: 1 active, 1 asleep')
  expect(lines[8]).toMatch(/^sensor +state +address +heard +topics +subs +waiting +broker$/)
  expect(lines.slice(9).map((line) => line.split(/ {2,}/))).toEqual([
    [awake, 'active', expect.stringMatching(/^127\.0\.0\.1:\d+$/), expect.any(String), '1', '1', '0', 'up'],
    [asleep, 'asleep', expect.stringMatching(/^127\.0\.0\.1:\d+$/), expect.any(String), '0', '0', '0', 'up'],
  ])
})

it('searches, selects, sorts and limits', async () => {
  const names = async (...args: string[]) =>
    (await top(...args)).lines.slice(9).map((line) => line.split(' ')[0])
  expect(await names('--search', asleep)).toEqual([asleep])
  expect(await names('--state', 'active')).toEqual([awake])
  expect(await names('--descending')).toEqual([asleep, awake])
  expect(await names('--sort', 'topics')).toEqual([asleep, awake])
  expect((await top('--limit', '1')).lines.at(-1)).toBe('... 1 more: --limit, --search, --state')
})

it('reports JSON', async () => {
  const { code, lines } = await top('--json', '--search', awake)
  expect(code).toBe(0)
  expect(lines).toHaveLength(1)
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    gateway: { version: '1.2.3', sensors: { active: 1, asleep: 1 } },
    broker: { healthy: true },
    listeners: [{ kernelDrops: 0 }],
    sensors: { total: 1, items: [{ clientId: awake, subscriptions: 1 }] },
  })
})

it('ends with 2 on wrong usage, 3 where nobody answers', async () => {
  expect(await top('--sort', 'colour')).toMatchObject({
    code: 2,
    errors: expect.stringContaining('clientId'),
  })
  for (const limit of ['0', '5001', 'few', '-1'])
    expect(await top('--limit', limit), limit).toMatchObject({
      code: 2,
      errors: expect.stringContaining('expected a whole number from 1 to 5000'),
    })
  expect(await top('--interval', 'often')).toMatchObject({ code: 2 })
  const { port } = new URL(live.test.url()) // of UDP: nobody has it in TCP
  expect(await top('--url', `http://127.0.0.1:${port}`)).toMatchObject({
    code: 3,
    errors: expect.stringContaining('nobody listens there'),
  })
})

const start: Looking = {
  sort: 'clientId',
  descending: false,
  search: '',
  state: undefined,
  offset: 0,
  typing: false,
}

/** Streams that stand for a terminal of 100 columns. */
class Stage {
  readonly input = Object.assign(new PassThrough(), {
    raw: false,
    setRawMode: (on: boolean) => {
      this.input.raw = on
    },
  })
  written = ''
  readonly output = Object.assign(new PassThrough(), { columns: 100, rows: 20, hasColors: () => true })

  constructor() {
    this.output.on('data', (piece: Buffer) => {
      this.written += piece.toString()
    })
  }

  /** as `showTop` wants it */
  get streams() {
    return {
      input: this.input as unknown as ReadStream,
      output: this.output as unknown as WriteStream,
    }
  }

  /** The lines of the last frame. */
  frame(): string[] {
    return stripVTControlCharacters(this.written.split('\u001b[H').at(-1) ?? '').split('\r\n')
  }
}

describe('the screen', () => {
  it('shows the gateway, obeys keys, and gives the terminal back', async () => {
    const stage = new Stage()
    const ended = showTop({ url: live.url, interval: 20 }, start, stage.streams, new AbortController().signal)
    await until(() => stage.frame().length === 20)
    expect(stage.input.raw).toBe(true)
    expect(stage.frame()[0]).toContain('MQTT-SN gateway')
    expect(stage.frame().filter((line) => line.startsWith('s'))).toHaveLength(4)
    await until(() => /in \d+ \(0\.0\/s, 0 B\/s\)/.test(stage.frame().join()))
    stage.input.write('s')
    await until(() => stage.frame().at(-1)?.startsWith('1-2 of 2 by state ') === true)
    stage.input.write(`/${asleep.toUpperCase()}\r`)
    await until(() => stage.frame().at(-1)?.startsWith(`1-1 of 1 with "${asleep.toUpperCase()}"`) === true)
    expect(stage.frame().join('\n')).not.toContain(awake)
    stage.output.rows = 12
    stage.output.columns = 30
    stage.output.emit('resize')
    expect(stage.frame()).toHaveLength(12)
    expect(stage.frame().every((line) => line.length <= 30)).toBe(true)
    stage.input.write('q')
    await ended
    expect(stage.input.raw).toBe(false)
    expect(stage.written.endsWith('\u001b[?25h\u001b[?1049l')).toBe(true)
  })

  it('keeps what it saw while the gateway is away', async () => {
    const stage = new Stage()
    const controller = new AbortController()
    const ended = showTop({ url: live.url, interval: 20 }, start, stage.streams, controller.signal)
    await until(() => stage.frame().length === 20)
    await live.stopConsole()
    await until(() => stage.frame().at(-1)?.includes('still trying') === true)
    expect(stage.frame().join('\n')).toContain(awake)
    await live.restart()
    await until(() => stage.frame().at(-1)?.startsWith('1-2 of 2') === true)
    controller.abort()
    await ended
  })

  it('touches no terminal if the gateway does not answer at all', async () => {
    const stage = new Stage()
    const { port } = new URL(live.test.url())
    const never = new AbortController().signal
    await expect(
      showTop({ url: `http://127.0.0.1:${port}`, interval: 20 }, start, stage.streams, never),
    ).rejects.toMatchObject({ exitCode: 3 })
    expect(stage.written).toBe('')
  })
})

describe('the keys', () => {
  const pressing = (keys: string, looking = start) =>
    keysOf(keys).reduce<Looking | 'quit'>(
      (last, key) => (last === 'quit' ? last : pressKey(last, key, 10)),
      looking,
    )

  it('sort, reverse, turn pages and quit', () => {
    expect(pressing('s')).toMatchObject({ sort: 'state', descending: false })
    expect(pressing('ss')).toMatchObject({ sort: 'heardAt', descending: true })
    expect(pressing('sssss')).toMatchObject({ sort: 'clientId', descending: false })
    expect(pressing('r')).toMatchObject({ descending: true })
    expect(pressing(' \u001b[B\u001b[6~')).toMatchObject({ offset: 30 })
    expect(pressing('  \u001b[A')).toMatchObject({ offset: 10 })
    expect(pressing('\u001b[5~')).toMatchObject({ offset: 0 })
    expect(pressing('x\u001b[C')).toEqual(start)
    expect(pressing('q')).toBe('quit')
    expect(pressing('/q\u0003')).toBe('quit')
  })

  it('search while it is typed, with corrections, up to a limit', () => {
    expect(pressing('/ab')).toMatchObject({ search: 'ab', typing: true })
    expect(pressing('/ab😀\u007f\u007fq\r')).toMatchObject({ search: 'aq', typing: false })
    expect(pressing('/ab\u001b')).toMatchObject({ search: '', typing: false })
    expect(pressing('/ab\r\u001b')).toMatchObject({ search: '', typing: false })
    expect(pressing(`/\u001b[A${'x'.repeat(100)}`)).toMatchObject({ search: 'x'.repeat(64) })
  })
})

describe('the report', () => {
  const snapshot = (at: number, factor: number): Snapshot => ({
    at,
    gateway: {
      ...{ version: '1', gwId: 7, node: 'v20', startedAt: 0, queuedMessages: 3, queuedOctets: 3000 },
      ...{ spooledMessages: 0, spooledOctets: 0, deadLetters: 0, deadLetterOctets: 0, queuesFull: false },
      ...{ departed: 0, forgotten: 0 },
      sensors: {
        ...{
          willtopic: 0,
          willmsg: 0,
          connecting: 0,
          active: 2,
          asleep: 0,
          awake: 0,
          disconnected: 0,
          lost: 1,
        },
      },
      counters: {
        ...{ receivedDatagrams: 10 * factor, receivedOctets: 1024 * factor, sentDatagrams: 5 * factor },
        ...{ sentOctets: 0, published: 4 * factor, delivered: 250 * factor, retransmissions: 2, faults: 1 },
        ...{ received: {}, sent: {}, dropped: { 'no-session': 3, malformed: 0, rate: 1 }, refusals: {} },
        losses: {},
      },
    },
    broker: {
      ...{ url: 'mqtt://b', healthy: false, version: undefined, connected: 1, connecting: 0, waiting: 4 },
      ...{ refused: 2, lost: 0, portless: 0, openings: 1, shared: [] },
    },
    listeners: [
      {
        ...{ name: 'field', url: 'udp://[::1]:1884', receiveBuffer: 4 * 1024 ** 2, receiveBufferAsked: 0 },
        ...{ kernelDrops: 1, sendErrors: 2 },
      },
    ],
    sensors: { total: 0, items: [] },
  })

  it('shows rates between two looks, and what is wrong', () => {
    expect(overview(snapshot(62_000, 3), snapshot(60_000, 1), plain)).toEqual([
      'MQTT-SN gateway 7, version 1, up 1 min 2 s',
      'broker     mqtt://b away, 1 connection, 4 waiting, 2 refused',
      'listener   field udp://[::1]:1884, receive buffer 4.0 MiB, 1 datagram lost to a full receive buffer, 2 send errors',
      'datagrams  in 30 (10.0/s, 1.0 KiB/s), out 15 (5.0/s, 0 B/s), 2 repeated',
      'messages   published 12 (4.0/s), delivered 750 (250/s), 3 waiting (2.9 KiB)',
      'dropped    4: 3 no-session, 1 rate',
      'faults     1: please report them',
      'sensors    3: 2 active, 1 lost',
    ])
  })

  /** As gw-1 sees it. */
  const nodesOf = (engine: object, links: readonly object[] = [], nobodys: number[] = []) =>
    ({
      node: 'gw-1',
      members: [
        { node: 'gw-1', state: 'active', slots: 512, isSelf: true },
        { node: 'gw-2', state: 'deposed', slots: 0, isSelf: false },
        { node: 'gw-3', state: 'draining', slots: 511, isSelf: false },
      ],
      owners: [0, 1, 2, ...nobodys],
      links: { nodes: links },
      engine,
    }) as unknown as NonNullable<Snapshot['cluster']>

  it('names the nodes that are one gateway, and the one that serves a sensor', () => {
    const cluster = nodesOf({ up: true, replicated: true }, [{ node: 'gw-3', isUp: true }])
    const lines = overview({ ...snapshot(0, 1), cluster }, undefined, plain)
    expect(lines[2]).toBe('nodes      gw-1 512 slots (asked here), gw-2 gone, gw-3 stops')
    expect(lines[3]).toMatch(/^listener/)
    const items = [{ clientId: 'a', state: 'active', upstream: 'up', node: 'gw-3' }]
    const [head, row] = sensorTable(items as unknown as Snapshot['sensors']['items'], 0, plain)
    expect(head).toMatch(/broker {2}node$/)
    expect(row).toMatch(/up {6}gw-3$/)
  })

  it('says what is wrong between them', () => {
    const cluster = nodesOf({ up: false, replicated: false }, [{ node: 'gw-3', isUp: false }], [-1, -1])
    expect(overview({ ...snapshot(0, 1), cluster }, undefined, plain).slice(3, 7)).toEqual([
      '           no link from gw-1 to gw-3',
      '           2 slots served by nobody',
      '           the database does not answer',
      '           the database keeps what it acknowledges on one machine',
    ])
  })

  it('lets nothing of the network act on the terminal', () => {
    const evil = '\u001b[2J\n'
    const { items } = {
      items: [{ clientId: evil, state: evil, address: evil, upstream: evil }],
    } as unknown as Snapshot['sensors']
    const one = snapshot(0, 1)
    const tricky = {
      ...one,
      gateway: {
        ...one.gateway,
        version: evil,
        counters: { ...one.gateway.counters, dropped: { [evil]: 1 } },
      },
      broker: { ...one.broker, url: evil, version: evil },
      listeners: one.listeners.map((listener) => ({ ...listener, name: evil, url: evil })),
      cluster: {
        ...{ node: evil, members: [{ node: evil, state: 'active', slots: 1, isSelf: false }], owners: [] },
        ...{ links: { nodes: [{ node: evil, isUp: false }] }, engine: { up: true } },
      } as unknown as NonNullable<Snapshot['cluster']>,
    }
    const lines = [...overview(tricky, undefined, plain), ...sensorTable(items, 0, plain)]
    expect(lines.filter((line) => /\p{C}/u.test(line))).toEqual([])
  })
})
