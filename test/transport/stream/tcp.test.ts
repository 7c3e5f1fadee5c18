// A line to where nobody answers.

import { execFile, execFileSync } from 'node:child_process'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { openLine } from '../../../src/transport/line/line.ts'

const root = resolve(import.meta.dirname, '../../..')

/** Whether this process may have a network of its own. */
const hasNetworks = ((): boolean => {
  try {
    execFileSync('unshare', ['-n', 'ip', 'link', 'set', 'lo', 'up'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

describe('a line over TCP that cannot be had', () => {
  it.skipIf(!hasNetworks)(
    'is given up after 10 s without an answer (unshare, ip) [LINK-ST-5]',
    async () => {
      const tsx = join(root, 'node_modules/tsx/dist/loader.mjs')
      const program = join(root, 'test/support/no-answer.ts')
      const { stdout } = await promisify(execFile)('unshare', [
        '-n',
        process.execPath,
        '--import',
        tsx,
        program,
      ])
      expect(stdout.split('\n').slice(0, 2)).toEqual([
        'before 10 s: ',
        'cannot connect to 192.0.2.9:4001: no answer within 10 s',
      ])
    },
    20_000,
  )

  it('says what to look at where nothing listens [LINK-ST-1]', async () => {
    const url = 'tcp://127.0.0.1:1?framing=slip&strict=on'
    await expect(openLine({ url }, () => {})).rejects.toThrow(
      /cannot connect to 127\.0\.0\.1:1: nothing listens there, or it cannot be reached; look at the host and port/,
    )
  })
})
