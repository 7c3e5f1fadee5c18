// Pings for all open connections. One timer serves them all, since ten thousand timers would cost more [SN-MAP-5].

/** How often it walks, in milliseconds. */
const STEP = 1000

/** An open connection. */
export interface Kept {
  /** Sends PINGREQ. */
  ping(): unknown
  /** The broker is silent. */
  silent(): void
}

/** What is known of one connection. */
export interface Pulse {
  readonly kept: Kept
  /** milliseconds */
  readonly interval: number
  /** when the last PINGREQ was sent, or the connection opened */
  pingedAt: number
  /** something has come since */
  heard: boolean
}

/**
 * Pings at fixed intervals, also while the gateway sends messages: the system buffers these for a broker that is gone, and
 * reports no error for a long time.
 */
export class KeepAlive {
  readonly #pulses = new Set<Pulse>()
  #timer: NodeJS.Timeout | undefined
  #walkedAt = 0

  /** Starts for one connection; the caller sets `heard` in what is returned. */
  start(kept: Kept, interval: number): Pulse {
    const pulse = { kept, interval, pingedAt: performance.now(), heard: true }
    if (interval === 0) return pulse
    this.#pulses.add(pulse)
    if (this.#timer === undefined) {
      this.#walkedAt = pulse.pingedAt
      this.#timer = setInterval(() => this.#walk(performance.now()), STEP)
    }
    return pulse
  }

  stop(pulse: Pulse): void {
    this.#pulses.delete(pulse)
    if (this.#pulses.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #walk(now: number): void {
    // The process has stood still: answers of the broker may have arrived that nobody has read yet.
    const late = now - this.#walkedAt > 2 * STEP
    this.#walkedAt = now
    if (late) return
    for (const pulse of this.#pulses) {
      const since = now - pulse.pingedAt
      if (!pulse.heard) {
        if (since >= pulse.interval / 2) pulse.kept.silent()
      } else if (since > pulse.interval - STEP) {
        pulse.pingedAt = now
        pulse.heard = false
        pulse.kept.ping()
      }
    }
  }
}
