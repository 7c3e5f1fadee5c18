// `mqttsn trace` at a real gateway with its console, and the drawing itself.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { inColour, plain } from '../../src/cli/terminal/paint.ts'
import { createDrawing } from '../../src/cli/trace/draw.ts'
import { framesOf } from '../../src/cli/trace/line-frames.ts'
import type { TracedPacket } from '../../src/cli/trace/words.ts'
import { traceCommand } from '../../src/cli/trace.ts'
import type { SensorDetail } from '../../src/console/contract/sensors.ts'
import { xmodem } from '../../src/transport/framing/crc.ts'
import { freshName, until } from '../support/gateway.ts'
import { type LiveGateway, startLiveGateway } from '../support/live-gateway.ts'
import { FakeTerminal } from '../support/sensor.ts'

const TOKEN = 'a-token-for-this-test'
let live: LiveGateway
beforeAll(async () => {
  live = await startLiveGateway(TOKEN)
})
afterAll(() => live.stop())

/** Starts it and waits until it watches. */
async function trace(clientId: string, ...args: string[]) {
  const terminal = new FakeTerminal()
  const ended = terminal.run(
    traceCommand(terminal),
    ...[clientId, '--url', live.url, '--token', TOKEN, ...args],
  )
  if (!args.includes('--json')) {
    await until(() => terminal.lines.length >= 2 || terminal.code !== undefined)
  }
  return { terminal, ended }
}

/** A line without its times, and with n for numbers that differ from run to run. */
const withoutNumbers = (line: string) => line.slice(24).replace(/\b(id|msgId) \d+/g, '$1 n')

it('draws what sensor and gateway say as arrows, with topic names for ids, fields and answers', async () => {
  const sensor = await live.test.connected()
  const { terminal, ended } = await trace(sensor.clientId, '-n', '4')
  await sensor.publish('t/temp', '21', { qos: 1 })
  expect(await ended).toBe(0)
  const [head = '', names = '', ...lines] = terminal.lines
  expect(head).toMatch(
    new RegExp(`^${sensor.clientId} at 127\\.0\\.0\\.1:\\d+ on .*: active, 0 topics, 0 subscriptions$`),
  )
  expect(names.slice(24)).toBe('sensor            gateway')
  expect(lines.map(withoutNumbers)).toEqual([
    '│── REGISTER ──────────▶│  msgId n, "t/temp"',
    '│◀──────────── REGACK ──│  t/temp (id n), msgId n, accepted',
    '│── PUBLISH ───────────▶│  QoS 1, t/temp (id n), msgId n, "21" (2 octets)',
    '│◀──────────── PUBACK ──│  t/temp (id n), msgId n, accepted',
  ])
  expect(lines[1]).toMatch(/^\d\d:\d\d:\d\d\.\d{3} {2} *\+\d+(\.\d)? ms {2}│/)
})

it('tells changes of state in their place, of this sensor only', async () => {
  const [sensor, other] = [await live.test.connected(), await live.test.connected()]
  const { terminal, ended } = await trace(sensor.clientId, '-n', '3')
  await other.sleep(20)
  await sensor.sleep(10)
  await sensor.disconnect()
  await ended
  expect(terminal.lines.slice(2, 5).map(withoutNumbers).toSorted()).toEqual(
    [
      '│── DISCONNECT ────────▶│  10 s of sleep',
      '│           •           │  active → asleep: DISCONNECT for 10 s',
      '│◀──────── DISCONNECT ──│',
    ].toSorted(),
  )
})

it('prints octets, and every field of the message', async () => {
  const sensor = await live.test.connected()
  const { terminal, ended } = await trace(sensor.clientId, '-n', '2', '--hex', '--fields')
  await sensor.ping()
  await ended
  const text = terminal.lines.map((line) => line.slice(24)).join('\n')
  expect(text).toContain('│  0217\n')
  expect(text).toContain('│  PINGRESP [5.4.20], 2 octets\n')
  expect(text).toContain('│    MsgType  17  PINGRESP')
})

it('prints JSON, one object per line', async () => {
  const clientId = freshName()
  const { terminal, ended } = await trace(clientId, '--wait', '-n', '6', '--json')
  const sensor = live.test.sensor({ clientId })
  // JSON has no head that would tell when it watches, so this sensor comes again and again.
  while (terminal.code === undefined) {
    await sensor.connect()
    await sensor.disconnect()
  }
  expect(await ended).toBe(0)
  const events = terminal.lines.map((line) => JSON.parse(line))
  expect(events.filter(({ event }) => event === 'packet')).toHaveLength(6)
  expect(events.find(({ event }) => event === 'state')).toMatchObject({ clientId, to: expect.any(String) })
  const connect = events.find(({ type }) => type === 'CONNECT')
  expect(connect).toMatchObject({
    event: 'packet',
    direction: 'received',
    clientId,
    address: '127.0.0.1',
    repeated: false,
    packet: { type: 'connect', clientId, cleanSession: true },
  })
  expect(connect.bytes).toMatch(/^[0-9a-f]+$/)
  expect(connect).not.toHaveProperty('lines')
})

