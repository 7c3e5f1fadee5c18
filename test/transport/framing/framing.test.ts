// Framings: the frames of the manufacturers and the RFCs octet for octet, and what must hold for whatever is on the line.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type CrcKind, x25, xmodem } from '../../../src/transport/framing/crc.ts'
import type { Decoded, Framing } from '../../../src/transport/framing/decoded.ts'
import { createFraming, FRAMING_NAMES, type FramingName } from '../../../src/transport/framing/framing.ts'
import { isWholeMessage } from '../../../src/transport/framing/length.ts'

const octets = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
const hexOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes)
    .toString('hex')
    .replace(/..(?=.)/g, '$& ')
const ascii = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text))
const names = FRAMING_NAMES as readonly FramingName[]
const DELIMITED = ['slip', 'cobs', 'hdlc'] as const

/** CONNECT, and a message of octets that mean something to framings. */
const M1 = octets('0a 04 04 01 00 3c 6d 31 33 35')
const M2 = octets('0b 0c 62 c0 db dc 7e 7d 00 11 13')

const make = (name: FramingName, longest = 1472, crc?: CrcKind): Framing =>
  createFraming(name, { longest, crc })
const framesOf = (decoded: readonly Decoded[]): string[] =>
  decoded.flatMap((one) => (one.fault === undefined ? [hexOf(one.frame)] : []))
const faultsOf = (decoded: readonly Decoded[]): string[] =>
  decoded.flatMap((one) => (one.fault === undefined ? [] : [one.fault]))

/** Pushes it in pieces of these sizes, over and over. */
function pushCut(framing: Framing, stream: Uint8Array, cuts: readonly number[]): Decoded[] {
  const found: Decoded[] = []
  for (let at = 0, i = 0; at < stream.length; i++) {
    const size = cuts[i % cuts.length] ?? 1
    found.push(...framing.push(stream.subarray(at, at + size)))
    at += size
  }
  return found
}

/** A message as to its Length field, which is what travels. */
const message = fc.uint8Array({ minLength: 1, maxLength: 300 }).map((body) => {
  const long = body.length + 1 > 255
  const length = body.length + (long ? 3 : 1)
  if (body[0] === 0xfe) body[0] = 0x0c // its carried message would have to follow
  return Uint8Array.from(long ? [1, length >> 8, length & 255, ...body] : [length, ...body])
}).filter(isWholeMessage) // biome-ignore format: one step, one line
const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 })

describe('the check sums', () => {
  it('are those of the catalogue over "123456789" [LINK-FR-10]', () => {
    expect(x25(ascii('123456789'))).toBe(0x906e)
    expect(xmodem(ascii('123456789'))).toBe(0x31c3)
  })
})

describe('golden frames', () => {
  it.each([
    ['slip', undefined, M1, 'c0 0a 04 04 01 00 3c 6d 31 33 35 c0'],
    ['slip', undefined, M2, 'c0 0b 0c 62 db dc db dd dc 7e 7d 00 11 13 c0'],
    ['cobs', undefined, M1, '05 0a 04 04 01 06 3c 6d 31 33 35 00'],
    ['cobs', undefined, M2, '09 0b 0c 62 c0 db dc 7e 7d 03 11 13 00'],
    ['hdlc', undefined, M1, '7e 0a 04 04 01 00 3c 6d 31 33 35 ed 73 7e'],
    ['hdlc', undefined, M2, '7e 0b 0c 62 c0 db dc 7d 5e 7d 5d 00 11 13 7d 5e 4d 7e'],
    ['hdlc', 'none', M1, '7e 0a 04 04 01 00 3c 6d 31 33 35 7e'],
    ['hdlc', 'none', M2, '7e 0b 0c 62 c0 db dc 7d 5e 7d 5d 00 11 13 7e'],
    ['length', undefined, M1, '0a 04 04 01 00 3c 6d 31 33 35'],
    ['length', undefined, M2, '0b 0c 62 c0 db dc 7e 7d 00 11 13'],
  ] as const)('%s with crc %s is octet for octet as it should be [LINK-FR-2]', (name, crc, plain, framed) => {
    expect(hexOf(make(name, 1472, crc).encode(plain))).toBe(framed)
    expect(framesOf(make(name, 1472, crc).push(octets(framed)))).toEqual([hexOf(plain)])
  })
})

