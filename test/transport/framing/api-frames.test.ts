// Frames of radio modems: what must hold for whatever is on the line, with escapes and without.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createApiFrames } from '../../../src/transport/framing/api-frames.ts'
import type { Decoded, Framing } from '../../../src/transport/framing/decoded.ts'
import { hexOf, octets } from '../../support/octets.ts'

const KINDS = [
  ['AP=1', { escaped: false }],
  ['AP=2', { escaped: true }],
  ['LoRaLink', { escaped: true, countsSum: true }],
] as const
const framesOf = (decoded: readonly Decoded[]): string[] =>
  decoded.flatMap((one) => (one.fault === undefined ? [hexOf(one.frame)] : []))
const faultsOf = (decoded: readonly Decoded[]) => decoded.flatMap(({ fault }) => fault ?? [])

function pushCut(framing: Framing, stream: Uint8Array, cuts: readonly number[]): Decoded[] {
  const found: Decoded[] = []
  for (let at = 0, i = 0; at < stream.length; i++) {
    const size = cuts[i % cuts.length] ?? 1
    found.push(...framing.push(stream.subarray(at, at + size)))
    at += size
  }
  return found
}

/** Octets that mean something to the framing are frequent. */
const octet = fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0x7e, 0x7d, 0x11, 0x13, 0x5e, 0))
const data = (maxLength = 300) =>
  fc.array(octet, { minLength: 1, maxLength }).map((all) => Uint8Array.from(all))
const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 })

describe.each(KINDS)('frames of modems with %s', (_, options) => {
  const make = (longest = 300) => createApiFrames({ longest, ...options })

  it('are read back whatever is in them, and however the stream is cut [LINK-FR-1]', () => {
    fc.assert(
      fc.property(fc.array(data(), { maxLength: 6 }), cuts, (all, sizes) => {
        const framing = make()
        const stream = Uint8Array.from(all.flatMap((one) => [...framing.encode(one)]))
        expect(framesOf(pushCut(framing, stream, sizes))).toEqual(all.map(hexOf))
      }),
    )
  })

  it('garbage before them costs no frame but the one it touches, once the line is silent [LINK-FR-1, LINK-FR-8]', () => {
    fc.assert(
      fc.property(data(80), fc.array(data(40), { minLength: 2, maxLength: 5 }), cuts, (noise, all, sizes) => {
        const framing = make()
        const stream = Uint8Array.from([...noise, ...all.flatMap((one) => [...framing.encode(one)])])
        const found = framesOf([...pushCut(framing, stream, sizes), ...framing.reset()])
        expect(found.slice(-all.length + 1)).toEqual(all.slice(1).map(hexOf))
      }),
    )
  })

  it('a length that cannot be is counted, and what is in it is read again [LINK-FR-3, LINK-FR-8]', () => {
    const framing = make(20)
    const frame = framing.encode(octets('01 02 03'))
    const found = framing.push(Uint8Array.from([0x7e, 0x40, 0x00, ...frame, ...frame]))
    expect(framesOf(found)).toEqual(['01 02 03', '01 02 03'])
    expect(faultsOf(found)[0]).toBe('oversized')
  })

  it('frames without data are ignored [LINK-FR-4]', () => {
    const framing = make()
    expect(framing.push(framing.encode(new Uint8Array()))).toEqual([])
  })

  it('a wrong sum is told [LINK-FR-10]', () => {
    const framing = make()
    const frame = framing.encode(octets('01 02 03'))
    frame[4] = 0x55
    expect(faultsOf([...framing.push(frame), ...framing.reset()])).toEqual(['checksum'])
  })

  it('text between frames is kept as noise, and the rest of a frame that never comes as well', () => {
    const framing = make()
    const found = framing.push(Buffer.concat([Buffer.from('boot\r'), framing.encode(octets('09'))]))
    expect(found).toEqual([
      { fault: 'noise', octets: Uint8Array.from(Buffer.from('boot\r')) },
      { frame: octets('09') },
    ])
    expect(framing.push(octets('7e 00 09 01'))).toEqual([])
    expect(framing.reset()).toEqual([{ fault: 'noise', octets: octets('7e 00 09 01') }])
  })

  it('memory is bounded whatever comes [LINK-FR-3]', () => {
    const framing = make(20)
    for (let i = 0; i < 2000; i++) framing.push(octets('7d 7d 7d 7d 00 7d 5e 41'))
    for (let i = 0; i < 2000; i++) framing.push(octets('7e 7d 7d 7d 7d 00 7d 5e 41 7e 00'))
    framing.reset()
    expect(framesOf(framing.push(framing.encode(octets('01'))))).toEqual(['01'])
  })
})

describe('7E in the middle of a frame', () => {
  it('begins a new one with AP=2, and is an octet like others with AP=1 [LINK-FR-8]', () => {
    const [plain, escaped] = [false, true].map((is) => createApiFrames({ longest: 100, escaped: is }))
    const inner = octets('7e 00 02 01 02 fc')
    expect(framesOf(escaped?.push(Uint8Array.from([0x7e, 0, 8, 1, ...inner])) ?? [])).toEqual(['01 02'])
    const whole = plain?.encode(inner) ?? new Uint8Array()
    expect(framesOf(plain?.push(whole) ?? [])).toEqual([hexOf(inner)])
  })
})
