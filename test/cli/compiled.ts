// The command line as it is compiled (npm run build), called as a process of its own.

import { spawn } from 'node:child_process'
import { resolve } from 'node:path'

/** The program. */
export const PROGRAM = resolve(import.meta.dirname, '../../dist/src/cli.js')

/** What came of a call. */
export interface Called {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Calls it; `node` are options of Node, `input` is standard input. */
export function run(
  args: readonly string[],
  options: { node?: string[]; cwd?: string; env?: Record<string, string>; input?: string } = {},
): Promise<Called> {
  const { node = [], cwd, env, input = '' } = options
  const child = spawn(process.execPath, [...node, PROGRAM, ...args], {
    cwd,
    env: { ...process.env, ...env },
    timeout: 60_000,
  })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk))
  child.stdin.on('error', () => {}).end(input)
  return new Promise((done) => child.once('close', (status) => done({ status, stdout, stderr })))
}
