// A set that remembers what was asked for lately: bounded, and cheap to ask.

/** At least the `most` texts that were added or asked for last, at most twice as many. */
export class RecentSet {
  readonly #most: number
  #young = new Set<string>()
  #old = new Set<string>()

  constructor(most: number) {
    this.#most = most
  }

  add(text: string): void {
    if (this.#young.size >= this.#most) {
      this.#old = this.#young
      this.#young = new Set()
    }
    this.#young.add(text)
  }

  has(text: string): boolean {
    if (this.#young.has(text)) return true
    if (!this.#old.has(text)) return false
    this.add(text)
    return true
  }

  clear(): void {
    this.#young = new Set()
    this.#old = new Set()
  }

  delete(text: string): void {
    this.#young.delete(text)
    this.#old.delete(text)
  }
}
