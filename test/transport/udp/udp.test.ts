// UDP on the loopback interface: addresses, errors, buffers.

import { existsSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import { TransportError } from '../../../src/transport/error.ts'
import type { OnDatagram, Remote, Transport } from '../../../src/transport/transport.ts'
import { openUdp } from '../../../src/transport/udp/udp.ts'
import { openEndpoint } from '../../support/endpoint.ts'
import { transportContract } from '../contract.ts'

const MiB = 1024 * 1024
const portOf = (transport: Transport) => Number(/\d+$/.exec(transport.url)?.[0])

for (const host of ['127.0.0.1', '::1']) {
  const literal = host === '::1' ? '[::1]' : host
  transportContract(`UDP on ${host}`, {
    open: (onDatagram, url = `udp://${literal}:0`) => openUdp({ url, receiveBuffer: MiB }, onDatagram),
    async far(transport) {
      const end = await openEndpoint(host)
      return {
        send: (bytes) => end.send(bytes, portOf(transport), host),
        next: async () => (await end.next()).bytes,
        close: () => end.close(),
      }
    },
    unreachable: [
      { address: host === '::1' ? '127.0.0.1' : '::1', port: 1884 },
      { address: 'gateway.example', port: 1884 },
      { address: host, port: 0 },
      { address: host, port: 70_000 },
    ],
    longest: host === '::1' ? 65_527 : 65_507,
  })
}

describe('a UDP listener', () => {
  const open: { close(): Promise<void> }[] = []
  afterEach(async () => {
    for (const each of open.splice(0)) await each.close()
  })

  async function listen(url: string, onDatagram: OnDatagram = () => {}, receiveBuffer = MiB) {
    const transport = await openUdp({ url, receiveBuffer }, onDatagram)
    open.push(transport)
    return transport
  }

  const failure = async (url: string) => {
    const error = await openUdp({ url, receiveBuffer: MiB }, () => {}).then(
      async (transport) => {
        await transport.close()
        return undefined
      },
      (reason: unknown) => reason,
    )
    expect(error).toBeInstanceOf(TransportError)
    return error as TransportError
  }

  it('reports the sensor by numeric address and port', async () => {
    const seen: Remote[] = []
    const transport = await listen('udp://127.0.0.1:0', (_, remote) => seen.push(remote))
    const sensor = await openEndpoint('127.0.0.1')
    open.push(sensor)
    await sensor.send(Uint8Array.of(1), portOf(transport), '127.0.0.1')
    await expect.poll(() => seen.length).toBe(1)
    expect(seen[0]).toMatchObject({ address: '127.0.0.1', port: sensor.port })
  })

  it('serves IPv4 and IPv6 side by side on one port, each with its own socket', async () => {
    const seen: string[] = []
    const six = await listen('udp://[::]:0', (_, remote) => seen.push(`six ${remote.address}`))
    const port = portOf(six)
    await listen(`udp://0.0.0.0:${port}`, (_, remote) => seen.push(`four ${remote.address}`))
    for (const host of ['127.0.0.1', '::1']) {
      const sensor = await openEndpoint(host)
      open.push(sensor)
      await sensor.send(Uint8Array.of(1), port, host)
    }
    await expect.poll(() => seen.toSorted()).toEqual(['four 127.0.0.1', 'six ::1'])
  })

  it('says that a port is taken, and what to do about it', async () => {
    const first = await listen('udp://127.0.0.1:0')
    const error = await failure(first.url)
    expect(error.code).toBe('in-use')
    expect(error.message).toContain(first.url)
    expect(error.message).toContain('set another port in the url')
  })

  it('says that an address is not one of this machine', async () => {
    // 203.0.113.0/24 is reserved for documentation, so it is nobody's.
    const error = await failure('udp://203.0.113.254:0')
    expect(error.code).toBe('not-available')
    expect(error.message).toContain('no such address')
  })

  it('asks for the interface of a link-local address', async () => {
    const error = await failure('udp://[fe80::1]:0')
    expect(error.code).toBe('invalid')
    expect(error.message).toContain('fe80::1%eth0')
  })

  it.each([
    'udp://localhost:1884',
    'tcp://127.0.0.1:1884',
    'udp://127.0.0.1',
    'udp://127.0.0.1:70000',
    'udp://[127.0.0.1]:1884',
    'udp://::1:1884',
    '',
  ])('refuses the url %j', async (url) => {
    expect((await failure(url)).code).toBe('invalid')
  })

  it('reads back the receive buffer, and grants no more than the system does', async () => {
    const modest = await listen('udp://127.0.0.1:0', () => {}, 64 * 1024)
    expect(modest.stats()).toMatchObject({ receiveBuffer: 64 * 1024, receiveBufferAsked: 64 * 1024 })
    const greedy = await listen('udp://127.0.0.1:0', () => {}, 1024 * MiB)
    const { receiveBuffer, receiveBufferAsked } = greedy.stats()
    expect(receiveBufferAsked).toBe(1024 * MiB)
    expect(receiveBuffer).toBeGreaterThan(64 * 1024)
    expect(receiveBuffer).toBeLessThan(1024 * MiB)
  })

  /** Sends a burst while the listener cannot read, which is what a busy event loop looks like from outside. */
  async function burst(datagrams: number, receiveBuffer: number) {
    let count = 0
    const transport = await listen('udp://127.0.0.1:0', () => count++, receiveBuffer)
    const sensor = await openEndpoint('127.0.0.1')
    open.push(sensor)
    const port = portOf(transport)
    // With a numeric address and room in the send buffer, node:dgram hands each datagram to the system at once.
    const bytes = Uint8Array.of(7, 0x0c, 0, 0, 1, 0, 0)
    sensor.socket.connect(port, '127.0.0.1')
    await new Promise<void>((resolve) => sensor.socket.once('connect', () => resolve()))
    for (let sent = 0; sent < datagrams; sent++) sensor.socket.send(bytes)
    return { transport, received: () => count }
  }

  it('loses none of a burst of 3,000 datagrams with a large receive buffer', async (test) => {
    const { transport, received } = await burst(3000, 4 * MiB)
    // The system's limit, not ours, decides here: 3,000 small datagrams need about 1.3 MiB.
    if (transport.stats().receiveBuffer < 1.5 * MiB) test.skip('net.core.rmem_max is too small')
    await expect.poll(received, { timeout: 5000 }).toBe(3000)
  })

  it.skipIf(!existsSync('/proc/net/udp'))('tells how many datagrams the kernel dropped', async () => {
    const { transport, received } = await burst(500, 4096)
    const dropped = () => transport.stats().kernelDrops ?? Number.NaN
    await expect.poll(() => received() + dropped(), { timeout: 5000 }).toBe(500)
    expect(dropped()).toBeGreaterThan(0)
    const idle = await listen('udp://[::1]:0')
    expect(idle.stats().kernelDrops).toBe(0)
  })
})
