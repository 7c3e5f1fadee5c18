// QoS -1: messages of senders without a connection, on connections that the gateway's own does not depend on [7.1, SN-QM1-4].
// What the broker has taken before goes on one of them, what it has not is tried on another.

import type { UpstreamDrop } from '../../upstream.ts'
import type { Shared } from '../connection-parts.ts'
import { ProvenLane } from './proven-lane.ts'
import { RecentSet } from './recent-set.ts'
import { SuspendedTopics } from './suspended-topics.ts'
import { TrialLane } from './trial-lane.ts'
import { type Anonymous, WaitingMessages } from './waiting-messages.ts'

/** Topics that are remembered as taken by the broker. */
const MOST_PROVEN = 10_000

/** Topics that are remembered as possible causes of the end of a connection. */
const MOST_DOUBTED = 1000

/** The gateway's own connection has ended too by then, if the broker itself is gone, milliseconds. */
const OWN_END = 100

/** See `Upstream.publishAnonymous`. */
export class AnonymousPublisher {
  readonly #shared: Shared
  readonly #isHealthy: () => boolean
  readonly #suspended = new SuspendedTopics()
  readonly #proven = new RecentSet(MOST_PROVEN)
  readonly #provenLane: ProvenLane
  readonly #trialLane: TrialLane
  /** those that are believed only when the connection has outlived them for a moment: the broker may be slow to close it */
  readonly #doubted = new RecentSet(MOST_DOUBTED)
  /** size of the largest message that the broker has taken */
  #largest = 0

  /** `isHealthy`: whether the broker can be reached at all; while it cannot, nothing waits for it [SN-QM1-9]. */
  constructor(shared: Shared, isHealthy: () => boolean) {
    this.#shared = shared
    this.#isHealthy = isHealthy
    const suspended = this.#suspended
    this.#provenLane = new ProvenLane({
      shared,
      waiting: new WaitingMessages((...drop) => shared.options.onDropped?.(...drop)),
      onSuspicion: (keys) => this.#suspect(keys),
    })
    this.#trialLane = new TrialLane({
      shared,
      suspended,
      onProven: (message) => this.#onProven(message),
      isDoubted: ({ key }) => this.#doubted.has(key),
      onDoubt: ({ key }) => {
        this.#proven.delete(key)
        this.#doubted.add(key)
      },
    })
  }

  publish(topic: string, payload: Uint8Array, retain: boolean, source: string): boolean {
    const { now, options } = this.#shared
    const at = now()
    const refusal = this.#refusal(topic, at)
    if (refusal !== undefined) {
      options.onDropped?.(refusal, source)
      return false
    }
    const key = retain ? `\0${topic}` : topic // no topic begins so
    const size = topic.length + payload.length
    const message = { topic, payload, retain, source, key, size, at }
    const isProven = size <= this.#largest && this.#proven.has(key) && !this.#trialLane.has(key)
    return isProven ? this.#provenLane.send(message) : this.#trialLane.send(message)
  }

  /** Another broker is the current one, which may have other rules: everything is proven anew. */
  move(): void {
    this.#proven.clear()
    this.#doubted.clear()
    this.#largest = 0
    this.#provenLane.move()
    this.#trialLane.move()
  }

  close(): void {
    this.#provenLane.close()
    this.#trialLane.close()
  }

  #refusal(topic: string, now: number): UpstreamDrop | undefined {
    if (!this.#isHealthy()) return 'upstream-down'
    return this.#suspended.has(topic, now) ? 'suspended-topic' : undefined
  }

  /** The connection has ended after messages to these keys. Unless the broker is gone for everybody, one of them is the cause. */
  #suspect(keys: ReadonlySet<string>): void {
    for (const key of keys) this.#proven.delete(key)
    setTimeout(() => {
      if (!this.#isHealthy()) return
      for (const key of keys) this.#doubted.add(key)
    }, OWN_END).unref()
  }

  #onProven(message: Anonymous): void {
    this.#doubted.delete(message.key)
    this.#proven.add(message.key)
    this.#largest = Math.max(this.#largest, message.size)
    for (const one of this.#trialLane.takeProven(message, this.#largest)) this.#provenLane.send(one)
  }
}
