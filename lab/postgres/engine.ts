// PostgreSQL as a gateway sees it: a primary and, if wanted, a standby without whose word nothing is acknowledged, which can take over.

import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../processes.ts'
import { runPostgresProgram } from './installation.ts'
import { PostgresKeeper } from './keeper.ts'
import { PostgresServer, type PostgresSettings } from './server.ts'
import { ADMIN, copyTemplate, GATEWAY, makePostgresFolder } from './template.ts'

/** Milliseconds in which a standby must have caught up. */
const PATIENCE = 60_000
/** A port that was free a moment ago may be taken by now. */
const ATTEMPTS = 3
/** Nothing is acknowledged that the standby has not written to its disk too. */
const SYNCHRONOUS: PostgresSettings = { synchronous_standby_names: 'ANY 1 (*)' }

/** What is to be started. */
export interface PostgresEngineOptions {
  /** with a synchronous standby; without by default */
  readonly standby?: boolean
  /** settings of all servers, besides those that they need */
  readonly settings?: PostgresSettings
}

/** All servers of one database, in a folder that goes with them when this process does. */
export class PostgresEngine {
  readonly #keeper: PostgresKeeper
  /** in the order in which urls name them, whatever becomes of them */
  readonly servers: readonly PostgresServer[]
  /** who takes writes, or took them when it was last seen */
  primary: PostgresServer
  /** who follows; undefined after it was promoted, until `rejoin` */
  standby: PostgresServer | undefined

  private constructor(keeper: PostgresKeeper, primary: PostgresServer, standby: PostgresServer | undefined) {
    this.#keeper = keeper
    this.servers = standby === undefined ? [primary] : [primary, standby]
    this.primary = primary
    this.standby = standby
  }

  /** Resolves when all of it serves, and the standby follows. Rejects where PostgreSQL is missing. */
  static async open(options: PostgresEngineOptions = {}): Promise<PostgresEngine> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await PostgresEngine.#tryToOpen(options)
      } catch (error) {
        if (attempt === ATTEMPTS || !/could not create any TCP/.test(String(error))) throw error
      }
    }
  }

  static async #tryToOpen({ standby = false, settings }: PostgresEngineOptions): Promise<PostgresEngine> {
    const folder = makePostgresFolder()
    const keeper = new PostgresKeeper(folder)
    try {
      const server = async (name: string) =>
        new PostgresServer(join(folder, name), await freePort(), settings)
      const engine = new PostgresEngine(
        keeper,
        await server('one'),
        standby ? await server('two') : undefined,
      )
      // All are copies of the same: to a standby that is a backup.
      for (const { data } of engine.servers) await copyTemplate(data)
      engine.primary.configure(standby ? SYNCHRONOUS : {})
      await engine.primary.start()
      if (engine.standby !== undefined) {
        await engine.#startStandby(engine.standby)
        await engine.#awaitStandby()
      }
      return engine
    } catch (error) {
      await keeper.close()
      throw error
    }
  }

  /** for the gateway's configuration: names all servers, and is the same whoever is the primary */
  get url(): string {
    return this.urlThrough(this.servers.map(({ port }) => port))
  }

  /** the same over other ports, which lead to the servers in their order */
  urlThrough(ports: readonly number[]): string {
    const { user, password, database } = GATEWAY
    const hosts = ports.map((port) => `127.0.0.1:${port}`)
    return `postgres://${user}:${password}@${hosts.join(',')}/${database}`
  }

  /** seconds that all servers have needed up to now */
  get processorTime(): number {
    return this.servers.reduce((sum, server) => sum + server.processorTime, 0)
  }

  /** Makes the standby the primary, which then answers alone. The old one has to be dead. */
  async promote(): Promise<void> {
    const { standby } = this
    if (standby === undefined) throw new Error('there is no standby that could be promoted')
    if (this.primary.running) throw new Error('the primary lives: two would take writes')
    await standby.sql('SELECT pg_promote(true, 60)')
    this.primary = standby
    this.standby = undefined
  }

  /** Makes whoever is not the primary its standby, from a new copy. Nothing is acknowledged without it from then on. */
  async rejoin(): Promise<void> {
    const other = this.servers.find((server) => server !== this.primary)
    if (other === undefined) throw new Error('there is one server only')
    await other.kill()
    rmSync(other.data, { recursive: true, force: true })
    const args = [
      '--checkpoint=fast',
      '--no-sync',
      '--pgdata',
      other.data,
      '--dbname',
      this.primary.url(ADMIN),
    ]
    await runPostgresProgram('pg_basebackup', args)
    await this.#startStandby(other)
    this.primary.configure(SYNCHRONOUS)
    await this.#awaitStandby()
    this.standby = other
  }

  /** Cuts all connections of gateways, as the server does when it is told to. */
  async cutConnections(): Promise<void> {
    await this.primary.sql(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${GATEWAY.user}'`,
    )
  }

  /** Ends everything, and removes its files. */
  async close(): Promise<void> {
    await this.#keeper.close()
  }

  async #startStandby(standby: PostgresServer): Promise<void> {
    const { port } = this.primary
    standby.configure({ primary_conninfo: `host=127.0.0.1 port=${port} user=${ADMIN}` })
    writeFileSync(join(standby.data, 'standby.signal'), '')
    await standby.start()
  }

  async #awaitStandby(): Promise<void> {
    const deadline = performance.now() + PATIENCE
    const following = `SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND sync_state <> 'async'`
    while ((await this.primary.sql(following)) === '0') {
      if (performance.now() > deadline) throw new Error('the standby does not follow the primary')
      await sleep(50)
    }
  }
}
