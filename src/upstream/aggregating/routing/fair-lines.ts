// What waits for its turn on a connection that many share: a line for each of them, served in turns, so that nobody who has much to
// say makes others wait. Pure.

/** Lines of jobs, by owner. */
export class FairLines<Owner, Job> {
  /** in the order of their turns */
  readonly #lines = new Map<Owner, Job[]>()
  #size = 0

  /** jobs that wait */
  get size(): number {
    return this.#size
  }

  /** owners that have something waiting */
  get owners(): number {
    return this.#lines.size
  }

  /** jobs of one owner */
  lengthOf(owner: Owner): number {
    return this.#lines.get(owner)?.length ?? 0
  }

  push(owner: Owner, job: Job): void {
    const line = this.#lines.get(owner)
    if (line === undefined) this.#lines.set(owner, [job])
    else line.push(job)
    this.#size += 1
  }

  /** The next job of the owner whose turn it is, who has the next turn after all others. */
  take(): Job | undefined {
    for (const [owner, line] of this.#lines) {
      const job = line.shift()
      this.#lines.delete(owner)
      if (line.length > 0) this.#lines.set(owner, line)
      if (job === undefined) continue
      this.#size -= 1
      return job
    }
    return undefined
  }

  /** Forgets what one owner has waiting. */
  drop(owner: Owner): void {
    this.#size -= this.lengthOf(owner)
    this.#lines.delete(owner)
  }

  clear(): void {
    this.#lines.clear()
    this.#size = 0
  }
}
