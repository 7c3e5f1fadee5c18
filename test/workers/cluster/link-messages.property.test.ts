// What comes over links is looked at before it is believed: messages, batches and ways in.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SLOTS } from '../../../src/sessions/slots.ts'
import { Batch, isBatch, unpackBatch } from '../../../src/workers/between/batch.ts'
import {
  hasSlot,
  type LinkMessage,
  readLinkMessage,
  writeSlots,
} from '../../../src/workers/cluster/link-messages.ts'
import { WaysIn } from '../../../src/workers/cluster/way-in.ts'

const key = fc.oneof(fc.maxSafeInteger(), fc.string({ maxLength: 40 }))
const slot = fc.integer({ min: 0, max: SLOTS - 1 })
const keys = fc.array(key, { maxLength: 5 })
const age = fc.oneof(fc.constant(null), fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }))
const slots = fc.uniqueArray(slot).map((some) => {
  const set = new Set(some)
  return writeSlots((one) => set.has(one))
})

const message: fc.Arbitrary<LinkMessage> = fc.oneof(
  fc.record({ type: fc.constant('whose' as const), id: fc.nat(), keys }),
  fc.record({
    type: fc.constant('mine' as const),
    id: fc.nat(),
    known: fc.array(fc.tuple(key, slot, age), { maxLength: 5 }),
    serves: slots,
  }),
  fc.record({ type: fc.constant('bound' as const), places: fc.array(fc.tuple(key, slot), { maxLength: 5 }) }),
  fc.record({ type: fc.constant('unknown' as const), keys }),
  fc.record({ type: fc.constant('displaced' as const), key }),
  fc.record({ type: fc.constant('look' as const) }),
)

describe('a message of another node', () => {
  it('is what was sent', () => {
    fc.assert(
      fc.property(message, (sent) => {
        expect(readLinkMessage(JSON.parse(JSON.stringify(sent)))).toEqual(sent)
      }),
    )
  })

  it('is none if anything in it is not what it should be', () => {
    for (const [good, bad] of [
      [{ type: 'whose', id: 1, keys: [1, 'a'] }, { keys: [1.5] }],
      [{ type: 'whose', id: 1, keys: [] }, { keys: Array.from({ length: 5000 }, () => 1) }],
      [{ type: 'whose', id: 1, keys: [] }, { id: '1' }],
      [
        { type: 'mine', id: 1, known: [[1, 5, null]], serves: writeSlots(() => true) },
        { known: [[1, 5, -1]] },
      ],
      [{ type: 'mine', id: 1, known: [], serves: writeSlots(() => true) }, { serves: 'ff' }],
      [{ type: 'bound', places: [[1, 5]] }, { places: [[1, SLOTS]] }],
      [{ type: 'bound', places: [[1, 5]] }, { places: [[{}, 1]] }],
      [{ type: 'unknown', keys: ['a'] }, { keys: 'a' }],
      [{ type: 'displaced', key: 'a' }, { key: 'a'.repeat(2000) }],
      [{ type: 'look' }, { type: 'other' }],
    ] as const) {
      expect(readLinkMessage(good)).toEqual(good)
      expect(readLinkMessage({ ...good, ...bad })).toBeUndefined()
    }
  })

  it('never throws, whatever it is', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => void readLinkMessage(value)))
  })

  it('says for each slot whether it is served', () => {
    fc.assert(
      fc.property(fc.array(slot), slot, (some, one) => {
        const set = new Set(some)
        expect(
          hasSlot(
            writeSlots((any) => set.has(any)),
            one,
          ),
        ).toBe(set.has(one))
      }),
    )
  })
})

describe('a batch of another node', () => {
  it('is one if it can be taken apart to its end, and into as many datagrams as it says', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 65_535 }), fc.uint8Array({ maxLength: 50 }))),
        fc.nat(200),
        (datagrams, cut) => {
          const batch = new Batch()
          for (const [address, port, bytes] of datagrams) batch.add(1, { address, port, local: ' gw' }, bytes)
          const octets = batch.take()
          expect(isBatch(octets, datagrams.length)).toBe(true)
          expect(isBatch(octets, datagrams.length + 1)).toBe(false)
          if (cut > 0 && cut < octets.length) {
            const short = octets.subarray(0, octets.length - cut)
            const whole = Array.from({ length: datagrams.length + 1 }, (_, count) => isBatch(short, count))
            // only at the end of a datagram
            expect(whole.filter(Boolean).length).toBeLessThanOrEqual(1)
            expect(whole[datagrams.length]).toBe(false)
          }
        },
      ),
    )
  })

  it('never throws, whatever it is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(20), (octets, count) => {
        if (isBatch(octets, count)) unpackBatch(octets, () => {})
      }),
    )
  })

  it('is none with a name of a peer that is longer than any may be', () => {
    const named = (octets: number): Uint8Array => {
      const batch = new Uint8Array(9 + octets)
      new DataView(batch.buffer).setUint16(5, octets)
      return batch
    }
    expect([isBatch(named(1024), 1), isBatch(named(1025), 1)]).toEqual([true, false])
  })

  it('says of whom it is certain that nobody knows him', () => {
    const batch = new Batch()
    batch.add(31, { address: '10.0.0.1', port: 1, isStranger: true }, Uint8Array.of(1))
    batch.add(31, { address: '10.0.0.1', port: 1 }, Uint8Array.of(2))
    const said: unknown[] = []
    unpackBatch(batch.take(), (listener, { isStranger }) => said.push([listener, isStranger]))
    expect(said).toEqual([
      [31, true],
      [31, undefined],
    ])
  })
})

it('a way in is read as it was written, whatever the node is called', () => {
  fc.assert(
    fc.property(
      fc.option(fc.ipV6(), { nil: undefined }),
      fc.string({ minLength: 1, maxLength: 60, unit: 'grapheme' }),
      fc.boolean(),
      (local, node, isOwn) => {
        const [from, ways] = [new WaysIn(node), new WaysIn('another')]
        const text = from.own(local)
        // as batches carry it
        const reader = isOwn ? from : ways
        expect(reader.read(Buffer.from(text, 'latin1').toString('latin1'))).toEqual({ local, node })
        expect(ways.read(local)).toEqual({ local, node: '' })
      },
    ),
  )
})
