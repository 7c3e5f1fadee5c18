// Mosquitto and Aedes as brokers for tests; the others are in files of their own, all of them in `broker-table.ts`.

import { type ChildProcess, execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Aedes } from 'aedes'
import { freePort } from '../../lab/processes.ts'
import { endProgram, startProgram } from './broker-process.ts'

export { freePort }

/** A broker under test. */
export interface Broker {
  readonly url: string
  readonly port: number
  /** for `tls.ca` where the broker speaks TLS, else undefined */
  readonly ca?: string | undefined
  /** a client certificate of the same authority, where the broker speaks TLS */
  readonly client?: { readonly cert: string; readonly key: string } | undefined
  /** Ends it and frees its port; all connections are cut. */
  close(): Promise<void>
}

/** A broker that can be stopped and started again on the same port. */
export interface RestartableBroker extends Broker {
  /** Stops the process: SIGTERM lets it save its sessions, SIGKILL does not. */
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>
  start(): Promise<void>
}

/** Starts Aedes (MQTT 3.1.1 only) on 127.0.0.1; `port` 0 takes a free one. */
export async function startAedes(port = 0): Promise<Broker & { readonly aedes: Aedes }> {
  const aedes = await Aedes.createBroker()
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    aedes.handle(socket)
  })
  const listening = await listen(server, port)
  return {
    aedes,
    url: `mqtt://127.0.0.1:${listening}`,
    port: listening,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => aedes.close(() => resolve()))
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Listens on 127.0.0.1 and returns the port. */
export function listen(server: Server, port = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

/** whether Mosquitto is installed here; tests that need it are skipped where it is not */
export const haveMosquitto = can('mosquitto', ['-h'], 'mosquitto version')

/** Options of `startMosquitto`. */
export interface MosquittoOptions {
  readonly tls?: boolean
  readonly ws?: boolean
  /** only this user may connect */
  readonly auth?: { readonly username: string; readonly password: string }
  /** with TLS: clients need a certificate */
  readonly requireCertificate?: boolean
  /** keeps sessions over a restart */
  readonly persistence?: boolean
  /** further lines of its configuration */
  readonly lines?: readonly string[]
}

/** Starts Mosquitto on a free port of 127.0.0.1 with all its files in a directory of its own. */
export async function startMosquitto(options: MosquittoOptions = {}): Promise<RestartableBroker> {
  const directory = mkdtempSync(join(tmpdir(), 'mosquitto-'))
  const certificates = options.tls ? makeCertificates(directory) : undefined
  let child: ChildProcess | undefined
  let port = 0
  let plainPort = 0
  const configure = (): string => {
    const file = join(directory, 'mosquitto.conf')
    writeFileSync(file, configuration(directory, port, plainPort, options).join('\n'))
    return file
  }
  for (let attempt = 1; child === undefined; attempt++) {
    port = await freePort()
    plainPort = options.ws ? await freePort() : 0
    try {
      child = await run(configure())
    } catch (error) {
      if (attempt === 5) throw error
    }
  }
  const scheme = options.ws ? (options.tls ? 'wss' : 'ws') : options.tls ? 'mqtts' : 'mqtt'
  const stop = async (signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> => {
    const ending = child
    child = undefined
    if (ending !== undefined) await endProgram(ending, signal)
  }
  return {
    url: `${scheme}://127.0.0.1:${port}`,
    port,
    ca: certificates?.ca,
    client: certificates,
    stop,
    start: async () => {
      child ??= await run(configure())
    },
    close: async () => {
      await stop('SIGKILL')
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

function configuration(
  directory: string,
  port: number,
  plainPort: number,
  options: MosquittoOptions,
): string[] {
  // Mosquitto started by root changes to another user, who could not write into the directory.
  const lines = [`listener ${port} 127.0.0.1`, 'user root', `persistence ${options.persistence === true}`]
  if (options.persistence) lines.push(`persistence_location ${directory}/`)
  if (options.ws) lines.push('protocol websockets')
  if (options.tls) {
    lines.push(`cafile ${directory}/ca.crt`, `certfile ${directory}/server.crt`)
    lines.push(`keyfile ${directory}/server.key`)
    if (options.requireCertificate) lines.push('require_certificate true', 'use_identity_as_username true')
  }
  if (options.auth) {
    const file = join(directory, 'passwords')
    writeFileSync(file, `${options.auth.username}:${options.auth.password}\n`)
    execFileSync('mosquitto_passwd', ['-U', file], { stdio: 'ignore' })
    lines.push(`password_file ${file}`)
  }
  // Mosquitto 2.0 does not start with a WebSocket listener alone.
  if (options.ws) lines.push(`listener ${plainPort} 127.0.0.1`)
  lines.push(`allow_anonymous ${options.auth === undefined}`, 'log_dest stderr', 'log_type all')
  return [...lines, ...(options.lines ?? []), '']
}

const run = (file: string): Promise<ChildProcess> =>
  startProgram({ program: 'mosquitto', args: ['-c', file], ready: / running\n/ })

/** Makes an authority, a server certificate for 127.0.0.1 and a client certificate named `sensor` in `directory`. */
export function makeCertificates(directory: string): { ca: string; cert: string; key: string } {
  const path = (name: string) => join(directory, name)
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'ignore' })
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const ca = ['-x509', '-days', '2', '-subj', '/CN=test authority']
  openssl('req', ...curve, ...ca, '-keyout', path('ca.key'), '-out', path('ca.crt'))
  writeFileSync(path('server.ext'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n')
  writeFileSync(path('client.ext'), 'extendedKeyUsage=clientAuth\n')
  for (const [name, subject] of [
    ['server', '/CN=broker'],
    ['client', '/CN=sensor'],
  ] as const) {
    openssl('req', ...curve, '-subj', subject, '-keyout', path(`${name}.key`), '-out', path(`${name}.csr`))
    const signed = ['-CA', path('ca.crt'), '-CAkey', path('ca.key'), '-CAcreateserial', '-days', '2']
    const names = ['-in', path(`${name}.csr`), '-out', path(`${name}.crt`), '-extfile', path(`${name}.ext`)]
    openssl('x509', '-req', ...signed, ...names)
  }
  const read = (name: string) => readFileSync(path(name), 'utf8')
  return { ca: read('ca.crt'), cert: read('client.crt'), key: read('client.key') }
}

/** Whether a program is there and writes what is expected of it. */
export function can(program: string, args: string[], expected: string): boolean {
  try {
    return execFileSync(program, args, { stdio: ['ignore', 'pipe', 'ignore'] }).includes(expected)
  } catch (error) {
    // `mosquitto -h` ends with exit code 3
    return String((error as { stdout?: Buffer }).stdout ?? '').includes(expected)
  }
}
