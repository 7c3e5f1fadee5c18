// A program around a fleet, from its source: threads run compiled code only.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { build } from 'esbuild'

const root = resolve(import.meta.dirname, '../..')

/** Compiles a program of the tests together with the worker that it starts; to be removed with `remove`. */
export async function compileFleetProgram(
  source: string,
): Promise<{ readonly file: string; remove(): void }> {
  // below the root, so that packages are found
  mkdirSync(join(root, '.test-results'), { recursive: true })
  const folder = mkdtempSync(join(root, '.test-results/fleet-'))
  await build({
    entryPoints: { program: join(root, source), worker: join(root, 'src/workers/worker.ts') },
    outdir: folder,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    packages: 'external',
    logLevel: 'warning',
  })
  return { file: join(folder, 'program.js'), remove: () => rmSync(folder, { recursive: true }) }
}