it('goes on when the console comes back', async () => {
  const sensor = await live.test.connected()
  const { terminal, ended } = await trace(sensor.clientId, '-n', '2')
  await live.stopConsole()
  await until(() => terminal.errors.length > 0)
  expect(terminal.errors[0]).toMatch(/^the gateway is lost \(.*\); still trying$/)
  await live.restart()
  while (terminal.code === undefined) await sensor.ping()
  expect(await ended).toBe(0)
  expect(terminal.errors).toHaveLength(1)
  expect(terminal.lines.filter((line) => line.includes('gateway'))).toHaveLength(1)
})

it('ends at Ctrl-C and after --duration', async () => {
  const sensor = await live.test.connected()
  const { terminal, ended } = await trace(sensor.clientId)
  terminal.interrupt()
  expect(await ended).toBe(0)
  expect(await (await trace(sensor.clientId, '--duration', '50ms')).ended).toBe(0)
})

it('ends with 1 for a sensor that is not there, and names similar ones', async () => {
  const { clientId } = await live.test.connected()
  const similar = await trace(clientId.slice(0, -1))
  expect(await similar.ended).toBe(1)
  expect(similar.terminal.errors.join()).toContain('the gateway knows no sensor')
  expect(similar.terminal.errors.join()).toContain(clientId.slice(0, -1))
  const none = await trace('nobody/at all')
  expect(await none.ended).toBe(1)
  expect(none.terminal.errors).toEqual([
    'error: the gateway knows no sensor nobody/at all; --wait waits for it',
  ])
})

it('ends with 1 without the token, 2 on wrong usage, 3 where nobody answers', async () => {
  const run = async (...args: string[]) => {
    const terminal = new FakeTerminal()
    await terminal.run(traceCommand(terminal), ...args)
    return [terminal.code, terminal.errors.join('\n')]
  }
  expect(await run('a', '--url', live.url)).toEqual([
    1,
    `error: ${live.url}: it wants a token: --token or MQTTSN_TOKEN`,
  ])
  expect(await run('a', '--url', live.url, '--token', 'wrong')).toEqual([
    1,
    `error: ${live.url}: it does not accept this token`,
  ])
  expect(await run()).toEqual([2, expect.stringContaining("missing required argument 'client-id'")])
  expect(await run('a', '--url', 'udp://x')).toEqual([
    2,
    expect.stringContaining('expected http://host:port'),
  ])
  expect(await run('a', '-n', 'x')).toEqual([2, expect.stringContaining('expected a whole number')])
  const gone = new URL(live.test.url()).port // a UDP port: nobody has it in TCP
  expect(await run('a', '--url', `http://127.0.0.1:${gone}`)).toEqual([
    3,
    `error: no gateway's console at http://127.0.0.1:${gone}: nobody listens there`,
  ])
})

