// One connection to a database server: statements one after the other, each with a deadline. A server that does not answer in time
// has lost the connection, whatever becomes of what it was asked.

import { Socket } from 'node:net'
import type { Client } from 'pg'
import { EngineError, engineError } from './error.ts'
import { type SessionSettings, settingsFor } from './session-settings.ts'
import { tlsOptions } from './tls.ts'
import { type EngineAddress, type EngineHost, hostText } from './url.ts'

/** Values as text, in the order of columns. */
export type Row = readonly (string | null)[]

export interface Statement {
  /** it is parsed once per connection */
  readonly name?: string
  readonly text: string
  /** Buffers are sent as they are, in the binary form of their type */
  readonly values?: readonly (string | number | Buffer)[]
  /** milliseconds that it may take beyond what is usual */
  readonly more?: number
}

/** Asks for something. Throws EngineError. */
export type Query = (statement: Statement) => Promise<readonly Row[]>

/** Whom to connect to, and as whom. */
export interface EngineOptions extends EngineAddress {
  readonly username: string | undefined
  readonly password: string | undefined
  /** names the connection in the server's views */
  readonly application: string
  /** milliseconds for each host; 3000 unless told */
  readonly connectTimeout?: number | undefined
  /** milliseconds for a statement; 5000 unless told */
  readonly timeout?: number | undefined
  /** milliseconds after which the server gives up any statement; 60,000 unless told */
  readonly longest?: number | undefined
}

const TIMEOUT = 5000
const CONNECT_TIMEOUT = 3000
const LONGEST = 60_000
/** Milliseconds for a farewell. */
const FAREWELL = 500

const asText = { getTypeParser: () => (text: string) => text }

/** A connection; whoever has it closes it. */
export class EngineConnection {
  readonly host: string
  readonly #client: Client
  readonly #socket: Socket
  readonly #timeout: number
  #last: Promise<unknown> = Promise.resolve()
  #lost: EngineError | undefined
  #isUnreplicated = false
  #onLost: (why: EngineError) => void = () => {}

