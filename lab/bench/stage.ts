// What one measurement runs on: a broker and a gateway, each fresh and a process of its own; or a gateway that runs anyway.

import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PostgresEngine } from '../postgres/engine.ts'
import { freePort, GatewayProcess, Mosquitto, Program } from '../processes.ts'
import { type RunningGateway, startRival } from './rival.ts'
import { gatewayCertificates, type Kind, pskText } from './secure-sensors.ts'
import { type Endpoint, T_RETRY } from './sensors.ts'

const LOOPBACK = '127.0.0.1'
const PROFILE = 'gateway.cpuprofile'
/** All sensors share one address here, which no limit per address foresees. */
const MANY = 1_000_000
const MOST_SENSORS = 100_000

/** Where the gateway keeps what outlives it; PostgreSQL has a synchronous standby. */
export type StoreKind = 'memory' | 'lmdb' | 'postgres'

/** What the command line says of broker and gateway. */
export interface StageOptions {
  /** a gateway that runs already */
  readonly target?: Endpoint | undefined
  /** its process, if it is on this machine */
  readonly pid?: number | undefined
  /** starts another gateway in place of ours */
  readonly rival?: string | undefined
  readonly broker: 'mosquitto' | 'embedded' | Endpoint
  readonly store: StoreKind
  /** goes into the configuration only if it is given */
  readonly workers?: number | 'auto' | undefined
  /** file for a profile of the gateway's processor time */
  readonly profile?: string | undefined
}

/** Where the load goes, and whom to watch. */
export interface Stage {
  readonly gateway: Endpoint
  /** its listener at dtls://, where one was wanted */
  readonly secure?: Endpoint | undefined
  readonly broker: Endpoint
  readonly pid: number | undefined
  readonly brokerPid: number | undefined
  /** the database, where the store is one */
  readonly engine?: PostgresEngine | undefined
  /** url of the gateway's console */
  readonly console: string | undefined
  /** error lines in the gateway's log */
  readonly faults: readonly string[]
  close(): Promise<void>
}

/** folders of what runs now */
const folders = new Set<string>()
process.once('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** A folder for one measurement, that goes when this process does, if not before. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mqttsn-bench-'))
  folders.add(folder)
  return folder
}

export function removeFolder(folder: string): void {
  folders.delete(folder)
  rmSync(folder, { recursive: true, force: true })
}

/** Whether Mosquitto can be started here. */
export function haveMosquitto(): boolean {
  try {
    execFileSync('mosquitto', ['-h'], { stdio: 'ignore' })
    return true
  } catch (error) {
    // it is there, and says so with an exit code of its own
    return error instanceof Error && 'status' in error && error.status !== null
  }
}

/** How Node runs a program of this project, compiled or, in tests, as it is written. */
export function entryOf(path: string): string[] {
  const isCompiled = import.meta.url.endsWith('.js')
  const url = new URL(`../../${path}.${isCompiled ? 'js' : 'ts'}`, import.meta.url)
  return [...(isCompiled ? [] : ['--import', 'tsx']), fileURLToPath(url)]
}

/** A running broker. */
export interface BrokerProcess {
  readonly endpoint: Endpoint
  readonly pid: number | undefined
  end(): Promise<void>
}

export async function startBroker(kind: StageOptions['broker'], folder: string): Promise<BrokerProcess> {
  if (typeof kind === 'object') return { endpoint: kind, pid: undefined, end: async () => {} }
  const port = await freePort()
  if (kind === 'mosquitto') {
    const mosquitto = new Mosquitto(folder, port)
    await mosquitto.start()
    return {
      endpoint: { host: LOOPBACK, port },
      pid: mosquitto.pid,
      end: () => mosquitto.end('SIGKILL'),
    }
  }
  const args = [...entryOf('lab/bench/broker'), String(port)]
  const program = new Program(process.execPath, args, join(folder, 'broker.log'))
  await program.start((line) => line.startsWith('listening'))
  return { endpoint: { host: LOOPBACK, port }, pid: program.pid, end: () => program.end('SIGKILL') }
}

