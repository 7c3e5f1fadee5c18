// Cuts the octets of one connection into MQTT packets. It reads their fixed headers only.

/** Where no other bound is given, a packet that is larger ends the connection: it would be held in memory as a whole. */
const MAXIMUM = 16_777_216

const PUBLISH = 3

/** The largest length that the fixed header of a packet can tell takes four octets. */
const LENGTH_OCTETS = 4

/** Takes a packet; `missing`: octets at its end that were skipped. Tells whether to go on. */
export type OnPacket = (packet: Buffer, missing: number) => boolean

/** One per connection; holds octets only while a packet has come in part. */
export class Framing {
  #parts: Buffer[] | undefined
  /** octets in `#parts`, and how many there must be before it is worth looking again */
  #held = 0
  #needed = 0
  /** octets still to come of a packet that is too long */
  #skipping = 0
  readonly #longest: number | undefined

  /**
   * `longest`: octets of a packet that is taken as a whole; of a longer PUBLISH only what stands before its payload is, and the
   * rest is skipped while it comes in. Without it, a long packet is an Error.
   */
  constructor(longest?: number) {
    this.#longest = longest
  }

  /**
   * Takes what the network delivered, which it does not keep: `octets` may be overwritten afterwards, and so may the
   * packets given to `onPacket`. Throws an Error for what cannot be a packet.
   */
  take(octets: Buffer, onPacket: OnPacket): void {
    let chunk = octets
    if (this.#skipping > 0) {
      const skipped = Math.min(this.#skipping, chunk.length)
      this.#skipping -= skipped
      chunk = chunk.subarray(skipped)
    }
    if (this.#parts !== undefined) {
      this.#hold(octets)
      if (this.#held < this.#needed) return
      chunk = Buffer.concat(this.#parts, this.#held)
      this.#parts = undefined
      this.#held = 0
    }
    let start = 0
    while (start < chunk.length) {
      const length = packetLength(chunk, start)
      const wanted = this.#wantedOf(chunk, start, length)
      if (start + wanted > chunk.length) {
        this.#needed = wanted
        this.#hold(chunk.subarray(start))
        return
      }
      const end = Math.min(start + length, chunk.length)
      this.#skipping = start + length - end
      if (!onPacket(chunk.subarray(start, start + wanted), length - wanted)) return
      start = end
    }
  }

  /** Octets of a packet of this length that are to be taken: all of them, unless it is too long. */
  #wantedOf(octets: Buffer, start: number, length: number): number {
    if (length <= (this.#longest ?? MAXIMUM)) return length
    const header = headerLength(octets, start)
    if (this.#longest !== undefined && (octets[start] ?? 0) >> 4 === PUBLISH) {
      return Math.min(length, headOfPublish(octets, start, header))
    }
    if (this.#longest === undefined && length - header <= MAXIMUM) return length
    throw new Error(`the broker sent a packet of ${length - header} octets`)
  }

  #hold(octets: Buffer): void {
    this.#parts ??= []
    this.#parts.push(Buffer.from(octets))
    this.#held += octets.length
  }
}

/** Octets of the packet that begins at `start`, or at least one more than there are if its header is not complete. */
function packetLength(octets: Buffer, start: number): number {
  let remaining = 0
  for (let index = 1; index <= LENGTH_OCTETS; index++) {
    const octet = octets[start + index]
    if (octet === undefined) return index + 1
    remaining += (octet & 0x7f) * 2 ** (7 * (index - 1))
    if (octet > 0x7f) continue
    return 1 + index + remaining
  }
  throw new Error('the broker sent a malformed length')
}

/** Octets of a complete fixed header. */
function headerLength(octets: Buffer, start: number): number {
  let length = 2
  while ((octets[start + length - 1] ?? 0) > 0x7f) length += 1
  return length
}

/** Octets of the PUBLISH at `start` up to and with its packet identifier, or at least one more than there are of them. */
function headOfPublish(octets: Buffer, start: number, header: number): number {
  const name = header + 2
  if (start + name > octets.length) return name
  const hasId = ((octets[start] ?? 0) & 0x06) !== 0
  return name + octets.readUInt16BE(start + header) + (hasId ? 2 : 0)
}
