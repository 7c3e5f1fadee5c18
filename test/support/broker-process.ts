// Starts a broker's program, waits until it says that it serves, and ends it by its process id.

import { type ChildProcess, spawn } from 'node:child_process'

/** A broker's program and how it says that it serves. */
export interface BrokerProgram {
  readonly program: string
  readonly args: readonly string[]
  /** what it writes, to stdout or stderr, once clients may connect */
  readonly ready: RegExp
  /** its whole environment; this process' one by default */
  readonly env?: NodeJS.ProcessEnv
  /** milliseconds after which it is ended because it did not say so; 20 s by default */
  readonly patience?: number
}

/** Resolves when it serves; rejects with what it wrote if it ends before, or takes too long. */
export function startProgram({
  program,
  args,
  ready,
  env = process.env,
  patience = 20_000,
}: BrokerProgram): Promise<ChildProcess> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env })
  return new Promise((resolve, reject) => {
    let output = ''
    let running = false
    // The pipes are read to their end: a program whose output nobody takes would stand still.
    const read = (chunk: Buffer) => {
      if (running) return
      output += chunk.toString()
      running = ready.test(output)
      if (!running) return
      clearTimeout(timer)
      resolve(child)
    }
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`${program} does not serve after ${patience} ms: ${output}`))
    }, patience)
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    child.once('error', reject)
    child.once('exit', () => {
      clearTimeout(timer)
      reject(new Error(`${program} ended: ${output}`))
    })
  })
}

/** Resolves when it has ended. */
export function endProgram(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => {
    child.once('exit', () => resolve())
    child.kill(signal)
  })
}

/** Repeats a start on other ports while it fails: a port that was free a moment ago may be taken by now. */
export async function startWithFreePorts<T>(start: () => Promise<T>, attempts = 3): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start()
    } catch (error) {
      if (attempt === attempts) throw error
    }
  }
}
