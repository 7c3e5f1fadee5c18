// A gateway with the embedded broker, clients that speak in octets, and what the broker sees of them.

import type { DropReason } from '../../src/session/events.ts'
import { Office, TestGateway, until } from './gateway.ts'
import { Wire, type Wrapping } from './wire.ts'

/** Everything a conversation needs. */
export class Site {
  /** somebody at the broker, for publishing */
  readonly office: Office
  readonly #test: TestGateway

  private constructor(test: TestGateway, office: Office) {
    this.#test = test
    this.office = office
  }

  /** Starts it with `overrides` in the configuration; predefined id 7 is `pre/seven`. */
  static async start(overrides: Record<string, unknown>): Promise<Site> {
    const test = await TestGateway.start('embedded', { predefined: { 7: 'pre/seven' }, ...overrides })
    return new Site(test, await Office.at(test.gateway.status().broker))
  }

  /** A client at an address of its own. */
  async client(wrapping?: Wrapping): Promise<Wire> {
    return new Wire(await this.#test.peer(), wrapping)
  }

  /** Listens at the broker; the result waits for so many messages, and tells all that came. */
  async published(...filters: string[]): Promise<(count: number) => Promise<string[]>> {
    const listener = await Office.at(this.#test.gateway.status().broker, ...filters)
    return async (count) => {
      await listener.inbox.take(count)
      await listener.close()
      return listener.inbox.all.map(({ topic, text, qos }) => `${topic}=${text} (${qos})`)
    }
  }

  /** Resolves when so many messages wait in the gateway for a client. */
  waiting(clientId: string, count: number): Promise<void> {
    return until(() => this.#test.gateway.sessions.byClientId.get(clientId)?.downlink.queue.length === count)
  }

  /** How many messages and datagrams were dropped for this reason so far. */
  drops(reason: DropReason): number {
    return this.#test.gateway.status().counters.dropped[reason] ?? 0
  }

  async stop(): Promise<void> {
    await this.office.close()
    await this.#test.stop()
  }
}
