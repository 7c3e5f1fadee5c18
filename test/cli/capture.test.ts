// `mqttsn capture` at a real gateway with its console; tshark reads what it wrote.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BlockSplitter } from '../../src/cli/capture/blocks.ts'
import { captureCommand } from '../../src/cli/capture.ts'
import { pcapngHeader, pcapngPacket } from '../../src/console/capture/pcapng.ts'
import { freshName, until } from '../support/gateway.ts'
import { type LiveGateway, startLiveGateway } from '../support/live-gateway.ts'
import { FakeTerminal } from '../support/sensor.ts'
import { haveTshark } from '../support/tshark.ts'

const TOKEN = 'a-token-for-this-test'
let live: LiveGateway
let directory: string
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'capture-'))
  live = await startLiveGateway(TOKEN)
})
afterAll(async () => {
  rmSync(directory, { recursive: true })
  await live.stop()
})

const freshFile = () => join(directory, `${freshName()}.pcapng`)

/** Starts it and waits until it records. */
async function capture(...args: string[]) {
  const terminal = new FakeTerminal()
  const file = freshFile()
  const ended = terminal.run(
    captureCommand(terminal),
    ...['-w', file, '--url', live.url, '--token', TOKEN, ...args],
  )
  await until(() => terminal.errors.length > 0)
  return { terminal, file, ended }
}

function packetsIn(file: string): number {
  const splitter = new BlockSplitter()
  splitter.push(readFileSync(file))
  return splitter.packets
}

/** What tshark reads, a line for each packet. */
function read(file: string, ...fields: string[]): string[] {
  const { port } = new URL(live.test.url())
  const options = [
    '-d',
    `udp.port==${port},mqttsn`,
    '-T',
    'fields',
    ...fields.flatMap((field) => ['-e', field]),
  ]
  const text = execFileSync('tshark', ['-n', '-r', file, ...options], { stdio: ['ignore', 'pipe', 'ignore'] })
  return text.toString().trimEnd().split('\n')
}

describe.runIf(haveTshark)('what is captured', () => {
  it('is read by tshark as MQTT-SN, with the sensor’s own address, and nobody else’s packets', async () => {
    const [sensor, other] = [await live.test.connected(), await live.test.connected()]
    const { file, terminal, ended } = await capture('--sensor', sensor.clientId, '-n', '4')
    await other.ping()
    await sensor.publish('t/temp', '21', { qos: 1 })
    expect(await ended).toBe(0)
    expect(terminal.errors[1]).toMatch(/^4 packets, [\d.]+ (B|KiB)$/)
    const { port } = new URL(live.test.url())
    expect(terminal.errors[0]).toBe(
      `capturing; Ctrl-C ends it. To read it: tshark -r ${file} -d udp.port==${port},mqttsn`,
    )
    expect(read(file, 'udp.dstport', 'mqttsn.msg.type', '_ws.malformed', 'frame.comment')).toEqual([
      expect.stringMatching(new RegExp(`^${port}\t0x0a\t\t${sensor.clientId}: REGISTER t/temp on `)),
      expect.stringMatching(/^\d+\t0x0b\t\t.*: REGACK/),
      expect.stringMatching(new RegExp(`^${port}\t0x0c\t\t.*: PUBLISH t/temp on `)),
      expect.stringMatching(/^\d+\t0x0d\t\t.*: PUBACK/),
    ])
  })

  it('is a whole file at Ctrl-C, after --duration, and when the gateway goes away', async () => {
    const sensor = await live.test.connected()
    const interrupted = await capture()
    await sensor.ping()
    await until(() => packetsIn(interrupted.file) >= 2)
    interrupted.terminal.interrupt()
    expect(await interrupted.ended).toBe(0)
    expect(read(interrupted.file, 'mqttsn.msg.type').slice(0, 2)).toEqual(['0x16', '0x17'])

    const short = await capture('--duration', '50ms')
    expect(await short.ended).toBe(0)
    expect(short.terminal.errors[1]).toMatch(/^0 packets/)
    expect(read(short.file, 'mqttsn.msg.type')).toEqual([''])

    const ending = await capture()
    await live.stopConsole()
    expect(await ending.ended).toBe(0)
    expect(ending.terminal.errors[1]).toBe('the gateway ended the capture')
    await live.restart()
  })
})

