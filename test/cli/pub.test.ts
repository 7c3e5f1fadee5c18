// `mqttsn pub` against a scripted gateway over real UDP.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { pubCommand } from '../../src/cli/pub.ts'
import type { Publish } from '../../src/codec/v1/messages.ts'
import { acceptingGateway, FakeTerminal, UdpPeer } from '../support/sensor.ts'

let gateway: UdpPeer

beforeEach(async () => {
  gateway = await UdpPeer.open()
  gateway.script = acceptingGateway()
})

afterEach(() => gateway.close())

function pub(terminal: FakeTerminal, ...args: string[]): Promise<number | undefined> {
  return terminal.run(pubCommand(terminal), '--gateway', gateway.url, '--client-id', 'dev1', ...args)
}

const published = () =>
  gateway.heard.map(({ packet }) => packet).filter((packet): packet is Publish => packet.type === 'publish')
const payloads = () => published().map(({ data }) => Buffer.from(data).toString())

describe('what is published', () => {
  it('publishes one message and disconnects', async () => {
    const terminal = new FakeTerminal()
    expect(await pub(terminal, '-t', 'room/1', '-m', '21.5')).toBe(0)
    expect(gateway.types()).toBe('connect register publish disconnect')
    expect(published()).toMatchObject([{ qos: 0, retain: false, data: Buffer.from('21.5') }])
    expect(terminal.lines).toEqual([])
  })

  it('publishes at QoS 1 and 2, retained, to predefined ids and short names', async () => {
    expect(await pub(new FakeTerminal(), '--predefined', '5', '-m', 'a', '-q', '1', '-r')).toBe(0)
    expect(await pub(new FakeTerminal(), '--short', 'ab', '-m', 'b', '-q', '2')).toBe(0)
    expect(published()).toMatchObject([
      { qos: 1, retain: true, topicIdType: 'predefined', topicId: 5 },
      { qos: 2, retain: false, topicIdType: 'short', topicId: 0x6162 },
    ])
  })

  it('publishes at QoS -1 without connecting', async () => {
    expect(await pub(new FakeTerminal(), '--predefined', '5', '-m', 'on', '-q', '-1')).toBe(0)
    await gateway.next('publish')
    expect(gateway.types()).toBe('publish')
  })

  it('publishes a file, however long its message becomes', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'pub-'))
    const file = join(folder, 'payload')
    await writeFile(file, Buffer.alloc(5000, 7))
    try {
      expect(await pub(new FakeTerminal(), '--short', 'ab', '-f', file, '-q', '1')).toBe(0)
      expect(published()).toMatchObject([{ data: Buffer.alloc(5000, 7) }])
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it('publishes standard input as one message', async () => {
    await pub(new FakeTerminal(['one\n', 'two\n']), '--short', 'ab', '-s', '-q', '1')
    expect(payloads()).toEqual(['one\ntwo\n'])
  })

  it('publishes each line of standard input, however it is cut', async () => {
    await pub(new FakeTerminal(['on', 'e\r\ntw', 'o\n\nlast']), '--short', 'ab', '-l', '-q', '1')
    expect(payloads()).toEqual(['one', 'two', '', 'last'])
  })

  it('repeats', async () => {
    const args = ['--short', 'ab', '-m', 'x', '-q', '1', '--repeat', '3', '--interval', '1ms']
    await pub(new FakeTerminal(), ...args)
    expect(payloads()).toEqual(['x', 'x', 'x'])
  })

  it('says CONNECT with will, keep-alive and session as asked', async () => {
    const will = ['--will-topic', 'w', '--will-message', 'gone', '--will-qos', '1', '--will-retain']
    await pub(new FakeTerminal(), '--short', 'ab', '-m', '', '--no-clean', '-k', '5m', ...will)
    expect(gateway.heard.map(({ packet }) => packet)).toMatchObject([
      { type: 'connect', cleanSession: false, will: true, duration: 300, clientId: 'dev1' },
      { type: 'willtopic', willTopic: 'w', qos: 1, retain: true },
      { type: 'willmsg', willMsg: Buffer.from('gone') },
      { type: 'publish' },
      { type: 'disconnect' },
    ])
  })

  it('encapsulates with --node-id', async () => {
    await pub(new FakeTerminal(), '--short', 'ab', '-m', 'x', '-q', '1', '--node-id', '12:34')
    const nodes = new Set(gateway.heard.map(({ nodeId }) => Buffer.from(nodeId ?? []).toString('hex')))
    expect([...nodes]).toEqual(['1234'])
  })
})

