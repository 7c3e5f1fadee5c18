// The gateway on several cores: this thread receives and sends all datagrams, workers own the sensors, each its part of them.
//
//   sensors - UDP - front (this thread) - batches - worker 1..n: sessions, store, connections to the broker

import { nodeSuffix } from '../config/cluster/section.ts'
import type { Config } from '../config/schema.ts'
import { brokerUrls } from '../config/sections/addresses.ts'
import { expandTemplate } from '../config/sections/template.ts'
import type { Counters } from '../gateway/counters.ts'
import type { listenerStatus } from '../gateway/datagrams/listener.ts'
import { type TakenStore, takeStore } from '../gateway/open-store.ts'
import type { GatewayParts } from '../gateway/parts.ts'
import { reportLosses } from '../gateway/reports/loss-report.ts'
import { createSlotOf, type Naming, namingOf } from '../gateway/rules/naming.ts'
import { logReload, type ReloadReport } from '../gateway/rules/reload.ts'
import { type Log, silentLog } from '../log.ts'
import type { Leaving } from '../sessions/ownership/let-go.ts'
import { allSlots, workerOfSlot } from '../sessions/slots.ts'
import { type EmbeddedBroker, startEmbeddedBroker } from '../upstream/embedded.ts'
import type { ClusterTenure } from './cluster/cluster-tenure.ts'
import { Crew } from './crew/crew.ts'
import { reloadWorkers, warnOfNames } from './crew/reload-workers.ts'
import { divideConfig } from './divide-config.ts'
import { FleetSlots } from './fleet-slots.ts'
import { Front } from './front.ts'
import type { WorkerTask } from './messages.ts'
import { sumOfCounters } from './sums.ts'
import type { FleetObserver, Thread } from './thread.ts'

/** What a fleet asks of the part of a cluster that it is. */
type FleetTenure = Pick<
  ClusterTenure,
  'open' | 'openRouter' | 'own' | 'slots' | 'holds' | 'confirm' | 'installation' | 'memory'
>

type Parts = Pick<GatewayParts, 'log' | 'onDeposed'> & { version?: string; tenure?: FleetTenure | undefined }

/** A gateway of several worker threads. `start()` and `stop()` may be called once. */
export class Fleet {
  readonly #config: Config
  readonly #count: number
  readonly #log: Log
  readonly #version: string
  readonly #tenure: FleetTenure | undefined
  /** of the start: it decides which worker has a sensor, and so does not change */
  readonly #naming: Naming
  /** the number of the worker of a sensor */
  readonly ownerOf: (clientId: string) => number
  readonly #slots: FleetSlots
  readonly #front: Front
  readonly #crew: Crew
  observer: FleetObserver | undefined
  #embedded: EmbeddedBroker | undefined
  #store: TakenStore | undefined
  #endReports: () => void = () => {}

  /** `count` workers; `version` is the program's. */
  constructor(config: Config, count: number, parts: Parts = {}) {
    const { log = silentLog, version = '', onDeposed, tenure } = parts
    this.#tenure = tenure
    this.#config = config
    this.#count = count
    this.#log = log
    this.#version = version
    this.#naming = namingOf(config)
    const slotOf = createSlotOf(this.#naming)
    this.ownerOf = (clientId) => workerOfSlot(slotOf(clientId), count)
    const thread = (index: number) => this.#crew.threads[index]
    const [settle, security] = [() => this.#front.settle(), () => this.#front.security]
    this.#slots = new FleetSlots({ count, thread, settle, security })
    this.#crew = new Crew({
      ...{ count, log },
      counters: () => this.counters,
      front: () => this.#front,
      observer: () => this.observer,
      taskOf: (index) => this.#taskOf(index),
      partOf: (index, slots) => this.#slots.partOf(index, slots ?? this.#slots.states.which('served')),
      taken: () => this.#store?.taken,
      confirm: async () => (await tenure?.confirm()) === true,
      onDeposed: (why) => onDeposed?.(why),
    })
    this.#front = new Front(count, slotOf, this.#slots.states, {
      thread,
      isAway: (index) => this.#crew.isAway(index),
      isPreparing: (index) => this.#crew.isPreparing(index),
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
    return this.#crew.threads
  }

