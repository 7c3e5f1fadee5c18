// Cuts the octets of one connection into MQTT packets. It reads their fixed headers only.

/** A packet that is larger ends the connection: it would be held in memory as a whole, for every sensor that gets it. */
const MAXIMUM = 16_777_216

/** One per connection; holds octets only while a packet has come in part. */
export class Framing {
  #parts: Buffer[] | undefined
  /** octets in `#parts`, and how many there must be before it is worth looking again */
  #held = 0
  #needed = 0

  /**
   * Takes what the network delivered, which it does not keep: `octets` may be overwritten afterwards, and so may the
   * packets given to `onPacket`, which tells whether to go on. Throws an Error for what cannot be a packet.
   */
  take(octets: Buffer, onPacket: (packet: Buffer) => boolean): void {
    let chunk = octets
    if (this.#parts !== undefined) {
      this.#hold(octets)
      if (this.#held < this.#needed) return
      chunk = Buffer.concat(this.#parts, this.#held)
      this.#parts = undefined
      this.#held = 0
    }
    let start = 0
    while (start < chunk.length) {
      const end = start + packetLength(chunk, start)
      if (end > chunk.length) {
        this.#needed = end - start
        this.#hold(chunk.subarray(start))
        return
      }
      if (!onPacket(chunk.subarray(start, end))) return
      start = end
    }
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
  for (let index = 1; index <= 4; index++) {
    const octet = octets[start + index]
    if (octet === undefined) return index + 1
    remaining += (octet & 0x7f) * 2 ** (7 * (index - 1))
    if (octet > 0x7f) continue
    if (remaining > MAXIMUM) throw new Error(`the broker sent a packet of ${remaining} octets`)
    return 1 + index + remaining
  }
  throw new Error('the broker sent a malformed length')
}
