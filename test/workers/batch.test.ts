// Datagrams between threads: packed, counted, and what a thread is too far behind for.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Batch, unpackBatch } from '../../src/workers/batch.ts'
import { Outbox, Tally } from '../../src/workers/outbox.ts'

interface Packed {
  listener: number
  address: string
  port: number
  bytes: number[]
}

const datagram = fc.record({
  listener: fc.integer({ min: 0, max: 31 }),
  address: fc.oneof(
    fc.ipV4(),
    fc.ipV6().map((address) => `${address}%eth0`),
    fc.constant(''),
  ),
  port: fc.integer({ min: 0, max: 65_535 }),
  bytes: fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 3000 }),
})

function unpacked(octets: Uint8Array): Packed[] {
  const all: Packed[] = []
  unpackBatch(octets, (listener, address, port, bytes) =>
    all.push({ listener, address, port, bytes: [...bytes] }),
  )
  return all
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('a batch', () => {
  it('comes out as it went in, whatever was in it, and the next one begins empty', () => {
    const batch = new Batch()
    fc.assert(
      fc.property(fc.array(datagram, { maxLength: 20 }), (datagrams) => {
        for (const { listener, address, port, bytes } of datagrams)
          batch.add(listener, address, port, Uint8Array.from(bytes))
        expect(batch.count).toBe(datagrams.length)
        expect(unpacked(batch.take())).toEqual(datagrams)
        expect(batch.count).toBe(0)
      }),
    )
  })

  it('takes the longest datagram, and gives out octets that nothing else shares', () => {
    const batch = new Batch()
    batch.add(0, '127.0.0.1', 1, new Uint8Array(65_535).fill(7))
    batch.add(0, '127.0.0.1', 1, Uint8Array.of(1, 2))
    const octets = batch.take()
    const kept: Uint8Array[] = []
    unpackBatch(octets, (_listener, _address, _port, bytes) => kept.push(bytes))
    octets.fill(0)
    expect([kept[0]?.length, kept[0]?.[65_534], kept[1]]).toEqual([65_535, 7, Uint8Array.of(1, 2)])
    expect(kept[1]?.buffer.byteLength).toBe(2)
  })
})

describe('an outbox', () => {
  const posted: { batch: Uint8Array; count: number }[] = []
  const open = (tally: Tally) => {
    posted.length = 0
    return new Outbox(tally, 'toWorker', (batch, count) => posted.push({ batch, count }))
  }

  it('sends all of one turn of the event loop at once', async () => {
    const outbox = open(new Tally())
    for (let port = 1; port <= 3; port += 1) outbox.add(0, '::1', port, Uint8Array.of(port))
    expect(posted).toEqual([])
    await turn()
    expect(posted.map(({ count }) => count)).toEqual([3])
    await turn()
    expect(posted).toHaveLength(1)
    outbox.plan()
    await turn()
    expect(posted.map(({ count }) => count)).toEqual([3, 0])
  })

  it('sends a full batch without waiting, so that nothing is refused while the other thread keeps up', async () => {
    const tally = new Tally()
    const outbox = new Outbox(tally, 'toWorker', (_, count) => tally.add('toWorker', count))
    let refused = 0
    for (let i = 0; i < 50_000; i += 1) {
      if (!outbox.add(0, '127.0.0.1', 1, new Uint8Array(1))) refused += 1
    }
    expect(refused).toBe(0)
    await turn()
    expect(tally.read('toWorker')).toBe(50_000)
  })

  it('takes no more than the other thread can be behind, and goes on when that has caught up', async () => {
    const tally = new Tally()
    const outbox = open(tally)
    const add = () => outbox.add(0, '127.0.0.1', 1, new Uint8Array(1))
    let taken = 0
    while (add()) taken += 1
    expect(taken).toBe(16_384)
    await turn()
    expect(add()).toBe(false)
    // the other thread counts in the same memory
    new Tally(tally.memory).add('toFront', 5)
    expect(add()).toBe(false)
    new Tally(tally.memory).add('toWorker', 2)
    expect([add(), add(), add()]).toEqual([true, true, false])
    await turn()
  })
})
