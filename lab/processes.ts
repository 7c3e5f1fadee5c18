// The processes that chaos, restart, soak, bench and bench:store run: a gateway and a Mosquitto, which can be killed and started again.

import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { createConnection, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** Milliseconds in which a process must be ready, or gone after SIGTERM. */
const PATIENCE = 60_000

/** What runs now ends with this process, however that ends. */
const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** The ports below those that systems give away by themselves: what is free here stays free over a restart. */
const [LOWEST, PORTS] = [10_000, 20_000]
/** who asks twice before either is used gets two */
const given = new Set<number>()

/** A TCP and UDP port on loopback that is free now, and that nobody gets who leaves the choice to the system. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries += 1) {
    const port = LOWEST + Math.floor(Math.random() * PORTS)
    if (given.has(port)) continue
    given.add(port)
    if ((await canListen(port)) && (await canBind(port))) return port
  }
  throw new Error('no free port')
}

function canListen(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

function canBind(port: number): Promise<boolean> {
  const socket = createSocket('udp4')
  return new Promise((resolve) => {
    socket.once('error', () => resolve(false))
    socket.bind(port, '127.0.0.1', () => socket.close(() => resolve(true)))
  })
}

/** One program that runs, ends and runs again, always with the same arguments. Its output goes to a file. */
export class Program {
  readonly #command: string
  readonly #args: string[]
  readonly #log: string
  readonly #options: SpawnOptions
  #child: ChildProcess | undefined
  /** called with every line that it writes */
  onLine: (line: string) => void = () => {}

  constructor(command: string, args: string[], log: string, options: SpawnOptions = {}) {
    this.#command = command
    this.#args = args
    this.#log = log
    this.#options = options
  }

  get pid(): number {
    return this.#child?.pid ?? 0
  }

  get running(): boolean {
    const child = this.#child
    return child !== undefined && child.exitCode === null && child.signalCode === null
  }

  /** Starts it; resolves when `isReady` says so of a line, or of the time that passed. Rejects with its last words. */
  async start(isReady: (line: string) => boolean | Promise<boolean>): Promise<void> {
    const child = spawn(this.#command, this.#args, { ...this.#options, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    running.add(child)
    child.once('exit', () => running.delete(child))
    let failure: Error | undefined
    let ready = false
    let lastWords = ''
    child.once('error', (error) => {
      failure = error
    })
    for (const stream of [child.stdout, child.stderr]) {
      let rest = ''
      stream.on('data', (chunk: Buffer) => {
        appendFileSync(this.#log, chunk)
        const lines = (rest + chunk).split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines) {
          lastWords = line
          this.onLine(line)
          if (isReady(line) === true) ready = true
        }
      })
    }
    const deadline = performance.now() + PATIENCE
    while (!ready) {
      if (failure !== undefined) throw failure
      if (!this.running || performance.now() > deadline) {
        throw new Error(`${this.#command} does not start: ${lastWords}`)
      }
      await sleep(5)
      if ((await isReady('')) === true) ready = true
    }
  }

  /** Sends it a signal, if it runs. */
  signal(name: NodeJS.Signals): void {
    if (this.running) this.#child?.kill(name)
  }

  /** Ends it with this signal, and waits until it is gone. Rejects if it does not go. */
  async end(signal: 'SIGTERM' | 'SIGKILL' | 'SIGINT'): Promise<void> {
    const child = this.#child
    if (child === undefined || !this.running) return
    child.kill(signal)
    const enough = new AbortController()
    const stuck = sleep(PATIENCE, 'stuck', { signal: enough.signal }).catch(() => 'gone')
    const outcome = await Promise.race([once(child, 'exit'), stuck])
    enough.abort()
    if (outcome !== 'stuck') return
    child.kill('SIGKILL')
    throw new Error(`${this.#command} did not end within ${PATIENCE / 1000} s of ${signal}`)
  }
}

/** A Mosquitto with all its files in `folder`, that keeps its sessions when it ends with SIGTERM. */
export class Mosquitto {
  readonly port: number
  readonly #program: Program

  /** `chatty`: its log names every packet; `rules`: further lines of its configuration */
  constructor(folder: string, port: number, chatty = false, rules: readonly string[] = []) {
    this.port = port
    const file = join(folder, 'mosquitto.conf')
    const lines = [
      `listener ${port} 127.0.0.1`,
      'allow_anonymous true',
      'persistence true',
      `persistence_location ${folder}/`,
      'max_queued_messages 0',
      'max_queued_bytes 0',
      'set_tcp_nodelay true',
      ...(chatty ? ['log_type all'] : []),
      ...rules,
      'user root', // or it could not write into the folder when started by root
    ]
    writeFileSync(file, `${lines.join('\n')}\n`)
    this.#program = new Program('mosquitto', ['-c', file], join(folder, 'mosquitto.log'))
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`
  }

  get pid(): number {
    return this.#program.pid
  }

  /** Rejects if Mosquitto is not installed. */
  start(): Promise<void> {
    return this.#program.start(async (line) => line === '' && (await answers(this.port)))
  }

  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    return this.#program.end(signal)
  }
}

/** A gateway with this configuration, as a process of its own. `entry`: what `program` runs, normally `dist/src/cli.js`. */
export class GatewayProcess {
  /** lines of its log that a gateway in good health does not write */
  readonly faults: string[] = []
  /** where it listens, as its log says, and the url of its console */
  udpPort = 0
  dtlsPort = 0
  console: string | undefined
  /** called with every line of its log */
  onLine: (line: string) => void = () => {}
  readonly #program: Program

  constructor(
    folder: string,
    entry: readonly string[],
    configuration: object,
    program: string = process.execPath,
  ) {
    const file = join(folder, 'gateway.json')
    writeFileSync(file, JSON.stringify(configuration, undefined, 2))
    this.#program = new Program(program, [...entry, 'gateway', '-c', file], join(folder, 'gateway.log'))
    this.#program.onLine = (line) => {
      this.onLine(line)
      if (/"level":"(error|fatal)"/.test(line) && this.faults.length < 100) this.faults.push(line)
      this.udpPort ||= Number(/"url":"udp:[^"]+:(\d+)"/.exec(line)?.[1] ?? 0)
      this.dtlsPort ||= Number(/"url":"dtls:[^"]+:(\d+)"/.exec(line)?.[1] ?? 0)
      this.console ??= /"console":"([^"]+)"/.exec(line)?.[1]
    }
  }

  get pid(): number {
    return this.#program.pid
  }

  get running(): boolean {
    return this.#program.running
  }

  /** Resolves when it serves, or stands by while another node does. */
  start(): Promise<void> {
    return this.#program.start((line) => /"gateway started"|"standing by: /.test(line))
  }

  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.#program.signal(name)
  }

  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    return this.#program.end(signal)
  }
}

/** Resident memory in MiB and processor time in seconds of a process, as the system counts them (Linux only). */
export function usage(pid: number): { memory: number; cpu: number } {
  const resident = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return { memory: Number(resident) / 1024, cpu: (Number(fields[11]) + Number(fields[12])) / 100 }
}

function answers(port: number): Promise<boolean> {
  const socket = createConnection(port, '127.0.0.1')
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
  }).then((up) => {
    socket.destroy()
    return up === true
  })
}
