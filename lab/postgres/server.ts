// One PostgreSQL server on loopback, which can be stopped, killed, frozen and started again.

import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Program } from '../processes.ts'
import { postgresInstallation, runPostgresProgram } from './installation.ts'
import { processesIn } from './keeper.ts'
import { ADMIN, GATEWAY } from './template.ts'

/** Settings of PostgreSQL, by name. */
export type PostgresSettings = Readonly<Record<string, string>>

/** Small in memory, quick to notice each other, and as careful with what is acknowledged as a server should be. */
const SETTINGS: PostgresSettings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'on',
  synchronous_commit: 'on',
  shared_buffers: '16MB',
  huge_pages: 'off',
  // within its folder, so that nothing is left of a server that was killed
  dynamic_shared_memory_type: 'mmap',
  wal_keep_size: '64MB',
  min_wal_size: '16MB',
  max_wal_size: '128MB',
  wal_retrieve_retry_interval: '200ms',
  wal_receiver_status_interval: '1s',
  max_parallel_workers: '0',
  max_logical_replication_workers: '0',
  autovacuum_max_workers: '1',
}

const TICKS_PER_SECOND = 100

/** One server, with all its files in a folder. */
export class PostgresServer {
  readonly port: number
  readonly data: string
  readonly #program: Program

  /** `data` is where its data is, or will be before it starts. */
  constructor(data: string, port: number, settings: PostgresSettings = {}) {
    this.port = port
    this.data = data
    const { program, runAs } = postgresInstallation()
    const given = Object.entries({ ...SETTINGS, port: String(port), ...settings })
    const args = ['-D', data, ...given.flatMap(([name, value]) => ['-c', `${name}=${value}`])]
    this.#program = new Program(program('postgres'), args, `${data}.log`, { ...runAs, detached: true })
  }

  /** The same for a user of the database; without one as the gateway. */
  url(user: string = `${GATEWAY.user}:${GATEWAY.password}`): string {
    return `postgres://${user}@127.0.0.1:${this.port}/${GATEWAY.database}`
  }

  get running(): boolean {
    return this.#program.running
  }

  /** process id of its first process */
  get pid(): number {
    return this.#program.pid
  }

  /** seconds of all its processes, also of those that have ended */
  get processorTime(): number {
    const ticks = processesIn(this.data).flatMap((pid) => {
      // in its own code and in the kernel, and the same of its children that have ended
      const fields = statOf(pid).split(') ')[1]?.split(' ') ?? []
      return fields.slice(11, 15).map(Number)
    })
    return ticks.reduce((sum, count) => sum + count, 0) / TICKS_PER_SECOND
  }

  /** what it has written up to now */
  get log(): string {
    return readFileSync(`${this.data}.log`, 'utf8')
  }

  /** Starts it, or starts it again, and resolves when it serves. Rejects with its last words. */
  async start(): Promise<void> {
    // The process that this names is dead, and its number may be another one's by now.
    rmSync(join(this.data, 'postmaster.pid'), { force: true })
    try {
      await this.#program.start((line) => /database system is ready to accept/.test(line))
    } catch (error) {
      const why = this.log.match(/(?:FATAL|PANIC): .*/g)?.at(-1)
      throw why === undefined ? error : new Error(`PostgreSQL does not start: ${why}`)
    }
  }

  /** As when its machine dies: all its processes end in the middle of whatever they do. */
  async kill(): Promise<void> {
    if (!this.running) return
    this.freeze()
    for (const pid of processesIn(this.data)) signal(pid, 'SIGKILL')
    while (this.running || processesIn(this.data).length > 0) await sleep(5)
  }

  /** Ends it properly: what is connected is cut, what is under way is rolled back. */
  async stop(): Promise<void> {
    await this.#program.end('SIGINT')
  }

  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }

  /** All its processes stand still; connections stay, and nobody is answered. New ones are taken by the kernel only. */
  freeze(): void {
    if (!this.running) return
    // The first one goes first: it makes the others.
    signal(this.pid, 'SIGSTOP')
    const frozen = new Set([this.pid])
    for (let more = true; more; ) {
      const others = processesIn(this.data).filter((pid) => !frozen.has(pid))
      for (const pid of others) {
        signal(pid, 'SIGSTOP')
        frozen.add(pid)
      }
      more = others.length > 0
    }
  }

  /** What takes the primary's log stands still: the standby falls behind, and does not say that it has anything. */
  freezeReceiver(): void {
    const isReceiver = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('walreceiver')
    for (const pid of processesIn(this.data).filter(isReceiver)) signal(pid, 'SIGSTOP')
  }

  /** Whatever stands still goes on. */
  thaw(): void {
    for (const pid of processesIn(this.data)) signal(pid, 'SIGCONT')
  }

  /** Settings that can be changed while it runs, instead of those given here before; it need not run. */
  configure(settings: PostgresSettings): void {
    const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value}'\n`)
    writeFileSync(join(this.data, 'postgresql.auto.conf'), lines.join(''))
    if (this.running) signal(this.pid, 'SIGHUP')
  }

  /** The answer to one statement of whoever may do everything, as text: rows are lines, columns are parted by `|`. */
  async sql(statement: string): Promise<string> {
    const args = ['-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', this.url(ADMIN), '-c', statement]
    return (await runPostgresProgram('psql', args)).trim()
  }
}

function statOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return ''
  }
}

/** A process that has ended meanwhile needs no signal. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    if (pid > 0) process.kill(pid, name)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}
