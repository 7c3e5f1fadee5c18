// Looks whether a broker that stands earlier in the list answers again, so that all connections can return to it.

import type { Identity } from '../../upstream.ts'
import type { SocketOwner, SocketParts } from '../connection-parts.ts'
import { BrokerSocket } from '../socket.ts'

/** Shortest time between two attempts, milliseconds. */
const LEAST = 1000

/** What a probe works with. */
export interface ReturnProbeParts extends SocketParts {
  closing: boolean
  readonly now: () => number
}

/** Tries one broker after the other while one that is not the first is used. */
export class ReturnProbe {
  readonly #parts: ReturnProbeParts
  readonly #onWell: (index: number) => void
  /** since when each answers, by its place in the list */
  readonly #wellSince = new Map<number, number>()
  #timer: NodeJS.Timeout | undefined
  #running: BrokerSocket | undefined
  /** the place of the broker whose connection is open */
  #accepted: number | undefined
  #next = 0

  /** `onWell`: the broker at this place has answered for long enough. */
  constructor(parts: ReturnProbeParts, onWell: (index: number) => void) {
    this.#parts = parts
    this.#onWell = onWell
  }

  /** Another broker may be the current one now, or the options have changed. */
  watch(): void {
    const { endpoints, options, closing } = this.#parts
    const { returnAfter = 0 } = options
    this.stop()
    this.#wellSince.clear()
    if (endpoints.index === 0 || returnAfter === 0 || closing) return
    this.#timer = setInterval(() => this.#probe(), Math.max(LEAST, returnAfter / 3))
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#running?.end(false, true, 1)
    this.#running = undefined
    this.#accepted = undefined
  }

  #probe(): void {
    const { endpoints, options } = this.#parts
    if (this.#accepted !== undefined) this.#answered(this.#accepted, true) // it has held since the last look
    if (this.#running !== undefined || endpoints.index === 0) return
    const index = this.#next % endpoints.index
    this.#next = index + 1
    const endpoint = endpoints.all[index]
    if (endpoint === undefined) return
    // In a cluster the gateway's own ClientId would end its own connection.
    const identity: Identity = { ...options.own, clientId: `${options.own.clientId}-p` }
    const owner: SocketOwner = {
      // one that accepts and hangs up at once is not well
      accepted: () => {
        this.#accepted = index
      },
      failed: ({ outcome }) => this.#answered(index, outcome === 3),
      ended: () => this.#answered(index, false),
      received: () => undefined,
      congested: () => undefined,
      ponged: () => undefined,
    }
    const wanted = { identity, clean: true, mend: false, will: undefined }
    try {
      this.#running = new BrokerSocket(this.#parts, endpoint, wanted, endpoint.versions.preferred, owner)
    } catch {
      this.#answered(index, false) // the certificate cannot be used, which the own connection reports
    }
  }

  /** A broker that refuses this ClientId for good is there, too. */
  #answered(index: number, isWell: boolean): void {
    this.#running?.end(false, true, 1)
    this.#running = undefined
    this.#accepted = undefined
    if (!isWell) return void this.#wellSince.delete(index)
    const { options, now } = this.#parts
    const since = this.#wellSince.get(index) ?? now()
    this.#wellSince.set(index, since)
    if (now() - since >= (options.returnAfter ?? 0)) this.#onWell(index)
  }
}
