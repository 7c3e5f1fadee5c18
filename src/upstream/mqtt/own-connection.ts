// The gateway's own connection: it carries QoS -1 publishes and shows whether the broker can be reached [7.1, SN-QM1-4].

import { SensorConnection, type Shared } from './connection.ts'

/** A run of this many milliseconds counts as success: the pauses start over from the shortest. */
const STABLE = 10_000

/** Longest pause, milliseconds: the sensors' connections wait while this one finds no broker. */
const LONGEST = 5000

/** Kept connected until `close`. */
export class OwnConnection {
  readonly #shared: Shared
  readonly #connection: SensorConnection
  #timer: NodeJS.Timeout | undefined
  #failures = 0
  #since = 0
  #up = false
  #congested = false

  constructor(shared: Shared) {
    this.#shared = shared
    const { log } = shared.options
    this.#connection = new SensorConnection(shared, (event) => {
      if (event.type === 'connected') {
        this.#up = true
        this.#congested = false
        this.#since = shared.now()
        shared.presence.appear()
        log.info({}, 'connected to the broker')
      } else if (event.type === 'refused') {
        // A broker that stays away is logged once per outage.
        if (this.#failures === 0) log.warn({ detail: event.detail }, 'the broker cannot be reached')
        this.#retryLater()
      } else if (event.type === 'closed') {
        if (shared.now() - this.#since >= STABLE) this.#failures = 0
        this.#up = false
        shared.presence.vanish(shared.now())
        log.warn({ detail: event.detail }, 'lost the connection to the broker')
        this.#retryLater()
      } else if (event.type === 'congestion') this.#congested = event.on
    })
    this.#open()
  }

  get healthy(): boolean {
    return this.#up
  }

  /** See `Upstream.publishAnonymous`. */
  publish(topic: string, payload: Uint8Array, retain: boolean): boolean {
    if (!this.#up || this.#congested) return false
    this.#connection.publish(0, topic, payload, 0, retain, false)
    return true
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#up = false
    this.#connection.close(false, true)
  }

  #open(): void {
    this.#connection.connect({
      identity: this.#shared.options.own,
      clean: true,
      mend: false,
      will: this.#shared.options.ownWill,
    })
  }

  /** Tries again after a pause that doubles, of which a random half is left out [SN-MAP-31]. */
  #retryLater(): void {
    const { reconnect, random = Math.random } = this.#shared.options
    const pause = Math.min(LONGEST, reconnect.max, reconnect.min * 2 ** Math.min(this.#failures, 30))
    this.#failures += 1
    this.#timer = setTimeout(() => this.#open(), pause * (0.5 + random() / 2))
  }
}
