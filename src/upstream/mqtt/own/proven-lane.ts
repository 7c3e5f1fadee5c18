// Messages of senders without a connection to topics that the broker has taken before: sent as they come.

import type { Shared } from '../connection-parts.ts'
import { KeptConnection } from './kept-connection.ts'
import type { Anonymous, WaitingMessages } from './waiting-messages.ts'

/** How often the broker is asked whether it has taken what was sent, milliseconds. */
const ASK = 100

/** What the lane needs to know of others. */
export interface ProvenLaneParts {
  readonly shared: Shared
  readonly waiting: WaitingMessages
  /** The connection has ended after messages to these keys, of which any may be the cause. */
  onSuspicion(keys: ReadonlySet<string>): void
}

/** Its connection is opened with the first message. While it is down for a moment, messages wait. */
export class ProvenLane {
  readonly #parts: ProvenLaneParts
  readonly #connection: KeptConnection
  #failures = 0
  /** keys of what was sent: before the last ping, and since */
  #asked = new Set<string>()
  #unasked = new Set<string>()
  #pings = 0
  #timer: NodeJS.Timeout | undefined

  constructor(parts: ProvenLaneParts) {
    this.#parts = parts
    const { shared, waiting, onSuspicion } = parts
    const { log } = shared.options
    this.#connection = new KeptConnection(shared, '-q', {
      opened: () => {
        this.#pings = 0
        for (const message of waiting.takeAll(shared.now())) this.#write(message)
      },
      ended: (detail) => {
        log.debug({ detail }, 'lost the connection for QoS -1')
        onSuspicion(new Set([...this.#asked, ...this.#unasked]))
        this.#forgetSent()
        this.#reopen()
      },
      failed: (detail) => {
        log.debug({ detail }, 'the connection for QoS -1 failed')
        this.#reopen()
      },
      ponged: (pings) => this.#ponged(pings),
    })
  }

  /** Sends it, or lets it wait; false if it is given up, as others of it may be. */
  send(message: Anonymous): boolean {
    if (this.#connection.isOpen) {
      if (this.#connection.isCongested) {
        this.#parts.shared.options.onDropped?.('congestion', message.source)
        return false
      }
      this.#write(message)
      return true
    }
    this.#parts.waiting.add(message)
    this.#connection.open(this.#failures)
    return true
  }

  move(): void {
    this.#connection.move()
  }

  close(): void {
    this.#forgetSent()
    this.#connection.close()
  }

  #write(message: Anonymous): void {
    this.#connection.publish(message.topic, message.payload, message.retain)
    this.#unasked.add(message.key)
    this.#timer ??= setTimeout(() => this.#ask(), ASK)
  }

  #ask(): void {
    this.#timer = undefined
    if (this.#asked.size > 0 || !this.#connection.isOpen) return
    this.#asked = this.#unasked
    this.#unasked = new Set()
    this.#pings = this.#connection.ping()
  }

  #ponged(pings: number): void {
    if (pings < this.#pings) return
    this.#asked.clear()
    this.#failures = 0
    if (this.#unasked.size > 0) this.#timer ??= setTimeout(() => this.#ask(), ASK)
  }

  #reopen(): void {
    this.#failures += 1
    this.#connection.open(this.#failures)
  }

  #forgetSent(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#asked.clear()
    this.#unasked.clear()
  }
}
