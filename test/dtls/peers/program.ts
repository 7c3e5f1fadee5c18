// Other implementations as processes: how they are started, what they say, and files for them.

import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Whether a command runs at all. */
export function runs(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Where their files are. */
export const folder = mkdtempSync(join(tmpdir(), 'dtls-peers-'))

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
