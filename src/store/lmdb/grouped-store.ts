// Writes changes in groups: each is one transaction of LMDB, and is reported when it is on the disk.

import { statSync } from 'node:fs'
import type { QueuedMessage, Uplink } from '../../session/message.ts'
import type { Session } from '../../session/session.ts'
import type { Changes } from '../changes.ts'
import { type Key, readUplink, type Value } from '../records.ts'
import type { Store, StoredSession, StoreHealth, StoreTime } from '../store.ts'
import type { Asides } from './asides.ts'
import type { Environment } from './environment.ts'
import type { LmdbOptions } from './options.ts'
import type { StoreClock } from './store-clock.ts'

/** Milliseconds after which `health` reports a group that is not written yet. */
const SLOW = 10_000
/** Milliseconds of failures after which it is `isFailing`: one that the next attempt mends disturbs nobody. */
const MOMENT = 2000
/** Milliseconds that something may wait to be written which nobody waits for. */
const LAZY = 1000

/** What a store in LMDB is made of. */
export interface OpenedStore {
  readonly file: string
  readonly release: () => void
  readonly environment: Environment
  readonly clock: StoreClock
  readonly changes: Changes
  readonly asides: Asides
  readonly sessions: StoredSession[]
}

/** The store on disk. */
export class GroupedStore implements Store {
  written = 0
  durable = 0
  readonly #opened: OpenedStore
  readonly #log: LmdbOptions['log']
  readonly #retryAfter: number
  readonly #look: NodeJS.Timeout
  #sessions: StoredSession[]
  /** a group is being written, or the next one is planned */
  #busy = false
  #startedAt: number | undefined
  #retry: NodeJS.Timeout | undefined
  #later: NodeJS.Timeout | undefined
  #error: string | undefined
  #failsSince: number | undefined
  #groups = 0
  #seconds = 0
  #waiting: { readonly upTo: number; readonly done: (error?: Error) => void }[] = []

  constructor(options: LmdbOptions, opened: OpenedStore) {
    this.#opened = opened
    this.#log = options.log
    this.#retryAfter = options.retryAfter ?? 1000
    this.#sessions = opened.sessions
    this.#look = setInterval(() => this.#lookAtFile(), options.lookAfter ?? 2000).unref()
  }

  async load(): Promise<StoredSession[]> {
    const sessions = this.#sessions
    this.#sessions = [] // they are asked for once only
    return sessions
  }

  get time(): StoreTime {
    return this.#opened.clock
  }

  save(session: Session): void {
    this.#keep(session.clientId, 'lasting', session, true)
    this.#keep(session.clientId, 'progress', session)
  }

  saveProgress(session: Session): void {
    if (this.#opened.changes.knows(session.clientId)) this.#keep(session.clientId, 'progress', session)
    else this.save(session)
  }

  forget(clientId: string): void {
    this.#opened.changes.forget(clientId)
    this.#changed()
  }

  keepMessage(clientId: string, message: QueuedMessage): void {
    this.#keep(clientId, message.id, message)
  }

  dropMessage(clientId: string, id: number): void {
    this.#opened.changes.drop(clientId, id)
    this.#changed()
  }

  keepUplink(clientId: string, uplink: Uplink): void {
    this.#keep(clientId, -uplink.token, uplink)
  }

  dropUplink(clientId: string, token: number): void {
    this.#opened.changes.drop(clientId, -token)
    this.#changed()
  }

  readUplink(clientId: string, token: number): Uplink | 'gone' | 'later' {
    const { changes, environment, clock } = this.#opened
    const found = changes.find(clientId, -token)
    if (found === undefined) return 'gone'
    if ('pending' in found) return 'token' in found.pending ? found.pending : 'gone'
    try {
      return readUplink(token, environment.read([found.number, -token]), clock.toMonotonic)
    } catch (error) {
      this.#log?.error(
        `a message of ${clientId} cannot be read: ${error instanceof Error ? error.message : error}`,
      )
      return error instanceof TypeError ? 'gone' : 'later'
    }
  }

  get asides(): ReadonlyMap<string, unknown> {
    return this.#opened.asides.loaded
  }

