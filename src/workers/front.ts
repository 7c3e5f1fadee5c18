// The sockets of a fleet: passes every datagram to the worker that has its sensor, and sends what workers send.

import type { Config } from '../config/schema.ts'
import { bindListeners } from '../gateway/datagrams/bind-listeners.ts'
import type { Datagram } from '../gateway/datagrams/intake.ts'
import { createLinkGuards, type LinkGuards } from '../gateway/datagrams/link-guard.ts'
import { type BoundListener, listenerStatus, type SecureParts } from '../gateway/datagrams/listener.ts'
import { OwnerCheck } from '../gateway/datagrams/owner-check.ts'
import { renewListeners, renewSecureLinks } from '../gateway/rules/reload.ts'
import type { Tenure } from '../gateway/tenure.ts'
import type { Log } from '../log.ts'
import type { Listener } from '../session/peers.ts'
import type { SlotStates } from '../sessions/ownership/slot-states.ts'
import type { Incarnation } from '../store/part.ts'
import { MESSAGES } from '../transport/line/options.ts'
import type { Remote } from '../transport/transport.ts'
import { unpackBatch } from './between/batch.ts'
import { routerFrontOf } from './cluster/router-front.ts'
import type { RoutedFront } from './cluster/router-parts.ts'
import type { SlotRouter } from './cluster/slot-router.ts'
import { FrontBooks } from './front-books.ts'
import { FrontSecurity } from './front-security.ts'
import { channelsOf } from './lines/channel.ts'
import { FrontRoom, type LineOfFront } from './lines/front-room.ts'
import type { Binding, FromWorker } from './messages.ts'
import { Routes } from './routes.ts'
import type { Thread } from './thread.ts'

/** Datagrams that may wait for the start of all workers. */
const MOST_EARLY = 5000

/** How often is looked at what is held, milliseconds. */
const TICK = 50

/** The workers, by their numbers. */
export interface Workers {
  thread(index: number): Thread | undefined
  /** it is being started again */
  isAway(index: number): boolean
  /** it takes up the sessions in the store */
  isPreparing(index: number): boolean
}

export class Front {
  /** what this thread counts and remembers itself */
  readonly books = new FrontBooks()
  readonly #workers: Workers
  readonly #routes: Routes
  readonly #states: SlotStates
  readonly #slotOf: (clientId: string) => number
  #check: Pick<OwnerCheck, 'admits' | 'settle' | 'tick' | 'close'> & Partial<Pick<OwnerCheck, 'takeBack'>>
  /** in its place, where other nodes serve some of the sensors */
  #router: SlotRouter | undefined
  #ticker: NodeJS.Timeout | undefined
  readonly #bound = new Map<Listener, BoundListener>()
  /** the same by their numbers */
  readonly #listeners: BoundListener[] = []
  /** the addresses in use */
  urls: readonly string[] = []
  #guards: LinkGuards | undefined
  /** where DTLS ends */
  readonly security: FrontSecurity
  #secure: SecureParts | undefined
  readonly #room: FrontRoom
  /** what of it concerns lines, by the listener's number */
  #lines: readonly LineOfFront[] = []
  /** until all workers know their sensors, nobody can tell whose a datagram is; with when it came, undefined from then on */
  #early: (readonly [since: number, datagram: Datagram])[] | undefined = []

