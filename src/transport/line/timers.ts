// The timers of a line: one of each kind at a time.

/** `open` an attempt takes too long; `reopen` the next attempt; `pace` the next message may leave; `dialogue` something is due there; `stuck` nothing was taken. */
type Kind = 'open' | 'reopen' | 'pace' | 'dialogue' | 'stuck'

export class LineTimers {
  readonly #running = new Map<Kind, NodeJS.Timeout>()

  /** Starts it, unless it runs already. */
  start(kind: Kind, milliseconds: number, step: () => void): void {
    if (this.#running.has(kind)) return
    const timer = setTimeout(() => {
      this.#running.delete(kind)
      step()
    }, milliseconds)
    this.#running.set(kind, timer)
  }

  isRunning(kind: Kind): boolean {
    return this.#running.has(kind)
  }

  stop(...kinds: readonly Kind[]): void {
    for (const kind of kinds) {
      clearTimeout(this.#running.get(kind))
      this.#running.delete(kind)
    }
  }

  stopAll(): void {
    this.stop(...this.#running.keys())
  }
}
