// The sockets of a fleet: every datagram goes to the worker whose it is, and what workers send goes out.

import type { Config } from '../config/schema.ts'
import { type Counters, count, createCounters } from '../gateway/counters.ts'
import { type Link, linkStatus, openLink } from '../gateway/datagrams/listener.ts'
import { logListening } from '../gateway/log-lines.ts'
import { renewLinks } from '../gateway/rules/reload.ts'
import type { Log } from '../log.ts'
import type { Remote } from '../transport/transport.ts'
import { unpackBatch } from './batch.ts'
import type { Binding, FromWorker } from './messages.ts'
import { Routes } from './routes.ts'
import type { Thread } from './thread.ts'

/** Datagrams that may wait for the start of all workers. */
const MOST_EARLY = 5000

type Received = [Link, Uint8Array, Remote]

/** The workers, by their numbers. */
export interface Workers {
  thread(index: number): Thread | undefined
  /** it is being started again */
  isAway(index: number): boolean
  /** it takes up the sessions in the store */
  isPreparing(index: number): boolean
}

export class Front {
  /** what this thread counts itself */
  readonly counters: Counters = createCounters()
  readonly #workers: Workers
  readonly #routes: Routes
  readonly #links: Link[] = []
  /** until all workers know their sensors, nobody can tell whose a datagram is; undefined from then on */
  #early: Received[] | undefined = []

  constructor(count: number, workers: Workers) {
    this.#workers = workers
    this.#routes = new Routes(count)
  }

  /** Binds all listeners; rejects if one cannot be bound. */
  async open(config: Config, log: Log): Promise<void> {
    for (const [index, listener] of config.listeners.entries()) {
      const link = await openLink(listener, index, performance.now(), this.#onDatagram)
      this.#links.push(link)
      logListening(log, link)
    }
  }

  /** All workers are ready: hands over what has waited for that. */
  release(): void {
    const early = this.#early ?? []
    this.#early = undefined
    for (const received of early) this.#onDatagram(...received)
  }

  /** Who may use the sockets, and how. */
  renew(config: Config): void {
    renewLinks(this.#links, config)
  }

  /** The addresses in use. */
  get urls(): string[] {
    return this.#links.map(({ transport }) => transport.url)
  }

  /** Where sensors are heard; asks the system. */
  listeners(): ReturnType<typeof linkStatus>[] {
    return this.#links.map(linkStatus)
  }

  async close(): Promise<void> {
    await Promise.all(this.#links.map(({ transport }) => transport.close()))
  }

  readonly #onDatagram = (...received: Received): void => {
    const [link, bytes, { address, port }] = received
    const { dropped } = this.counters
    // strangers must not take the room of sensors; all else is looked at by the worker
    if (!link.admits(address)) return this.#refuse(bytes, 'not-allowed')
    if (bytes.length > link.listener.maxMessage) return this.#refuse(bytes, 'oversized')
    if (this.#early !== undefined) {
      if (this.#early.length < MOST_EARLY) this.#early.push(received)
      else count(dropped, 'not-serving')
      return
    }
    const index = this.#routes.workerOf(link.index, bytes, address, port)
    if (this.#workers.isAway(index)) return count(dropped, 'not-serving')
    if (!this.#workers.thread(index)?.outbox.add(link.index, address, port, bytes))
      count(dropped, 'overloaded')
  }

  #refuse(bytes: Uint8Array, reason: 'not-allowed' | 'oversized'): void {
    this.counters.receivedDatagrams += 1
    this.counters.receivedOctets += bytes.length
    count(this.counters.dropped, reason)
  }

  /** Takes what a worker sends: where its sensors are, and then datagrams for them. */
  send(index: number, message: Extract<FromWorker, { type: 'datagrams' }>): void {
    for (const key of message.unbound) this.#routes.unbind(key, index)
    for (const binding of message.bound) this.#bind(index, binding)
    unpackBatch(message.batch, (listener, address, port, bytes) => {
      const transport = this.#links[listener]?.transport
      if (address === '') transport?.broadcast(bytes, port)
      else transport?.send(bytes, { address, port })
    })
  }

  /** A sensor is at an address now: whoever was there before is not any more [SN-CONN-12]. */
  #bind(index: number, binding: Binding): void {
    const before = this.#routes.ownerOf(binding.key)
    if (before !== undefined && before !== index && this.#workers.isPreparing(index)) {
      // it was there before the restart; meanwhile the address has another sensor
      this.#workers.thread(index)?.displaced({ key: binding.key, clientId: 'another sensor' })
      return
    }
    this.#routes.bind(binding.key, index)
    if (before !== undefined && before !== index) this.#workers.thread(before)?.displaced(binding)
  }
}
