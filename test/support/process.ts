// The command `gateway` as a process of its own, from its source, and what it says.

import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { onTestFinished } from 'vitest'
import { directoryWith } from '../config/files.ts'
import { until } from './gateway.ts'

const root = resolve(import.meta.dirname, '../..')
/** What Node runs: the command from its source. */
export const command = [join(root, 'node_modules/tsx/dist/cli.mjs'), join(root, 'src/cli.ts'), 'gateway']

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
  // by `--import`, so that signals reach the gateway itself and not a wrapper
  return run(['--import', join(root, 'node_modules/tsx/dist/loader.mjs'), ...command.slice(1)], content, args)
}

/** The same as compiled, which several threads need. */
export function startCompiled(content: object, ...args: string[]) {
  return run([join(root, 'dist/src/cli.js'), 'gateway'], content, args)
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
