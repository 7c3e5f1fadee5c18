// Writes changes in groups: each is written at once by the environment below, and is reported when it is durable there.

import type { Asides } from './asides.ts'
import type { Changes } from './changes.ts'
import type { Environment } from './environment.ts'
import { Deposed, type StoreHealth } from './store.ts'

/** Milliseconds after which `health` reports a group that is not written yet. */
const SLOW = 10_000
/** Milliseconds of failures after which it is `isFailing`: one that the next attempt mends disturbs nobody. */
const MOMENT = 2000
/** Milliseconds that something may wait to be written which nobody waits for. */
const LAZY = 1000

/** What is written, and where. */
export interface GroupedParts {
  readonly environment: Environment
  readonly changes: Changes
  readonly asides: Asides
  /** what tells this installation from others, if it is kept there */
  readonly installation?: string | undefined
}

/** How groups are written. */
export interface GroupedOptions {
  /** told once when writing begins to fail, and once when it works again */
  readonly log?: { error(message: string): void; info(message: string): void } | undefined
  /** how often to look whether the environment is still there, milliseconds; 2000 unless told */
  readonly lookAfter?: number | undefined
  /** milliseconds until what failed is written again; 1000 unless told */
  readonly retryAfter?: number | undefined
}

/** Groups, one after the other, until it is closed or deposed. */
export class GroupWriter {
  written = 0
  durable = 0
  readonly #parts: GroupedParts
  readonly #log: GroupedOptions['log']
  readonly #retryAfter: number
  readonly #look: NodeJS.Timeout
  /** a group is being written, or the next one is planned */
  #busy = false
  #startedAt: number | undefined
  #retry: NodeJS.Timeout | undefined
  #closing: Promise<void> | undefined
  #later: NodeJS.Timeout | undefined
  #error: string | undefined
  /** it is an absence, which the environment tells without a write */
  #isAbsent = false
  #failsSince: number | undefined
  #deposed: Deposed | undefined
  #tellDeposed: ((why: Deposed) => void)[] = []
  #groups = 0
  #seconds = 0
  #waiting: { readonly upTo: number; readonly done: (error?: Error) => void }[] = []

  constructor({ log, retryAfter = 1000, lookAfter = 2000 }: GroupedOptions, parts: GroupedParts) {
    this.#parts = parts
    this.#log = log
    this.#retryAfter = retryAfter
    this.#look = setInterval(() => this.#lookAtEnvironment(), lookAfter).unref()
  }

  /** Something is to be written: with a group that begins in this turn, or `lazy`: with the next one that there is, or within a second. */
  changed(lazy = false): void {
    if (lazy) {
      this.#later ??= setTimeout(() => this.changed(), LAZY).unref()
      return
    }
    this.written++
    if (!this.#busy) this.#plan()
  }

  onDurable(done: (error?: Error) => void): void {
    if (this.durable === this.written) process.nextTick(done)
    else if (this.#deposed !== undefined) setTimeout(done, this.#retryAfter, this.#deposed).unref()
    else this.#waiting.push({ upTo: this.written, done })
  }

  /** As that of the store. */
  onDeposed(told: (why: Deposed) => void): void {
    if (this.#deposed === undefined) this.#tellDeposed.push(told)
    else process.nextTick(told, this.#deposed)
  }

  /**
   * Writes what is pending, and not what comes meanwhile: where much is written that would never end. Resolves to why it is not durable;
   * undefined: it is, or this writer is deposed.
   */
  async flush(): Promise<Error | undefined> {
    const upTo = this.written
    while (this.durable < upTo && this.#deposed === undefined) {
      const failure = await new Promise<Error | undefined>((resolve) => this.onDurable(resolve))
      if (failure !== undefined) return failure
    }
    return undefined
  }

  get isFailing(): boolean {
    if (this.#deposed !== undefined) return true
    if (this.#failsSince !== undefined) return performance.now() - this.#failsSince > MOMENT
    return this.#isSlow()
  }

  #isSlow(): boolean {
    return this.#startedAt !== undefined && performance.now() - this.#startedAt > SLOW
  }

  get health(): StoreHealth {
    const { octets, engine } = this.#parts.environment
    const what = engine === undefined ? 'the disk' : 'the database server'
    const slow = this.#isSlow() ? `${what} has not answered for a long time` : undefined
    return { error: this.#error ?? slow, groups: this.#groups, seconds: this.#seconds, octets, engine }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    if (this.#later !== undefined) this.changed()
    if (this.#retry !== undefined) this.#begin() // a last try, at once
    // A change that comes while a group is written goes with the next one.
    while (this.durable < this.written && this.#deposed === undefined)
      if ((await this.flush()) !== undefined) break
    clearInterval(this.#look)
    clearTimeout(this.#later)
    clearTimeout(this.#retry)
    this.#retry = undefined
    this.#busy = true // for good: nothing is written any more
    if (this.durable < this.written)
      this.#log?.error(`closed with changes that are not stored: ${this.#error}`)
    await this.#parts.environment.close()
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
    const { changes, asides, environment } = this.#parts
    clearTimeout(this.#later)
    this.#later = undefined
    const upTo = this.written
    const group = changes.takeGroup()
    const beside = asides.take()
    let failure: Error | undefined
    if (group.length > 0 || beside.length > 0 || environment.owes) {
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
    if (failure instanceof Deposed) this.#depose(failure)
    else if (failure !== undefined) this.#retry = setTimeout(() => this.#begin(), this.#retryAfter)
    else {
      this.durable = upTo
      this.#busy = false
      if (this.durable < this.written) this.#plan()
    }
    const later = this.#waiting.findIndex((waiting) => waiting.upTo > upTo)
    const due = this.#waiting.splice(0, later < 0 ? this.#waiting.length : later)
    for (const { done } of due) process.nextTick(done, failure) // one that throws must not stop the others
  }

  /** Nothing is written any more: `#busy` stays as it is. */
  #depose(why: Deposed): void {
    if (this.#deposed !== undefined) return
    this.#deposed = why
    this.#busy = true
    clearInterval(this.#look)
    for (const told of this.#tellDeposed.splice(0)) process.nextTick(told, why)
  }

  /** While nothing is written, an environment that went away would be noticed at the next crash only. */
  #lookAtEnvironment(): void {
    if (this.#busy) return // writing looks, too
    const { absence } = this.#parts.environment
    if (absence instanceof Deposed) this.#depose(absence)
    if (absence !== undefined) this.#tell(absence)
    else if (this.#isAbsent) this.#tell(undefined)
    this.#isAbsent = absence !== undefined
  }

  #tell(failure: Error | undefined): void {
    this.#isAbsent = false
    if (failure !== undefined && this.#error === undefined) this.#log?.error(failure.message)
    if (failure === undefined && this.#error !== undefined)
      this.#log?.info('what could not be stored is stored now')
    this.#error = failure?.message
    if (failure === undefined) this.#failsSince = undefined
    else this.#failsSince ??= performance.now()
  }
}
