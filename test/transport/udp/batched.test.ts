// UDP in batches does what UDP datagram by datagram does: the contract of transports, the same datagrams, the same errors.

import { setImmediate as turnOver } from 'node:timers/promises'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { TransportError } from '../../../src/transport/error.ts'
import type { Remote, Transport } from '../../../src/transport/transport.ts'
import { type DatagramCalls, findDatagramCalls } from '../../../src/transport/udp/batched.ts'
import { openUdp } from '../../../src/transport/udp/udp.ts'
import { buildDatagramCalls } from '../../support/datagram-calls.ts'
import { type Endpoint, openEndpoint } from '../../support/endpoint.ts'
import { transportContract } from '../contract.ts'

const MiB = 1024 * 1024
const portOf = (transport: Transport) => Number(/\d+$/.exec(transport.url)?.[0])
const urlOf = (host: string) => (host.includes(':') ? `udp://[${host}]:0` : `udp://${host}:0`)
const calls = buildDatagramCalls()

describe.skipIf(calls === undefined)('UDP in batches (Linux, cc)', () => {
  for (const host of ['127.0.0.1', '::1']) {
    transportContract(`UDP in batches on ${host}`, {
      open: (onDatagram, url = urlOf(host)) => openUdp({ url, receiveBuffer: MiB, calls }, onDatagram),
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

  const open: { close(): Promise<void> }[] = []
  const keep = <T extends { close(): Promise<void> }>(each: T): T => {
    open.push(each)
    return each
  }
  afterEach(async () => {
    for (const each of open.splice(0)) await each.close()
  })

  interface Listening {
    readonly transport: Transport
    readonly seen: { readonly octets: Buffer; readonly remote: Remote }[]
  }

  async function listen(url: string, way: DatagramCalls | undefined): Promise<Listening> {
    const seen: Listening['seen'] = []
    const transport = await openUdp({ url, receiveBuffer: 4 * MiB, calls: way }, (bytes, remote) =>
      seen.push({ octets: Buffer.from(bytes), remote }),
    )
    return { transport: keep(transport), seen }
  }

  const bytesOf = (length: number, seed: number) =>
    Uint8Array.from({ length }, (_, at) => (at * 7 + seed) & 0xff)
  const lengths = fc.oneof({ weight: 20, arbitrary: fc.nat(300) }, { weight: 1, arbitrary: fc.nat(65_000) })

  for (const host of ['127.0.0.1', '::1']) {
    it(`hands over the same datagrams in the same order as one by one, from ${host}`, async () => {
      const both = [await listen(urlOf(host), undefined), await listen(urlOf(host), calls)]
      const senders = [keep(await openEndpoint(host)), keep(await openEndpoint(host))]
      // with room in the send buffer, the system has each of them before the next turn of the event loop
      const burst = fc.array(fc.record({ length: lengths, from: fc.nat(1) }), {
        minLength: 1,
        maxLength: 150,
      })
      await fc.assert(
        fc.asyncProperty(burst, async (datagrams) => {
          for (const { transport, seen } of both) {
            seen.length = 0
            for (const [seed, { length, from }] of datagrams.entries())
              senders[from]?.socket.send(bytesOf(length, seed), portOf(transport), host)
            await expect.poll(() => seen.length, { interval: 1, timeout: 5000 }).toBe(datagrams.length)
          }
          const [simple, batched] = both.map(({ seen }) =>
            seen.map(({ octets, remote: { address, port } }) => ({ octets, address, port })),
          )
          expect(batched).toEqual(simple)
        }),
        { numRuns: 30 },
      )
      expect(both.map(({ transport }) => transport.stats().kernelDrops)).toEqual([0, 0])
    })

    /** What one turn sends: where, how much, or to nowhere. */
    const orders = fc.array(
      fc.oneof(
        { weight: 8, arbitrary: fc.record({ length: fc.nat(300), to: fc.nat(2) }) },
        {
          weight: 1,
          arbitrary: fc.record({
            length: fc.constantFrom(0, 5, 65_536, 200_000),
            // a name, the other family, no port; a broadcast without permission or an address that needs a zone
            to: fc.constantFrom('gateway.example', '::1', '127.0.0.1', '', '255.255.255.255', 'fe80::1'),
          }),
        },
      ),
      { minLength: 1, maxLength: 300 },
    )

    it(`sends the same and counts the same errors as one by one, to ${host}`, async () => {
      let most = 0
      /** like a system that refuses after a while, once */
      const choosy: DatagramCalls = {
        receive: (...args) => calls?.receive(...args) ?? 0,
        describe: (row) => calls?.describe(row) ?? '',
        parse: (address, row) => calls?.parse(address, row) ?? 0,
        send: (fd, octets, rows, first, end) =>
          calls?.send(fd, octets, rows, first, Math.min(end, first + most)) ?? 0,
      }
      const ends = await Promise.all([0, 1, 2].map(async () => keep(await openEndpoint(host))))
      const ways = [undefined, calls, choosy]
      await fc.assert(
        fc.asyncProperty(orders, fc.nat(40), async (datagrams, patience) => {
          most = patience
          const results: unknown[] = []
          for (const way of ways) {
            const { transport } = await listen(urlOf(host), way)
            for (const [seed, { length, to }] of datagrams.entries()) {
              const bytes = bytesOf(length, seed)
              if (typeof to === 'number') transport.send(bytes, { address: host, port: ends[to]?.port ?? 0 })
              else transport.send(bytes, { address: to, port: to === '' ? 0 : 1884 })
            }
            await transport.close()
            const heard = await Promise.all(ends.map((end, at) => receiveAll(end, countOf(datagrams, at))))
            await turnOver()
            results.push({ heard, errors: transport.stats().sendErrors })
          }
          expect(results[1]).toEqual(results[0])
          expect(results[2]).toEqual(results[0])
        }),
        { numRuns: 30 },
      )
    })
  }

  const countOf = (datagrams: readonly { readonly to: number | string }[], at: number) =>
    datagrams.filter(({ to }) => to === at).length

  async function receiveAll(end: Endpoint, count: number): Promise<Buffer[]> {
    const all: Buffer[] = []
    while (all.length < count) all.push(Buffer.from((await end.next()).bytes))
    return all
  }
})

describe('the native part of UDP', () => {
  const elsewhere = ['/nowhere/datagrams.node', import.meta.filename]

  it('is done without where it is not built, or is not for this machine', () => {
    expect(findDatagramCalls('auto', elsewhere)).toBeUndefined()
    expect(findDatagramCalls('simple')).toBeUndefined()
  })

  it('is missed with an error that says how to get it where it is demanded', () => {
    const demand = () => findDatagramCalls('batched', elsewhere)
    expect(demand).toThrow(TransportError)
    expect(demand).toThrow(/gateway\.udp "batched".*npm run native/)
  })
})
