// Modems and bridges that call the gateway: each connection is a line of its own, and nodes stay themselves behind whichever bridge.

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { peerKey } from '../../../src/session/peers.ts'
import { createFraming } from '../../../src/transport/framing/framing.ts'
import { openLine } from '../../../src/transport/line/line.ts'
import type { LineEvent } from '../../../src/transport/line/options.ts'
import type { Remote, Transport } from '../../../src/transport/transport.ts'

const M1 = Buffer.from('0a040401003c6d313335', 'hex')
const M2 = Buffer.from('0b0c62c0dbdc7e7d001113', 'hex')

const open: { close(): unknown }[] = []
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close()
})

async function server(
  parameters = '',
  more: Partial<Parameters<typeof openLine>[0]> = {},
  place = '127.0.0.1:0',
) {
  const heard: { hex: string; remote: Remote }[] = []
  const events: LineEvent[] = []
  const url = `tcp-listen://${place}?framing=slip${parameters}`
  const transport = await openLine({ url, onLine: (event) => events.push(event), ...more }, (bytes, remote) =>
    heard.push({ hex: Buffer.from(bytes).toString('hex'), remote }),
  )
  open.push(transport)
  return { transport, heard, events, port: Number(new URL(transport.url).port) }
}

/** A modem that has called: frames of what it sends and hears. */
async function modem(port: number, localAddress = '127.0.0.1') {
  const framing = createFraming('slip', { longest: 1472 })
  const socket: Socket = connect({ port, host: '127.0.0.1', localAddress })
  const heard: string[] = []
  socket.on('data', (bytes) => {
    for (const one of framing.push(bytes))
      if (one.fault === undefined) heard.push(Buffer.from(one.frame).toString('hex'))
  })
  socket.on('error', () => {})
  const ended = once(socket, 'close')
  await once(socket, 'connect')
  open.push({ close: () => socket.destroy() })
  return { socket, heard, ended, send: (bytes: Uint8Array) => socket.write(framing.encode(bytes)) }
}

const linkOf = (transport: Transport) => {
  const { link } = transport.stats()
  if (link === undefined) throw new Error('it tells of itself')
  return link
}

/** A message of this node behind a bridge [5.5]. */
const from = (node: number, message: Uint8Array) => Buffer.from([5, 0xfe, 0, node, 0, ...message])

