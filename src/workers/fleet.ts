// The gateway on several cores: this thread receives and sends all datagrams, workers own the sensors, each its part of them.
//
//   sensors - UDP - front (this thread) - batches - worker 1..n: sessions, store, connections to the broker

import type { Config } from '../config/schema.ts'
import { brokerUrls } from '../config/sections/addresses.ts'
import { expandTemplate } from '../config/sections/template.ts'
import type { Counters } from '../gateway/counters.ts'
import type { listenerStatus } from '../gateway/datagrams/listener.ts'
import { type TakenStore, takeStore } from '../gateway/open-store.ts'
import type { GatewayParts, OnDeposed } from '../gateway/parts.ts'
import { reportLosses } from '../gateway/reports/loss-report.ts'
import { createSlotOf, type Naming, namingOf } from '../gateway/rules/naming.ts'
import { logReload, type ReloadReport } from '../gateway/rules/reload.ts'
import { type Log, silentLog } from '../log.ts'
import type { Leaving } from '../sessions/ownership/let-go.ts'
import { allSlots, workerOfSlot } from '../sessions/slots.ts'
import { type EmbeddedBroker, startEmbeddedBroker } from '../upstream/embedded.ts'
import { divideConfig } from './divide-config.ts'
import { FleetSlots } from './fleet-slots.ts'
import { Front } from './front.ts'
import { reloadWorkers, warnOfNames } from './reload-workers.ts'
import { sumOfCounters } from './sums.ts'
import { type FleetObserver, Thread } from './thread.ts'

/** Milliseconds until a worker that was lost is started again. */
const RESTART = 1000

type Parts = Pick<GatewayParts, 'log' | 'onDeposed'> & { version?: string }

/** A gateway of several worker threads. `start()` and `stop()` may be called once. */
export class Fleet {
  readonly #config: Config
  readonly #count: number
  readonly #log: Log
  readonly #version: string
  readonly #onDeposed: OnDeposed | undefined
  /** of the start: it decides which worker has a sensor, and so does not change */
  readonly #naming: Naming
  /** the number of the worker of a sensor */
  readonly ownerOf: (clientId: string) => number
  readonly #slots: FleetSlots
  readonly #front: Front
  readonly #threads: Thread[] = []
  observer: FleetObserver | undefined
  #embedded: EmbeddedBroker | undefined
  #store: TakenStore | undefined
  #endReports: () => void = () => {}
  #serving = false
  /** workers that are not there for the moment, and those that take up their sessions */
  readonly #restarting = new Set<number>()
  readonly #preparing = new Set<number>()

