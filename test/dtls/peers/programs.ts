// Other implementations as processes: which are here, and how they are started.

import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as pki from '../pki.ts'

/** Whether a command runs at all. */
function runs(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

export const haveOpenssl = runs('openssl', 'version')
export const haveGnutls = runs('gnutls-cli', '--version') && runs('gnutls-serv', '--version')

const folder = mkdtempSync(join(tmpdir(), 'dtls-peers-'))

/** Compiles a client of this folder; undefined where compiler or library are missing. */
function compiled(name: string, ...libraries: string[]): string | undefined {
  const source = new URL(`${name}.c`, import.meta.url).pathname
  const program = join(folder, name)
  return runs('gcc', '-O1', '-o', program, source, ...libraries) ? program : undefined
}

export const mbedtlsClient = compiled('mbedtls-client', '-lmbedtls', '-lmbedx509', '-lmbedcrypto')
export const wolfsslClient = compiled('wolfssl-client', '-lwolfssl')

/** Paths of files with the test's certificates. */
export const files = {
  ca: put('ca.pem', pki.ca.cert),
  clientCert: put('client.pem', pki.client.cert),
  clientKey: put('client.key', pki.client.key),
  serverCert: put('server.pem', pki.server.cert),
  serverKey: put('server.key', pki.server.key),
}

export function put(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

/** A process, what it says, and how to stop it. */
export class Program {
  text = ''
  readonly ended: Promise<number | null>
  readonly #child
  #waiting: (() => void)[] = []

  constructor(command: string, ...args: string[]) {
    this.#child = spawn(command, args, { stdio: 'pipe' })
    const hear = (chunk: Buffer) => {
      this.text += chunk.toString()
      for (const wake of this.#waiting.splice(0)) wake()
    }
    this.#child.stdout.on('data', hear)
    this.#child.stderr.on('data', hear)
    this.#child.stdin.on('error', () => undefined)
    this.ended = new Promise((resolve) => {
      this.#child.once('error', () => resolve(null))
      this.#child.once('close', (code) => resolve(code))
    })
  }

  write(text: string): void {
    this.#child.stdin.write(text)
  }

  /** No more input: most say goodbye then. */
  finish(): void {
    this.#child.stdin.end()
  }

  /** Until it has said this. */
  async says(what: string, patience = 15_000): Promise<void> {
    const deadline = performance.now() + patience
    while (!this.text.includes(what)) {
      const left = deadline - performance.now()
      if (left <= 0) throw new Error(`it never said "${what}" but:\n${this.text.slice(-2000)}`)
      await Promise.race([
        new Promise<void>((resolve) => this.#waiting.push(resolve)),
        new Promise((resolve) => setTimeout(resolve, left).unref()),
      ])
    }
  }

  stop(): Promise<number | null> {
    this.#child.kill('SIGKILL')
    return this.ended
  }
}

/** pion, in Go, where its modules have been fetched: `go mod download` in its folder. Builds without the network. */
export const pion = ((): string | undefined => {
  const program = join(folder, 'pion')
  try {
    execFileSync('go', ['build', '-o', program, '.'], {
      cwd: new URL('pion/', import.meta.url),
      env: { ...process.env, GOPROXY: 'off', GOTOOLCHAIN: 'local', GOFLAGS: '-mod=readonly' },
      stdio: 'ignore',
    })
    return program
  } catch {
    return undefined
  }
})()
