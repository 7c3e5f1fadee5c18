// What every transport must do, whatever carries its datagrams: one suite for UDP now, for DTLS or serial later.

import { afterEach, describe, expect, it } from 'vitest'
import type { OnDatagram, Remote, Transport } from '../../src/transport/transport.ts'

/** The sensor's end of the link under test. */
export interface Far {
  send(bytes: Uint8Array): Promise<void>
  next(): Promise<Uint8Array>
  close(): Promise<void>
}

/** How to set up one kind of transport. */
export interface Kind {
  /** opens a transport on a free address, or on the given one */
  open(onDatagram: OnDatagram, url?: string): Promise<Transport>
  /** a sensor that talks to it */
  far(transport: Transport): Promise<Far>
  /** remotes to which nothing can be sent */
  readonly unreachable: readonly Remote[]
  /** octets of the longest datagram */
  readonly longest: number
}

/** Runs the contract for one kind of transport. */
export function transportContract(name: string, kind: Kind): void {
  describe(`every transport: ${name}`, () => {
    const open: { close(): Promise<void> }[] = []
    afterEach(async () => {
      for (const each of open.splice(0)) await each.close()
    })

    async function pair() {
      const received: { bytes: Uint8Array; remote: Remote }[] = []
      let arrived = () => {}
      const transport = await kind.open((bytes, remote) => {
        received.push({ bytes, remote })
        arrived()
      })
      open.push(transport)
      const far = await kind.far(transport)
      open.push(far)
      const next = async () => {
        while (received.length === 0)
          await new Promise<void>((resolve) => {
            arrived = resolve
          })
        return received.shift() as { bytes: Uint8Array; remote: Remote }
      }
      return { transport, far, next }
    }

    it('receives what a sensor sends, octet for octet, each datagram for itself', async () => {
      const { far, next } = await pair()
      const all = Uint8Array.from({ length: 256 }, (_, octet) => octet)
      await far.send(all)
      await far.send(Uint8Array.of(2, 0x16))
      const first = await next()
      const second = await next()
      expect([...first.bytes]).toEqual([...all])
      expect([...second.bytes]).toEqual([2, 0x16])
      expect(first.remote.port).toBe(second.remote.port)
    })

    it('answers reach the sensor that asked, at the address the transport reported', async () => {
      const { transport, far, next } = await pair()
      const other = await kind.far(transport)
      open.push(other)
      await far.send(Uint8Array.of(1))
      const one = await next()
      await other.send(Uint8Array.of(2))
      const two = await next()
      transport.send(Uint8Array.of(20), two.remote)
      transport.send(Uint8Array.of(10), one.remote)
      expect([...(await far.next())]).toEqual([10])
      expect([...(await other.next())]).toEqual([20])
    })

    it('gives received octets away: later datagrams leave them as they were', async () => {
      const { far, next } = await pair()
      await far.send(Uint8Array.of(1, 1, 1))
      const first = await next()
      await far.send(Uint8Array.of(2, 2, 2))
      await next()
      expect([...first.bytes]).toEqual([1, 1, 1])
    })

    it('counts what cannot be sent and goes on', async () => {
      const { transport, far, next } = await pair()
      await far.send(Uint8Array.of(1))
      const { remote } = await next()
      expect(transport.stats().sendErrors).toBe(0)
      for (const nowhere of kind.unreachable) transport.send(Uint8Array.of(9), nowhere)
      transport.send(new Uint8Array(kind.longest + 1), remote)
      await expect.poll(() => transport.stats().sendErrors).toBe(kind.unreachable.length + 1)
      transport.send(Uint8Array.of(7), remote)
      expect([...(await far.next())]).toEqual([7])
    })

    it('broadcasts nothing, and quietly, where no group is configured', async () => {
      const { transport } = await pair()
      transport.broadcast(Uint8Array.of(5, 0, 1, 0, 60), 0)
      expect(transport.stats().sendErrors).toBe(0)
    })

    it('tells the address in use, and its url opens it again after close', async () => {
      const { transport } = await pair()
      await transport.close()
      const again = await kind.open(() => {}, transport.url)
      open.push(again)
      expect(again.url).toBe(transport.url)
    })

    it('can be closed twice, and sending after that only counts', async () => {
      const { transport, far, next } = await pair()
      await far.send(Uint8Array.of(1))
      const { remote } = await next()
      await Promise.all([transport.close(), transport.close()])
      await transport.close()
      transport.send(Uint8Array.of(1), remote)
      transport.broadcast(Uint8Array.of(1), 0)
      expect(transport.stats().sendErrors).toBe(1)
    })
  })
}