describe.each(names)('%s', (name) => {
  it('gives back what it was given, for any octets and any check sum [LINK-FR-1]', () => {
    const crcs = fc.constantFrom<CrcKind>('none', 'xmodem', 'x25')
    const plain = name === 'length' ? message : fc.uint8Array({ minLength: 1, maxLength: 1200 })
    fc.assert(
      fc.property(plain, crcs, (one, crc) => {
        const framing = make(name, 1472, crc)
        expect(framing.push(framing.encode(one))).toEqual([{ frame: one }])
      }),
    )
  })

  it('does so for the longest message of all [LINK-FR-1]', () => {
    const most = Uint8Array.from({ length: 65_535 }, (_, i) => (i * 7) & 255)
    most.set([1, 255, 255, 12])
    const framing = make(name, 65_535)
    expect(framing.push(framing.encode(most))).toEqual([{ frame: most }])
  })

  it('finds the same frames however the stream is cut [LINK-FR-1]', () => {
    fc.assert(
      fc.property(fc.array(message, { minLength: 1, maxLength: 6 }), cuts, (all, sizes) => {
        const framing = make(name)
        const stream = Buffer.concat(all.map((one) => framing.encode(one)))
        expect(framesOf(pushCut(framing, stream, sizes))).toEqual(all.map(hexOf))
      }),
    )
  })

  it('after any garbage loses at most the frame that follows it [LINK-FR-1]', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 400 }),
        message,
        message,
        cuts,
        (garbage, first, second, sizes) => {
          const framing = make(name)
          pushCut(framing, garbage, sizes)
          if (framing.silence !== undefined) framing.reset() // the line was silent between
          const found = pushCut(
            framing,
            Buffer.concat([framing.encode(first), framing.encode(second)]),
            sizes,
          )
          expect(framesOf(found).at(-1)).toBe(hexOf(second))
        },
      ),
    )
  })

  it('skips what is too long to its end and counts it once [LINK-FR-3]', () => {
    const framing = make(name, 100)
    const long = new Uint8Array(60_000).fill(0x41)
    long.set([1, 60_000 >> 8, 60_000 & 255, 12])
    const stream = Buffer.concat([framing.encode(M1), make(name, 65_535).encode(long), framing.encode(M2)])
    const found = pushCut(framing, stream, [997])
    expect(framesOf(found)).toEqual([hexOf(M1), hexOf(M2)])
    expect(faultsOf(found)).toEqual(['oversized'])
  })

  it('skips what is one octet too long, and takes what just fits [LINK-FR-3]', () => {
    const sized = (length: number) => {
      const one = new Uint8Array(length).fill(0xc0)
      one.set([length, 12])
      return one
    }
    const framing = make(name, 100)
    const stream = Buffer.concat([101, 100].map((length) => make(name).encode(sized(length))))
    const found = framing.push(stream)
    expect([framesOf(found), faultsOf(found)]).toEqual([[hexOf(sized(100))], ['oversized']])
  })

  it('forgets the half of a frame when it starts anew [LINK-ST-3]', () => {
    const framing = make(name)
    const whole = framing.encode(M1)
    expect(framing.push(whole.subarray(0, whole.length - 2))).toEqual([])
    expect(faultsOf(framing.reset())).toEqual(['noise'])
    expect(framing.reset()).toEqual([])
    expect(framesOf(framing.push(framing.encode(M2)))).toEqual([hexOf(M2)])
  })

  it('drops a message whose check sum does not fit [LINK-FR-10]', () => {
    const framing = make(name, 1472, 'xmodem')
    const wrong = framing.encode(M1).slice()
    const at = wrong.indexOf(0x6d)
    wrong[at] = 0x6c
    expect(faultsOf(framing.push(wrong))).toEqual(['checksum'])
    expect(framesOf(framing.push(framing.encode(M2)))).toEqual([hexOf(M2)])
  })
})

