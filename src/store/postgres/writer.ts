// The connection of one writer: it is opened again when it is lost, with a new token, until another writer has taken its place.

import { Deposed, type EngineHealth } from '../store.ts'
import type { EngineClock } from './engine/clock.ts'
import {
  connectEngine,
  type EngineConnection,
  type EngineOptions,
  type Statement,
} from './engine/connection.ts'
import { EngineError } from './engine/error.ts'
import { type EngineSettings, lookAtSettings } from './engine/settings.ts'
import { applicationOf, type Lane, takeToken } from './lanes.ts'

/** Milliseconds until a connection that was lost is opened again, and between looks at the server. */
const RECONNECT = 1000
/** Milliseconds after an attempt to connect that failed, in which what is asked for fails in the same way. */
const PAUSE = 250
const LOOK = 5000
const LOOK_AT_SETTINGS = 60_000
/** Round trips after which the clock is known well enough. */
const SAMPLES = 3

export interface WriterOptions {
  readonly engine: EngineOptions
  readonly lane: Lane
  readonly clock: EngineClock
  readonly replicatedBelow: boolean
  /** told what is wrong with the server's settings, once, and when they are right */
  readonly log?: { warn?(message: string): void; info(message: string): void } | undefined
}

/** A connection with its token. */
interface Held {
  readonly connection: EngineConnection
  token: string
}

export class EngineWriter {
  readonly #options: WriterOptions
  readonly #engine: EngineOptions
  #held: Held | undefined
  #opening: Promise<Held> | undefined
  #host = ''
  #failure: Error | undefined
  #settings: EngineSettings | undefined
  #failedAt = Number.NEGATIVE_INFINITY
  #reconnect: NodeJS.Timeout | undefined
  #look: NodeJS.Timeout | undefined
  #lookedAt = 0
  #isClosed = false

  constructor(options: WriterOptions) {
    this.#options = options
    this.#engine = { ...options.engine, application: applicationOf(options.lane) }
  }

  /** why nothing can be written at the moment, as far as is known */
  get failure(): Error | undefined {
    return this.#failure
  }

  get health(): EngineHealth {
    const { replicated, warnings = [] } = this.#settings ?? {}
    return { host: this.#host, up: this.#held !== undefined, replicated, warnings }
  }

  get octets(): number {
    return this.#settings?.octets ?? 0
  }

  /**
   * Connects and takes a token.
   * @throws Deposed, EngineError
   */
  async open(): Promise<void> {
    await this.#hold()
    this.#look ??= setInterval(() => void this.#lookAtServer(), LOOK).unref()
  }

  /** Asks without a token. Throws EngineError. */
  async query(statement: Statement): Promise<readonly (readonly (string | null)[])[]> {
    const { connection } = await this.#hold()
    return connection.query(statement)
  }

  /**
   * Writes what a statement says that ends with 1 if the token stands.
   * @throws Deposed; EngineError, whatever has become of it then
   */
  async write(statementFor: (lane: Lane, token: string) => Statement): Promise<void> {
    const held = await this.#hold()
    const [row] = await held.connection.query(statementFor(this.#options.lane, held.token))
    if (row?.[0] === '1') return
    // an earlier attempt to take a token may have come late: that is no deposition
    held.token = await this.#token(held.connection)
    throw new EngineError(`the database server ${this.#host}: another token was taken meanwhile`, false)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#look)
    clearTimeout(this.#reconnect)
    await this.#held?.connection.close()
    await this.#opening?.then(({ connection }) => connection.close()).catch(() => {})
  }

  async #hold(): Promise<Held> {
    if (this.#held !== undefined) return this.#held
    if (this.#failure instanceof Deposed) throw this.#failure
    if (this.#isClosed) throw new EngineError('the store is closed', true)
    if (this.#failure !== undefined && performance.now() - this.#failedAt < PAUSE) throw this.#failure
    this.#opening ??= this.#connect().finally(() => {
      this.#opening = undefined
    })
    return this.#opening
  }

  async #connect(): Promise<Held> {
    clearTimeout(this.#reconnect)
    let connection: EngineConnection | undefined
    try {
      connection = await connectEngine(this.#engine, this.#host)
      const held = { connection, token: await this.#token(connection) }
      this.#host = connection.host
      for (let sample = 0; sample < SAMPLES; sample++) await this.#observeTime(connection)
      await this.#lookAtSettings(connection)
      this.#failure = undefined
      this.#held = held
      connection.onLost = (why) => this.#lose(why)
      return held
    } catch (error) {
      await connection?.close()
      this.#failedAt = performance.now()
      this.#fail(error)
      throw error
    }
  }

  async #token(connection: EngineConnection): Promise<string> {
    try {
      return await takeToken(connection, this.#options.lane)
    } catch (error) {
      if (error instanceof Deposed) this.#failure = error
      throw error
    }
  }

  #lose(why: Error): void {
    this.#held = undefined
    this.#fail(why)
  }

  #fail(why: unknown): void {
    this.#failure = why instanceof Error ? why : new Error(String(why))
    if (this.#isClosed || why instanceof Deposed) return
    clearTimeout(this.#reconnect)
    this.#reconnect = setTimeout(() => void this.#hold().catch(() => {}), RECONNECT).unref()
  }

  /** While nothing is written, a server that does not answer would be noticed too late; and clocks drift. */
  async #lookAtServer(): Promise<void> {
    const connection = this.#held?.connection
    if (connection === undefined) return
    try {
      if (performance.now() - this.#lookedAt < LOOK_AT_SETTINGS) await this.#observeTime(connection)
      else await this.#lookAtSettings(connection)
    } catch {
      // the connection has told of it
    }
  }

  async #observeTime(connection: EngineConnection): Promise<void> {
    const before = performance.now()
    const [row] = await connection.query({
      name: 'mqttsn_time',
      text: 'SELECT extract(epoch FROM clock_timestamp()) * 1000',
    })
    this.#options.clock.observe(before, Number(row?.[0]), performance.now())
  }

  async #lookAtSettings(connection: EngineConnection): Promise<void> {
    const { replicatedBelow, log } = this.#options
    const settings = await lookAtSettings(connection, replicatedBelow)
    const told = new Set(this.#settings?.warnings)
    for (const warning of settings.warnings)
      if (!told.has(warning)) log?.warn?.(`the database server ${connection.host}: ${warning}`)
    if (told.size > 0 && settings.warnings.length === 0)
      log?.info(`the database server ${connection.host}: its settings are right now`)
    this.#settings = settings
    this.#lookedAt = performance.now()
  }
}
