// Topics that the gateway itself listens to, on its own connection: subscribed anew whenever that is opened.

import type { Message, Outcome } from '../../../session/message.ts'
import type { UpstreamConnection, UpstreamLog } from '../../upstream.ts'

type OnMessage = (payload: Uint8Array) => void

/** One for the own connection, over all its network connections. */
export class HeardTopics {
  readonly #connection: Pick<UpstreamConnection, 'subscribe'>
  readonly #log: UpstreamLog
  readonly #topics = new Map<string, OnMessage>()
  /** which the broker has refused, so that the log says it once */
  readonly #refused = new Set<string>()

  constructor(connection: Pick<UpstreamConnection, 'subscribe'>, log: UpstreamLog) {
    this.#connection = connection
    this.#log = log
  }

  add(topic: string, onMessage: OnMessage): void {
    this.#topics.set(topic, onMessage)
  }

  /** Asks the broker for all of them; false if there are none. */
  subscribe(): boolean {
    for (const [at, topic] of [...this.#topics.keys()].entries())
      this.#connection.subscribe(at + 1, topic, 0, false)
    return this.#topics.size > 0
  }

  /** The broker has answered the subscription of this token. */
  answered(token: number, outcome: Outcome): void {
    const topic = [...this.#topics.keys()][token - 1]
    if (topic === undefined || outcome === 1) return // what a lost connection leaves is asked for again
    if (outcome === 0) this.#refused.delete(topic)
    else if (!this.#refused.has(topic)) {
      this.#refused.add(topic)
      this.#log.warn({ topic }, 'the broker does not let the gateway listen to this topic')
    }
  }

  take({ topic, payload, retain }: Message): void {
    if (!retain) this.#topics.get(topic)?.(payload)
  }
}
