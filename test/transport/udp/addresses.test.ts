// A listener on all addresses: answers leave from the address that was spoken to, of both families, as addresses come and go.

import { spawnSync } from 'node:child_process'
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import type { OnDatagram, Remote, Transport } from '../../../src/transport/transport.ts'
import { targetIn } from '../../../src/transport/udp/loopback.ts'
import { openUdp } from '../../../src/transport/udp/udp.ts'

const onLinux = process.platform === 'linux'
const portOf = (transport: Transport) => Number(/\d+$/.exec(transport.url)?.[0])

/** A sensor's socket that is connected: the system gives it only what comes from the very address it speaks to. */
async function connected(port: number, address: string): Promise<{ socket: Socket; heard: RemoteInfo[] }> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
  const heard: RemoteInfo[] = []
  socket.on('message', (_, remote) => heard.push(remote))
  socket.on('error', () => {})
  socket.connect(port, address)
  await once(socket, 'connect')
  return { socket, heard }
}

const ended: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ended.splice(0)) await end()
})

async function listen(url: string, bothFamilies = false, onDatagram: OnDatagram = () => {}) {
  const remotes: Remote[] = []
  const transport: Transport = await openUdp(
    { url, bothFamilies, receiveBuffer: 65_536 },
    (bytes, remote) => {
      remotes.push(remote)
      onDatagram(bytes, remote)
      transport.send(bytes, remote)
    },
  )
  ended.push(() => transport.close())
  return { transport, remotes, port: portOf(transport) }
}

describe.skipIf(!onLinux)('a UDP listener on all addresses', () => {
  it.each(['127.0.0.1', '127.0.0.2', '127.0.0.3', '127.0.1.1', '127.200.3.4'])(
    'answers a connected sensor from %s, where it was spoken to',
    async (address) => {
      const { port } = await listen('udp://0.0.0.0:0')
      const sensor = await connected(port, address)
      ended.push(() => sensor.socket.close())
      for (let sent = 1; sent <= 3; sent += 1) {
        sensor.socket.send(Uint8Array.of(2, 0x16))
        await expect.poll(() => sensor.heard.length).toBe(sent)
      }
      expect(new Set(sensor.heard.map((each) => each.address))).toEqual(new Set([address]))
    },
  )

  it('answers many sensors at once, each from the address it speaks to, also what is sent later', async () => {
    const { transport, remotes, port } = await listen('udp://0.0.0.0:0')
    const addresses = Array.from({ length: 40 }, (_, i) => `127.0.0.${1 + (i % 5)}`)
    const sensors = await Promise.all(addresses.map((address) => connected(port, address)))
    for (const { socket } of sensors) ended.push(() => socket.close())
    // one after the other, since the first datagram to an address that no interface lists is looked up
    for (const { socket, heard } of sensors) {
      socket.send(Uint8Array.of(2, 0x16))
      await expect.poll(() => heard.length).toBe(1)
    }
    for (const remote of remotes) transport.send(Uint8Array.of(2, 0x17), remote)
    await expect.poll(() => sensors.map(({ heard }) => heard.length)).toEqual(addresses.map(() => 2))
    expect(sensors.map(({ heard }) => heard[1]?.address)).toEqual(addresses)
  })

  it('on [::] serves the addresses of IPv4 too, written as those of IPv4', async () => {
    const { remotes, port, transport } = await listen('udp://[::]:0', true)
    for (const address of ['127.0.0.1', '127.0.0.4', '::1']) {
      const sensor = await connected(port, address)
      ended.push(() => sensor.socket.close())
      sensor.socket.send(Uint8Array.of(2, 0x16))
      await expect.poll(() => sensor.heard.map((each) => each.address)).toEqual([address])
    }
    expect(remotes.map(({ address }) => address)).toEqual(['127.0.0.1', '127.0.0.1', '::1'])
    expect(transport.stats().sendErrors).toBe(0)
  })

  it('is refused a port that any other program has, and takes it alone', async () => {
    const first = await listen('udp://0.0.0.0:0')
    for (const url of [`udp://0.0.0.0:${first.port}`, `udp://127.0.0.1:${first.port}`]) {
      await expect(openUdp({ url, receiveBuffer: 65_536 }, () => {})).rejects.toMatchObject({
        code: 'in-use',
      })
    }
    const both = openUdp(
      { url: `udp://[::]:${first.port}`, bothFamilies: true, receiveBuffer: 65_536 },
      () => {},
    )
    await expect(both).rejects.toMatchObject({ code: 'in-use' })
    await first.transport.close()
    await (await listen(`udp://[::]:${first.port}`, true)).transport.close()
    await listen(`udp://0.0.0.0:${first.port}`) // nothing of it was left open
  })

  it('counts what the kernel drops at the sockets of all addresses', async () => {
    const { transport, port } = await listen('udp://0.0.0.0:0')
    const sensor = await connected(port, '127.0.0.1')
    ended.push(() => sensor.socket.close())
    // with a numeric address node:dgram hands each datagram to the system at once, while nobody reads
    for (let sent = 0; sent < 3000; sent += 1) sensor.socket.send(new Uint8Array(20))
    await expect.poll(() => transport.stats().kernelDrops ?? 0, { timeout: 5000 }).toBeGreaterThan(0)
  })

  const haveNetns = spawnSync('unshare', ['-Urn', 'ip', 'link', 'set', 'lo', 'up']).status === 0

  it.skipIf(!haveNetns)(
    'follows addresses that are added and removed while it runs',
    () => {
      const program = fileURLToPath(new URL('changing-addresses.ts', import.meta.url))
      const { stdout, stderr } = spawnSync(
        'unshare',
        ['-Urn', process.execPath, '--import', 'tsx', program],
        { encoding: 'utf8', timeout: 30_000 },
      )
      expect({ stderr, steps: stdout.trim().split('\n') }).toEqual({
        stderr: '',
        steps: [
          'before: 10.9.0.1 answers as 10.9.0.1',
          'added: 10.9.0.2 answers as 10.9.0.2',
          'added: fd09::2 answers as fd09::2',
          'before: 10.9.0.1 answers as 10.9.0.1',
          'removed: 10.9.0.2 is silent',
          'again: 10.9.0.2 answers as 10.9.0.2',
        ],
      })
    },
    40_000,
  )
})

describe.skipIf(!onLinux)("the system's table of sockets", () => {
  it('tells where a socket of this machine is connected to', () => {
    const row = (local: string, remote: string) => `  12: ${local} ${remote} 01 00000000:00000000 0 0 0 0 7\n`
    const table =
      row('0100007F:1000', '00000000:0000') +
      row('0100007F:1001', '0300007F:075D') + // another port
      row('0100007F:1001', '0300007F:075C') +
      row('0100007F:1002', '0200000A:075C') // not a loopback address
    const target = (port: number) => targetIn(table, { address: '127.0.0.1', port }, 1884)
    expect([0x1000, 0x1001, 0x1002, 0x1003].map(target)).toEqual([
      undefined,
      '127.0.0.3',
      undefined,
      undefined,
    ])
  })
})
