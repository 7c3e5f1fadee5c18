// One worker thread as the first thread sees it: datagrams in and out, and calls with answers.

import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { Outbox, Tally } from './between/outbox.ts'
import type { LineRoom } from './lines/channel.ts'
import type { FromWorker, ToWorker, WorkerCalls, WorkerTask } from './messages.ts'

/** What a thread reports. */
export interface ThreadEvents {
  datagrams(message: Extract<FromWorker, { type: 'datagrams' }>): void
  returned(message: Extract<FromWorker, { type: 'returned' }>): void
  change(message: Extract<FromWorker, { type: 'change' }>): void
  happenings(message: Extract<FromWorker, { type: 'happenings' }>): void
  packet(message: Extract<FromWorker, { type: 'packet' }>): void
  step(message: Extract<FromWorker, { type: 'step' }>): void
  /** another gateway has taken over the store */
  deposed(message: Extract<FromWorker, { type: 'deposed' }>): void
  /** to be answered by `confirmed`, or never */
  confirm(): void
  /** it has ended without having been told to */
  lost(error: Error): void
}

/** Called for what workers report to those who look at them. */
export interface FleetObserver extends Pick<ThreadEvents, 'change' | 'happenings' | 'packet' | 'step'> {
  /** a worker was started in place of one that was lost */
  restarted(index: number, thread: Thread): Promise<void>
}

/** Calls that may take as long as a large store does; all others are answered within some seconds, or fail. */
const PATIENT: ReadonlySet<keyof WorkerCalls> = new Set(['prepare', 'rehearse', 'serve', 'adopt', 'release'])
const PATIENCE = 10_000

interface Pending {
  resolve(value: unknown): void
  reject(error: Error): void
  timer?: NodeJS.Timeout
}

// compiled if this file is, and TypeScript otherwise
const entry = new URL(`./worker${extname(import.meta.url)}`, import.meta.url)

export class Thread {
  readonly outbox: Outbox
  readonly #worker: Worker
  readonly #pending = new Map<number, Pending>()
  #calls = 0
  #error: Error | undefined
  #ended = false

  constructor(task: Omit<WorkerTask, 'tally'>, events: ThreadEvents) {
    const tally = new Tally()
    const workerData: WorkerTask = { ...task, tally: tally.memory }
    this.#worker = new Worker(entry, { workerData })
    this.outbox = new Outbox(tally, 'toWorker', (batch, count) =>
      this.#worker.postMessage({ type: 'datagrams', batch, count } satisfies ToWorker, [batch.buffer]),
    )
    this.#worker.on('message', (message: FromWorker) => {
      if (message.type === 'answer') this.#settle(message.id)?.resolve(message.value)
      else if (message.type === 'failure') this.#settle(message.id)?.reject(new Error(message.message))
      else if (message.type === 'change') events.change(message)
      else if (message.type === 'step') events.step(message)
      else if (message.type === 'happenings') events.happenings(message)
      else if (message.type === 'packet') events.packet(message)
      else if (message.type === 'deposed') events.deposed(message)
      else if (message.type === 'confirm') events.confirm()
      else if (message.type === 'returned') events.returned(message)
      else {
        tally.add('toFront', message.count)
        events.datagrams(message)
      }
    })
    this.#worker.once('error', (error) => {
      this.#error = error instanceof Error ? error : new Error(String(error))
    })
    this.#worker.once('exit', () => {
      const error = this.#error ?? new Error('a worker thread has ended')
      this.#error = error
      for (const id of [...this.#pending.keys()]) this.#settle(id)?.reject(error)
      if (!this.#ended) events.lost(error)
    })
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    clearTimeout(pending?.timer)
    return pending
  }

  /** Asks the worker for something; rejects with what it throws, or when it is gone. */
  call<Name extends keyof WorkerCalls>(
    name: Name,
    ...args: Parameters<WorkerCalls[Name]>
  ): Promise<Awaited<ReturnType<WorkerCalls[Name]>>> {
    return new Promise((resolve, reject) => {
      if (this.#error !== undefined) throw this.#error
      const id = ++this.#calls
      this.#pending.set(id, { resolve: resolve as Pending['resolve'], reject })
      this.#post({ type: 'call', id, name, args })
      if (PATIENT.has(name)) return
      const late = () => this.#settle(id)?.reject(new Error(`a worker does not answer: ${name}`))
      const timer = setTimeout(late, PATIENCE)
      const settled = this.#pending.get(id)
      if (settled !== undefined) settled.timer = timer
    })
  }

  /** Another sensor has come to the address of one of its sensors. */
  displaced(binding: Extract<ToWorker, { type: 'displaced' }>['binding']): void {
    this.#post({ type: 'displaced', binding })
  }

  /** How much room a line has for its messages. */
  tellRoom(room: LineRoom): void {
    this.#post({ type: 'room', ...room })
  }

  /** The sensors are those of this process. */
  confirmed(): void {
    this.#post({ type: 'confirmed' })
  }

  #post(message: ToWorker): void {
    this.#worker.postMessage(message)
  }

  /** Ends the thread at once; what it was asked to do before is lost. */
  async end(): Promise<void> {
    this.#ended = true
    await this.#worker.terminate()
  }
}
