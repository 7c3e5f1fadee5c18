// The gateway on several cores: this thread receives and sends all datagrams, workers own the sensors, each its share.
//
//   sensors - UDP - front (this thread) - batches - worker 1..n: sessions, store, connections to the broker

import type { Config } from '../config/schema.ts'
import { type Counters, count, createCounters } from '../gateway/counters.ts'
import { logListening } from '../gateway/journal.ts'
import { type Link, linkStatus, openLink } from '../gateway/links.ts'
import { reportLosses } from '../gateway/losses.ts'
import { type ReloadReport, renewedConfig } from '../gateway/reload.ts'
import { type Log, silentLog } from '../log.ts'
import { takeStore } from '../store/lmdb.ts'
import type { Remote } from '../transport/transport.ts'
import { type EmbeddedBroker, startEmbeddedBroker } from '../upstream/embedded.ts'
import { unpack } from './batch.ts'
import type { FromWorker } from './messages.ts'
import { Routes } from './routes.ts'
import { shareOfConfig } from './share.ts'
import { sumOfCounters } from './sums.ts'
import { Thread } from './thread.ts'

/** Milliseconds until a worker that was lost is started again. */
const RESTART = 1000

/** Datagrams that may wait for the start of all workers. */
const MOST_EARLY = 5000

type Received = [Link, Uint8Array, Remote]

/** Called for what workers report to those who look at them. */
export interface FleetObserver {
  change(message: Extract<FromWorker, { type: 'change' }>): void
  packet(message: Extract<FromWorker, { type: 'packet' }>): void
  /** a worker was started in place of one that was lost */
  restarted(thread: Thread): Promise<void>
}

/** A gateway of several worker threads. `start()` and `stop()` may be called once. */
export class Fleet {
  readonly #config: Config
  readonly #count: number
  readonly #log: Log
  readonly #version: string
  readonly #routes: Routes
  readonly #links: Link[] = []
  readonly #threads: Thread[] = []
  /** what this thread counts itself */
  readonly counters: Counters = createCounters()
  observer: FleetObserver | undefined
  /** until all workers know their sensors, nobody can tell whose a datagram is; undefined from then on */
  #early: Received[] | undefined = []
  #embedded: EmbeddedBroker | undefined
  #release: () => void = () => {}
  #endReports: () => void = () => {}
  #serving = false

  /** `count` workers, 2 or more; `version` is the program's. */
  constructor(config: Config, count: number, { log = silentLog, version = '' } = {}) {
    this.#config = config
    this.#count = count
    this.#log = log
    this.#version = version
    this.#routes = new Routes(count)
  }

  get config(): Config {
    return this.#config
  }

  get threads(): readonly Thread[] {
    return this.#threads
  }

