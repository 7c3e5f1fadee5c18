// Whose turn it is to connect: a storm after a broker restart becomes a queue [SN-MAP-31].

/** A place in the queue or, once `start` was called, a running attempt. */
export interface Turn {
  /** Leaves the queue, or makes room for the next; more than once does no harm. */
  end(): void
}

/** First come, first served; at most `perSecond` starts and `atOnce` running at a time. */
export class Pacing {
  #perSecond = 1
  #atOnce = 1
  #burst = 1
  readonly #queue = new Set<() => void>()
  readonly #parked = new Set<() => void>()
  #running = 0
  #held = false
  #credit: number
  #creditAt = performance.now()
  #timer: NodeJS.Timeout | undefined
  #immediate: NodeJS.Immediate | undefined

  constructor(perSecond: number, atOnce: number) {
    this.renew(perSecond, atOnce)
    this.#credit = this.#burst
  }

  /** Other limits from now on. */
  renew(perSecond: number, atOnce: number): void {
    this.#perSecond = perSecond
    this.#atOnce = Math.max(1, atOnce)
    // A tenth of a second's worth may start together: timers are not finer than that under load.
    this.#burst = Math.max(1, perSecond / 10)
    this.#wake()
  }

  get waiting(): number {
    return this.#queue.size + this.#parked.size
  }

  /** Queues an attempt; `start` is called when it is its turn, never from within this call. */
  request(start: () => void, patient = false): Turn {
    let running = false
    const run = (): void => {
      running = true
      start()
    }
    if (patient && this.#held) this.#parked.add(run)
    else this.#queue.add(run)
    this.#wake()
    return {
      end: () => {
        if (!this.#queue.delete(run) && !this.#parked.delete(run) && running) {
          running = false
          this.#running -= 1
          this.#wake()
        }
      },
    }
  }

  /** Whether those who are patient wait outside the queue: there is nothing to connect to. */
  hold(on: boolean): void {
    this.#held = on
    if (on) return
    for (const run of this.#parked) this.#queue.add(run)
    this.#parked.clear()
    this.#wake()
  }

  /** Forgets everyone who waits. */
  close(): void {
    this.#queue.clear()
    this.#parked.clear()
    clearTimeout(this.#timer)
    clearImmediate(this.#immediate)
    this.#timer = undefined
    this.#immediate = undefined
  }

  /** Starts those who are due: at the end of this turn of the loop, or when there is credit for the next. */
  #wake(): void {
    const planned = this.#timer !== undefined || this.#immediate !== undefined
    if (planned || this.#queue.size === 0 || this.#running >= this.#atOnce) return
    this.#earn()
    // A timer would cost even a sensor that comes alone a millisecond.
    if (this.#credit >= 1) this.#immediate = setImmediate(() => this.#startDue())
    else {
      const pause = Math.ceil(((1 - this.#credit) * 1000) / this.#perSecond)
      this.#timer = setTimeout(() => this.#startDue(), pause)
    }
  }

  #earn(): void {
    const now = performance.now()
    this.#credit = Math.min(this.#burst, this.#credit + ((now - this.#creditAt) * this.#perSecond) / 1000)
    this.#creditAt = now
  }

  #startDue(): void {
    this.#timer = undefined
    this.#immediate = undefined
    this.#earn()
    for (const run of this.#queue) {
      if (this.#running >= this.#atOnce || this.#credit < 1) break
      this.#queue.delete(run)
      this.#credit -= 1
      this.#running += 1
      run()
    }
    this.#wake()
  }
}
