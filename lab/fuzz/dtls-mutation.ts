// Broken datagrams of DTLS: real ones of running sessions, changed where it hurts, the same for the same seed.

import { readdirSync, readFileSync } from 'node:fs'
import { below, type Random } from './mutation.ts'

/** Datagrams of recorded sessions, which are no session's here. */
export function readForeignDatagrams(): Uint8Array[] {
  const folder = new URL('../../test/dtls/vectors/', import.meta.url)
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .flatMap((name) => {
      const { steps } = JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as {
        steps: { in?: string; out?: string }[]
      }
      return steps.flatMap((step) =>
        (step.in ?? step.out) ? [Buffer.from(step.in ?? step.out ?? '', 'hex')] : [],
      )
    })
}

const pick = (list: readonly Uint8Array[], random: Random): Uint8Array =>
  list[below(random, list.length)] ?? new Uint8Array(0)

/** Where in a record something stands: type, version, epoch, sequence number, length, and a message's header behind it. */
const HEADER_FIELDS = 13 + 12

/** One to three faults in a datagram. */
export function mutateRecords(
  datagram: Uint8Array,
  seen: readonly Uint8Array[],
  foreign: readonly Uint8Array[],
  random: Random,
): Uint8Array {
  let bytes = Uint8Array.from(datagram)
  for (let faults = 1 + below(random, 3); faults > 0; faults--) bytes = fault(bytes, seen, foreign, random)
  return bytes.subarray(0, 65_507)
}

function fault(
  bytes: Uint8Array<ArrayBuffer>,
  seen: readonly Uint8Array[],
  foreign: readonly Uint8Array[],
  random: Random,
): Uint8Array<ArrayBuffer> {
  const at = below(random, Math.max(bytes.length, 1))
  const inHeader = Math.min(below(random, HEADER_FIELDS), bytes.length)
  const changed = Uint8Array.from(bytes)
  switch (below(random, 11)) {
    case 0: // one bit
      changed[at] = (changed[at] ?? 0) ^ (1 << below(random, 8))
      return changed
    case 1: // a field of the first record's header, or of its message's
      changed[inHeader] = below(random, 256)
      return changed
    case 2: // an edge there
      changed[inHeader] = [0, 1, 0x7f, 0x80, 0xff][below(random, 5)] ?? 0
      return changed
    case 3: // cut short
      return bytes.slice(0, at)
    case 4: // cut short with the right length
      return withRightLength(bytes.slice(0, at))
    case 5: // what is too much, with the right length
      return withRightLength(join(bytes, noise(1 + below(random, 40), random)))
    case 6: // two of the same session in one
      return join(bytes, pick(seen, random))
    case 7: // the front of one and the end of another
      return join(bytes.subarray(0, at), pick(seen, random).subarray(at))
    case 8: // a foreign one behind it
      return join(bytes, pick(foreign, random))
    case 9: // protected and not: the other epoch
      changed[4] = (changed[4] ?? 0) ^ 1
      return changed
    default: // something in between
      return join(bytes.subarray(0, at), noise(1 + below(random, 8), random), bytes.subarray(at))
  }
}

function join(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.concat(parts))
}

const noise = (length: number, random: Random): Uint8Array =>
  Uint8Array.from({ length }, () => below(random, 256))

/** The first record's length is what there is. */
function withRightLength(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (bytes.length < 13 || bytes[0] === 25) return bytes
  bytes[11] = (bytes.length - 13) >> 8
  bytes[12] = bytes.length - 13
  return bytes
}
