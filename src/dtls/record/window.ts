// The replay window of one epoch [6347 4.1.2.6]: which of the last 64 sequence numbers have come. Pure.

/** Octets of state are two 32-bit halves: bit n stands for the number that is n below the highest. */
export class ReplayWindow {
  /** the highest number so far, -1 = none */
  top: number
  #low = 0
  #high = 0

  /** After a restart everything up to `top` counts as seen. */
  constructor(top = -1) {
    this.top = top
    if (top >= 0) this.#low = this.#high = 0xffffffff | 0
  }

  /** Whether this number is new and not left of the window; changes nothing. */
  accepts(sequence: number): boolean {
    const below = this.top - sequence
    if (below < 0) return true
    if (below > 63) return false
    return below < 32 ? (this.#low & (1 << below)) === 0 : (this.#high & (1 << (below - 32))) === 0
  }

  /** Notes a number that is accepted; true if it is newer than all before. */
  mark(sequence: number): boolean {
    const above = sequence - this.top
    if (above > 0) {
      this.#shift(above)
      this.top = sequence
      this.#low |= 1
      return true
    }
    const below = -above
    if (below < 32) this.#low |= 1 << below
    else if (below < 64) this.#high |= 1 << (below - 32)
    return false
  }

  #shift(count: number): void {
    if (count > 63) this.#low = this.#high = 0
    else if (count > 31) {
      this.#high = this.#low << (count - 32)
      this.#low = 0
    } else {
      this.#high = (this.#high << count) | (this.#low >>> (32 - count))
      this.#low <<= count
    }
  }
}
