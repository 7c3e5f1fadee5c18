// What tells this installation of a gateway from all others at the same broker: eight hexadecimal digits, made by chance at the first
// start and kept beside the sessions; those of a gateway without a durable store are new at each start.

import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const FILE = 'installation.txt'

/** The digits; `folder`: that of the store, which exists, or undefined. One that cannot be read or written has new ones. */
export function installationOf(folder: string | undefined): string {
  if (folder === undefined) return chance()
  const path = join(folder, FILE)
  try {
    const kept = /^[0-9a-f]{8}(?=\s*$)/.exec(readFileSync(path, 'latin1'))?.[0]
    if (kept !== undefined) return kept
  } catch {
    // the first start
  }
  const made = chance()
  try {
    writeFileSync(path, `${made}\n`, { mode: 0o600 })
  } catch {
    // a full disk: the store says so itself
  }
  return made
}

const chance = (): string => randomBytes(4).toString('hex')
