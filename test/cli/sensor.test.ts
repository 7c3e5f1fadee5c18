// `mqttsn sensor`: the kinds, the swarm as a verifier, and commands as real processes.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connectAsync } from 'mqtt'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sensorCommand } from '../../src/cli/sensor.ts'
import { kinds } from '../../src/simulation/kinds.ts'
import { startAedes } from '../support/broker.ts'
import { acceptingGateway, FakeTerminal, UdpPeer } from '../support/sensor.ts'

let gateway: UdpPeer
let terminal: FakeTerminal

beforeEach(async () => {
  gateway = await UdpPeer.open()
  gateway.script = acceptingGateway()
  terminal = new FakeTerminal()
})

afterEach(() => gateway.close())

const sensor = (...args: string[]) => terminal.run(sensorCommand(terminal), ...args)

describe('the command', () => {
  it('lists the kinds', async () => {
    await sensor('--list')
    expect(terminal.lines.map((line) => line.split(' ')[0])).toEqual(kinds.map(({ name }) => name))
  })

  it('runs a kind for so long and prints what it does', async () => {
    const args = ['--gateway', gateway.url, '--client-id', 't1', '--duration', '500ms', '--interval', '10s']
    expect(await sensor('thermometer', ...args)).toBe(0)
    expect(terminal.lines.slice(0, 2)).toEqual(['t1 is connecting', 't1 is active'])
    expect(terminal.lines[2]).toMatch(/^t1 published thermometer\/t1\/celsius \d+\.\d \(QoS 0\)$/)
    expect(terminal.lines.slice(3)).toEqual(['t1 is disconnected', 't1 is closed'])
  })

  it('prints JSON', async () => {
    const args = ['--gateway', gateway.url, '--client-id', 'd1', '--duration', '500ms', '--json']
    await sensor('door', ...args)
    expect(JSON.parse(terminal.lines[2] ?? '')).toEqual({
      sensor: 'd1',
      type: 'published',
      topic: 'door/d1',
      payload: 'open',
      qos: 1,
    })
  })

  it('ends with 3 where no gateway answers, and says so', async () => {
    gateway.script = () => []
    const where = ['--gateway', gateway.url, '--interval', '1s']
    expect(await sensor('valve', ...where, '--retry', '20ms', '--retries', '1')).toBe(3)
    expect(terminal.errors.join()).toContain(`no gateway at ${gateway.url}: `)
    expect(await sensor('thermometer', ...where, '--duration', '100ms')).toBe(3) // before it could give up
    expect(terminal.errors.at(-1)).toContain(
      `no gateway at ${gateway.url}: no answer; --gateway names another`,
    )
    expect(await sensor('swarm', ...where, '--duration', '300ms', '--sensors', '3')).toBe(1)
    expect(terminal.errors.at(-1)).toContain('no sensor got a connection')
  })

  it('ends with 3 at once where nobody listens', async () => {
    const closed = await UdpPeer.open()
    const { url } = closed
    await closed.close()
    for (const kind of ['door', 'button'])
      expect(await sensor(kind, '--gateway', url, '--interval', '20ms'), kind).toBe(3)
    expect(terminal.errors).toEqual(
      Array(2).fill(`error: no gateway at ${url}: nobody listens there; --gateway names another one`),
    )
  })

  it('--link names what is wrong with a line, or with its url', async () => {
    expect(await sensor('meter', '--link', 'serial:///dev/ttyS9')).toBe(2)
    expect(terminal.errors.join()).toContain('expected framing=slip or cobs or hdlc or length')
    expect(await sensor('meter', '--link', 'serial:///dev/no-such-line?framing=slip')).toBe(1)
    expect(terminal.errors.at(-1)).toContain('cannot open /dev/no-such-line: there is no such device')
  })

  it('goes on where a gateway refuses the connection for now', async () => {
    let asked = 0
    const accept = acceptingGateway()
    gateway.script = (packet, heard) => {
      if (packet.type !== 'connect' || asked++ > 0) return accept(packet, heard)
      return [{ type: 'connack', returnCode: 1 }]
    }
    const where = ['--gateway', gateway.url, '--interval', '50ms', '--duration', '500ms']
    expect(await sensor('thermometer', ...where)).toBe(0)
    expect(terminal.lines.join('\n')).toMatch(/rejected: congestion[\s\S]* is active/)
  })

  it('ends with 2 for an unknown kind or a wrong option', async () => {
    expect(await sensor('toaster')).toBe(2)
    expect(terminal.errors.join()).toContain("unknown kind of sensor 'toaster'")
    expect(await sensor('door', '--interval', 'often')).toBe(2)
  })
})