  /**
   * Rejects, with nothing left open, if a listener cannot be bound, the store cannot be used or a worker cannot start. `wanted`:
   * the slots to begin with.
   */
  async start(wanted?: readonly number[]): Promise<void> {
    try {
      const tenure = this.#tenure
      const taken = await tenure?.own()
      const slots = wanted ?? tenure?.slots ?? allSlots
      await this.#front.open(this.#config, this.#log, tenure)
      if (tenure !== undefined) this.#store = { ...storeOf(tenure), taken }
      else this.#store = await takeStore(this.#config, this.#count + 1) // the front is one of them
      await this.#front.begin(this.#config, this.#log, this.#store.taken)
      await this.#front.security.takeUp(slots)
      const isWarm = this.#crew.threads.length > 0
      if (!isWarm) await this.#createThreads()
      await this.#crew.prepare(slots)
      if (!isWarm) await this.#crew.rehearse()
      this.#slots.states.enter('served', slots)
      this.#crew.begin()
      this.#front.release()
      await this.#crew.serve()
    } catch (error) {
      await this.#close()
      throw error
    }
    this.#endReports = reportLosses(this.#log, this.counters)
  }

  /** Gets ready to take over from another process; rejects, with nothing left open, if that cannot be. */
  async standBy(): Promise<void> {
    const tenure = this.#tenure
    if (tenure === undefined) return
    try {
      await this.#front.open(this.#config, this.#log, tenure, true)
      await tenure.open()
      this.#front.useRouter(tenure.openRouter(this.#front.forRouter))
      this.#store = storeOf(tenure)
      await this.#createThreads()
      await this.#crew.rehearse()
    } catch (error) {
      await this.#close()
      throw error
    }
  }

  async #createThreads(): Promise<void> {
    if (this.#config.broker.url === 'embedded') this.#embedded = await startEmbeddedBroker()
    this.#crew.create()
  }

  /** As `Gateway.stop`; resolves to what was counted. */
  async stop(): Promise<Counters> {
    this.#endReports()
    const all = await this.#crew.stop()
    await this.#close()
    return sumOfCounters([this.counters, ...all])
  }

  async #close(): Promise<void> {
    await this.#crew.end()
    await this.#embedded?.close()
    await this.#front.close()
    this.#store?.release()
  }

  /** As `Gateway.reload`, for all workers: what the first one cannot use changes nothing anywhere. */
  async reload(next: Config): Promise<ReloadReport> {
    const [config, log, threads] = [this.#config, this.#log, this.threads]
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
  get front(): Pick<Front, 'books' | 'security'> {
    return this.#front
  }

  /** Where sensors are heard; asks the system. */
  listeners(): ReturnType<typeof listenerStatus>[] {
    return this.#front.listeners()
  }

  /** Whether all workers are there. */
  get isWhole(): boolean {
    return this.#crew.isWhole
  }

  /** The thread that has a sensor, or would have it. */
  threadOf(index: number): Thread | undefined {
    return this.threads[index]
  }

  /** where the broker is */
  get brokerUrl(): string {
    return this.#embedded?.url ?? brokerUrls(this.#config.broker)[0] ?? ''
  }

  readonly #configOf = (config: Config, index: number): Config => {
    const { broker } = config
    // one for all workers, also where nothing keeps it
    const installation = this.#store?.installation ?? ''
    const clientId = expandTemplate(broker.clientId, { installation }) + nodeSuffix(config)
    const own = { ...config, broker: { ...broker, clientId } }
    return divideConfig(own, index, this.#count, this.#embedded)
  }

  #taskOf(index: number): Omit<WorkerTask, 'tally'> {
    const { isTTY = false } = process.stdout
    return {
      index,
      count: this.#count,
      naming: this.#naming,
      config: this.#configOf(this.#config, index),
      urls: this.#front.urls,
      version: this.#version,
      lease: this.#tenure?.memory,
      terminal: { isTTY, colors: isTTY && process.stdout.hasColors() },
    }
  }
}

/** The store of a cluster is its own business. */
const storeOf = ({ installation }: FleetTenure): TakenStore => ({ installation, release: () => {} })
