// The sockets of a fleet: passes every datagram to the worker that has its sensor, and sends what workers send.

import type { Config } from '../config/schema.ts'
import type { DropEntry, RefusalEntry } from '../console/contract/happenings.ts'
import {
  type Counters,
  countDiscard,
  createCounters,
  type DiscardBooks,
  type Origin,
} from '../gateway/counters.ts'
import {
  type BoundListener,
  listenerStatus,
  openListener,
  type SecureParts,
} from '../gateway/datagrams/listener.ts'
import { AssociationUse } from '../gateway/dtls/association-use.ts'
import { secureNames } from '../gateway/open-store.ts'
import { logListening } from '../gateway/reports/log-lines.ts'
import { createRefusals, type Refusals } from '../gateway/reports/refusals.ts'
import { renewListeners, renewSecureLinks } from '../gateway/rules/reload.ts'
import type { Log } from '../log.ts'
import { createDropSources } from '../monitor/drop-sources.ts'
import { createRecentRefusals } from '../monitor/recent-refusals.ts'
import type { Refusal } from '../session/refusal.ts'
import { openLmdbStore } from '../store/lmdb/lmdb.ts'
import { everything } from '../store/lmdb/options.ts'
import type { Store } from '../store/store.ts'
import { dropForeignRecords } from '../transport/dtls/session-records.ts'
import { MESSAGES } from '../transport/line/options.ts'
import type { SecureLink } from '../transport/secure-link.ts'
import type { Remote } from '../transport/transport.ts'
import { unpackBatch } from './batch.ts'
import { channelsOf } from './lines/channel.ts'
import { FrontRoom, type LineOfFront } from './lines/front-room.ts'
import type { Binding, FromWorker } from './messages.ts'
import { Routes } from './routes.ts'
import type { Thread } from './thread.ts'

/** Datagrams that may wait for the start of all workers. */
const MOST_EARLY = 5000

