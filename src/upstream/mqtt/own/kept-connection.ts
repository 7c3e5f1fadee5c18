// A connection of the gateway for messages of senders without one: opened at the first need, and again whenever it ends.

import { SensorConnection } from '../connection.ts'
import type { Shared } from '../connection-parts.ts'

/** Longest pause before it is opened again, milliseconds. */
const LONGEST = 5000

/** Whom it tells. */
export interface KeptConnectionOwner {
  opened(): void
  /** An open connection has ended by itself. */
  ended(detail: string): void
  /** An attempt has failed. `forGood`: the broker does not want it. */
  failed(detail: string, forGood: boolean): void
  /** The broker has answered so many of the pings since `opened`. */
  ponged(pings: number): void
}

/** See `Upstream.publishAnonymous` for what it is good for. */
export class KeptConnection {
  readonly #shared: Shared
  readonly #suffix: string
  readonly #connection: SensorConnection
  #state: 'closed' | 'waiting' | 'connecting' | 'open' = 'closed'
  #congested = false
  #timer: NodeJS.Timeout | undefined

  /** `suffix`: what its ClientId has more than that of the gateway's own connection. */
  constructor(shared: Shared, suffix: string, owner: KeptConnectionOwner) {
    this.#shared = shared
    this.#suffix = suffix
    this.#connection = new SensorConnection(
      shared,
      (event) => {
        if (event.type === 'congestion') this.#congested = event.on
        else if (event.type === 'connected') {
          this.#state = 'open'
          this.#congested = false
          owner.opened()
        } else if (event.type === 'closed') {
          this.#state = 'closed'
          owner.ended(event.detail)
        } else if (event.type === 'refused') {
          this.#state = 'closed'
          owner.failed(event.detail, event.outcome === 3)
        }
      },
      (pings) => owner.ponged(pings),
    )
  }

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  /** more than enough waits for the broker */
  get isCongested(): boolean {
    return this.#congested
  }

  /** Opens it, unless it is open or about to be. `failures`: how often that has failed in a row: the more, the later. */
  open(failures: number): void {
    if (this.#state !== 'closed' || this.#shared.closing) return
    this.#state = 'waiting'
    const { reconnect, random = Math.random } = this.#shared.options
    const first = Math.min(reconnect.min, 100)
    const pause =
      failures === 0 ? 0 : Math.min(LONGEST, reconnect.max, first * 2 ** Math.min(failures - 1, 30))
    if (pause === 0) this.#connect()
    else this.#timer = setTimeout(() => this.#connect(), pause * (0.5 + random() / 2))
  }

  #connect(): void {
    this.#state = 'connecting'
    const { own } = this.#shared.options
    const identity = { ...own, clientId: own.clientId + this.#suffix }
    this.#connection.connect({ identity, clean: true, mend: false, will: undefined })
  }

  publish(topic: string, payload: Uint8Array, retain: boolean): void {
    this.#connection.publish(0, topic, payload, 0, retain, false)
  }

  /** See `SensorConnection.ping`. */
  ping(): number {
    return this.#connection.ping()
  }

  /** See `SensorConnection.move`. */
  move(): void {
    this.#connection.move()
  }

  /** Ends it without telling the owner. */
  close(): void {
    clearTimeout(this.#timer)
    this.#state = 'closed'
    this.#connection.close(false, true)
  }
}