  keepAside(name: string, record: () => object | undefined, lazy = false): void {
    this.#opened.asides.keep(name, record)
    if (!lazy) this.#changed()
    else this.#later ??= setTimeout(() => this.#changed(), LAZY).unref()
  }

  onDurable(done: (error?: Error) => void): void {
    if (this.durable === this.written) process.nextTick(done)
    else this.#waiting.push({ upTo: this.written, done })
  }

  get isFailing(): boolean {
    if (this.#failsSince !== undefined) return performance.now() - this.#failsSince > MOMENT
    return this.#isSlow()
  }

  #isSlow(): boolean {
    return this.#startedAt !== undefined && performance.now() - this.#startedAt > SLOW
  }

  get health(): StoreHealth {
    const slow = this.#isSlow()
    return {
      error: this.#error ?? (slow ? 'the disk has not answered for a long time' : undefined),
      groups: this.#groups,
      seconds: this.#seconds,
      octets: statSync(this.#opened.file, { throwIfNoEntry: false })?.size ?? 0,
    }
  }

  async close(): Promise<void> {
    const settled = () => new Promise<Error | undefined>((resolve) => this.onDurable(resolve))
    if (this.#later !== undefined) this.#changed()
    if (this.#retry !== undefined) this.#begin() // a last try, at once
    // A change that comes while a group is written goes with the next one.
    while (this.durable < this.written && (await settled()) === undefined);
    clearInterval(this.#look)
    clearTimeout(this.#later)
    clearTimeout(this.#retry)
    this.#retry = undefined
    this.#busy = true // for good: nothing is written any more
    if (this.durable < this.written)
      this.#log?.error(`closed with changes that are not stored: ${this.#error}`)
    await this.#opened.environment.close()
    this.#opened.release()
  }

  #keep(clientId: string, key: Key, value: Value, create = false): void {
    this.#opened.changes.keep(clientId, key, value, create)
    this.#changed()
  }

  #changed(): void {
    this.written++
    if (!this.#busy) this.#plan()
  }

  #plan(): void {
    this.#busy = true
    setImmediate(() => void this.#write()) // so that a burst is one group
  }

  #begin(): void {
    clearTimeout(this.#retry)
    this.#retry = undefined
    void this.#write()
  }

  async #write(): Promise<void> {
    const { changes, asides, environment } = this.#opened
    clearTimeout(this.#later)
    this.#later = undefined
    const upTo = this.written
    const group = changes.takeGroup()
    const beside = asides.take()
    let failure: Error | undefined
    if (group.length > 0 || beside.length > 0) {
      this.#startedAt = performance.now()
      try {
        await environment.write(group, beside)
        changes.confirmGroup(group)
        this.#groups++
      } catch (error) {
        failure = error instanceof Error ? error : new Error(String(error))
        changes.putBackGroup(group)
        asides.putBack(beside)
      }
      this.#seconds += (performance.now() - this.#startedAt) / 1000
      this.#startedAt = undefined
      this.#tell(failure)
    }
    if (failure !== undefined) this.#retry = setTimeout(() => this.#begin(), this.#retryAfter)
    else {
      this.durable = upTo
      this.#busy = false
      if (this.durable < this.written) this.#plan()
    }
    const later = this.#waiting.findIndex((waiting) => waiting.upTo > upTo)
    const due = this.#waiting.splice(0, later < 0 ? this.#waiting.length : later)
    for (const { done } of due) process.nextTick(done, failure) // one that throws must not stop the others
  }

  /** While nothing is written, a folder that is deleted would be noticed at the next crash only. */
  #lookAtFile(): void {
    if (this.#busy) return // writing looks, too
    const { isPresent, absence } = this.#opened.environment
    if (!isPresent) this.#tell(absence)
    else if (this.#error === absence.message) this.#tell(undefined)
  }

  #tell(failure: Error | undefined): void {
    if (failure !== undefined && this.#error === undefined) this.#log?.error(failure.message)
    if (failure === undefined && this.#error !== undefined)
      this.#log?.info('what could not be stored is stored now')
    this.#error = failure?.message
    if (failure === undefined) this.#failsSince = undefined
    else this.#failsSince ??= performance.now()
  }
}