describe('the drawing', () => {
  const options = { hex: false, fields: false }
  const packet = (bytes: string, more: Partial<TracedPacket> = {}): TracedPacket => ({
    at: 1_700_000_000_000,
    direction: 'received',
    clientId: 'dev1',
    address: '192.0.2.7',
    port: 5000,
    listener: 'field',
    type: 'PUBLISH',
    topic: undefined,
    repeated: false,
    bytes,
    ...more,
  })
  const draw = (...packets: TracedPacket[]) => {
    const drawing = createDrawing(plain, options)
    return packets.flatMap((one) => drawing.packet(one)).map((line) => line.slice(14))
  }

  it('shows short steps in a column, and gaps as lines', () => {
    const at = 1_700_000_000_000
    const lines = [0, 0.8, 340, 12_640, 12_640 + 312_000, 12_640 + 312_000 + 7_500_000].map((step) =>
      packet('0217', { at: at + step, type: 'PINGRESP' }),
    )
    expect(draw(...lines)).toEqual([
      '          │── PINGRESP ──────────▶│',
      ' +0.8 ms  │── PINGRESP ──────────▶│',
      ' +339 ms  │── PINGRESP ──────────▶│',
      '          │      ... 12.3 s       │',
      '          │── PINGRESP ──────────▶│',
      '          │    ... 5 min 12 s     │',
      '          │── PINGRESP ──────────▶│',
      '          │     ... 2 h 5 min     │',
      '          │── PINGRESP ──────────▶│',
    ])
  })

  it('marks repetitions, other addresses, forwarded nodes and what is no message', () => {
    const rest = draw(
      packet('090c20000500073231', { topic: 'room/temp' }),
      packet('090ca0000500073231', { topic: 'room/temp', repeated: true }),
      packet('090c21000500073231', { topic: 'hall temp', port: 5001 }),
      packet('05fe001234090c000000000000', { type: 'PUBLISH' }),
      packet('05ff', { type: 'malformed' }),
    ).map((line) => line.slice(10))
    expect(rest).toEqual([
      '│── PUBLISH ───────────▶│  QoS 1, room/temp (id 5), msgId 7, "21" (2 octets)',
      '│── PUBLISH ───────────▶│  dup, QoS 1, room/temp (id 5), msgId 7, "21" (2 octets) (again)',
      '│                       │  now at 192.0.2.7:5001',
      '│── PUBLISH ───────────▶│  QoS 1, "hall temp" (id 5, predefined), msgId 7, "21" (2 octets)',
      '│                       │  now at 192.0.2.7:5000',
      expect.stringMatching(/^│── PUBLISH ─+▶│ {2}.*node 1234$/),
      expect.stringMatching(/^│── malformed ─+▶│ {2}Length says 5, but 2 octets arrived/),
    ])
  })

  it('lets nothing of the network act on the terminal', () => {
    const evil = '\u001b[2Jx\u202e\n'
    const drawing = createDrawing(plain, { hex: true, fields: true })
    const topic = Buffer.from(evil).toString('hex')
    const detail = {
      state: evil,
      address: evil,
      listener: evil,
      topics: 1,
      subscriptions: 1,
      queued: 1,
      held: evil,
    }
    const lines = [
      ...drawing.head(evil, detail as unknown as SensorDetail),
      ...drawing.packet(packet('090c20000500073231', { topic: evil, address: evil, type: evil })),
      ...drawing.packet(packet(`${(6 + evil.length + 2).toString(16).padStart(2, '0')}0a00000001${topic}`)),
      ...drawing.packet(packet('0217', { address: 'a' })),
      ...drawing.state({ at: 0, clientId: evil, from: evil, to: evil, why: evil, address: evil } as never),
    ]
    expect(lines.filter((line) => /\p{C}/u.test(line))).toEqual([])
    expect(lines.length).toBeGreaterThan(8)
  })

  it('has colours where they are wanted, without a change to what stands where', () => {
    const bare = createDrawing(plain, options)
    const coloured = createDrawing(inColour, options)
    const change = {
      at: 5,
      clientId: 'a',
      from: 'active',
      to: 'lost',
      why: 'silence',
      address: undefined,
    } as const
    const lines = [...coloured.packet(packet('0217', { repeated: true })), ...coloured.state(change)]
    expect(lines.join()).toContain('\u001b[33m')
    expect(lines.map((line) => line.replaceAll(/\p{Cc}\[\d+m/gu, ''))).toEqual([
      ...bare.packet(packet('0217', { repeated: true })),
      ...bare.state(change),
    ])
  })
})

it('--frames shows what is on the line of the sensor, and nothing more for one on UDP', async () => {
  const frames = framesOf([
    { name: 'bench', url: 'serial:///dev/ttyS1?framing=slip&crc=xmodem' },
    { name: 'barn', url: 'tcp-listen://0.0.0.0:1?framing=cobs' },
    { name: 'radio', url: 'xbee:///dev/ttyS2' },
    { name: 'field', url: 'udp://0.0.0.0:1884' },
  ])
  const pingreq = Uint8Array.of(2, 0x16)
  expect(['bench', 'barn', 'radio', 'field', 'gone'].map((name) => frames(name, pingreq))).toEqual([
    'on the line c00216366cc0'.replace('366c', hexOf(xmodem(pingreq))),
    'on the line 03021600',
    'in a frame of the radio module, which is not kept',
    undefined,
    undefined,
  ])
  const sensor = await live.test.connected()
  const { terminal, ended } = await trace(sensor.clientId, '-n', '2', '--frames')
  await sensor.ping()
  expect(await ended).toBe(0)
  expect(terminal.lines).toHaveLength(4)
})

const hexOf = (sum: number) => Buffer.from([sum & 0xff, sum >> 8]).toString('hex')
