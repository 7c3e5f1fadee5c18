// Writes, or with --check compares, every generated document: `npm run docs`.

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))

for (const generator of [
  'configuration.ts',
  'metrics.ts',
  'brokers.ts',
  'conformance.ts',
  'performance.ts',
  'sizing.ts',
  'acceptance.ts',
]) {
  // execArgv carries what lets Node read TypeScript.
  const run = [...process.execArgv, join(here, generator), ...process.argv.slice(2)]
  if (spawnSync(process.execPath, run, { stdio: 'inherit' }).status !== 0) process.exitCode = 1
}