  constructor(host: string, client: Client, socket: Socket, timeout: number) {
    this.host = host
    this.#timeout = timeout
    this.#client = client
    this.#socket = socket
    client.on('error', (error) => this.#lose(engineError(host, error)))
    client.on('end', () =>
      this.#lose(new EngineError(`the database server ${host}: the connection was closed`, true)),
    )
    client.on('notice', ({ routine }) => {
      // somebody has made it stop waiting for the standby: what it says is done may be lost with it
      if (routine === 'SyncRepWaitForLSN') this.#isUnreplicated = true
    })
  }

  /** this machine's address; undefined over a Unix socket */
  get localAddress(): string | undefined {
    return this.#socket.localAddress
  }

  get isLost(): boolean {
    return this.#lost !== undefined
  }

  /** Calls back once, when it is lost. */
  set onLost(told: (why: EngineError) => void) {
    this.#onLost = told
    if (this.#lost !== undefined) told(this.#lost)
  }

  /**
   * Does a statement, after those before it.
   * @throws EngineError; if that `isLost`, nobody knows whether it was done
   */
  query(statement: Statement): Promise<Row[]> {
    const result = this.#last.then(() => this.#queryNow(statement))
    this.#last = result.catch(() => {})
    return result
  }

  async #queryNow({ name, text, values, more = 0 }: Statement): Promise<Row[]> {
    const timeout = this.#timeout + more
    if (this.#lost !== undefined) throw this.#lost
    this.#isUnreplicated = false
    const late = new EngineError(
      `the database server ${this.host} has not answered for ${Math.round(timeout / 100) / 10} s`,
      true,
    )
    const timer = setTimeout(() => this.#lose(late), timeout)
    try {
      const { rows } = await this.#client.query<(string | null)[]>({
        ...(name !== undefined && { name }),
        text,
        ...(values !== undefined && { values: [...values] }),
        rowMode: 'array',
        types: asText,
      })
      if (this.#isUnreplicated)
        throw new EngineError(`the database server ${this.host} was told not to wait for its standby`, false)
      return rows
    } catch (error) {
      const failure = this.#lost ?? engineError(this.host, error)
      if (failure.isLost) this.#lose(failure)
      throw failure
    } finally {
      clearTimeout(timer)
    }
  }

  #lose(why: EngineError): void {
    if (this.#lost !== undefined) return
    this.#lost = why
    this.#socket.destroy()
    this.#onLost(why)
  }

  /** Ends it, after what was asked before; within a moment, whether the server answers or not. */
  async close(): Promise<void> {
    this.#onLost = () => {}
    await Promise.race([
      this.#last.then(() => (this.#lost === undefined ? this.#client.end() : undefined)).catch(() => {}),
      new Promise((resolve) => setTimeout(resolve, FAREWELL)),
    ])
    this.#socket.destroy()
  }
}

/**
 * Connects to the first of the hosts that takes writes, `preferred` before the others.
 * @throws EngineError that tells of all of them
 */
export async function connectEngine(options: EngineOptions, preferred?: string): Promise<EngineConnection> {
  const hosts = [...options.hosts].sort(
    (a, b) => Number(hostText(b) === preferred) - Number(hostText(a) === preferred),
  )
  const failures: EngineError[] = []
  for (const host of hosts) {
    try {
      return await connectTo(host, options)
    } catch (error) {
      failures.push(engineError(hostText(host), error))
    }
  }
  const [first] = failures
  if (first !== undefined && failures.length === 1) throw first
  throw new EngineError(failures.map(({ message }) => message).join('; '), true, first?.code)
}

/** Loads what connections need; most gateways have no database. Whoever must connect quickly calls it before. */
export const loadDriver = async () => (await import('pg')).default

async function connectTo(at: EngineHost, options: EngineOptions): Promise<EngineConnection> {
  const pg = await loadDriver()
  const {
    connectTimeout = CONNECT_TIMEOUT,
    timeout = TIMEOUT,
    longest = LONGEST,
    username,
    password,
    application,
    database,
    tls,
  } = options
  const name = hostText(at)
  const socket = new Socket()
  const client = new pg.Client({
    ...at,
    database,
    user: username ?? database,
    password: async () => password ?? '', // never one from somewhere else
    ssl: tlsOptions(tls),
    stream: () => socket,
    application_name: application,
    keepAlive: true,
  })
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const error = new EngineError(
      `the database server ${name} has not answered for ${connectTimeout / 1000} s`,
      true,
    )
    timer = setTimeout(reject, connectTimeout, error)
  })
  const connection = new EngineConnection(name, client, socket, timeout)
  try {
    await Promise.race([client.connect(), late])
    await Promise.race([insistOnWrites(connection, settingsFor(timeout, longest)), late])
    return connection
  } catch (error) {
    late.catch(() => {})
    await connection.close()
    throw engineError(name, error)
  } finally {
    clearTimeout(timer)
  }
}

/** A standby answers, but writes nothing. */
async function insistOnWrites(connection: EngineConnection, usual: SessionSettings): Promise<void> {
  const [row] = await connection.query({
    text: "SELECT pg_is_in_recovery(), current_setting('default_transaction_read_only'), current_setting('synchronous_commit')",
  })
  const [isStandby, isReadOnly, commit] = row ?? []
  if (isStandby === 't' || isReadOnly === 'on')
    throw new EngineError(
      `the database server ${connection.host}: it takes no writes: it is a standby, or read-only`,
      true,
      '25006',
    )
  // an acknowledgement waits for the disks, whatever is usual in this database
  const own = commit === 'remote_apply' ? usual : { ...usual, synchronous_commit: 'on' }
  const calls = Object.entries(own).map(([name, value]) => `set_config('${name}', '${value}', false)`)
  await connection.query({ text: `SELECT ${calls.join(', ')}` })
}
