// Radios on the command line: the demo with one, and a sensor with an XBee module of its own.

import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { openLineTransport, parseLink } from '../../src/cli/sensor/line-transport.ts'
import { createApiFrames } from '../../src/transport/framing/api-frames.ts'
import { hexOf } from '../support/octets.ts'
import { hasSocat } from '../support/ptys.ts'
import { run } from './compiled.ts'

describe('mqttsn demo --radio', () => {
  const args = ['demo', '--radio', '--port', '0', '--console', '127.0.0.1:0', '--duration', '15s']

  /** One of both is enough: the air loses some. */
  const ARRIVED = /office +received +(?:thermometer\/radio-1|meter\/radio-2)\//

  it.skipIf(!hasSocat)('has sensors on a simulated radio at a serial line (socat)', async () => {
    const { stdout } = await run(args)
    expect(stdout).toContain('radio-1 and radio-2 are on a simulated XBee network at 9,600 baud')
    expect(stdout).toMatch(ARRIVED)
  })

  it('says that it does without a serial line where there is no socat', async () => {
    const { stdout } = await run(args, { env: { PATH: '/nowhere' } })
    expect(stdout).toContain('behind TCP, as there is no "socat"')
    expect(stdout).toMatch(ARRIVED)
  })
})

describe('a sensor with an XBee module', () => {
  it('speaks to the coordinator', async ({ onTestFinished }) => {
    let connected: (socket: Socket) => void = () => {}
    const connection = new Promise<Socket>((resolve) => {
      connected = resolve
    })
    const server = createServer((socket) => connected(socket)).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : 0
    const transport = await openLineTransport(`tcp://127.0.0.1:${port}?framing=xbee`)
    onTestFinished(() => transport.close())
    const socket = await connection
    onTestFinished(() => void socket.destroy())
    const frames = createApiFrames({ longest: 200, escaped: true })
    const heard: string[] = []
    socket.on('data', (octets) => {
      for (const one of frames.push(octets)) if (one.fault === undefined) heard.push(hexOf(one.frame))
    })
    transport.send(Uint8Array.of(3, 1, 0))
    await expect
      .poll(() => heard.find((frame) => frame.startsWith('10')))
      .toMatch(/^10 .. 00 00 00 00 00 00 00 00 ff fe 00 00 03 01 00$/)
  })

  it('is told of lines that only gateways have', () => {
    expect(parseLink('xbee:///dev/ttyUSB0')).toBe('xbee:///dev/ttyUSB0')
    for (const url of [
      'serial:///dev/ttyUSB0?framing=aquila',
      'loralink:///dev/ttyUSB0',
      'tcp-listen://0.0.0.0:1?framing=slip',
    ])
      expect(() => parseLink(url)).toThrow('for gateways')
  })
})
