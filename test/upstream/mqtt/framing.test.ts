// Octets to packets, whatever pieces the network makes of them.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Framing } from '../../../src/upstream/mqtt/packets/framing.ts'

/** A packet with this many octets after its fixed header. */
function packet(size: number, fill: number): Buffer {
  const length: number[] = []
  for (let rest = size; ; rest >>= 7) {
    length.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest)
    if (rest <= 0x7f) break
  }
  return Buffer.concat([Buffer.of(0x30, ...length), Buffer.alloc(size, fill)])
}

/** Feeds pieces through one buffer that is overwritten each time, as the network does. */
function feed(framing: Framing, octets: Buffer, cuts: readonly number[]): string[] {
  const packets: string[] = []
  const shared = Buffer.alloc(octets.length)
  const ends = [...new Set(cuts.map((cut) => cut % octets.length))].toSorted((a, b) => a - b)
  let start = 0
  for (const end of [...ends, octets.length]) {
    octets.copy(shared, 0, start, end)
    framing.take(shared.subarray(0, end - start), (each) => {
      packets.push(each.toString('hex'))
      return true
    })
    shared.fill(0xee)
    start = end
  }
  return packets
}

describe('framing', () => {
  it('gives the same packets however they are cut', () => {
    const sizes = fc.array(fc.oneof(fc.nat(5), fc.nat(200), fc.constant(20_000)), {
      minLength: 1,
      maxLength: 12,
    })
    fc.assert(
      fc.property(sizes, fc.array(fc.nat(), { maxLength: 30 }), (lengths, cuts) => {
        const packets = lengths.map((size, index) => packet(size, index))
        const framed = feed(new Framing(), Buffer.concat(packets), cuts)
        expect(framed).toEqual(packets.map((each) => each.toString('hex')))
      }),
      { numRuns: 200 },
    )
  })

  it('comes to the end of packets that arrive octet by octet', () => {
    const octets = Buffer.concat([packet(0, 0), packet(300, 1), packet(2, 2)])
    const all = Array.from(octets, (_, index) => index)
    expect(feed(new Framing(), octets, all).length).toBe(3)
  })

  it('does not look at what follows when it is told to stop', () => {
    let count = 0
    new Framing().take(Buffer.concat([packet(1, 0), packet(1, 1)]), () => {
      count += 1
      return false
    })
    expect(count).toBe(1)
  })

  it('skips what is behind the beginning of a PUBLISH that is too long, however it is cut, and holds none of it', () => {
    const topic = Buffer.from('a/b')
    const beginning = Buffer.concat([Buffer.of(0, topic.length), topic, Buffer.of(0x12, 0x34)])
    const long = packet(5000, 0xaa)
    beginning.copy(long, 3)
    long[0] = 0x32 // QoS 1
    const atQos0 = Buffer.from(long)
    atQos0[0] = 0x30
    const octets = Buffer.concat([packet(50, 1), long, packet(100, 2), atQos0, packet(0, 3)])
    const head = (whole: Buffer, end: number) => whole.subarray(0, end).toString('hex')
    const expected = [
      [packet(50, 1).toString('hex'), 0],
      [head(long, 3 + beginning.length), 5003 - 3 - beginning.length],
      [packet(100, 2).toString('hex'), 0],
      [head(atQos0, 1 + beginning.length), 5003 - 1 - beginning.length],
      [packet(0, 3).toString('hex'), 0],
    ]
    fc.assert(
      fc.property(fc.array(fc.nat(octets.length - 1), { maxLength: 30 }), (cuts) => {
        const seen: (string | number)[][] = []
        const framing = new Framing(1000)
        const ends = [...new Set([...cuts, octets.length])].toSorted((a, b) => a - b)
        let start = 0
        for (const end of ends) {
          framing.take(octets.subarray(start, end), (each, missing) => {
            seen.push([each.toString('hex'), missing])
            return true
          })
          start = end
        }
        expect(seen).toEqual(expected)
      }),
    )
  })

  it('does not skip what is no PUBLISH', () => {
    const long = packet(5000, 0)
    long[0] = 0x20
    expect(() => new Framing(1000).take(long, () => true)).toThrow('packet of 5000 octets')
  })

  it.each([
    ['a length that does not end', [0x30, 0xff, 0xff, 0xff, 0xff], 'malformed length'],
    ['more than 16 MiB', [0x30, 0x81, 0x80, 0x80, 0x08], 'packet of 16777217 octets'],
  ])('refuses %s as soon as it is known', (_what, octets, reason) => {
    expect(() => new Framing().take(Buffer.from(octets), () => true)).toThrow(reason)
  })
})
