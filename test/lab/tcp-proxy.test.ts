// The way that chaos cuts: open, refused, silent.

import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { freePort } from '../../lab/processes.ts'
import { TcpProxy } from '../../lab/tcp-proxy.ts'

/** for a machine that is busy with other things */
const TIMEOUT = 30_000

/** A server that says back what it hears, behind a proxy. */
async function startEcho(): Promise<{ proxy: TcpProxy; sockets: Set<Socket> }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    socket.pipe(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const to = typeof address === 'object' ? (address?.port ?? 0) : 0
  const proxy = await TcpProxy.open(await freePort(), to)
  onTestFinished(async () => {
    await proxy.close()
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { proxy, sockets }
}

async function dial(port: number): Promise<{ socket: Socket; heard(): string; isClosed(): boolean }> {
  const socket = connect(port, '127.0.0.1')
  let text = ''
  let isClosed = false
  socket.on('data', (chunk) => {
    text += chunk
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    isClosed = true
  })
  onTestFinished(() => {
    socket.destroy()
  })
  await once(socket, 'connect')
  return { socket, heard: () => text, isClosed: () => isClosed }
}

describe('the way that chaos cuts', { timeout: TIMEOUT }, () => {
  it('carries what is said, in both directions, to the last word', async () => {
    const { proxy, sockets } = await startEcho()
    const { socket, heard, isClosed } = await dial(proxy.port)
    socket.end('a question')
    await expect.poll(isClosed, { timeout: TIMEOUT }).toBe(true)
    expect(heard()).toBe('a question')
    await expect.poll(() => sockets.size, { timeout: TIMEOUT }).toBe(0)
  })

  it('cuts all connections and refuses new ones, until it is open again', async () => {
    const { proxy } = await startEcho()
    const before = await dial(proxy.port)
    await proxy.set('refused')
    await expect.poll(before.isClosed, { timeout: TIMEOUT }).toBe(true)
    await expect(dial(proxy.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await proxy.set('open')
    const after = await dial(proxy.port)
    after.socket.write('again')
    await expect.poll(after.heard, { timeout: TIMEOUT }).toBe('again')
  })

  it('keeps connections while it is silent, and carries what was said meanwhile when it is open again', async () => {
    const { proxy, sockets } = await startEcho()
    const old = await dial(proxy.port)
    old.socket.write('one ')
    await expect.poll(old.heard, { timeout: TIMEOUT }).toBe('one ')
    await proxy.set('silent')
    old.socket.write('two')
    const young = await dial(proxy.port)
    young.socket.write('three')
    // another way to the same server works, and has been answered: so these would have been
    const other = await TcpProxy.open(await freePort(), sockets.values().next().value?.localPort ?? 0)
    onTestFinished(() => other.close())
    const witness = await dial(other.port)
    witness.socket.write('here')
    await expect.poll(witness.heard, { timeout: TIMEOUT }).toBe('here')
    expect([old.heard(), young.heard(), old.isClosed()]).toEqual(['one ', '', false])
    await proxy.set('open')
    await expect.poll(old.heard, { timeout: TIMEOUT }).toBe('one two')
    await expect.poll(young.heard, { timeout: TIMEOUT }).toBe('three')
  })

  it('hides from either end that the other is gone while it is silent', async () => {
    const { proxy, sockets } = await startEcho()
    const client = await dial(proxy.port)
    client.socket.write('here')
    await expect.poll(client.heard, { timeout: TIMEOUT }).toBe('here')
    await proxy.set('silent')
    const [far] = sockets
    far?.resetAndDestroy()
    await expect.poll(() => sockets.size, { timeout: TIMEOUT }).toBe(0)
    expect(client.isClosed()).toBe(false)
    await proxy.set('open')
    await expect.poll(client.isClosed, { timeout: TIMEOUT }).toBe(true)
  })
})
