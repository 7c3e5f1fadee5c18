// Limits how many attempts to connect start per second and run at once, so that the sensors do not storm a broker that has
// restarted [SN-MAP-31].

/** Milliseconds that starts may take in one turn of the event loop; others are started in the next one. */
const TURN = 4

/** A place in the queue or, once `start` was called, a running attempt. */
export interface Slot {
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

  /**
   * Queues an attempt; `start` is called when the limits allow it, never from within this call. `patient`: waits outside the
   * queue while `hold` is on.
   */
  request(start: () => void, patient = false): Slot {
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

  /** on: patient attempts wait outside the queue, because nothing listens at the broker's address. */
  hold(on: boolean): void {
    this.#held = on
    if (on) return
    for (const run of this.#parked) this.#queue.add(run)
    this.#parked.clear()
    this.#wake()
  }

  /** Forgets all attempts that wait. */
  close(): void {
    this.#queue.clear()
    this.#parked.clear()
    clearTimeout(this.#timer)
    clearImmediate(this.#immediate)
    this.#timer = undefined
    this.#immediate = undefined
  }

  /** Plans the next start: at the end of this turn of the event loop, or when the rate allows another attempt. */
  #wake(): void {
    const planned = this.#timer !== undefined || this.#immediate !== undefined
    if (planned || this.#queue.size === 0 || this.#running >= this.#atOnce) return
    this.#earn()
    // A timer would delay every attempt by a millisecond or more, also when no other waits.
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
    const begun = performance.now()
    for (const run of this.#queue) {
      if (this.#running >= this.#atOnce || this.#credit < 1 || performance.now() - begun > TURN) break
      this.#queue.delete(run)
      this.#credit -= 1
      this.#running += 1
      run()
    }
    this.#wake()
  }
}