  /** `slotOf`: the slot of a sensor; `states`: which of them are served */
  constructor(count: number, slotOf: (clientId: string) => number, states: SlotStates, workers: Workers) {
    this.#workers = workers
    this.#states = states
    this.#slotOf = slotOf
    this.#routes = new Routes(count, slotOf)
    this.security = new FrontSecurity({ index: count, states, listeners: () => this.#bound.values() })
    this.#check = new OwnerCheck({
      ...{ states, slotOf, books: this.books },
      // the worker knows when their time is over
      isFinishing: (slot) => states.stateOf(slot) === 'leaving',
      slotAt: (key) => this.#routes.slotAt(key),
      handle: (...datagram) => this.#route(...datagram),
    })
    this.#room = new FrontRoom(
      count,
      (listener) => this.#lines[listener],
      (worker, room) => workers.thread(worker)?.tellRoom(room),
    )
  }

  /** For a router: what it works with. */
  get forRouter(): RoutedFront {
    const [states, slotOf, books] = [this.#states, this.#slotOf, this.books]
    const listenerAt = (index: number) => this.#listeners[index]
    const give = this.#give.bind(this)
    return {
      states,
      slotOf,
      books,
      front: routerFrontOf(this.#routes, this.#workers, this.security.use, listenerAt, give),
    }
  }

  /** From now on this decides where datagrams go, if there is one. */
  useRouter(router: SlotRouter | undefined): void {
    this.#router = router
    this.#check = router ?? this.#check
  }

  /** This worker was started in place of one that was lost. */
  forgetWorker(index: number): void {
    this.#room.forgetWorker(index)
  }

  /**
   * Binds all listeners that are not bound yet; `early`: only those that may be bound while another process serves. Rejects if one cannot
   * be bound.
   */
  async open(config: Config, log: Log, tenure?: Pick<Tenure, 'holds'>, early = false): Promise<void> {
    this.books.open(log)
    this.#secure ??= { log, books: this.books, links: this.security.links }
    this.#guards ??= tenure && createLinkGuards(tenure, this.books)
    const parts = { log, share: undefined, secure: this.#secure, guards: this.#guards }
    await bindListeners(config, this.#bound, this.#onDatagram, parts, early)
    for (const bound of this.#bound.values()) this.#listeners[bound.index] = bound
    this.urls = config.listeners.map(({ url }, index) => this.#listeners[index]?.transport.url ?? url)
    this.#lines = config.listeners.map(({ url, pace }, index) => ({
      channelOf: channelsOf(url),
      messages: pace?.messages ?? MESSAGES,
      room: (remote) => this.#listeners[index]?.transport.room?.(remote) ?? Number.POSITIVE_INFINITY,
      longest: () => this.#listeners[index]?.transport.longest,
    }))
  }

  /** Links with sessions of their own begin to serve: those sessions end here, and this thread keeps them in the store. */
  async begin(config: Config, log: Log, taken?: Incarnation): Promise<void> {
    await this.security.begin(config, log, { taken, router: this.#router })
  }

  /** Slots have changed their states: what is held goes where it can. */
  settle(): void {
    this.#check.settle()
  }

  /** All workers are ready: hands over what has waited for that. */
  release(): void {
    this.#ticker = setInterval(() => this.#check.tick(performance.now()), TICK).unref()
    const early = this.#early ?? []
    this.#early = undefined
    for (const [since, datagram] of early) {
      if (this.#router === undefined) this.#onDatagram(...datagram)
      else this.#router.admits(...datagram, since)
    }
    this.settle()
  }

  /** Applies who may use the sockets, and how. */
  renew(config: Config): void {
    renewListeners([...this.#bound.values()], config)
    if (this.#secure !== undefined) renewSecureLinks([...this.#bound.values()], config, this.#secure)
  }

  /** Where sensors are heard; asks the system. */
  listeners(): ReturnType<typeof listenerStatus>[] {
    return [...this.#bound.values()].map(listenerStatus)
  }

  async close(): Promise<void> {
    clearInterval(this.#ticker)
    this.#check.close()
    this.#room.close()
    this.#guards?.close()
    await Promise.all([...this.#bound.values()].map(({ transport }) => transport.close()))
    await this.security.close()
  }

  readonly #onDatagram = (...datagram: Datagram): void => {
    const [bound, bytes, { address }] = datagram
    // datagrams that nobody may send must not fill the queue of a worker; the worker checks everything else
    if (!bound.admits(address, bytes)) return this.books.refuse('not-allowed', ...datagram)
    if (bytes.length > bound.listener.maxMessage) return this.books.refuse('oversized', ...datagram)
    if (this.#early !== undefined) {
      if (this.#early.length < MOST_EARLY) this.#early.push([performance.now(), datagram])
      else this.books.drop('not-serving', ...datagram)
      return
    }
    if (this.#check.admits(...datagram)) this.#route(...datagram)
  }

  #route(...[bound, bytes, remote]: Datagram): void {
    this.#give(this.#routes.workerOf(this.#routes.slotFor(bound.index, bytes, remote)), bound, bytes, remote)
  }

  #give(index: number, bound: BoundListener, bytes: Uint8Array, remote: Remote): void {
    if (this.#workers.isAway(index)) return this.books.drop('not-serving', bound, bytes, remote)
    if (!this.#workers.thread(index)?.outbox.add(bound.index, remote, bytes))
      this.books.drop('overloaded', bound, bytes, remote)
  }

  /** Takes what a worker has held for a slot that has left meanwhile: another node may have it. */
  takeBack({ batch, age }: Extract<FromWorker, { type: 'returned' }>): void {
    const since = performance.now() - age
    if (this.#router?.takeBatch(undefined, { kind: 'forward', octets: batch, count: 1, since })) return
    unpackBatch(batch, (listener, remote, bytes) => {
      const bound = this.#listeners[listener]
      if (bound !== undefined) this.#check.takeBack?.([bound, bytes, remote], since)
    })
  }

  /** Takes what a worker sends: where its sensors are, and then datagrams for them. */
  send(index: number, message: Extract<FromWorker, { type: 'datagrams' }>): void {
    for (const key of message.unbound) {
      const slot = this.#routes.boundAt(key)
      if (slot !== undefined && this.#routes.workerOf(slot) === index) {
        this.security.use.remove(key)
        this.#router?.noteUnbound(key, slot)
      }
      this.#routes.unbind(key, index, (slot) => this.#states.stateOf(slot) !== 'served')
    }
    for (const binding of message.bound) this.#bind(index, binding)
    const router = this.#router
    router?.tellBound()
    unpackBatch(message.batch, (listener, remote, bytes) => {
      const transport = this.#listeners[listener]?.transport
      if (remote.address === '') return transport?.broadcast(bytes, remote.port)
      const to = router === undefined ? remote : router.wayOut(listener, remote, bytes)
      if (to === undefined) return
      transport?.send(bytes, to)
      this.#room.noteTaken(index, listener, to)
    })
  }

  /** A sensor is at an address now: whoever was there before is not any more [SN-CONN-12]. */
  #bind(index: number, binding: Binding): void {
    const before = this.#routes.ownerOf(binding.key)
    const isRestored = this.#workers.isPreparing(index) || this.#states.stateOf(binding.slot) === 'loading'
    if (before !== undefined && before !== index && isRestored) {
      // the restored sensor was there before the restart; meanwhile another sensor has the address
      this.#workers.thread(index)?.displaced({ ...binding, clientId: 'another sensor' })
      return
    }
    if (before === undefined) this.security.use.add(binding.key)
    this.#routes.bind(binding.key, binding.slot)
    this.#router?.noteBound(binding, isRestored)
    if (before !== undefined && before !== index) this.#workers.thread(before)?.displaced(binding)
  }
}