type Received = [BoundListener, Uint8Array, Remote]

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
  readonly #listeners: BoundListener[] = []
  readonly #refused = createRecentRefusals()
  readonly #sources = createDropSources()
  /** takes every refusal, besides */
  onRefused: (refusal: Refusal) => void = () => {}
  readonly #books: DiscardBooks & Pick<Front, 'counters'> = {
    counters: this.counters,
    onDiscarded: (reason, from) => this.#sources.add(reason, from, undefined),
  }
  /** where DTLS ends, by the names of listeners */
  readonly secureLinks = new Map<string, SecureLink>()
  #refusals: Refusals | undefined
  #secure: SecureParts | undefined
  #store: Store | undefined
  readonly #use = new AssociationUse((index, number, inUse) =>
    this.#listeners[index]?.transport.secure?.setInUse(number, inUse),
  )
  readonly #room: FrontRoom
  /** what of it concerns lines, by the listener's number */
  #lines: readonly LineOfFront[] = []
  /** until all workers know their sensors, nobody can tell whose a datagram is; undefined from then on */
  #early: Received[] | undefined = []

  /** `slotOf`: the slot of a sensor */
  constructor(count: number, slotOf: (clientId: string) => number, workers: Workers) {
    this.#workers = workers
    this.#routes = new Routes(count, slotOf)
    this.#room = new FrontRoom(
      count,
      (listener) => this.#lines[listener],
      (worker, room) => workers.thread(worker)?.tellRoom(room),
    )
  }

  /** This worker was started in place of one that was lost. */
  forgetWorker(index: number): void {
    this.#room.forgetWorker(index)
  }

  /** Binds all listeners; rejects if one cannot be bound. */
  async open(config: Config, log: Log): Promise<void> {
    this.#refusals = createRefusals({
      counters: this.counters,
      log,
      onRefused: (refusal) => {
        this.#refused.add(refusal)
        this.onRefused(refusal)
      },
    })
    const secure = { log, books: this.#books, links: this.secureLinks }
    this.#secure = secure
    for (const index of config.listeners.keys()) {
      const bound = await openListener(config, index, this.#onDatagram, { log, secure })
      this.#listeners.push(bound)
      logListening(log, bound)
    }
    this.#lines = config.listeners.map(({ url, pace }, index) => ({
      channelOf: channelsOf(url),
      messages: pace?.messages ?? MESSAGES,
      room: (remote) => this.#listeners[index]?.transport.room?.(remote) ?? Number.POSITIVE_INFINITY,
      longest: () => this.#listeners[index]?.transport.longest,
    }))
  }

  /** Links with sessions of their own begin to serve: those sessions end here, and this thread keeps them in the store. */
  async begin(config: Config, log: Log): Promise<void> {
    const { store } = config
    const names = secureNames(config)
    if (names.length > 0 && store.type !== 'memory') {
      const part = { ...everything, owns: () => false }
      this.#store = await openLmdbStore({ path: store.path, log, part })
      dropForeignRecords(this.#store, names)
    }
    for (const { transport } of this.#listeners) transport.secure?.begin(this.#store)
  }

  /** All workers are ready: hands over what has waited for that. */
  release(): void {
    const early = this.#early ?? []
    this.#early = undefined
    for (const received of early) this.#onDatagram(...received)
  }

  /** Applies who may use the sockets, and how. */
  renew(config: Config): void {
    renewListeners(this.#listeners, config)
    if (this.#secure !== undefined) renewSecureLinks(this.#listeners, config, this.#secure)
  }

  /** Who was refused here lately. */
  refused(): readonly RefusalEntry[] {
    return this.#refused.list()
  }

  /** Where what was dropped here came from. */
  drops(reason: string | undefined): readonly DropEntry[] {
    return this.#sources.list(reason)
  }

  /** The addresses in use. */
  get urls(): string[] {
    return this.#listeners.map(({ transport }) => transport.url)
  }

  /** Where sensors are heard; asks the system. */
  listeners(): ReturnType<typeof listenerStatus>[] {
    return this.#listeners.map(listenerStatus)
  }

  async close(): Promise<void> {
    this.#room.close()
    await Promise.all(this.#listeners.map(({ transport }) => transport.close()))
    await this.#store?.close()
  }

  readonly #onDatagram = (...received: Received): void => {
    const [bound, bytes, remote] = received
    const from = { ...remote, listener: bound.listener }
    // datagrams that nobody may send must not fill the queue of a worker; the worker checks everything else
    if (!bound.admits(remote.address, bytes)) {
      this.#refusals?.report({ reason: 'address-not-admitted', peer: from })
      return this.#refuse(bytes, 'not-allowed', from)
    }
    if (bytes.length > bound.listener.maxMessage) return this.#refuse(bytes, 'oversized', from)
    if (this.#early !== undefined) {
      if (this.#early.length < MOST_EARLY) this.#early.push(received)
      else countDiscard(this.#books, 'not-serving', from)
      return
    }
    const index = this.#routes.workerOf(this.#routes.slotFor(bound.index, bytes, remote))
    if (this.#workers.isAway(index)) return countDiscard(this.#books, 'not-serving', from)
    if (!this.#workers.thread(index)?.outbox.add(bound.index, remote, bytes))
      countDiscard(this.#books, 'overloaded', from)
  }

  #refuse(bytes: Uint8Array, reason: 'not-allowed' | 'oversized', from: Origin): void {
    this.counters.receivedDatagrams += 1
    this.counters.receivedOctets += bytes.length
    countDiscard(this.#books, reason, from)
  }

  /** Takes what a worker sends: where its sensors are, and then datagrams for them. */
  send(index: number, message: Extract<FromWorker, { type: 'datagrams' }>): void {
    for (const key of message.unbound) {
      if (this.#routes.ownerOf(key) === index) this.#use.remove(key)
      this.#routes.unbind(key, index)
    }
    for (const binding of message.bound) this.#bind(index, binding)
    unpackBatch(message.batch, (listener, remote, bytes) => {
      const transport = this.#listeners[listener]?.transport
      if (remote.address === '') transport?.broadcast(bytes, remote.port)
      else {
        transport?.send(bytes, remote)
        this.#room.noteTaken(index, listener, remote)
      }
    })
  }

  /** A sensor is at an address now: whoever was there before is not any more [SN-CONN-12]. */
  #bind(index: number, binding: Binding): void {
    const before = this.#routes.ownerOf(binding.key)
    if (before !== undefined && before !== index && this.#workers.isPreparing(index)) {
      // the restored sensor was there before the restart; meanwhile another sensor has the address
      this.#workers.thread(index)?.displaced({ ...binding, clientId: 'another sensor' })
      return
    }
    if (before === undefined) this.#use.add(binding.key)
    this.#routes.bind(binding.key, binding.slot)
    if (before !== undefined && before !== index) this.#workers.thread(before)?.displaced(binding)
  }
}
