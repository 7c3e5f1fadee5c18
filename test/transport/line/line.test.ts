// Lines over real pseudo terminals and real TCP: what a link does that is a stream of octets, and may go and come back.

import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { openLine } from '../../../src/transport/line/line.ts'
import type { LineEvent } from '../../../src/transport/line/options.ts'
import type { Transport } from '../../../src/transport/transport.ts'
import { hasSocat, PtyPair } from '../../support/ptys.ts'

const M1 = Buffer.from('0a040401003c6d313335', 'hex')
const M2 = Buffer.from('0b0c62c0dbdc7e7d001113', 'hex')
const ANYWHERE = { address: 'somewhere', port: 0 }

const open: { close(): unknown }[] = []
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close()
})

/** An end of a line with all that it was told. */
async function line(url: string, more: Partial<Parameters<typeof openLine>[0]> = {}) {
  const heard: string[] = []
  const events: LineEvent[] = []
  const transport = await openLine({ url, onLine: (event) => events.push(event), ...more }, (bytes) =>
    heard.push(Buffer.from(bytes).toString('hex')),
  )
  open.push(transport)
  return { transport, heard, events }
}

const linkOf = (transport: Transport) => {
  const { link } = transport.stats()
  if (link === undefined) throw new Error('a line tells of itself')
  return link
}

describe.skipIf(!hasSocat)('a serial line (socat)', () => {
  async function pair(framing: string) {
    const ptys = await PtyPair.open()
    open.push(ptys)
    const near = await line(`serial://${ptys.near}?framing=${framing}&reopen=20ms..100ms`)
    const far = await line(`serial://${ptys.far}?framing=${framing}&reopen=20ms..100ms`)
    return { ptys, near, far }
  }

  it.each(['slip', 'cobs', 'hdlc', 'length', 'slip&crc=x25'])(
    'carries messages of all octets both ways with %s [LINK-FR-1]',
    async (framing) => {
      const { near, far } = await pair(framing)
      const all = Buffer.from([1, 1, 4, 12, ...Array.from({ length: 256 }, (_, octet) => octet)])
      near.transport.send(all, ANYWHERE)
      near.transport.send(M2, ANYWHERE)
      far.transport.send(M1, ANYWHERE)
      await expect.poll(() => far.heard).toEqual([all.toString('hex'), M2.toString('hex')])
      await expect.poll(() => near.heard).toEqual([M1.toString('hex')])
      expect(linkOf(near.transport)).toMatchObject({ up: true, frames: { received: 1, sent: 2 }, queue: 0 })
    },
  )

  it('comes back after it was unplugged, and joins nothing of before to what comes after [LINK-ST-2, LINK-ST-3]', async () => {
    const { ptys, near, far } = await pair('slip')
    far.transport.send(M1, ANYWHERE)
    await expect.poll(() => near.heard).toHaveLength(1)
    await ptys.unplug()
    await expect.poll(() => near.events.map(({ type }) => type)).toEqual(['up', 'away'])
    near.transport.send(M1, ANYWHERE)
    expect(linkOf(near.transport)).toMatchObject({ up: false, errors: { away: 1 } })
    await ptys.plug()
    await expect.poll(() => near.events.map(({ type }) => type)).toEqual(['up', 'away', 'up'])
    await expect.poll(() => linkOf(far.transport).up).toBe(true)
    far.transport.send(M2, ANYWHERE)
    await expect.poll(() => near.heard).toEqual([M1, M2].map((one) => one.toString('hex')))
  })

  it('starts without the device and takes it when it comes [LINK-ST-1]', async () => {
    const ptys = await PtyPair.open()
    open.push(ptys)
    await ptys.unplug()
    const near = await line(`serial://${ptys.near}?framing=slip&reopen=20ms..50ms`)
    expect(near.events).toMatchObject([{ type: 'away', error: { code: 'not-available' } }])
    await ptys.plug()
    await expect.poll(() => near.events.map(({ type }) => type)).toEqual(['away', 'up'])
  })

  it('with strict=on a device that is not there is an error, which says what to look at [LINK-ST-1]', async () => {
    const url = 'serial:///dev/no-such-device?framing=slip&strict=on'
    await expect(line(url)).rejects.toThrow(/cannot open \/dev\/no-such-device: there is no such device/)
    await expect(line('serial:///dev/null?framing=slip&strict=on')).rejects.toThrow(/no serial device/)
  })

  it('two gateways on one line is an error [LINK-ST-1]', async () => {
    const { ptys } = await pair('slip')
    await expect(line(`serial://${ptys.near}?framing=slip&strict=on`)).rejects.toMatchObject({
      code: 'in-use',
      message: expect.stringContaining('another gateway uses this line'),
    })
  })

  it('shows what a node prints between its messages, and takes the message after it [LINK-FR-1]', async () => {
    const ptys = await PtyPair.open()
    open.push(ptys)
    const near = await line(`serial://${ptys.near}?framing=slip`)
    await writeFile(
      ptys.far,
      Buffer.concat([Buffer.from('\nboot 1.2 ready\r'), Buffer.from([0xc0, ...M1, 0xc0])]),
    )
    await expect.poll(() => near.heard).toEqual([M1.toString('hex')])
    expect(linkOf(near.transport)).toMatchObject({ errors: { noise: 1 }, noise: '\nboot 1.2 ready.' })
  })

  it('holds its rate of octets per second, and lets answers overtake [LINK-PC-1, LINK-PC-2]', async () => {
    const ptys = await PtyPair.open()
    open.push(ptys)
    const pace = { octetsPerSecond: 400 }
    const near = await line(`serial://${ptys.near}?framing=length`, { longest: 64, pace })
    const far = await line(`serial://${ptys.far}?framing=length`)
    const publish = Buffer.alloc(50)
    publish.set([50, 0x0c, 0x20])
    const puback = Buffer.from('070d0001000100', 'hex')
    const begun = performance.now()
    for (let i = 0; i < 6; i++) near.transport.send(publish, ANYWHERE)
    near.transport.send(puback, ANYWHERE)
    await expect.poll(() => far.heard).toHaveLength(7)
    // 307 octets, of which 136 may leave at once
    expect(performance.now() - begun).toBeGreaterThan(400)
    expect(far.heard.indexOf(puback.toString('hex'))).toBeLessThan(4)
  })
})

