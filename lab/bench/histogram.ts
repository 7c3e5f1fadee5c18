// A histogram of durations in bounded memory: buckets that grow by 2 %, from a microsecond to four minutes.

const PER_DOUBLING = 32
const DOUBLINGS = 28

/** Durations in milliseconds. */
export class Histogram {
  readonly #counts = new Uint32Array(PER_DOUBLING * DOUBLINGS)
  #longest = 0
  count = 0

  add(milliseconds: number): void {
    const bucket = Math.floor(Math.log2(Math.max(milliseconds * 1000, 1)) * PER_DOUBLING)
    const index = Math.min(bucket, this.#counts.length - 1)
    this.#counts[index] = (this.#counts[index] ?? 0) + 1
    this.#longest = Math.max(this.#longest, milliseconds)
    this.count += 1
  }

  /** The duration that this share (0 to 1) did not exceed; undefined if nothing was added. */
  quantile(share: number): number | undefined {
    if (this.count === 0) return undefined
    let below = 0
    for (const [index, count] of this.#counts.entries()) {
      below += count
      if (below >= share * this.count && count > 0) {
        return Math.min(2 ** ((index + 0.5) / PER_DOUBLING) / 1000, this.#longest)
      }
    }
    return this.#longest
  }

  clear(): void {
    this.#counts.fill(0)
    this.#longest = 0
    this.count = 0
  }
}
