// Broken datagrams: golden and malformed ones of MQTT-SN 1.2, changed at random, the same for the same seed.

import { readFileSync } from 'node:fs'

/** 0 <= random() < 1, from a seed. */
export type Random = () => number

/** A sequence that depends on the seed alone (a 32-bit mixing generator). */
export function seeded(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x9e3779b9) >>> 0
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32
  }
}

/** A whole number from 0 to below `end`. */
export const below = (random: Random, end: number): number => Math.floor(random() * end)

interface Vectors {
  vectors: { hex: string }[]
  largeVectors: { hexPrefix: string; fillByte: string; fillCount: number }[]
  malformed: { hex: string }[]
}

/** Reads the frames that everything starts from; they are part of the project's sources, not of the package. */
export function readSeeds(): Uint8Array[] {
  const file = new URL('../../test/codec/vectors-1.2.json', import.meta.url)
  const { vectors, largeVectors, malformed } = JSON.parse(readFileSync(file, 'utf8')) as Vectors
  const large = largeVectors.map(
    ({ hexPrefix, fillByte, fillCount }) => hexPrefix + fillByte.repeat(fillCount),
  )
  return [...vectors, ...malformed]
    .map(({ hex }) => hex)
    .concat(large)
    .map((hex) => Buffer.from(hex, 'hex'))
}

/** The longest UDP payload over IPv4. */
const LONGEST = 65_507
const EDGES = [0, 1, 2, 3, 4, 0x7f, 0x80, 0xfe, 0xff]

/** One datagram: mostly a known frame with a few faults, now and then pure noise of any length. */
export function mutateDatagram(seeds: readonly Uint8Array[], random: Random): Uint8Array {
  const dice = random()
  if (dice < 0.001) return noise(below(random, LONGEST + 1), random)
  if (dice < 0.03) return noise(below(random, 64), random)
  let bytes = pick(seeds, random)
  for (let faults = below(random, 4); faults > 0; faults--) bytes = fault(bytes, seeds, random)
  if (random() < 0.5) bytes = withRightLength(bytes)
  return bytes.subarray(0, LONGEST)
}

function pick<T>(list: readonly T[], random: Random): T {
  return list[below(random, list.length)] as T
}

function noise(length: number, random: Random): Uint8Array {
  return Uint8Array.from({ length }, () => below(random, 256))
}

function fault(bytes: Uint8Array, seeds: readonly Uint8Array[], random: Random): Uint8Array {
  const at = below(random, bytes.length + 1)
  const before = bytes.subarray(0, at)
  switch (below(random, 7)) {
    case 0: // another octet
      return Buffer.concat([before, Buffer.of(below(random, 256)), bytes.subarray(at + 1)])
    case 1: // an octet at the edge of its range
      return Buffer.concat([before, Buffer.of(pick(EDGES, random)), bytes.subarray(at + 1)])
    case 2: // one bit
      return Uint8Array.from(bytes, (octet, index) =>
        index === at ? octet ^ (1 << below(random, 8)) : octet,
      )
    case 3: // cut short
      return before
    case 4: // something in between
      return Buffer.concat([before, noise(1 + below(random, 8), random), bytes.subarray(at)])
    case 5: // something missing
      return Buffer.concat([before, bytes.subarray(at + 1 + below(random, 4))])
    default: // it goes on as another frame
      return Buffer.concat([before, pick(seeds, random).subarray(at)])
  }
}

/** Faults behind the Length are seen only if it is right. */
function withRightLength(bytes: Uint8Array): Uint8Array {
  const right = Uint8Array.from(bytes)
  const inner = right[1] === 0xfe ? (right[0] ?? 0) : 0
  const length = right.length - inner
  if (right[inner] === 1 && length >= 4 && length <= 0xffff) {
    right[inner + 1] = length >> 8
    right[inner + 2] = length
  } else if (length >= 2 && length <= 0xff) right[inner] = length
  return right
}
