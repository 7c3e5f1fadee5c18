// "All nodes" over UDP: multicast and broadcast, all of it kept within this machine.

import { networkInterfaces } from 'node:os'
import { afterEach, describe, expect, it } from 'vitest'
import type { Transport } from '../../../src/transport/transport.ts'
import { hopLimit, resolveGroup, type UdpGroup } from '../../../src/transport/udp/group.ts'
import { openUdp } from '../../../src/transport/udp/udp.ts'
import { type Endpoint, openEndpoint } from '../../support/endpoint.ts'

const SEARCHGW = Uint8Array.of(3, 0x01, 1)
const ADVERTISE = Uint8Array.of(5, 0x00, 1, 0x04, 0xb0)
const portOf = (transport: Transport) => Number(/\d+$/.exec(transport.url)?.[0])

// No route leads to an IPv6 group over the loopback interface. Scope 1 (ff01::) never leaves the machine on any other.
const link = Object.entries(networkInterfaces()).flatMap(([name, all]) =>
  (all ?? [])
    .filter((each) => each.family === 'IPv6' && each.address.startsWith('fe80'))
    .map((each) => ({ name, address: `${each.address}%${name}` })),
)[0]

describe('a UDP listener with a group', () => {
  const open: { close(): Promise<void> }[] = []
  afterEach(async () => {
    for (const each of open.splice(0)) await each.close()
  })

  const keep = <T extends { close(): Promise<void> }>(each: T): T => {
    open.push(each)
    return each
  }

  async function listen(url: string, group: UdpGroup) {
    const received: { type: number | undefined; port: number }[] = []
    const transport = keep(
      await openUdp({ url, receiveBuffer: 65_536, group }, (bytes, remote) =>
        received.push({ type: bytes[1], port: remote.port }),
      ),
    )
    return { transport, received, port: portOf(transport) }
  }

  /** A sensor that hears an IPv4 group on the loopback interface, on a port of its own or the given one. */
  async function hearer(group: string, port = 0): Promise<Endpoint> {
    const endpoint = keep(await openEndpoint(group, port, true))
    if (!group.endsWith('.255')) endpoint.socket.addMembership(group, '127.0.0.1')
    return endpoint
  }

  async function sender(): Promise<Endpoint> {
    const endpoint = keep(await openEndpoint('127.0.0.1'))
    endpoint.socket.setMulticastInterface('127.0.0.1')
    endpoint.socket.setBroadcast(true)
    return endpoint
  }

  for (const address of ['225.1.1.1', '127.255.255.255']) {
    for (const host of ['127.0.0.1', '0.0.0.0']) {
      const group = (port?: number): UdpGroup => ({
        address,
        port,
        interface: address === '225.1.1.1' ? '127.0.0.1' : undefined,
        hops: 1,
      })

      it(`hears a SEARCHGW sent to ${address} on another port, or by unicast: bound to ${host} [SN-SGW-1 in part]`, async () => {
        const ear = await hearer(address)
        const { received, port } = await listen(`udp://${host}:0`, group(ear.port))
        const sensor = await sender()
        await sensor.send(SEARCHGW, ear.port, address)
        await expect.poll(() => received).toEqual([{ type: 1, port: sensor.port }])
        await sensor.send(SEARCHGW, port, '127.0.0.1')
        await expect.poll(() => received.length).toBe(2)
      })

      it(`hears ${address} on its own port: bound to ${host}`, async () => {
        const { received, port } = await listen(`udp://${host}:0`, group())
        const sensor = await sender()
        await sensor.send(SEARCHGW, port, address)
        await expect.poll(() => received).toEqual([{ type: 1, port: sensor.port }])
      })

      it(`sends ADVERTISE to all at ${address} from its own port, and does not hear itself: bound to ${host} [SN-ADV-5 in part]`, async () => {
        const ear = await hearer(address)
        const { transport, received, port } = await listen(`udp://${host}:0`, group(ear.port))
        transport.broadcast(ADVERTISE, 0)
        const heard = await ear.next()
        expect([...heard.bytes]).toEqual([...ADVERTISE])
        expect(heard.remote.port).toBe(port)
        // A datagram sent later over the same path shows that the echo would have been here by now.
        const sensor = await sender()
        await sensor.send(SEARCHGW, ear.port, address)
        await expect.poll(() => received).toEqual([{ type: 1, port: sensor.port }])
        expect(transport.stats().sendErrors).toBe(0)
      })
    }
  }

  it('two gateways on one machine share the group and hear each other', async () => {
    const ear = await hearer('225.1.1.1')
    const group = { address: '225.1.1.1', port: ear.port, hops: 1 }
    const one = await listen('udp://127.0.0.1:0', group)
    const two = await listen('udp://127.0.0.1:0', group)
    one.transport.broadcast(ADVERTISE, 0)
    await expect.poll(() => two.received).toEqual([{ type: 0, port: one.port }])
    two.transport.broadcast(ADVERTISE, 0)
    await expect.poll(() => one.received).toEqual([{ type: 0, port: two.port }])
  })

  it('frees the port of the group on close', async () => {
    const ear = await hearer('225.1.1.1')
    const { transport } = await listen('udp://127.0.0.1:0', {
      address: '225.1.1.1',
      port: ear.port,
      hops: 1,
    })
    await transport.close()
    await ear.close()
    open.splice(0)
    keep(await openEndpoint('225.1.1.1', ear.port)) // not shared: fails if anyone still holds it
  })

  it.skipIf(link === undefined)('hears and reaches an IPv6 group', async () => {
    const { name = '', address = '' } = link ?? {}
    const ear = keep(await openEndpoint(`ff01::5%${name}`, 0, true))
    ear.socket.addMembership('ff01::5', `::%${name}`)
    const { transport, received, port } = await listen(`udp://[${address}]:0`, {
      address: 'ff01::5',
      port: ear.port,
      hops: 1,
    })
    transport.broadcast(ADVERTISE, 0)
    expect((await ear.next()).remote.port).toBe(port)
    const sensor = keep(await openEndpoint('::'))
    sensor.socket.setMulticastInterface(`::%${name}`)
    await sensor.send(SEARCHGW, ear.port, 'ff01::5')
    await expect.poll(() => received).toEqual([{ type: 1, port: sensor.port }])
    expect(transport.stats().sendErrors).toBe(0)
  })

  it('goes as far as the radius says, 0 as far as configured, and never further [SN-SGW-2 in part]', () => {
    expect([0, 1, 3, 4, 255].map((radius) => hopLimit(radius, 3))).toEqual([3, 1, 3, 3, 3])
  })

  it.each([
    ['udp://127.0.0.1:0', 'ff02::1:5', 'needs an IPv4 multicast group or broadcast address'],
    ['udp://[::1]:0', '225.1.1.1', 'needs an IPv6 multicast group'],
    ['udp://[::1]:0', 'fd00::1', 'needs an IPv6 multicast group'],
    ['udp://127.0.0.1:0', 'everyone', 'needs an IPv4 multicast group or broadcast address'],
  ])('a listener on %s refuses the group %s', async (url, address, words) => {
    await expect(listen(url, { address, hops: 1 })).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining(words),
    })
  })

  it('says which interface is missing', async () => {
    await expect(
      listen('udp://127.0.0.1:0', { address: '225.1.1.1', interface: 'nowhere0', hops: 1 }),
    ).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining('nowhere0') })
  })

  it('says that the port of the group is taken by a program that does not share it', async () => {
    const other = keep(await openEndpoint('225.1.1.1'))
    await expect(
      listen('udp://127.0.0.1:0', { address: '225.1.1.1', port: other.port, hops: 1 }),
    ).rejects.toMatchObject({
      code: 'in-use',
      message: expect.stringContaining(`225.1.1.1:${other.port}`),
    })
  })

  it('takes the interface from its name, an address of it, the group or the listener', () => {
    const v4 = { host: '127.0.0.1', port: 1, family: 4 } as const
    const v6 = { host: '::1', port: 1, family: 6 } as const
    const via = (group: Partial<UdpGroup>, listener: typeof v4 | typeof v6) =>
      resolveGroup({ address: listener === v6 ? 'ff02::5' : '225.1.1.1', hops: 1, ...group }, listener).via
    expect(via({}, v4)).toBe('127.0.0.1')
    expect(via({ interface: 'lo' }, v4)).toBe('127.0.0.1')
    expect(via({ interface: '10.1.2.3' }, v4)).toBe('10.1.2.3')
    expect(via({}, v6)).toBe('::%lo')
    expect(via({ interface: 'eth9' }, v6)).toBe('::%eth9')
    expect(via({ interface: '::1' }, v6)).toBe('::%lo')
    expect(via({ address: 'ff02::5%wpan0' }, v6)).toBe('::%wpan0')
  })
})
