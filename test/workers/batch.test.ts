// Datagrams between threads: packed, counted, and what a thread is too far behind for.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Remote } from '../../src/transport/transport.ts'
import { Batch, unpackBatch } from '../../src/workers/between/batch.ts'
import { Outbox, Tally } from '../../src/workers/between/outbox.ts'

interface Packed {
  listener: number
  remote: Remote
  bytes: number[]
}

const address = fc.oneof(
  fc.ipV4(),
  fc.ipV6().map((ip) => `${ip}%eth0`),
  fc.constant(''),
)
const association = fc.record({
  number: fc.integer({ min: 1, max: 2 ** 40 }),
  identity: fc.string({ unit: 'grapheme', maxLength: 64 }),
  kind: fc.constantFrom('psk' as const, 'certificate' as const),
})

const datagram = fc.record({
  listener: fc.integer({ min: 0, max: 31 }),
  remote: fc.record({
    address,
    port: fc.integer({ min: 0, max: 65_535 }),
    local: fc.option(fc.ipV6(), { nil: undefined }),
    association: fc.option(association, { nil: undefined }),
  }),
  bytes: fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 3000 }),
})

function unpacked(octets: Uint8Array): Packed[] {
  const all: Packed[] = []
  unpackBatch(octets, (listener, remote, bytes) => {
    all.push({ listener, remote, bytes: [...bytes] })
  })
  return all
}

const HERE: Remote = { address: '127.0.0.1', port: 1 }

const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('a batch', () => {
  it('comes out as it went in, whatever was in it, and the next one begins empty', () => {
    const batch = new Batch()
    fc.assert(
      fc.property(fc.array(datagram, { maxLength: 20 }), (datagrams) => {
        for (const { listener, remote, bytes } of datagrams)
          batch.add(listener, remote, Uint8Array.from(bytes))
        expect(batch.count).toBe(datagrams.length)
        expect(unpacked(batch.take())).toEqual(datagrams)
        expect(batch.count).toBe(0)
      }),
    )
  })

  it('takes the longest datagram, and gives out octets that nothing else shares', () => {
    const batch = new Batch()
    batch.add(0, HERE, new Uint8Array(65_535).fill(7))
    batch.add(0, HERE, Uint8Array.of(1, 2))
    const octets = batch.take()
    const kept: Uint8Array[] = []
    unpackBatch(octets, (_listener, _remote, bytes) => {
      kept.push(bytes)
    })
    octets.fill(0)
    expect([kept[0]?.length, kept[0]?.[65_534], kept[1]]).toEqual([65_535, 7, Uint8Array.of(1, 2)])
    expect(kept[1]?.buffer.byteLength).toBe(2)
  })
})

describe('an association on its way between threads', () => {
  it('is one object as long as it lasts, so that its sensor stays the same, and each listener has its own', () => {
    const batch = new Batch()
    const secure: Remote = { ...HERE, association: { number: 5, identity: 'meter 17 (ü)', kind: 'psk' } }
    const seen: (Remote['association'] | undefined)[] = []
    for (const listener of [0, 0, 1]) batch.add(listener, { ...secure, port: seen.length }, new Uint8Array(1))
    unpackBatch(batch.take(), (_listener, remote) => {
      seen.push(remote.association)
    })
    batch.add(0, secure, new Uint8Array(1))
    unpackBatch(batch.take(), (_listener, remote) => {
      seen.push(remote.association)
    })
    const [first, again, elsewhere, later] = seen
    expect(first).toEqual(secure.association)
    expect([again === first, elsewhere === first, later === first]).toEqual([true, false, true])
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
    for (let port = 1; port <= 3; port += 1) outbox.add(0, { address: '::1', port }, Uint8Array.of(port))
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
      if (!outbox.add(0, HERE, new Uint8Array(1))) refused += 1
    }
    expect(refused).toBe(0)
    await turn()
    expect(tally.read('toWorker')).toBe(50_000)
  })

  it('takes no more than the other thread can be behind, and goes on when that has caught up', async () => {
    const tally = new Tally()
    const outbox = open(tally)
    const add = () => outbox.add(0, HERE, new Uint8Array(1))
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
