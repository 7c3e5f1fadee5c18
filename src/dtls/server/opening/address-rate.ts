// How many verified hellos an address may send in a second; what it remembers is bounded.

const MOST_ADDRESSES = 4096
const SECOND = 1000

export class AddressRate {
  #counts = new Map<string, number>()
  #since = Number.NEGATIVE_INFINITY
  /** addresses for which there was no room share one count */
  #others = 0

  get size(): number {
    return this.#counts.size
  }

  /** Counts one, and says whether it is within the rate. */
  admits(address: string, most: number, now: number): boolean {
    if (now - this.#since >= SECOND) {
      this.#counts.clear()
      this.#others = 0
      this.#since = now
    }
    const count = this.#counts.get(address)
    if (count === undefined && this.#counts.size >= MOST_ADDRESSES) return ++this.#others <= most
    this.#counts.set(address, (count ?? 0) + 1)
    return (count ?? 0) < most
  }
}