/** What one measurement asks for, whatever the command line says. */
export type Wanted = Partial<Pick<StageOptions, 'store' | 'workers'>> & {
  /** connections to the broker that all sensors share; absent: each has its own */
  readonly shared?: number
  /** a second listener with DTLS, and keys for so many sensors, or certificates */
  readonly dtls?: { readonly kind: Kind; readonly sensors: number }
  /** a further listener, a line at this url */
  readonly line?: string
}

function secureListener({ dtls }: Wanted, folder: string): object[] {
  if (dtls === undefined) return []
  const file = join(folder, 'psk.txt')
  if (dtls.kind === 'key') writeFileSync(file, pskText(['load'], dtls.sensors), { mode: 0o600 })
  const security = dtls.kind === 'key' ? { psk: { file } } : gatewayCertificates
  const limits = { handshakes: MANY, handshakesPerAddress: MANY, sessions: MANY }
  return [{ name: 'secure', url: `dtls://${LOOPBACK}:0`, dtls: { ...security, ...limits } }]
}

/** As fast as it goes: the system takes what it can, and a line has its own limit. */
const lineListener = ({ line }: Wanted): object[] =>
  line === undefined ? [] : [{ name: 'line', url: line, pace: { messages: 10_000, octets: '1MiB' } }]

async function startOurs(
  folder: string,
  profiling: readonly string[],
  configuration: object,
): Promise<RunningGateway> {
  const gateway = new GatewayProcess(folder, [...profiling, ...entryOf('src/cli')], configuration)
  try {
    await gateway.start()
  } catch (error) {
    await gateway.end('SIGKILL')
    throw error
  }
  return gateway
}

const startEngine = async (store: StoreKind): Promise<PostgresEngine | undefined> =>
  store === 'postgres' ? PostgresEngine.open({ standby: true }) : undefined

/** Starts what is needed. */
export async function openStage(given: StageOptions, wanted: Wanted = {}): Promise<Stage> {
  const options = { ...given, ...wanted }
  const { store } = options
  const folder = newFolder()
  if (options.target !== undefined) {
    const broker = await startBroker(options.broker, folder)
    return {
      gateway: options.target,
      broker: broker.endpoint,
      pid: options.pid,
      brokerPid: undefined,
      console: undefined,
      faults: [],
      close: async () => removeFolder(folder),
    }
  }
  const broker = await startBroker(options.broker, folder)
  const engine = await startEngine(store)
  const profiling =
    options.profile === undefined
      ? []
      : ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-name=${PROFILE}`]
  const configuration = {
    listeners: [{ url: `udp://${LOOPBACK}:0` }, ...secureListener(wanted, folder), ...lineListener(wanted)],
    broker: {
      url: `mqtt://${broker.endpoint.host}:${broker.endpoint.port}`,
      ...(wanted.shared !== undefined && { connections: { shared: wanted.shared } }),
    },
    store: {
      type: store,
      ...(store === 'lmdb' && { path: join(folder, 'state') }),
      ...(engine !== undefined && { url: engine.url }),
    },
    timers: { tRetry: `${T_RETRY}ms` },
    limits: { sensors: MOST_SENSORS, sensorsPerAddress: MOST_SENSORS, connectsPerAddress: MANY },
    console: { url: `http://${LOOPBACK}:0` },
    log: { level: 'info', format: 'json' },
    ...(options.workers !== undefined && { workers: options.workers }),
  }
  let gateway: RunningGateway | undefined
  const close = async () => {
    await gateway?.end(options.profile === undefined ? 'SIGKILL' : 'SIGTERM')
    await broker.end()
    await engine?.close()
    if (options.profile !== undefined) {
      mkdirSync(dirname(options.profile), { recursive: true })
      copyFileSync(join(folder, PROFILE), options.profile)
    }
    removeFolder(folder)
  }
  try {
    gateway =
      options.rival === undefined
        ? await startOurs(folder, profiling, configuration)
        : await startRival(options.rival, folder, broker.endpoint, configuration)
  } catch (error) {
    await close().catch(() => {})
    throw error
  }
  return {
    gateway: { host: LOOPBACK, port: gateway.udpPort },
    secure: gateway.dtlsPort === 0 ? undefined : { host: LOOPBACK, port: gateway.dtlsPort },
    broker: broker.endpoint,
    pid: gateway.pid,
    brokerPid: broker.pid,
    engine,
    console: gateway.console,
    faults: gateway.faults,
    close,
  }
}