  /** `count` workers, 2 or more; `version` is the program's. */
  constructor(config: Config, count: number, { log = silentLog, version = '', onDeposed }: Parts = {}) {
    this.#onDeposed = onDeposed
    this.#config = config
    this.#count = count
    this.#log = log
    this.#version = version
    this.#naming = namingOf(config)
    const slotOf = createSlotOf(this.#naming)
    this.ownerOf = (clientId) => workerOfSlot(slotOf(clientId), count)
    const thread = (index: number) => this.#threads[index]
    this.#slots = new FleetSlots({ count, thread, settle: () => this.#front.settle() })
    this.#front = new Front(count, slotOf, this.#slots.states, {
      thread,
      isAway: (index) => this.#restarting.has(index),
      isPreparing: (index) => this.#preparing.has(index),
    })
  }

  /** what this thread counts itself */
  get counters(): Counters {
    return this.#front.books.counters
  }

  get config(): Config {
    return this.#config
  }

  get threads(): readonly Thread[] {
    return this.#threads
  }

  /**
   * Rejects, with nothing left open, if a listener cannot be bound, the store cannot be used or a worker cannot start. `slots`: those
   * to begin with.
   */
  async start(slots = allSlots): Promise<void> {
    try {
      await this.#front.open(this.#config, this.#log)
      this.#store = await takeStore(this.#config, this.#count + 1) // the front is one of them
      await this.#front.begin(this.#config, this.#log, this.#store.taken)
      if (this.#config.broker.url === 'embedded') this.#embedded = await startEmbeddedBroker()
      for (let index = 0; index < this.#count; index += 1) this.#threads.push(this.#createThread(index))
      await Promise.all(this.#threads.map((_, index) => this.#prepare(index, slots)))
      this.#slots.states.enter('served', slots)
      this.#serving = true
      this.#front.release()
      await Promise.all(this.#threads.map((thread) => this.#serve(thread)))
    } catch (error) {
      await this.#close()
      throw error
    }
    this.#endReports = reportLosses(this.#log, this.counters)
  }

  /** As `Gateway.stop`; resolves to what was counted. */
  async stop(): Promise<Counters> {
    this.#serving = false // no worker is started again from now on
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
    await this.#front.close()
    this.#store?.release()
  }

  /** As `Gateway.reload`, for all workers: what the first one cannot use changes nothing anywhere. */
  async reload(next: Config): Promise<ReloadReport> {
    const [config, log, threads] = [this.#config, this.#log, this.#threads]
    const report = await reloadWorkers({ config, log, threads, configOf: this.#configOf }, next)
    this.#front.renew(config)
    logReload(report, log)
    warnOfNames(config, this.#naming, log)
    return report
  }

  /** Serves the sensors of these slots; see `Gateway.adopt`. */
  adopt(slots: readonly number[]): Promise<void> {
    return this.#slots.adopt(slots)
  }

  /** Lets go of these slots; see `Gateway.release`. */
  release(slots: readonly number[], how: Leaving): Promise<void> {
    return this.#slots.release(slots, how)
  }

  /** What the first thread remembers of those whom it refused, and of what it dropped, who is told of the next; and its links. */
  get front(): Pick<Front, 'books' | 'secureLinks'> {
    return this.#front
  }

  /** Where sensors are heard; asks the system. */
  listeners(): ReturnType<typeof listenerStatus>[] {
    return this.#front.listeners()
  }

  /** Whether all workers are there. */
  get isWhole(): boolean {
    return this.#restarting.size === 0
  }

  /** The thread that has a sensor, or would have it. */
  threadOf(index: number): Thread | undefined {
    return this.#threads[index]
  }

  /** where the broker is */
  get brokerUrl(): string {
    return this.#embedded?.url ?? brokerUrls(this.#config.broker)[0] ?? ''
  }

  readonly #configOf = (config: Config, index: number): Config => {
    const { broker } = config
    // one for all workers, also where nothing keeps it
    const installation = this.#store?.installation ?? ''
    const clientId = expandTemplate(broker.clientId, { installation })
    const own = { ...config, broker: { ...broker, clientId } }
    return divideConfig(own, index, this.#count, this.#embedded)
  }

  /** Sends what has waited for the worker first, so that no sensor counts as lost that was heard meanwhile. */
  async #serve(thread: Thread): Promise<void> {
    thread.outbox.flush()
    await thread.call('serve')
  }

  #createThread(index: number): Thread {
    const { isTTY = false } = process.stdout
    const task = {
      index,
      count: this.#count,
      naming: this.#naming,
      config: this.#configOf(this.#config, index),
      urls: this.#front.urls,
      version: this.#version,
      taken: this.#store?.taken,
      terminal: { isTTY, colors: isTTY && process.stdout.hasColors() },
    }
    const thread: Thread = new Thread(task, {
      datagrams: (message) => this.#front.send(index, message),
      change: (message) => this.observer?.change(message),
      happenings: (message) => this.observer?.happenings(message),
      packet: (message) => this.observer?.packet(message),
      step: (message) => this.observer?.step(message),
      deposed: ({ why }) => this.#onDeposed?.(new Error(why)),
      lost: (err) => {
        if (this.#threads[index] === thread) void this.#restart(index, err)
      },
    })
    return thread
  }

  /** Starts a worker again that has ended, after a bug or without memory. Its sensors come back from the store to their addresses. */
  async #restart(index: number, error: Error): Promise<void> {
    if (!this.#serving || this.#restarting.has(index)) return
    this.#restarting.add(index)
    this.counters.faults += 1
    const worker = index + 1
    for (let err: unknown = error; ; ) {
      this.#log.error({ err, worker }, 'a worker has ended: it is started again')
      await new Promise((resolve) => setTimeout(resolve, RESTART))
      if (!this.#serving) return
      this.#front.forgetWorker(index)
      const thread = this.#createThread(index)
      this.#threads[index] = thread
      try {
        await this.#prepare(index, this.#slots.states.which('served'))
        await this.observer?.restarted(index, thread)
        await this.#serve(thread)
        break
      } catch (cause) {
        err = cause
        await thread.end()
      }
    }
    this.#restarting.delete(index)
    this.#log.info({ worker }, 'worker started again')
  }

  /** `slots`: of which it serves its part */
  async #prepare(index: number, slots: readonly number[]): Promise<void> {
    this.#preparing.add(index)
    const part = this.#slots.partOf(index, slots)
    await this.#threads[index]?.call('prepare', part).finally(() => this.#preparing.delete(index))
  }
}
