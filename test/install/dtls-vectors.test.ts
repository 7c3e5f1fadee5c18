// The recorded sessions of DTLS, replayed octet for octet on each version of Node.js whose primitives may serve sensors.

import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import { fetchNode, haveNodePackages, haveRegistry } from '../support/package.ts'

const TESTS = 'test/dtls/vectors.test.ts'
const recorded = readdirSync('test/dtls/vectors').filter((name) => name.endsWith('.json')).length

const root = mkdtempSync(join(tmpdir(), 'mqttsn-vectors-'))
afterAll(() => rmSync(root, { recursive: true }), 60_000)

/** Runs these tests with this Node.js, apart from the run that goes on; resolves to what it says of each. */
async function runTests(node: string, folder: string): Promise<string[]> {
  const config = join(folder, 'vitest.config.mjs')
  writeFileSync(config, `export default { test: { include: ['${TESTS}'], reporters: ['tap-flat'] } }\n`)
  const args = [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--root',
    '.',
    '--config',
    config,
    '--maxWorkers',
    '1',
  ]
  // one that fails is in what it says
  const { stdout } = await promisify(execFile)(node, args).catch((error) => error)
  return String(stdout)
    .split('\n')
    .filter((line) => /^(?:not )?ok /.test(line))
}

describe.skipIf(!haveNodePackages || !haveRegistry())(
  'the recorded sessions of DTLS',
  { timeout: 180_000 },
  () => {
    // the oldest that is promised, those that are maintained, and the one to come
    it.for(['20.19.0', '22', '24', '26'])('replay on Node.js %s', async (version, { skip }) => {
      const folder = join(root, version)
      mkdirSync(folder)
      const node = await fetchNode(version, folder).catch(() => skip(`Node.js ${version} cannot be had here`))
      const { stdout } = await promisify(execFile)(node, ['--version'])
      expect(stdout).toMatch(new RegExp(`^v${version}`))
      const said = await runTests(node, folder)
      expect(said.filter((line) => !line.startsWith('ok '))).toEqual([])
      expect(said.length).toBeGreaterThanOrEqual(recorded)
    })
  },
)
