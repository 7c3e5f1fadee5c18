// The lock of a store on disk, between real processes: of one machine, and of containers that share the folder.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { cp, mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { openLmdbStore } from '../../src/store/lmdb/lmdb.ts'
import { acquireLock } from '../../src/store/lmdb/lock.ts'

const CHILD = ['--import', 'tsx', 'test/store/child.ts']
const CONTAINER = ['unshare', '--pid', '--net', '--fork', '--kill-child', '--mount-proc']
const [unshare = '', ...flags] = CONTAINER
const hasContainers = spawnSync(unshare, [...flags, 'true']).status === 0
const ADVICE = 'stop that one, or give this one a store.path of its own'

let base: string
let folder: string

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'mqttsn-lock-'))
  folder = join(base, 'state')
})

afterEach(() => rm(base, { recursive: true, force: true }))

/** A process that takes a store and keeps it; `said`: its first line. */
function holder(prefix: readonly string[] = []): { child: ChildProcess; said: Promise<string> } {
  const [program = '', ...args] = [...prefix, process.execPath, ...CHILD, 'hold', folder]
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => end(child))
  const said = once(createInterface({ input: child.stdout }), 'line').then(([line]) => String(line))
  return { child, said }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.stdout?.closed !== false) return
  child.kill('SIGKILL')
  await once(child, 'close') // what runs in a container ends a little later than the container's first process
}

const kinds: [string, readonly string[], boolean][] = [
  ['on one machine', [], true],
  [
    `in containers that share the folder${hasContainers ? '' : ' (unshare is not permitted)'}`,
    CONTAINER,
    hasContainers,
  ],
]

describe.each(kinds)('two gateways %s', (_, prefix, can) => {
  it.skipIf(!can)('cannot have one store: the second says so at once, and ends', async () => {
    const first = holder(prefix)
    expect(await first.said).toBe('held')
    const began = performance.now()
    const second = holder(prefix)
    expect(await second.said).toMatch(
      new RegExp(`^store ${folder} is in use by another gateway \\(process \\d+\\): ${ADVICE}$`),
    )
    if (second.child.exitCode === null) await once(second.child, 'exit')
    expect(performance.now() - began).toBeLessThan(5000)
    expect(second.child.exitCode).toBe(0)
  })

  it.skipIf(!can)('that start together do not both run, and a killed one gives way at once', async () => {
    for (let round = 0; round < 2; round++) {
      const all = Array.from({ length: 4 }, () => holder(prefix))
      const said = await Promise.all(all.map((one) => one.said))
      expect(said.filter((line) => line === 'held')).toHaveLength(1)
      expect(said.filter((line) => line.includes(`${folder} is in use by another gateway`))).toHaveLength(3)
      await Promise.all(all.map(({ child }) => end(child)))
    }
    const next = await openLmdbStore({ path: folder })
    await next.close()
  })
})

describe('the lock', () => {
  it('is never had twice, by processes that take it, give it back and are killed with it', async () => {
    mkdirSync(folder)
    const contenders = Array.from({ length: 6 }, async (_, index) => {
      const args = [...CHILD, 'contend', folder, String(5 + 5 * index)]
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
      onTestFinished(() => end(child))
      let lines = ''
      child.stdout.on('data', (chunk: Buffer) => (lines += chunk))
      await once(child, 'close')
      return lines.trim().split('\n')
    })
    const lines = (await Promise.all(contenders)).flat()
    expect(lines).toEqual(Array.from({ length: 5 + 10 + 15 + 20 + 25 + 30 }, () => 'held'))
    const release = await acquireLock(folder)
    expect(release).toBeTypeOf('function')
    if (typeof release === 'function') release()
    expect(readdirSync(folder)).toHaveLength(1)
  }, 60_000)

  it('does not mind what stands in the file for people', async () => {
    mkdirSync(folder)
    writeFileSync(join(folder, 'pid'), JSON.stringify({ pid: process.pid, start: '' })) // of the first edition
    const store = await openLmdbStore({ path: folder })
    writeFileSync(join(folder, 'pid'), 'nonsense')
    await expect(openLmdbStore({ path: folder })).rejects.toThrow(`is in use by another gateway: ${ADVICE}`)
    await store.close()
  })

  it('follows a folder that is moved, and leaves the one in its place alone', async () => {
    const first = await openLmdbStore({ path: folder })
    await rename(folder, join(base, 'moved'))
    const second = await openLmdbStore({ path: folder })
    await expect(openLmdbStore({ path: join(base, 'moved') })).rejects.toThrow('in use by another gateway')
    await first.close()
    await expect(openLmdbStore({ path: folder })).rejects.toThrow('in use by another gateway')
    await second.close()
  })

  it('stands in no path that is too long for a socket', async () => {
    folder = join(base, 'x'.repeat(120), 'y'.repeat(120))
    const store = await openLmdbStore({ path: folder })
    await expect(openLmdbStore({ path: folder })).rejects.toThrow('in use by another gateway')
    await store.close()
  })

  it('leaves a folder that can be copied, and the copy can be opened beside it', async () => {
    await (await openLmdbStore({ path: folder })).close()
    await cp(folder, join(base, 'copy'), { recursive: true })
    const stores = await Promise.all([folder, join(base, 'copy')].map((path) => openLmdbStore({ path })))
    await Promise.all(stores.map((store) => store.close()))
  })
})
