// The package as npm packs it, with dist/ as it was built last, and npm itself, to be run with any version of Node.js.

import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { shrinkwrapOf } from '../../lab/install/shrinkwrap.ts'

export interface Packed {
  readonly filename: string
  readonly integrity: string
  readonly entryCount: number
  readonly unpackedSize: number
  readonly files: readonly { readonly path: string }[]
}

const run = promisify(execFile)

/**
 * Packs it without its scripts, which would build dist/ anew under the feet of other tests. What they add is added in a copy of
 * what `npm pack` looks at.
 */
export async function pack(...options: string[]): Promise<Packed> {
  const folder = mkdtempSync(join(tmpdir(), 'mqttsn-pack-'))
  try {
    const { files } = JSON.parse(readFileSync('package.json', 'utf8')) as { files: string[] }
    const named = files.filter((path) => !path.startsWith('!'))
    const copied = new Set([...named, 'package.json', 'README.md', 'LICENSE'])
    copied.delete('npm-shrinkwrap.json')
    await run('cp', ['-r', '--parents', ...copied, folder])
    const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'))
    writeFileSync(join(folder, 'npm-shrinkwrap.json'), JSON.stringify(shrinkwrapOf(lock)))
    const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', ...options], { cwd: folder })
    const [packed] = JSON.parse(stdout) as Packed[]
    if (packed === undefined) throw new Error('npm pack has packed nothing')
    return packed
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The program of npm, which comes with Node.js. */
export const npmCli = (): string => {
  const found = realpathSync(execFileSync('which', ['npm'], { encoding: 'utf8' }).trim())
  return found.endsWith('.js') ? found : resolve(dirname(found), '../lib/node_modules/npm/bin/npm-cli.js')
}

/** Whether a package registry answers, so that packages can be installed. */
export function haveRegistry(): boolean {
  try {
    execFileSync('npm', ['view', 'cookie', 'version', '--fetch-retries=0', '--fetch-timeout=5000'], {
      stdio: 'ignore',
    })
    return true
  } catch {
    return false
  }
}
