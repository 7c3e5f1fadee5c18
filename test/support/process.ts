// The command `gateway` as a process of its own, and what it says.

import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { directoryWith } from '../config/files.ts'
import { until } from './gateway.ts'
import { compiledProgram, program } from './program.ts'

/** What Node runs. */
export const command = [...program, 'gateway']

/** A line of the log. */
export interface Line {
  readonly level: string
  readonly msg: string
  readonly url?: string
  /** where the console is served */
  readonly console?: string
  readonly paths?: string[]
  readonly problems?: string[]
  readonly err?: { readonly message: string }
}

/** What every gateway here has in common. */
export const settings = {
  listeners: [{ url: 'udp://127.0.0.1:0' }],
  broker: 'embedded',
  console: { enabled: false },
}

/**
 * A running gateway in a directory of its own, with `c.json` in it; ended with the test. `--import=file` among the arguments
 * is for Node: it is loaded before the gateway, in every thread.
 */
export function start(content: object, ...args: string[]) {
  return run(command, content, args)
}

/** The same as compiled, which several threads need. */
export function startCompiled(content: object, ...args: string[]) {
  return run([compiledProgram, 'gateway'], content, args)
}

async function run(program: readonly string[], content: object, args: readonly string[]) {
  const directory = directoryWith({ 'c.json': { ...settings, ...content } })
  const preloaded = args.filter((arg) => arg.startsWith('--import='))
  const own = args.filter((arg) => !preloaded.includes(arg))
  const child = spawn(process.execPath, [...preloaded, ...program, ...own], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exited = new Promise<number | null>((done) => child.once('exit', done))
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await exited
  })
  let output = ''
  let errors = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk))
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk))
  const lines = (): Line[] =>
    output
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line))
  const said = async (msg: string, times = 1): Promise<Line> => {
    const found = () => lines().filter((line) => line.msg.includes(msg))
    await until(() => found().length >= times || child.exitCode !== null, 20_000)
    const line = found()[times - 1]
    if (line === undefined) throw new Error(`not said: ${msg}\n${output}${errors}`)
    return line
  }
  await said('gateway started')
  return {
    directory,
    child,
    said,
    lines,
    exited,
    url: (await said('listening')).url ?? '',
    write: (next: object) =>
      writeFileSync(join(directory, 'c.json'), JSON.stringify({ ...settings, ...next })),
  }
}