describe.each(DELIMITED)('%s', (name) => {
  it('takes no notice of empty frames [LINK-FR-4]', () => {
    const framing = make(name)
    const delimiter = framing.encode(M1).at(-1) ?? 0
    expect(framing.push(new Uint8Array(50).fill(delimiter))).toEqual([])
    expect(framing.push(framing.encode(new Uint8Array()))).toEqual([])
  })
})

describe('slip', () => {
  it('drops a frame in which DB is followed by anything else than DC and DD [LINK-FR-5]', () => {
    for (const wrong of ['c0 02 db 18 c0', 'c0 02 18 db c0', 'c0 db db dc c0'])
      expect(faultsOf(make('slip').push(octets(wrong)))).toEqual(['noise'])
  })
})

describe('cobs', () => {
  it('drops a frame that has a 00 inside a block [LINK-FR-6]', () => {
    const found = make('cobs').push(octets('05 0a 04 00 03 02 18 00'))
    expect([faultsOf(found), framesOf(found)]).toEqual([['noise'], ['02 18']])
  })

  it('reads 254 octets without zero with and without a last 01 [LINK-FR-6]', () => {
    const full = new Uint8Array(254).fill(0x55)
    for (const end of ['00', '01 00'])
      expect(make('cobs').push(Buffer.concat([octets('ff'), full, octets(end)]))).toEqual([{ frame: full }])
  })
})

describe('hdlc', () => {
  it('drops a bad FCS, shares flags, and takes 7D 7E for an end [LINK-FR-7]', () => {
    const [one, two] = [
      '0a 04 04 01 00 3c 6d 31 33 35 ed 73',
      '0b 0c 62 c0 db dc 7d 5e 7d 5d 00 11 13 7d 5e 4d',
    ]
    expect(faultsOf(make('hdlc').push(octets(`7e ${one.replace('ed', 'ee')} 7e`)))).toEqual(['checksum'])
    expect(framesOf(make('hdlc').push(octets(`7e ${one} 7e ${two} 7e`)))).toEqual([hexOf(M1), hexOf(M2)])
    const aborted = make('hdlc').push(octets(`7e 0a 04 7d 7e ${one} 7e`))
    expect([faultsOf(aborted), framesOf(aborted)]).toEqual([['noise'], [hexOf(M1)]])
  })

  it('reads other octets that its sender has escaped [LINK-FR-7]', () => {
    expect(framesOf(make('hdlc', 100, 'none').push(octets('7e 7d 22 7d 38 7e')))).toEqual(['02 18'])
  })
})

describe('length', () => {
  it('reads lengths of one octet and of three, and what an encapsulation carries [LINK-FR-9]', () => {
    const long = new Uint8Array(300).fill(7)
    long.set([1, 300 >> 8, 300 & 255, 12])
    const carried = octets('05 fe 01 02 00 0a 04 04 01 00 3c 6d 31 33 35')
    const found = make('length').push(Buffer.concat([long, carried, M1]))
    expect(framesOf(found)).toEqual([hexOf(long), hexOf(carried), hexOf(M1)])
  })

  it('after noise waits for silence of 50 ms [LINK-FR-9]', () => {
    const framing = make('length')
    expect(framing.silence).toBe(50)
    expect(faultsOf(framing.push(octets('00 02 18 02 18')))).toEqual(['noise'])
    framing.reset()
    expect(framesOf(framing.push(octets('02 18')))).toEqual(['02 18'])
  })
})
