// Messages of senders without a connection to topics that the broker has not taken yet: one at a time, each followed by a
// ping, on a connection that may be closed without harm to anybody else. QoS 0 has no acknowledgement, and a broker that
// forbids a topic may close the connection.

import type { Shared } from '../connection-parts.ts'
import { KeptConnection } from './kept-connection.ts'
import type { SuspendedTopics } from './suspended-topics.ts'
import { TrialQueue } from './trial-queue.ts'
import { type Anonymous, isStillWanted } from './waiting-messages.ts'

/** A broker that closes the connection so soon after a message means that message, milliseconds. */
const SOON = 1000

/** How long the connection must outlive a message that is doubted, milliseconds. */
const SETTLE = 250

/** Log lines about suspended topics, per minute. */
const MOST_LINES = 10

/** What the lane needs to know of others. */
export interface TrialLaneParts {
  readonly shared: Shared
  readonly suspended: SuspendedTopics
  /** The broker has taken it. */
  onProven(message: Anonymous): void
  /** It may have been the cause of the end of a connection. */
  isDoubted(message: Anonymous): boolean
  onDoubt(message: Anonymous): void
}

/** Its connection is opened with the first message. */
export class TrialLane {
  readonly #parts: TrialLaneParts
  readonly #queue = new TrialQueue()
  readonly #connection: KeptConnection
  #failures = 0
  #underWay: Anonymous | undefined
  #ping = 0
  #deadline: NodeJS.Timeout | undefined
  /** the last that was proven, and when */
  #last: { readonly message: Anonymous; readonly at: number } | undefined
  #lines = 0
  #linesSince = 0

  constructor(parts: TrialLaneParts) {
    this.#parts = parts
    const { log } = parts.shared.options
    this.#connection = new KeptConnection(parts.shared, '-t', {
      opened: () => this.#sendNext(),
      ended: (detail) => this.#ended(detail),
      failed: (detail, forGood) => {
        const { own } = parts.shared.options
        const { clientId } = own
        if (forGood && this.#failures === 0) {
          const remedy = `let the broker accept ${clientId}-q and ${clientId}-t like ${clientId}`
          log.error({ detail, remedy }, 'the broker refuses the connections for QoS -1')
        } else log.debug({ detail }, 'the connection for trying QoS -1 failed')
        this.#failures += 1
        this.#dropStale()
        if (!this.#queue.isEmpty) this.#connection.open(this.#failures)
      },
      ponged: (pings) => this.#ponged(pings),
    })
  }

  /** Whether a message to this key waits or is under way, which others must not overtake. */
  has(key: string): boolean {
    return this.#underWay?.key === key || this.#queue.has(key)
  }

  /** Lets it wait for its turn, which may come at once. Returns false if it has to make room already. */
  send(message: Anonymous): boolean {
    const victim = this.#queue.add(message)
    if (victim !== undefined) this.#parts.shared.options.onDropped?.('congestion', victim.source)
    if (this.#connection.isOpen) this.#sendNext()
    else this.#connection.open(this.#failures)
    return victim !== message
  }

  move(): void {
    // its connection ends because we want it to
    if (this.#underWay !== undefined) this.#queue.add(this.#underWay)
    this.#underWay = undefined
    this.#last = undefined
    this.#connection.move()
  }

  close(): void {
    clearTimeout(this.#deadline)
    this.#connection.close()
  }

  #sendNext(): void {
    if (this.#underWay !== undefined || !this.#connection.isOpen || this.#queue.isEmpty) return
    this.#dropStale()
    const message = this.#queue.next()
    if (message === undefined) return
    const { connectTimeout } = this.#parts.shared.options
    this.#underWay = message
    this.#connection.publish(message.topic, message.payload, message.retain)
    this.#ping = this.#connection.ping()
    this.#deadline = setTimeout(() => {
      this.#connection.close()
      this.#ended('no answer')
    }, connectTimeout)
  }

  #ponged(pings: number): void {
    const message = this.#underWay
    if (message === undefined || pings < this.#ping) return
    clearTimeout(this.#deadline)
    if (this.#parts.isDoubted(message)) this.#deadline = setTimeout(() => this.#prove(message), SETTLE)
    else this.#prove(message)
  }

  #prove(message: Anonymous): void {
    const { shared, suspended, onProven } = this.#parts
    this.#underWay = undefined
    this.#failures = 0
    this.#last = { message, at: shared.now() }
    suspended.clear(message.topic)
    this.#queue.forgive(message.source)
    onProven(message)
    this.#sendNext()
  }

  /** What is proven together with a message: all that wait to the same key and are no longer. */
  takeProven({ key }: Anonymous, largest: number): readonly Anonymous[] {
    return this.#queue.isEmpty ? [] : this.#queue.takeWhere((one) => one.key === key && one.size <= largest)
  }

  #ended(detail: string): void {
    clearTimeout(this.#deadline)
    const { shared, onDoubt } = this.#parts
    const { now } = shared
    const message = this.#underWay
    const last = this.#last
    this.#underWay = undefined
    this.#last = undefined
    this.#failures += 1
    const isLastMeant = message === undefined && last !== undefined && now() - last.at < SOON
    const cause = isLastMeant ? last.message : message
    if (cause !== undefined) {
      onDoubt(cause)
      this.#strike(cause, detail, !isLastMeant)
    }
    if (!this.#queue.isEmpty) this.#connection.open(this.#failures)
  }

  /** It was alone under way, or the last before the end. It has one more chance, then its topic is suspended. */
  #strike(message: Anonymous, detail: string, isUnfinished: boolean): void {
    const { shared, suspended } = this.#parts
    const { onDropped } = shared.options
    const { topic, source } = message
    this.#queue.blame(source)
    const pause = suspended.strike(topic, shared.now())
    if (pause === 0) {
      if (isUnfinished) this.#tryLast(message)
      return
    }
    const waiting = this.#queue.takeWhere((one) => one.topic === topic)
    for (const one of isUnfinished ? [message, ...waiting] : waiting)
      onDropped?.('suspended-topic', one.source)
    this.#logSuspended(topic, source, pause, detail)
  }

  /** All others come first, but what waits behind it to the same topic. */
  #tryLast(message: Anonymous): void {
    const { onDropped } = this.#parts.shared.options
    for (const one of [message, ...this.#queue.takeWhere(({ key }) => key === message.key)]) {
      const victim = this.#queue.add(one)
      if (victim !== undefined) onDropped?.('congestion', victim.source)
    }
  }

  #logSuspended(topic: string, source: string, pause: number, detail: string): void {
    const { options, now } = this.#parts.shared
    if (now() - this.#linesSince >= 60_000) {
      this.#linesSince = now()
      this.#lines = 0
    }
    this.#lines += 1
    if (this.#lines > MOST_LINES) return
    options.log.warn(
      { topic, from: source, seconds: Math.round(pause / 1000), detail },
      'the broker closes the connection at this topic: QoS -1 to it is dropped for a while',
    )
  }

  #dropStale(): void {
    const { shared } = this.#parts
    const now = shared.now()
    const stale = this.#queue.takeWhere(({ at }) => !isStillWanted(at, now))
    for (const { source } of stale) shared.options.onDropped?.('upstream-down', source)
  }
}
