// The package as npm packs it, with dist/ as it was built last, and npm itself, to be run with any version of Node.js.

import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
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

/** The versions of Node.js in packages are for this kind of machine; undefined: there are none for the one here. */
const nodePackage =
  process.platform === 'linux' && process.arch === 'x64'
    ? `node-${process.platform}-${process.arch}`
    : undefined

/** whether other versions of Node.js can be had as packages for this machine */
export const haveNodePackages = nodePackage !== undefined

/** Puts a Node.js of this version into an empty folder; resolves to the program. Rejects where it cannot be had. */
export async function fetchNode(version: string, folder: string): Promise<string> {
  const quiet = ['--silent', '--no-update-notifier']
  await run('npm', ['pack', `${nodePackage}@${version}`, ...quiet], { cwd: folder })
  const [archive = ''] = readdirSync(folder)
  await run('tar', ['-xzf', archive, 'package/bin/node'], { cwd: folder })
  return join(folder, 'package/bin/node')
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
