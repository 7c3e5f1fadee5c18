// TCP connections whose other side has vanished without a word: found although something is on its way, and not found where all is well.

import { execFile, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, describe, expect, it } from 'vitest'
import { watchHalfOpen } from '../../../src/transport/stream/half-open.ts'

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

const open: { close(): unknown }[] = []
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close()
})

/** Both ends of a connection. */
async function connection(host: string): Promise<{ near: Socket; far: Socket }> {
  const server = createServer().listen(0, host)
  await once(server, 'listening')
  const address = server.address()
  const near = connect(typeof address === 'object' ? (address?.port ?? 0) : 0, host)
  const [far] = (await once(server, 'connection')) as [Socket]
  near.on('error', () => {})
  far.on('error', () => {})
  open.push({ close: () => [near.destroy(), far.destroy(), server.close()] })
  return { near, far }
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

describe.skipIf(process.platform !== 'linux')('a TCP connection (Linux)', () => {
  it.each(['127.0.0.1', '::1'])('to %s that takes nothing any more is given up [LINK-ST-5]', async (host) => {
    const { near, far } = await connection(host)
    far.pause()
    watchHalfOpen(near, { every: 50, most: 400 })
    const ended = once(near, 'close')
    near.write(Buffer.alloc(16 * 1024 * 1024)) // more than the system takes
    await expect(ended).rejects.toThrow(/has acknowledged nothing/)
    expect(near.destroyed).toBe(true)
  })

  it('that is silent, or hears only, or speaks only, is left alone [LINK-ST-5]', async () => {
    const [idle, hears, speaks] = [
      await connection('127.0.0.1'),
      await connection('127.0.0.1'),
      await connection('::1'),
    ]
    for (const { near } of [idle, hears, speaks]) watchHalfOpen(near, { every: 20, most: 100 })
    for (const { far } of [idle, hears, speaks]) far.resume()
    for (let i = 0; i < 20; i++) {
      hears.far.write('x')
      speaks.near.write('x')
      await pause(20)
    }
    expect([idle, hears, speaks].map(({ near }) => near.destroyed)).toEqual([false, false, false])
  })

  it.skipIf(!hasNetworks)(
    'whose network has gone is given up though something is on its way (unshare, ip) [LINK-ST-5]',
    async () => {
      const tsx = join(root, 'node_modules/tsx/dist/loader.mjs')
      const program = join(root, 'test/support/half-open.ts')
      const { stdout } = await promisify(execFile)('unshare', [
        '-n',
        process.execPath,
        '--import',
        tsx,
        program,
      ])
      expect(stdout.trim().split('\n')).toEqual([
        'as long as all is acknowledged: open',
        'the other side has acknowledged nothing for 1 s',
      ])
    },
    20_000,
  )
})