describe('the swarm', () => {
  const swarm = (...args: string[]) =>
    sensor(
      'swarm',
      '--gateway',
      gateway.url,
      '--client-id',
      'sw',
      '--sensors',
      '20',
      '--interval',
      '200ms',
      ...args,
    )

  it('connects its sensors at a bounded rate and prints a summary', async () => {
    expect(await swarm('--rate', '20', '--duration', '2400ms', '--report', '0.3')).toBe(0)
    const connected = terminal.lines
      .map((line) => Number(/connected (\d+)/.exec(line)?.[1]))
      .filter((value) => !Number.isNaN(value))
    expect(connected[0]).toBeLessThan(12)
    expect(connected.at(-1)).toBe(16)
    expect(terminal.lines.at(-1)).toMatch(/^sw: total: published \d+ .*unanswered 0,.*sessions lost 0$/)
  })

  it('connects sensors again whose session the gateway ended, and counts the losses', async () => {
    let ended = 0
    const accept = acceptingGateway()
    gateway.script = (packet, heard) => {
      const ends = packet.type === 'publish' && packet.qos === 1 && ended < 3
      if (ends) ended += 1
      return ends ? [{ type: 'disconnect', duration: null }] : accept(packet, heard)
    }
    await swarm('--duration', '1s')
    expect(terminal.lines.at(-1)).toContain('unanswered 3, received 0, sessions lost 3')
    expect(gateway.heard.filter(({ packet }) => packet.type === 'connect').length).toBeGreaterThanOrEqual(
      19 + 3,
    )
  })

  it('ends with 1 when a gateway acknowledges what it does not deliver', async () => {
    const broker = await startAedes()
    const verify = ['--verify', broker.url, '--settle', '0', '--downlink', '50']
    expect(await swarm('--duration', '600ms', ...verify)).toBe(1)
    const text = terminal.lines.join('\n')
    expect(text).toMatch(
      /to the broker: acknowledged [1-9]\d*, arrived 0, acknowledged but not arrived [1-9]/,
    )
    expect(text).toMatch(
      /to the sensors: acknowledged [1-9]\d*, arrived 0, acknowledged but not arrived [1-9]/,
    )
    expect(terminal.errors.join()).toContain('acknowledged but not arrived')
    await broker.close()
  })

  it('ends with 1 when a QoS 2 message arrives twice, with 0 when all arrives once', async () => {
    const broker = await startAedes()
    const client = await connectAsync(broker.url)
    let times = 1
    const accept = acceptingGateway()
    const names = new Map<number, string>()
    gateway.script = (packet, heard) => {
      const answers = accept(packet, heard)
      const regack = answers.find((answer) => answer.type === 'regack')
      if (packet.type === 'register' && regack !== undefined) names.set(regack.topicId, packet.topicName)
      if (packet.type === 'publish' && (packet.qos === 1 || packet.qos === 2)) {
        const { qos } = packet
        const name = names.get(packet.topicId) ?? 'unknown'
        for (let time = 0; time < times; time += 1) client.publish(name, Buffer.from(packet.data), { qos })
      }
      return answers
    }
    const verify = ['--verify', broker.url, '--settle', '5', '--downlink', '0']
    expect(await swarm('--duration', '600ms', ...verify)).toBe(0)
    expect(terminal.lines.join('\n')).toMatch(
      /acknowledged [1-9]\d*, arrived [1-9].*not arrived 0, QoS 2 duplicates 0/,
    )
    times = 2
    // long enough for several at QoS 2: the copy of the very last may come after all is over
    expect(await swarm('--duration', '1800ms', ...verify)).toBe(1)
    expect(terminal.errors.join()).toMatch(/QoS 2 duplicates [1-9]/)
    await client.endAsync()
    await broker.close()
  })
})

describe('as a process', () => {
  /** Runs node on TypeScript, collects its output. */
  function run(...args: string[]) {
    const child = spawn(process.execPath, ['--import', 'tsx', ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    const output: string[] = []
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => output.push(chunk.toString()))
    const ended = once(child, 'close').then(([code]: unknown[]) => ({ code, output: output.join('') }))
    return { child, ended }
  }

  const command = (name: string, factory: string, ...args: string[]) =>
    run('-e', `import('./src/cli/${name}.ts').then((m) => m.${factory}().parseAsync())`, '--', ...args)

  it('runs a script alone, and disconnects properly at Ctrl-C', async () => {
    const { child, ended } = run('scripts/door.ts', '--gateway', gateway.url, '--client-id', 'door-1')
    await gateway.next('publish', 20_000)
    child.kill('SIGINT')
    const { code, output } = await ended
    expect(output).toContain('door-1 published door/door-1 open (QoS 1)\n')
    expect(code).toBe(0)
    expect(gateway.types()).toMatch(/publish disconnect$/)
  })

  it('ends sub properly at SIGTERM', async () => {
    const { child, ended } = command('sub', 'subCommand', '-t', 'a', '--gateway', gateway.url)
    await once(child.stderr, 'data')
    child.kill('SIGTERM')
    expect(await ended).toEqual({ code: 0, output: 'subscribed to a, QoS 0\n' })
    expect(gateway.types()).toBe('connect subscribe disconnect')
  })

  it('exits with 0 after publishing, with 2 on wrong usage', async () => {
    const good = command('pub', 'pubCommand', '-t', 'a', '-m', 'x', '--gateway', gateway.url)
    const bad = command('pub', 'pubCommand', '-t', 'a')
    expect(await good.ended).toEqual({ code: 0, output: '' })
    expect(await bad.ended).toMatchObject({ code: 2 })
  })
})
