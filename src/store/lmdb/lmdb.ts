// The store on disk: LMDB. Changes are written in groups; each is one transaction, and is reported when it is on the disk.

import { statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { QueuedMessage, Uplink } from '../../session/message.ts'
import type { Session } from '../../session/session.ts'
import { Changes } from '../changes.ts'
import type { Key, Value } from '../records.ts'
import { type Store, type StoredSession, StoreError, type StoreHealth, type StoreTime } from '../store.ts'
import { Environment, openClock, openDatabase, writeClock } from './environment.ts'
import { markBegun, takeFolder } from './folder.ts'
import { loadSessions } from './load.ts'
import { everything, type LmdbOptions } from './options.ts'
import type { StoreClock } from './store-clock.ts'

/** Milliseconds after which `health` reports a group that is not written yet. */
const SLOW = 10_000

/**
 * Opens the store in a folder, alone: no other process can, until it is closed.
 * @throws StoreError that says what is wrong with the folder or its content, and what to do
 */
export async function openLmdbStore(options: LmdbOptions): Promise<Store> {
  const { part } = options
  const folder = resolve(options.path)
  const release = part === undefined ? await takeFolder(folder) : () => {}
  const file = join(folder, 'data.mdb')
  let environment: Environment | undefined
  try {
    const database = openDatabase(folder)
    const clock = openClock(database, options.machine)
    environment = new Environment(folder, database, clock)
    const { owns, ...numbers } = part ?? everything
    const changes = new Changes(numbers)
    const sessions = await loadSessions(database, changes, file, clock, owns)
    await writeClock(database, clock)
    markBegun(folder)
    return new LmdbStore(options, { file, release, environment, clock, changes, sessions })
  } catch (error) {
    await environment?.abandon()
    release()
    if (error instanceof StoreError) throw error
    throw new StoreError(
      `store ${folder} cannot be opened: ${error instanceof Error ? error.message : error}. ` +
        'See that the disk has space and works; move the folder away to start without its sessions',
    )
  }
}

/**
 * Takes the folder for this process, whose threads then open a share of the store each, and sees that all in it can be read.
 * Resolves to what lets go of it.
 * @throws StoreError as `openLmdbStore`
 */
export async function takeStore(path: string): Promise<() => void> {
  const release = await takeFolder(resolve(path))
  try {
    const store = await openLmdbStore({ path, part: everything })
    await store.close()
    return release
  } catch (error) {
    release()
    throw error
  }
}

interface Opened {
  readonly file: string
  readonly release: () => void
  readonly environment: Environment
  readonly clock: StoreClock
  readonly changes: Changes
  readonly sessions: StoredSession[]
}

class LmdbStore implements Store {
  written = 0
  durable = 0
  readonly #opened: Opened
  readonly #log: LmdbOptions['log']
  readonly #retryAfter: number
  readonly #look: NodeJS.Timeout
  #sessions: StoredSession[]
  /** a group is being written, or the next one is planned */
  #busy = false
  #startedAt: number | undefined
  #retry: NodeJS.Timeout | undefined
  #error: string | undefined
  #groups = 0
  #seconds = 0
  #waiting: { readonly upTo: number; readonly done: (error?: Error) => void }[] = []

  constructor(options: LmdbOptions, opened: Opened) {
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

  onDurable(done: (error?: Error) => void): void {
    if (this.durable === this.written) process.nextTick(done)
    else this.#waiting.push({ upTo: this.written, done })
  }

  get health(): StoreHealth {
    const slow = this.#startedAt !== undefined && performance.now() - this.#startedAt > SLOW
    return {
      error: this.#error ?? (slow ? 'the disk has not answered for a long time' : undefined),
      groups: this.#groups,
      seconds: this.#seconds,
      octets: statSync(this.#opened.file, { throwIfNoEntry: false })?.size ?? 0,
    }
  }

  async close(): Promise<void> {
    const settled = () => new Promise<Error | undefined>((resolve) => this.onDurable(resolve))
    if (this.#retry !== undefined) this.#begin() // a last try, at once
    // A change that comes while a group is written goes with the next one.
    while (this.durable < this.written && (await settled()) === undefined);
    clearInterval(this.#look)
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
    const { changes, environment } = this.#opened
    const upTo = this.written
    const group = changes.takeGroup()
    let failure: Error | undefined
    if (group.length > 0) {
      this.#startedAt = performance.now()
      try {
        await environment.write(group)
        changes.confirmGroup(group)
        this.#groups++
      } catch (error) {
        failure = error instanceof Error ? error : new Error(String(error))
        changes.putBackGroup(group)
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
  }
}
