// The connection over which a node asks about its membership: opened again whenever it is lost, and never waited for longer than told.

import type { Row, Statement } from '../../store/postgres/engine/connection.ts'
import {
  connectEngine,
  type EngineConnection,
  type EngineOptions,
} from '../../store/postgres/engine/connection.ts'

/** One for the life of a node. */
export class EngineLine {
  readonly #options: EngineOptions
  readonly #patience: number
  #connection: EngineConnection | undefined
  #opening: Promise<EngineConnection> | undefined
  #isClosed = false
  /** the server that has answered last, and how long that took, milliseconds */
  host: string | undefined
  latency: number | undefined

  /** `patience`: milliseconds after which what is asked has failed */
  constructor(options: EngineOptions, patience: number) {
    this.#options = { ...options, connectTimeout: patience, timeout: patience, longest: Math.ceil(patience) }
    this.#patience = patience
  }

  /** this machine's address, as the engine sees it */
  get localAddress(): string | undefined {
    return this.#connection?.localAddress
  }

  /** Asks, within the patience. Rejects with EngineError, also when it is not known whether it was done. */
  async ask(statement: Statement): Promise<readonly Row[]> {
    const begun = performance.now()
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Error(`the database server has not answered for ${this.#patience / 1000} s`)),
        this.#patience,
      )
    })
    try {
      const connection = await Promise.race([this.#open(), late])
      const rows = await Promise.race([connection.query(statement), late])
      this.host = connection.host
      this.latency = performance.now() - begun
      return rows
    } finally {
      clearTimeout(timer)
      late.catch(() => {})
    }
  }

  #open(): Promise<EngineConnection> {
    if (this.#connection !== undefined && !this.#connection.isLost) return Promise.resolve(this.#connection)
    this.#connection = undefined
    this.#opening ??= connectEngine(this.#options, this.host)
      .then((connection) => {
        if (this.#isClosed) void connection.close()
        this.#connection = connection
        return connection
      })
      .finally(() => {
        this.#opening = undefined
      })
    this.#opening.catch(() => {}) // whoever asked has given up waiting
    return this.#opening
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#connection?.close()
  }
}