describe('where it goes', () => {
  const at = (terminal: FakeTerminal, ...args: string[]) =>
    terminal.run(
      pubCommand(terminal),
      '--short',
      'ab',
      '-m',
      'x',
      '-q',
      '1',
      '--retry',
      '500ms',
      '--retries',
      '2',
      ...args,
    )

  it('is told by -h and -p, as in other tools, or by one address in any spelling', async () => {
    const { port } = gateway
    for (const args of [
      ['-h', '127.0.0.1', '-p', `${port}`],
      ['-p', `${port}`],
      ['-h', 'localhost', '-p', `${port}`],
      ['-h', `127.0.0.1:${port}`],
      ['--host', `udp://127.0.0.1:${port}`],
      ['-g', `127.0.0.1:${port}`],
      ['-g', `udp://127.0.0.1:${port}`],
    ])
      expect(await at(new FakeTerminal(), ...args), args.join(' ')).toBe(0)
    expect(gateway.heard.filter(({ packet }) => packet.type === 'publish')).toHaveLength(7)
  })

  it.each([
    [['-h', '127.0.0.1', '-g', '127.0.0.1'], 'give --gateway, or --host and --port'],
    [['-p', '0'], 'expected a port from 1 to 65535'],
    [['-p', 'x'], 'expected a port'],
    [['-h', 'mqtt://h'], 'expected a name or an address'],
    [['-g', 'tcp://h'], 'expected udp://host:port, host:port or host'],
    [['-g', 'h:99999'], 'expected udp://host:port'],
    [['-g', ''], 'expected udp://host:port'],
  ])('is no other: %j', async (args, message) => {
    const terminal = new FakeTerminal()
    expect(await at(terminal, ...args)).toBe(2)
    expect(terminal.errors.join()).toContain(message)
  })

  it('keeps --help for help', async () => {
    const terminal = new FakeTerminal()
    expect(await at(terminal, '--help')).toBe(0)
    expect(terminal.lines.join()).toMatch(/-h, --host <name>[\s\S]+--help {2,}display help/)
  })
})

describe('what is printed', () => {
  it('shows every message with --verbose', async () => {
    const terminal = new FakeTerminal()
    await pub(terminal, '--short', 'ab', '-m', 'x', '-q', '1', '--verbose')
    expect(terminal.errors.map((line) => line.split(' ', 2).join(' '))).toEqual([
      '-> CONNECT',
      '<- CONNACK',
      '-> PUBLISH',
      '<- PUBACK',
      '-> DISCONNECT',
      '<- DISCONNECT',
    ])
  })

  it('prints what was published as JSON', async () => {
    const terminal = new FakeTerminal()
    await pub(terminal, '-t', 'a/b', '-m', 'xy', '-q', '1', '--json')
    expect(terminal.lines.map((line) => JSON.parse(line))).toEqual([
      { published: { topic: 'a/b', qos: 1, retain: false, octets: 2 } },
    ])
  })
})