describe('a TCP server for modems', () => {
  it('takes each that calls as a peer of its own, and answers it where it called from [LINK-GW-1]', async () => {
    const { transport, heard, port } = await server()
    const [one, other] = [await modem(port), await modem(port, '127.0.0.2')]
    one.send(M1)
    await expect.poll(() => heard).toHaveLength(1)
    other.send(M2)
    await expect.poll(() => heard).toHaveLength(2)
    expect(heard.map(({ remote }) => remote)).toEqual([
      { address: '127.0.0.1', port: one.socket.localPort },
      { address: '127.0.0.2', port: other.socket.localPort },
    ])
    for (const { remote, hex } of heard) transport.send(Buffer.from(hex, 'hex'), remote)
    await expect.poll(() => [one.heard, other.heard]).toEqual([[M1.toString('hex')], [M2.toString('hex')]])
    transport.broadcast(M1, 0)
    await expect.poll(() => [one.heard.length, other.heard.length]).toEqual([2, 2])
    expect(linkOf(transport)).toMatchObject({
      up: true,
      frames: { received: 2, sent: 4 },
      connections: { open: 2, refused: 0 },
    })
  })

  it('takes 16 at most, and another one when one has gone [LINK-ST-6]', async () => {
    const { transport, heard, events, port } = await server()
    const all = await Promise.all(Array.from({ length: 16 }, () => modem(port)))
    await expect.poll(() => linkOf(transport).connections).toEqual({ open: 16, refused: 0 })
    const late = await modem(port)
    await late.ended
    expect(linkOf(transport).connections).toEqual({ open: 16, refused: 1 })
    expect(events).toContainEqual({
      type: 'notice',
      level: 'warn',
      text: expect.stringContaining('16 connections'),
    })
    all[3]?.socket.destroy()
    await expect.poll(() => linkOf(transport).connections?.open).toBe(15)
    const next = await modem(port)
    next.send(M1)
    await expect.poll(() => heard).toHaveLength(1)
  })

  it('turns away who may not call, and tells of it [LINK-ST-6]', async () => {
    const refused: Remote[] = []
    const admitsHost = (address: string) => address === '127.0.0.1'
    const { transport, heard, port } = await server('', {
      admitsHost,
      onRefusedHost: (remote) => refused.push(remote),
    })
    const stranger = await modem(port, '127.0.0.9')
    stranger.send(M1)
    await stranger.ended
    expect(refused).toEqual([{ address: '127.0.0.9', port: expect.any(Number) }])
    const friend = await modem(port)
    friend.send(M2)
    await expect.poll(() => heard.map(({ hex }) => hex)).toEqual([M2.toString('hex')])
    expect(linkOf(transport).connections).toEqual({ open: 1, refused: 1 })
  })

  it('finds a node behind the bridge that last spoke for it, also on another connection [LINK-ST-6]', async () => {
    const { transport, heard, port } = await server('&node=encap')
    const first = await modem(port)
    first.send(from(2, M1))
    first.send(from(3, M1))
    await expect.poll(() => heard).toHaveLength(2)
    const remote = heard[0]?.remote ?? { address: '', port: 0 }
    expect(remote).toEqual({ address: 'bridge/127.0.0.1', port: 0 })
    const again = await modem(port)
    again.send(from(2, M2))
    await expect.poll(() => heard).toHaveLength(3)
    expect(heard[2]?.remote).toEqual(remote)
    for (const node of [2, 3]) transport.send(from(node, M1), remote)
    await expect
      .poll(() => [first.heard, again.heard])
      .toEqual([[from(3, M1).toString('hex')], [from(2, M1).toString('hex')]])
    first.socket.destroy()
    await expect.poll(() => linkOf(transport).connections?.open).toBe(1)
    transport.send(from(3, M2), remote)
    await expect.poll(() => again.heard).toHaveLength(2)
    again.socket.destroy()
    await expect.poll(() => linkOf(transport).connections?.open).toBe(0)
    transport.send(from(3, M2), remote)
    expect(transport.stats()).toMatchObject({ sendErrors: 1, link: { errors: { away: 1 } } })
  })

  it('finds a node by its link address, where the modem has some, behind the bridge that last spoke for it [LINK-ST-6, LINK-GW-1]', async () => {
    const heard: { hex: string; remote: Remote }[] = []
    const transport = await openLine({ url: 'tcp-listen://127.0.0.1:0?framing=aquila' }, (bytes, remote) =>
      heard.push({ hex: Buffer.from(bytes).toString('hex'), remote }),
    )
    open.push(transport)
    const port = Number(new URL(transport.url).port)
    const [first, second] = [await modem(port), await modem(port, '127.0.0.2')]
    const fromNode2 = Buffer.from('c0c83c05fe0102000a040401003c6d31333571d6c0', 'hex')
    first.socket.write(fromNode2)
    await expect.poll(() => heard).toHaveLength(1)
    second.socket.write(fromNode2)
    await expect.poll(() => heard).toHaveLength(2)
    expect(heard).toEqual([
      { hex: M1.toString('hex'), remote: { address: 'aquila/127.0.0.1/2', port: 0 } },
      { hex: M1.toString('hex'), remote: { address: 'aquila/127.0.0.2/2', port: 0 } },
    ])
    const keys = heard.map(({ remote }) => peerKey(0, remote.address, remote.port, undefined))
    expect(keys[0]).toBe(keys[1])
    const [before, now] = heard.map(({ remote }) => remote)
    if (before === undefined || now === undefined) throw new Error('both have spoken')
    transport.send(M1, now)
    await expect.poll(() => second.heard).toContain('05fe0102000a040401003c6d313335242d')
    expect(first.heard).not.toContain('05fe0102000a040401003c6d313335242d')
    expect(transport.room?.(now)).toBeGreaterThan(0)
  })

  it('keeps a room for each connection: one that is full holds up nobody else [LINK-PC-3]', async () => {
    const pace = { octetsPerSecond: 1, messages: 2 }
    const { transport, heard, port } = await server('', { pace, longest: 16 })
    const [busy, free] = [await modem(port), await modem(port)]
    busy.send(M1)
    await expect.poll(() => heard).toHaveLength(1)
    free.send(M1)
    await expect.poll(() => heard).toHaveLength(2)
    const [one, other] = heard.map(({ remote }) => remote)
    if (one === undefined || other === undefined) throw new Error('two have spoken')
    for (let i = 0; i < 10; i++) transport.send(M2, one)
    expect([transport.room?.(one), transport.room?.(other)]).toEqual([0, 1])
  })

  it('doubles FF with telnet=raw [LINK-FR-1]', async () => {
    const { transport, heard, port } = await server('&telnet=raw')
    const one = await modem(port)
    one.socket.write(Buffer.from('c0050c00ffffffffc0', 'hex'))
    await expect.poll(() => heard.map(({ hex }) => hex)).toEqual(['050c00ffff'])
    const raw: Buffer[] = []
    one.socket.on('data', (bytes) => raw.push(bytes))
    transport.send(Buffer.from('050c00ffff', 'hex'), heard[0]?.remote ?? { address: '', port: 0 })
    await expect.poll(() => Buffer.concat(raw).toString('hex')).toBe('c0050c00ffffffffc0')
  })

  it('says that its address is taken [LINK-ST-6]', async () => {
    const { port } = await server()
    await expect(server('', {}, `127.0.0.1:${port}`)).rejects.toMatchObject({ code: 'in-use' })
  })

  it('does not let one who calls again and again fill the log', async () => {
    const { transport, events, port } = await server()
    for (let i = 0; i < 40; i++) {
      const one = await modem(port)
      one.socket.destroy()
      await one.ended
    }
    await expect.poll(() => linkOf(transport).connections?.open).toBe(0)
    expect(events.length).toBeLessThanOrEqual(20)
    expect(events.at(-1)).toMatchObject({ text: expect.stringContaining('not told for a minute') })
  })
})
