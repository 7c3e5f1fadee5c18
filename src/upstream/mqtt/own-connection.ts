// The gateway's own connection: it carries QoS -1 publishes and shows whether the broker can be reached [7.1, SN-QM1-4].

import { SensorConnection, type Shared } from './connection.ts'

/** A run of this many milliseconds counts as success: the pauses start over from the shortest. */
const STABLE = 10_000

/** Longest pause, milliseconds: the sensors' connections wait while this one finds no broker. */
const LONGEST = 5000

/** The broker closed it so soon after it was made, milliseconds, that another client with the same ClientId may be the reason. */
const SOON = 120_000

/** A message that was published within so many milliseconds before the end may be the reason: some brokers hang up at one. */
const BLAMED = 1000

/** So many such ends in a row have no better explanation. */
const FIGHT = 3

/** Longest pause while another client has the ClientId: each of the two would end the other's connection at once. */
const TRUCE = 60_000

/** Milliseconds between two lines about it. */
const REMIND = 600_000

/** Kept connected until `close`. */
export class OwnConnection {
  readonly #shared: Shared
  readonly #connection: SensorConnection
  #timer: NodeJS.Timeout | undefined
  #failures = 0
  #since = 0
  #up = false
  #congested = false
  /** how often in a row another client seems to have taken the ClientId */
  #taken = 0
  #publishedAt = Number.NEGATIVE_INFINITY
  #remindAt = Number.NEGATIVE_INFINITY

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
        this.#taken = 0 // nobody is served: it is the broker
        this.#retryLater()
      } else if (event.type === 'closed') {
        if (shared.now() - this.#since >= STABLE) this.#failures = 0
        this.#up = false
        shared.presence.vanish(shared.now())
        this.#noteEnd(event.why, shared.now())
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
    this.#publishedAt = this.#shared.now()
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

  /** Recognises a second client with the same ClientId: the broker says so, or ends the connection soon each time. */
  #noteEnd(why: 'lost' | 'unexplained' | 'taken-over' | 'forbidden', now: number): void {
    if (why === 'taken-over') this.#taken = Math.max(FIGHT, this.#taken + 1)
    else if (why !== 'unexplained' || now - this.#since >= SOON) this.#taken = 0
    else if (now - this.#publishedAt >= BLAMED) this.#taken += 1
    if (this.#taken < FIGHT || now < this.#remindAt) return
    this.#remindAt = now + REMIND
    const { log, own } = this.#shared.options
    log.error(
      { clientId: own.clientId },
      `another client uses the ClientId ${JSON.stringify(own.clientId)} of this gateway's own connection, and the broker serves only one of them: set another broker.clientId, or gateway.id`,
    )
  }

  /** Tries again after a pause that doubles, of which a random half is left out [SN-MAP-31]. */
  #retryLater(): void {
    const { reconnect, random = Math.random } = this.#shared.options
    const usual = Math.min(LONGEST, reconnect.max, reconnect.min * 2 ** Math.min(this.#failures, 30))
    const truce = this.#taken < FIGHT ? 0 : Math.min(TRUCE, 1000 * 2 ** Math.min(this.#taken - FIGHT, 10))
    const pause = Math.max(usual, truce)
    this.#failures += 1
    this.#timer = setTimeout(() => this.#open(), pause * (0.5 + random() / 2))
  }
}