describe('how it ends', () => {
  it('ends with 1 when the gateway refuses the connection', async () => {
    gateway.script = () => [{ type: 'connack', returnCode: 3 }]
    const terminal = new FakeTerminal()
    expect(await pub(terminal, '-t', 'a', '-m', 'x', '--json')).toBe(1)
    expect(JSON.parse(terminal.errors[0] ?? '')).toMatchObject({ error: 'rejected', returnCode: 3 })
  })

  it.each(['0', '1'])('ends with 1 when the gateway refuses the message at QoS %s', async (qos) => {
    const accept = acceptingGateway()
    gateway.script = (packet, heard) => {
      if (packet.type !== 'publish') return accept(packet, heard)
      return [{ type: 'puback', topicId: packet.topicId, msgId: packet.msgId, returnCode: 3 }]
    }
    expect(await pub(new FakeTerminal(), '--predefined', '5', '-m', 'x', '-q', qos)).toBe(1)
  })

  it('ends with 3 when nobody answers, and says that nobody listens', async () => {
    await gateway.close()
    const terminal = new FakeTerminal()
    expect(await pub(terminal, '-t', 'a', '-m', 'x', '--retry', '20ms', '--retries', '2')).toBe(3)
    expect(terminal.errors).toEqual([
      `${gateway.url}: nobody listens there; still trying`,
      'error: no answer to CONNECT, sent 3 times',
    ])
    gateway = await UdpPeer.open()
  })

  it.each([
    [['-m', 'x'], 'give one of --topic'],
    [['-t', 'a', '--short', 'ab', '-m', 'x'], 'give one of --topic'],
    [['-t', 'a'], 'give one of --message'],
    [['-t', 'a', '-m', 'x', '-l'], 'give one of --message'],
    [['-t', 'a', '-m', 'x', '-q', '3'], 'expected -1, 0, 1 or 2'],
    [['-t', 'a', '-m', 'x', '-q', '-1'], 'QoS -1 needs'],
    [['-t', 'a', '-m', 'x', '--will-qos', '1'], 'needs --will-topic'],
    [['-t', 'a', '-m', 'x', '--interval', 'soon'], 'expected a time'],
    [['-t', 'a', '-m', 'x', '--node-id', 'xyz'], 'expected octets in hex'],
    [['-t', 'a', '-m', 'x', '-g', 'mqtt://localhost'], 'expected udp://host:port'],
    [['--short', 'abc', '-m', 'x'], 'exactly 2 octets'],
    [['-t', 'a', '-f', '/does/not/exist'], 'no such file'],
    [['-t', 'a', '-m', 'x', '-k', '20h'], 'whole seconds'],
  ])('ends with 2 on wrong usage: %j', async (args, message) => {
    const terminal = new FakeTerminal()
    expect(await pub(terminal, ...args)).toBe(2)
    expect(terminal.errors.join('\n')).toContain(message)
  })

  it('does not end with 0 where nothing was published', async () => {
    const empty = new FakeTerminal([])
    expect(await pub(empty, '-t', 'a', '-l')).toBe(2)
    expect(empty.errors.join()).toContain('nothing was published')
    expect(await pub(new FakeTerminal(), '--short', 'ab', '-m', 'x', '--repeat', '0')).toBe(2)
    const help = new FakeTerminal()
    expect(await pub(help, '-t', 'a', '-m', 'x', '-h')).toBe(2)
    expect(help.errors.join()).toContain("option '-h, --host <name>' argument missing")
    await gateway.close()
    const nobody = new FakeTerminal()
    expect(await pub(nobody, '--short', 'ab', '-m', 'x', '-q', '-1')).toBe(3)
    expect(nobody.errors.join()).toContain('nobody listens there')
    gateway = await UdpPeer.open()
    expect(gateway.heard).toEqual([])
  })

  it('says DISCONNECT and ends with 130 at Ctrl-C', async () => {
    const terminal = new FakeTerminal()
    const running = pub(terminal, '--short', 'ab', '-m', 'x', '--repeat', '1000', '--interval', '1h')
    await gateway.next('publish')
    terminal.interrupt()
    expect(await running).toBe(130)
    expect(gateway.types()).toBe('connect publish disconnect')
  })
})
