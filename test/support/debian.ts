// Which programs of the system are there, and a Debian to try packages and images in.

import { execFileSync, spawnSync } from 'node:child_process'
import { join } from 'node:path'

/** Whether all of these commands are found. */
export const haveCommands = (...names: readonly string[]): boolean =>
  names.every((name) => spawnSync('sh', ['-c', `command -v ${name}`]).status === 0)

export const isRoot = process.getuid?.() === 0

/** Kept from run to run: it takes minutes to make. */
export const debianFolder = join('/var/tmp', 'mqttsn-install', 'trixie')

/** Makes that Debian if it is not there yet; false where it cannot be made. */
export function makeDebian(): boolean {
  if (process.platform !== 'linux' || !isRoot || !haveCommands('debootstrap')) return false
  const made = spawnSync('bash', ['lab/install/debian.sh', debianFolder], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  return made.status === 0
}

/** Runs a program to its end; throws with what it said if it fails. */
export const say = (program: string, ...args: string[]): string =>
  execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