it('keeps the whole blocks, and ends with 3, when the connection breaks in the middle', async () => {
  const block = pcapngPacket(
    {
      ...{ at: 0, direction: 'sent', clientId: 'a', address: '::1', port: 1, listener: 'l' },
      ...{ bytes: Uint8Array.of(2, 0x17), type: 'PINGRESP', topic: undefined, lines: [], repeated: false },
      ...{ text: '', refused: undefined },
    },
    { address: '::1', port: 1884 },
  )
  const whole = Buffer.concat([pcapngHeader(), block])
  const file = freshFile()
  const server: Server = createServer((request, response) => {
    if (request.url === '/api/listeners') return void response.end('[]')
    response.write(Buffer.concat([whole, block.subarray(0, 20)]))
    void until(() => existsSync(file) && statSync(file).size > 0).then(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const terminal = new FakeTerminal()
  expect(await terminal.run(captureCommand(terminal), '-w', file, '--url', url)).toBe(3)
  expect(readFileSync(file).equals(whole)).toBe(true)
  expect(terminal.errors.slice(1)).toEqual([
    `1 packet, ${whole.length} B`,
    'error: the gateway is lost; what came before is kept',
  ])
  await new Promise((resolve) => server.close(resolve))
})

it('keeps the file from others, and an earlier capture from a wrong token', async () => {
  const { file, ended } = await capture('--duration', '10ms')
  await ended
  expect(statSync(file).mode & 0o777).toBe(0o600)
  writeFileSync(file, 'precious')
  const terminal = new FakeTerminal()
  expect(
    await terminal.run(captureCommand(terminal), '-w', file, '--url', live.url, '--token', 'wrong'),
  ).toBe(1)
  expect(readFileSync(file, 'utf8')).toBe('precious')
})

it('ends with 1 for a sensor that is not there, 2 on wrong usage, 3 where nobody answers', async () => {
  const run = async (...args: string[]) => {
    const terminal = new FakeTerminal()
    await terminal.run(captureCommand(terminal), '--token', TOKEN, ...args)
    return [terminal.code, terminal.errors.join('\n')]
  }
  const file = freshFile()
  expect(await run('-w', file, '--url', live.url, '--sensor', 'nobody')).toEqual([
    1,
    'error: the gateway knows no sensor nobody; --wait waits for it',
  ])
  expect(existsSync(file)).toBe(false)
  expect(await run('--url', live.url)).toEqual([2, expect.stringContaining('required option')])
  expect(await run('-w', join(directory, 'no', 'where'), '--url', live.url)).toEqual([
    2,
    expect.stringContaining('ENOENT'),
  ])
  const { port } = new URL(live.test.url()) // of UDP: nobody has it in TCP
  expect(await run('-w', file, '--url', `http://127.0.0.1:${port}`)).toEqual([
    3,
    expect.stringContaining('nobody listens there'),
  ])
})

it('takes a capture apart at its blocks, and refuses what is none', () => {
  const header = Buffer.from(pcapngHeader())
  const splitter = new BlockSplitter()
  const pieces = [...header].map((octet) => splitter.push(Uint8Array.of(octet)).length)
  expect(pieces.filter((length) => length > 0)).toHaveLength(2)
  expect(splitter.octets).toBe(header.length)
  expect(() => new BlockSplitter().push(Buffer.from('<!doctype html><html>'))).toThrow('no capture')
  const endless = Buffer.from(header)
  endless.writeUInt32LE(0x7fffffff, 4)
  expect(() => new BlockSplitter().push(endless)).toThrow('no capture')
})
