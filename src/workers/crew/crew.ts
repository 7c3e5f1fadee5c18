// The worker threads of a fleet: started, told to serve, and started again when one is lost.

import type { Counters } from '../../gateway/counters.ts'
import type { Log } from '../../log.ts'
import type { Incarnation } from '../../store/part.ts'
import type { Front } from '../front.ts'
import type { WorkerTask } from '../messages.ts'
import { type FleetObserver, Thread } from '../thread.ts'

/** Milliseconds until a worker that was lost is started again. */
const RESTART = 1000

/** What a crew works with. */
export interface CrewParts {
  /** workers */
  readonly count: number
  readonly log: Log
  /** where lost workers are counted */
  counters(): Counters
  front(): Pick<Front, 'send' | 'takeBack' | 'forgetWorker'>
  observer(): FleetObserver | undefined
  /** what this one is started with */
  taskOf(index: number): Omit<WorkerTask, 'tally'>
  /** of these slots, those of a worker; undefined: of those that are served */
  partOf(index: number, slots: readonly number[] | undefined): readonly number[]
  /** as whom the store was taken, if that is on a database server */
  taken(): Incarnation | undefined
  /** whether the sensors are still those of this process */
  confirm(): Promise<boolean>
  onDeposed(why: Error): void
}

export class Crew {
  readonly threads: Thread[] = []
  readonly #parts: CrewParts
  /** workers that are not there for the moment, and those that take up their sessions */
  readonly #restarting = new Set<number>()
  readonly #preparing = new Set<number>()
  #serving = false

  constructor(parts: CrewParts) {
    this.#parts = parts
  }

  /** Whether all are there. */
  get isWhole(): boolean {
    return this.#restarting.size === 0
  }

  /** It is being started again. */
  isAway(index: number): boolean {
    return this.#restarting.has(index)
  }

  /** It takes up the sessions in the store. */
  isPreparing(index: number): boolean {
    return this.#preparing.has(index)
  }

  /** Starts all threads, which do nothing yet. */
  create(): void {
    const { count } = this.#parts
    for (let index = 0; index < count; index += 1) this.threads.push(this.#create(index))
  }

  /** All get fast before they serve; rejects if one cannot. */
  async rehearse(): Promise<void> {
    await Promise.all(this.threads.map((thread) => thread.call('rehearse')))
  }

  /** All take up the sessions of their part of these slots; rejects if one cannot. */
  async prepare(slots: readonly number[]): Promise<void> {
    await Promise.all(this.threads.map((_, index) => this.#prepare(index, slots)))
  }

  /** From now on a worker that is lost is started again. */
  begin(): void {
    this.#serving = true
  }

  /** All serve their sensors. */
  async serve(): Promise<void> {
    await Promise.all(this.threads.map((thread) => this.#serve(thread)))
  }

  /** No worker is started again from now on. Resolves to what each has counted, of those that could say so. */
  async stop(): Promise<readonly Counters[]> {
    this.#serving = false
    const all = await Promise.allSettled(this.threads.map((thread) => thread.call('stop')))
    return all.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  }

  /** Ends all threads at once. */
  async end(): Promise<void> {
    this.#serving = false
    await Promise.all(this.threads.map((thread) => thread.end()))
  }

  /** Sends what has waited for the worker first, so that no sensor counts as lost that was heard meanwhile. */
  async #serve(thread: Thread): Promise<void> {
    thread.outbox.flush()
    await thread.call('serve')
  }

  async #prepare(index: number, slots?: readonly number[]): Promise<void> {
    const { partOf, taken } = this.#parts
    this.#preparing.add(index)
    const prepared = this.threads[index]?.call('prepare', partOf(index, slots), taken())
    await prepared?.finally(() => this.#preparing.delete(index))
  }

  #create(index: number): Thread {
    const { taskOf, front, observer, confirm, onDeposed } = this.#parts
    const thread: Thread = new Thread(taskOf(index), {
      datagrams: (message) => front().send(index, message),
      returned: (message) => front().takeBack(message),
      change: (message) => observer()?.change(message),
      happenings: (message) => observer()?.happenings(message),
      packet: (message) => observer()?.packet(message),
      step: (message) => observer()?.step(message),
      confirm: () => void confirm().then((isOurs) => isOurs && thread.confirmed()),
      deposed: ({ why }) => onDeposed(new Error(why)),
      lost: (err) => {
        if (this.threads[index] === thread) void this.#restart(index, err)
      },
    })
    return thread
  }

  /** Starts a worker again that has ended, after a bug or without memory. Its sensors come back from the store to their addresses. */
  async #restart(index: number, error: Error): Promise<void> {
    const { log, counters, front, observer } = this.#parts
    if (!this.#serving || this.#restarting.has(index)) return
    this.#restarting.add(index)
    counters().faults += 1
    const worker = index + 1
    for (let err: unknown = error; ; ) {
      log.error({ err, worker }, 'a worker has ended: it is started again')
      await new Promise((resolve) => setTimeout(resolve, RESTART))
      if (!this.#serving) return
      front().forgetWorker(index)
      const thread = this.#create(index)
      this.threads[index] = thread
      try {
        await this.#prepare(index)
        await thread.call('rehearse')
        await observer()?.restarted(index, thread)
        await this.#serve(thread)
        break
      } catch (cause) {
        err = cause
        await thread.end()
      }
    }
    this.#restarting.delete(index)
    log.info({ worker }, 'worker started again')
  }
}
