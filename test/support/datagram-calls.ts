// The native part of UDP, built for this run from its source with the command of package.json.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DatagramCalls } from '../../src/transport/udp/batched.ts'

/** What `npm run native` runs, with another file to write to. */
export function nativeCommand(file: string): string {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> }
  return scripts['native']?.replace(/-o \S+/, `-Werror -o '${file}'`) ?? ''
}

/** Builds and loads it; undefined where there is no Linux, or no C compiler. */
export function buildDatagramCalls(): DatagramCalls | undefined {
  if (process.platform !== 'linux') return undefined
  const folder = mkdtempSync(join(tmpdir(), 'mqttsn-native-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  try {
    execFileSync('cc', ['--version'], { stdio: 'ignore' })
  } catch {
    return undefined
  }
  const file = join(folder, 'datagrams.node')
  execFileSync('sh', ['-c', nativeCommand(file)], { stdio: 'inherit' })
  return createRequire(import.meta.url)(file)
}