  /** Rejects, with nothing left open, if a listener cannot be bound, the store cannot be used or a worker cannot start. */
  async start(): Promise<void> {
    try {
      for (const [index, listener] of this.#config.listeners.entries()) {
        const link = await openLink(listener, index, performance.now(), this.#onDatagram)
        this.#links.push(link)
        logListening(this.#log, link)
      }
      const { store, broker } = this.#config
      if (store.type !== 'memory') this.#release = await takeStore(store.path)
      if (broker.url === 'embedded') this.#embedded = await startEmbeddedBroker()
      for (let index = 0; index < this.#count; index += 1) this.#threads.push(this.#createThread(index))
      await Promise.all(this.#threads.map((thread) => thread.call('prepare')))
    } catch (error) {
      await this.#close()
      throw error
    }
    this.#serving = true
    for (const received of this.#takeEarly()) this.#onDatagram(...received)
    await Promise.all(this.#threads.map((thread) => this.#serve(thread)))
    this.#endReports = reportLosses(this.#log, this.counters)
  }

  /** As `Gateway.stop`; resolves to what was counted. */
  async stop(): Promise<Counters> {
    this.#endReports()
    const all = await Promise.allSettled(this.#threads.map((thread) => thread.call('stop')))
    await this.#close()
    return sumOfCounters([
      this.counters,
      ...all.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])),
    ])
  }

  async #close(): Promise<void> {
    this.#serving = false
    await Promise.all(this.#threads.map((thread) => thread.end()))
    await this.#embedded?.close()
    await Promise.all(this.#links.map(({ transport }) => transport.close()))
    this.#release()
  }

  /** As `Gateway.reload`, for all workers: what the first one cannot use changes nothing anywhere. */
  async reload(next: Config): Promise<ReloadReport> {
    const reports: ReloadReport[] = []
    for (const [index, thread] of this.#threads.entries()) {
      reports.push(await thread.call('reload', this.#shareOf(next, index)))
    }
    Object.assign(this.#config, renewedConfig(this.#config, next))
    this.#log.level = this.#config.log.level
    const { applied = [], waiting = [] } = reports[0] ?? {}
    return { applied, waiting, ended: reports.flatMap(({ ended }) => ended) }
  }

  /** Where sensors are heard; asks the system. */
  listeners(): ReturnType<typeof linkStatus>[] {
    return this.#links.map(linkStatus)
  }

  /** The thread that has a sensor, or would have it. */
  threadOf(index: number): Thread | undefined {
    return this.#threads[index]
  }

  /** where the broker is */
  get brokerUrl(): string {
    return this.#embedded?.url ?? this.#config.broker.url
  }

  #shareOf(config: Config, index: number): Config {
    return shareOfConfig(config, index, this.#count, this.#embedded)
  }

  /** What has waited for the worker comes first: a sensor that was heard is not lost. */
  async #serve(thread: Thread): Promise<void> {
    thread.outbox.flush()
    await thread.call('serve')
  }

  #createThread(index: number): Thread {
    const { isTTY = false } = process.stdout
    const task = {
      index,
      count: this.#count,
      config: this.#shareOf(this.#config, index),
      urls: this.#links.map(({ transport }) => transport.url),
      version: this.#version,
      terminal: { isTTY, colors: isTTY && process.stdout.hasColors() },
    }
    return new Thread(task, {
      datagrams: (message) => this.#send(index, message),
      change: (message) => this.observer?.change(message),
      packet: (message) => this.observer?.packet(message),
      lost: (err) => void this.#restart(index, err),
    })
  }

  #takeEarly(): readonly Received[] {
    const early = this.#early ?? []
    this.#early = undefined
    return early
  }

  readonly #onDatagram = (...received: Received): void => {
    const [link, bytes, { address, port }] = received
    if (this.#early !== undefined) {
      if (this.#early.length < MOST_EARLY) this.#early.push(received)
      else count(this.counters.dropped, 'not-serving')
      return
    }
    const thread = this.#threads[this.#routes.of(link.index, bytes, address, port)]
    if (thread === undefined) return count(this.counters.dropped, 'not-serving')
    if (!thread.outbox.add(link.index, address, port, bytes)) count(this.counters.dropped, 'overloaded')
  }

  #send(index: number, message: Extract<FromWorker, { type: 'datagrams' }>): void {
    for (const key of message.unbound) this.#routes.unbind(key, index)
    for (const binding of message.bound) {
      const before = this.#routes.bind(binding.key, index)
      if (before !== undefined) this.#threads[before]?.displaced(binding)
    }
    unpack(message.batch, (listener, address, port, bytes) => {
      const transport = this.#links[listener]?.transport
      if (address === '') transport?.broadcast(bytes, port)
      else transport?.send(bytes, { address, port })
    })
  }

  /** A bug, or no memory: the others go on, and sensors of this one come back from the store, to the addresses they had. */
  async #restart(index: number, err: Error): Promise<void> {
    if (!this.#serving) return
    this.#log.error({ err, worker: index + 1 }, 'a worker has ended: it is started again')
    this.counters.faults += 1
    await new Promise((resolve) => setTimeout(resolve, RESTART))
    if (!this.#serving) return
    const thread = this.#createThread(index)
    this.#threads[index] = thread
    try {
      await thread.call('prepare')
      await this.#serve(thread)
      await this.observer?.restarted(thread)
      this.#log.info({ worker: index + 1 }, 'worker started again')
    } catch (cause) {
      this.#log.error({ err: cause, worker: index + 1 }, 'a worker cannot start')
      await thread.end()
      void this.#restart(index, cause instanceof Error ? cause : new Error(String(cause)))
    }
  }
}