describe('a line over TCP', () => {
  /** A device server: what it hears, and its connections. */
  async function deviceServer(port = 0) {
    const sockets: Socket[] = []
    const server: Server = createServer((socket) => sockets.push(socket.on('error', () => {})))
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const close = () => {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(resolve))
    }
    const both = { sockets, close, port: typeof address === 'object' ? (address?.port ?? 0) : 0 }
    open.push({ close: () => (server.listening ? close() : undefined) })
    return both
  }

  it('connects, and connects again when the other side has gone [LINK-ST-5, LINK-ST-2]', async () => {
    const server = await deviceServer()
    const url = `tcp://127.0.0.1:${server.port}?framing=hdlc&reopen=20ms..100ms`
    const near = await line(url)
    await expect.poll(() => server.sockets).toHaveLength(1)
    server.sockets[0]?.write(Buffer.from('7e0a040401003c6d313335ed737e', 'hex'))
    await expect.poll(() => near.heard).toEqual([M1.toString('hex')])
    await server.close()
    await expect.poll(() => near.events.map(({ type }) => type)).toEqual(['up', 'away'])
    const again = await deviceServer(server.port)
    await expect.poll(() => again.sockets).toHaveLength(1)
    near.transport.send(M2, ANYWHERE)
    const [octets] = await once(again.sockets[0] as Socket, 'data')
    expect(octets.toString('hex')).toBe('7e0b0c62c0dbdc7d5e7d5d0011137d5e4d7e')
  })

  it('counts what it cannot send and goes on [LINK-GW-2]', async () => {
    const server = await deviceServer()
    const near = await line(`tcp://127.0.0.1:${server.port}?framing=slip`, { longest: 20 })
    near.transport.send(Buffer.alloc(21), ANYWHERE)
    expect(near.transport.stats()).toMatchObject({ sendErrors: 1, link: { errors: { oversized: 1 } } })
    await Promise.all([near.transport.close(), near.transport.close()])
    near.transport.send(M1, ANYWHERE)
    near.transport.broadcast(M1, 0)
    expect(near.transport.stats().sendErrors).toBe(2)
  })

  it('sends what waits before it closes, for a second at most [LINK-ST-7]', async () => {
    const server = await deviceServer()
    const pace = { octetsPerSecond: 100 }
    const near = await line(`tcp://127.0.0.1:${server.port}?framing=length`, { longest: 16, pace })
    for (let i = 0; i < 30; i++) near.transport.send(M1, ANYWHERE)
    const begun = performance.now()
    await near.transport.close()
    expect(performance.now() - begun).toBeLessThan(1900)
  })

  it('never holds more than its bounds, and gives up QoS 0 first [LINK-PC-2]', async () => {
    const server = await deviceServer()
    const pace = { octetsPerSecond: 1, messages: 4, octets: 8192 }
    const near = await line(`tcp://127.0.0.1:${server.port}?framing=length`, { longest: 10, pace })
    for (let i = 0; i < 20; i++) near.transport.send(Buffer.from('080c000001000041', 'hex'), ANYWHERE)
    expect(near.transport.room?.()).toBe(0)
    const { queue, errors } = linkOf(near.transport)
    expect({ queue, full: errors.full }).toEqual({ queue: 4, full: 13 })
    for (let i = 0; i < 4; i++) near.transport.send(Buffer.from('070d0001000100', 'hex'), ANYWHERE)
    expect(linkOf(near.transport)).toMatchObject({ queue: 4, errors: { full: 17 } })
  })
})
