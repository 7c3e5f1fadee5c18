// Recognises another client that uses the ClientId of the gateway's own connection: each of the two would end the other's
// connection for ever.

import type { UpstreamOptions } from '../../upstream.ts'

/** The broker closed it so soon after it was made, milliseconds, that another client with the same ClientId may be the reason. */
const SOON = 120_000

/** A message that was published within so many milliseconds before the end may be the reason: some brokers hang up at one. */
const BLAMED = 1000

/** So many such ends in a row have no better explanation. */
const FIGHT = 3

/** Longest pause while another client has the ClientId, milliseconds. */
const TRUCE = 60_000

/** Milliseconds between two lines about it. */
const REMIND = 600_000

/** How the own connection ended. */
interface End {
  readonly why: 'lost' | 'unexplained' | 'taken-over' | 'forbidden'
  /** when it was made, when it last published, and when it ended, monotonic milliseconds */
  readonly since: number
  readonly publishedAt: number
  readonly now: number
}

/** One for the own connection, over all its network connections. */
export class NameFight {
  /** how often in a row another client seems to have taken the ClientId */
  #taken = 0
  #remindAt = Number.NEGATIVE_INFINITY

  /** milliseconds to wait before the next attempt, so that the two do not end each other without a pause */
  get truce(): number {
    return this.#taken < FIGHT ? 0 : Math.min(TRUCE, 1000 * 2 ** Math.min(this.#taken - FIGHT, 10))
  }

  /** Nobody is served: it is the broker. */
  forget(): void {
    this.#taken = 0
  }

  /** The connection has ended: the broker says that it was taken over, or ends it soon each time. */
  noteEnd({ why, since, publishedAt, now }: End, { log, own }: UpstreamOptions): void {
    if (why === 'taken-over') this.#taken = Math.max(FIGHT, this.#taken + 1)
    else if (why !== 'unexplained' || now - since >= SOON) this.#taken = 0
    else if (now - publishedAt >= BLAMED) this.#taken += 1
    if (this.#taken < FIGHT || now < this.#remindAt) return
    this.#remindAt = now + REMIND
    log.error(
      { clientId: own.clientId },
      `another client uses the ClientId ${JSON.stringify(own.clientId)} of this gateway's own connection, and the broker serves only one of them: set another broker.clientId, or gateway.id`,
    )
  }
}
