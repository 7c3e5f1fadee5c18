// Things that arrive one by one, for tests that wait for them.

/** Everything that came, and what of it was not taken yet. */
export class Inbox<T> {
  /** oldest first */
  readonly all: T[] = []
  readonly #waiting = new Set<() => void>()
  #taken = 0

  put(item: T): void {
    this.all.push(item)
    for (const wake of this.#waiting) wake()
    this.#waiting.clear()
  }

  /** The oldest one not taken yet; rejects if none comes within `milliseconds`. */
  async next(milliseconds = 8000): Promise<T> {
    const [item] = await this.take(1, milliseconds)
    return item as T
  }

  /** The next `count`, in order; rejects if they do not come within `milliseconds`. */
  async take(count: number, milliseconds = 8000): Promise<T[]> {
    const deadline = performance.now() + milliseconds
    while (this.all.length < this.#taken + count) {
      const left = deadline - performance.now()
      if (left <= 0) {
        const came = JSON.stringify(this.all.slice(this.#taken))
        throw new Error(`waited ${milliseconds} ms for ${count}, came ${came}`)
      }
      await this.#arrival(left)
    }
    this.#taken += count
    return this.all.slice(this.#taken - count, this.#taken)
  }

  #arrival(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds)
      this.#waiting.add(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }
}
