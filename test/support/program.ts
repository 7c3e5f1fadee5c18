// What Node runs as the command `mqttsn`: as it was compiled, which starts in a third of the time, if that is newer than its sources.

import { existsSync, readdirSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../..')

/** The command as compiled: several threads need that, whatever its age. */
export const compiledProgram = join(root, 'dist/src/cli.js')

const fromSource = [
  '--import',
  join(root, 'node_modules/tsx/dist/loader.mjs'),
  join(root, 'src/cli.ts'),
] as const

/** The command without a build that somebody has to remember. */
export const program: readonly string[] = isCompiled() ? [compiledProgram] : fromSource

function isCompiled(): boolean {
  if (!existsSync(compiledProgram)) return false
  const changed = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs)
  return statSync(compiledProgram).mtimeMs > Math.max(...changed)
}
