// Frames of radio modems, XBee and LoRaLink: 7E, a length of two octets, the data, and a sum that makes FF of all data. With
// escapes 7E stands nowhere else; without, only the length and the sum show where a frame is one. Pure.

import type { Decoded, Framing } from './decoded.ts'

const START = 0x7e
const ESC = 0x7d
const TURN = 0x20
const MUST_ESCAPE: ReadonlySet<number> = new Set([START, ESC, 0x11, 0x13])
/** 7E, length, sum. */
const AROUND = 4
/** Milliseconds without an octet in the middle of a frame: the rest will not come. */
const SILENCE = 500
/** Octets of noise that are told at once. */
const NOISE = 200

export interface ApiFrameOptions {
  /** octets of the longest data */
  readonly longest: number
  /** 7E, 7D, 11 and 13 behind the first octet are written as 7D and the octet with its bit 20 turned */
  readonly escaped: boolean
  /** the length counts the sum as well */
  readonly countsSum?: boolean
}

/** Octets that so many of data may become on the line. */
export const mostApiOctets = (data: number): number => 1 + 2 * (data + AROUND - 1)

/** A framing at its start; what it encodes and gives is the data of frames. */
export const createApiFrames = (options: ApiFrameOptions): Framing => new ApiFrames(options)

class ApiFrames implements Framing {
  readonly silence = SILENCE
  readonly #escaped: boolean
  readonly #longest: number
  readonly #sumLength: number
  /** the frame that is being read, as it came; empty while 7E is looked for */
  readonly #raw: Uint8Array
  #used = 0
  /** the same behind 7E without escapes: length, data, sum */
  readonly #plain: Uint8Array
  #got = 0
  #isTurned = false
  #noise: number[] = []

  constructor({ longest, escaped, countsSum = false }: ApiFrameOptions) {
    this.#escaped = escaped
    this.#longest = longest
    this.#sumLength = countsSum ? 1 : 0
    this.#raw = new Uint8Array(mostApiOctets(longest))
    this.#plain = new Uint8Array(longest + AROUND - 1)
  }

  encode(data: Uint8Array): Uint8Array {
    const into = new Uint8Array(mostApiOctets(data.length))
    const length = data.length + this.#sumLength
    into[0] = START
    let at = 1
    const put = (octet: number): void => {
      if (this.#escaped && MUST_ESCAPE.has(octet)) {
        into[at++] = ESC
        into[at++] = octet ^ TURN
      } else into[at++] = octet
    }
    put(length >> 8)
    put(length & 0xff)
    for (const octet of data) put(octet)
    put(sumOf(data))
    return into.subarray(0, at)
  }

  push(bytes: Uint8Array): Decoded[] {
    const found: Decoded[] = []
    this.#feed(bytes, found)
    return found
  }

  reset(): Decoded[] {
    const found: Decoded[] = []
    while (this.#used > 0) this.#feed(this.#giveUp('noise', found), found)
    this.#tellNoise(found)
    return found
  }

  /** What turned out to be no frame is read again from behind its 7E: a frame may have begun in it. */
  #feed(bytes: Uint8Array, found: Decoded[]): void {
    const parts = [bytes]
    for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
      for (let i = 0; i < part.length; i++) {
        const again = this.#step(part[i] ?? 0, found)
        if (again === undefined || again.length === 0) continue
        parts.push(part.subarray(i + 1), again)
        break
      }
    }
  }

  /** Takes one octet; gives those that are to be read again. */
  #step(octet: number, found: Decoded[]): Uint8Array | undefined {
    if (octet === START && (this.#used === 0 || this.#escaped)) {
      if (this.#used > 0) this.#giveUp('noise', found)
      this.#tellNoise(found)
      this.#raw[0] = START
      this.#used = 1
      this.#got = 0
      this.#isTurned = false
      return undefined
    }
    if (this.#used === 0) {
      this.#noise.push(octet)
      if (this.#noise.length === NOISE) this.#tellNoise(found)
      return undefined
    }
    this.#raw[this.#used++] = octet
    if (this.#escaped && octet === ESC && !this.#isTurned) {
      this.#isTurned = true
      return this.#used === this.#raw.length ? this.#giveUp('noise', found) : undefined
    }
    this.#plain[this.#got++] = this.#isTurned ? octet ^ TURN : octet
    this.#isTurned = false
    return this.#got < 2 ? undefined : this.#complete(found)
  }

  #complete(found: Decoded[]): Uint8Array | undefined {
    const length = (this.#plain[0] ?? 0) * 256 + (this.#plain[1] ?? 0) - this.#sumLength
    if (length < 0) return this.#giveUp('noise', found)
    if (length > this.#longest) return this.#giveUp('oversized', found)
    if (this.#got < length + AROUND - 1) return undefined
    const data = this.#plain.slice(2, 2 + length)
    if (sumOf(data) !== this.#plain[2 + length]) return this.#giveUp('checksum', found)
    this.#used = 0
    if (length > 0) found.push({ frame: data })
    return undefined
  }

  /** Tells of what is no frame; gives what is to be read again: from the next octet on that may begin one. */
  #giveUp(fault: 'noise' | 'checksum' | 'oversized', found: Decoded[]): Uint8Array {
    const raw = this.#raw.slice(0, this.#used)
    this.#used = 0
    const next = raw.indexOf(START, 1)
    const end = next < 0 ? raw.length : next
    found.push({ fault, octets: raw.slice(0, end) })
    return raw.subarray(end)
  }

  #tellNoise(found: Decoded[]): void {
    if (this.#noise.length === 0) return
    found.push({ fault: 'noise', octets: Uint8Array.from(this.#noise) })
    this.#noise = []
  }
}

function sumOf(data: Uint8Array): number {
  let sum = 0
  for (const octet of data) sum += octet
  return 0xff - (sum & 0xff)
}
