// What waits for a line: its order, its bounds, its rate, in virtual time.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Pace } from '../../../src/transport/line/pace.ts'

const publish = (qos: 0 | 1 | 2, length = 10): Uint8Array => {
  const one = new Uint8Array(length)
  one.set([length, 0x0c, qos << 5])
  return one
}
const PUBACK = Uint8Array.of(7, 0x0d, 0, 1, 0, 1, 0)
const ENCAPSULATED_PUBACK = Uint8Array.of(4, 0xfe, 0, 9, ...PUBACK)
const PINGRESP = Uint8Array.of(2, 0x17)

const without = { octetsPerSecond: undefined, messages: 4, octets: 1000 }
const all = (pace: Pace): Uint8Array[] => {
  const out: Uint8Array[] = []
  for (let one = pace.next(0); one instanceof Uint8Array; one = pace.next(0)) out.push(one)
  return out
}

describe('what waits for a line', () => {
  it('answers overtake, encapsulated ones too, and everything else keeps its order [LINK-PC-2]', () => {
    const pace = new Pace({ ...without, messages: 10 }, 100)
    const [one, two] = [publish(0), publish(1)]
    for (const message of [one, PUBACK, PINGRESP, two, ENCAPSULATED_PUBACK]) pace.add(message, message)
    expect(all(pace)).toEqual([PUBACK, ENCAPSULATED_PUBACK, one, PINGRESP, two])
  })

  it('a PUBREL does not overtake a repetition of its PUBLISH, nor a CONNACK what was sent before it [LINK-PC-2]', () => {
    const [pubrel, connack] = [Uint8Array.of(4, 0x10, 0, 7), Uint8Array.of(3, 0x05, 0)]
    const again = publish(2)
    for (const last of [pubrel, connack]) {
      const pace = new Pace({ ...without, messages: 10 }, 100)
      for (const message of [again, PUBACK, last, publish(1)]) pace.add(message, message)
      expect(all(pace)).toEqual([PUBACK, again, last, publish(1)])
    }
  })

  it('of a full queue the newest QoS 0 goes first, and nothing else for it [LINK-PC-2]', () => {
    const pace = new Pace(without, 100)
    const old = publish(0, 11)
    for (const message of [old, publish(1), publish(0, 12), publish(2)])
      expect(pace.add(message, message)).toBe(0)
    expect(pace.add(publish(0, 13), publish(0, 13))).toBe(1) // itself
    expect(pace.add(PUBACK, PUBACK)).toBe(1)
    expect(all(pace)).toEqual([PUBACK, old, publish(1), publish(2)])
  })

  it('holds its rate over any ten seconds, whatever is sent [LINK-PC-1]', () => {
    const sizes = fc.array(fc.integer({ min: 3, max: 60 }), { minLength: 1, maxLength: 60 })
    fc.assert(
      fc.property(sizes, fc.integer({ min: 10, max: 5000 }), (lengths, rate) => {
        const pace = new Pace({ octetsPerSecond: rate, messages: 1000, octets: 1e6 }, 60)
        for (const length of lengths) pace.add(publish(1, length), publish(1, length))
        const sent: [at: number, octets: number][] = []
        let now = 0
        for (let next = pace.next(now); next !== undefined; next = pace.next(now)) {
          if (typeof next === 'number') now += next
          else sent.push([now, next.length])
        }
        expect(sent).toHaveLength(lengths.length)
        for (const [from] of sent) {
          const within = sent.filter(([at]) => at >= from && at < from + 10_000)
          const octets = within.reduce((sum, [, length]) => sum + length, 0)
          expect(octets).toBeLessThanOrEqual(rate * 10 + 61)
        }
      }),
    )
  })

  it('a message longer than all that may wait still goes, alone [LINK-PC-1]', () => {
    const pace = new Pace({ ...without, octets: 256 }, 2000)
    expect(pace.add(publish(1), new Uint8Array(1500))).toBe(0)
    expect([pace.room, pace.clear(), pace.room]).toEqual([0, 1, 2])
  })
})
