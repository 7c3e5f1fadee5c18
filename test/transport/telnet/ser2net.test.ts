// Device servers for real: ser2net on a pseudo terminal, as plain TCP, with Telnet and with RFC 2217.

import { execFileSync } from 'node:child_process'
import { afterEach, describe, expect, it } from 'vitest'
import { openLine } from '../../../src/transport/line/line.ts'
import type { LineEvent } from '../../../src/transport/line/options.ts'
import { hasSocat, PtyPair } from '../../support/ptys.ts'
import { hasSer2net, startSer2net } from '../../support/ser2net.ts'

const ANYWHERE = { address: 'somewhere', port: 0 }
/** every octet there is, FF and other signs of Telnet among them */
const ALL = Buffer.from([
  1,
  1,
  6,
  12,
  ...Array.from({ length: 256 }, (_, octet) => octet),
  ...new Uint8Array(256).fill(0xff),
  13,
  0,
])
const M1 = Buffer.from('0a040401003c6d313335', 'hex')

const open: { close(): unknown }[] = []
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close()
})

async function line(url: string) {
  const heard: string[] = []
  const events: LineEvent[] = []
  const transport = await openLine({ url, onLine: (event) => events.push(event) }, (bytes) =>
    heard.push(Buffer.from(bytes).toString('hex')),
  )
  open.push(transport)
  return { transport, heard, events }
}

/** What is set at a terminal, as stty says it. */
const settingsOf = (device: string): string => execFileSync('stty', ['-F', device, '-a']).toString()

async function behindServer(
  accepter: Parameters<typeof startSer2net>[1],
  parameters: string,
  framing = 'slip',
) {
  ALL.writeUInt16BE(ALL.length, 1)
  const ptys = await PtyPair.open()
  open.push(ptys)
  const server = await startSer2net(ptys.near, accepter)
  open.push(server)
  const node = await line(`serial://${ptys.far}?framing=${framing}`)
  const gateway = await line(
    `tcp://127.0.0.1:${server.port}?framing=${framing}&reopen=50ms..200ms${parameters}`,
  )
  return { ptys, server, node, gateway }
}

describe.skipIf(!hasSocat || !hasSer2net)('a device server (ser2net, socat)', { timeout: 30_000 }, () => {
  it.each([
    ['tcp', ''],
    ['telnet', '&telnet=raw'],
    ['telnet(rfc2217)', '&telnet=rfc2217'],
    ['telnet', '&telnet=rfc2217'],
  ] as const)('carries all octets both ways: %s %s [LINK-ST-5, LINK-FR-1]', async (accepter, parameters) => {
    const { node, gateway } = await behindServer(accepter, parameters)
    // what is sent before its port is there is lost, as on any wire
    await expect
      .poll(
        () => {
          if (node.heard.length === 0) gateway.transport.send(M1, ANYWHERE)
          return node.heard.length
        },
        { timeout: 10_000, interval: 200 },
      )
      .toBeGreaterThan(0)
    gateway.transport.send(ALL, ANYWHERE)
    await expect.poll(() => node.heard.at(-1), { timeout: 10_000 }).toBe(ALL.toString('hex'))
    node.transport.send(ALL, ANYWHERE)
    node.transport.send(M1, ANYWHERE)
    await expect
      .poll(() => gateway.heard, { timeout: 10_000 })
      .toEqual([ALL.toString('hex'), M1.toString('hex')])
  })

  it('sets the port with RFC 2217, and says nothing when it is set as it should be [LINK-ST-5]', async () => {
    const { ptys, gateway } = await behindServer('telnet(rfc2217)', '&telnet=rfc2217&baud=57600&stop=2')
    await expect
      .poll(() => settingsOf(ptys.near), { timeout: 10_000 })
      .toMatch(/speed 57600 baud[\s\S]* cstopb/)
    expect(gateway.events.map(({ type }) => type)).toEqual(['up'])
  })

  it('says that a server does not know RFC 2217, and works on', async () => {
    const { node, gateway } = await behindServer('telnet', '&telnet=rfc2217&baud=57600')
    await expect
      .poll(() => gateway.events.filter(({ type }) => type === 'notice'), { timeout: 10_000 })
      .toMatchObject([{ level: 'warn', text: expect.stringContaining('does not take RFC 2217') }])
    gateway.transport.send(M1, ANYWHERE)
    await expect.poll(() => node.heard, { timeout: 10_000 }).toContain(M1.toString('hex'))
  })
})
