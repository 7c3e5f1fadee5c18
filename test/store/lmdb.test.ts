// The store on disk: what only a disk can do to it.

import { execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { open as openLmdb } from 'lmdb'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { damageOf } from '../../src/store/lmdb/damage.ts'
import { openLmdbStore } from '../../src/store/lmdb/lmdb.ts'
import { listStore } from '../../src/store/lmdb/look.ts'
import { type Store, StoreError } from '../../src/store/store.ts'
import { durable } from './contract.ts'
import { loaded, messageOf, richSession, sessionOf, uplinkOf } from './sessions.ts'

const CHILD = ['--import', 'tsx', 'test/store/child.ts']
const run = promisify(execFile)

let base: string
let folder: string
let stores: Store[] = []

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'mqttsn-lmdb-'))
  folder = join(base, 'state')
})

afterEach(async () => {
  await Promise.all(stores.map((store) => store.close()))
  stores = []
  await rm(base, { recursive: true, force: true })
})

async function open(path = folder, more: { retryAfter?: number; log?: Log } = {}): Promise<Store> {
  const store = await openLmdbStore({ path, ...more })
  stores.push(store)
  return store
}

interface Log {
  error(message: string): void
  info(message: string): void
}

async function close(store: Store): Promise<void> {
  stores = stores.filter((other) => other !== store)
  await store.close()
}

/** Why it cannot be opened. */
async function refusal(path = folder): Promise<string> {
  const error = await open(path).then(
    () => new Error('it could be opened'),
    (error: unknown) => error,
  )
  if (!(error instanceof StoreError)) throw error
  return error.message
}

/** A store with some sessions, messages small and large, and gaps where others were. */
async function filled(path: string): Promise<void> {
  const store = await open(path)
  for (const clientId of ['a', 'b', 'c']) {
    store.save(richSession(clientId))
    for (let id = 1; id <= 150; id++) {
      store.keepMessage(clientId, messageOf(id, { payload: new Uint8Array((id * 97) % 6000).fill(id) }))
    }
    await durable(store)
    for (let id = 1; id <= 150; id += 3) store.dropMessage(clientId, id)
    await durable(store)
  }
  await close(store)
}

/** What another process finds in stores; fails if it dies of them. */
async function loadElsewhere(folders: readonly string[]): Promise<string[]> {
  const { stdout } = await run(process.execPath, [...CHILD, 'load', ...folders])
  return stdout.trim().split('\n')
}

describe('records beside sessions', () => {
  it('outlive the process as they were when they were written, and disturb no session', async () => {
    const store = await open()
    const record = { keys: Uint8Array.of(1, 2, 3), top: 1 }
    store.keepAside('dtls 1 a', () => record)
    store.keepAside('dtls 2 a', () => ({ top: 2 }))
    record.top = 7
    store.save(sessionOf('meter'))
    await durable(store)
    store.keepAside('dtls 2 a', () => undefined)
    await close(store)
    const again = await open()
    expect(again.asides).toEqual(new Map([['dtls 1 a', { keys: Buffer.of(1, 2, 3), top: 7 }]]))
    expect((await loaded(again)).map(({ record: { lasting } }) => lasting.clientId)).toEqual(['meter'])
    expect((await listStore(folder)).map(({ clientId }) => clientId)).toEqual(['meter'])
  })

  it('that nobody waits for go along with the next write, or by themselves within a second or two', async () => {
    const store = await open()
    store.keepAside('dtls 1 a', () => ({ top: 1 }), true)
    expect(store.written).toBe(store.durable)
    await expect.poll(() => store.health.groups, { timeout: 5000 }).toBe(1)
    store.keepAside('dtls 1 a', () => ({ top: 2 }), true)
    store.save(sessionOf('meter'))
    await durable(store)
    await close(store)
    expect((await open()).asides.get('dtls 1 a')).toEqual({ top: 2 })
  })

  it('that are damaged stop the start, as all others do', async () => {
    const store = await open()
    store.keepAside('dtls 1 a', () => ({ top: 1 }))
    await close(store)
    const database = openLmdb<unknown, [number, string]>({ path: folder, noSubdir: false, maxDbs: 1 })
    await database.put([0, 'aside dtls 1 a'], [7, Buffer.of(1)])
    await database.close()
    expect(await refusal()).toMatch(/cannot be read/)
  })
})

describe('groups', () => {
  it('writes a burst as one group, and what comes meanwhile as the next', async () => {
    const store = await open()
    store.save(sessionOf('s'))
    for (let id = 1; id <= 1000; id++) store.keepMessage('s', messageOf(id))
    await durable(store)
    expect(store.health.groups).toBe(1)
    const told: Promise<unknown>[] = []
    for (let id = 1; id <= 200; id++) {
      store.dropMessage('s', id)
      told.push(durable(store))
      await new Promise((resolve) => setImmediate(resolve))
    }
    await Promise.all(told)
    expect(store.health.groups).toBeLessThan(150)
    expect(store.health.seconds).toBeGreaterThan(0)
    expect(store.health.octets).toBeGreaterThan(1000 * 50)
  })

  it('never writes a message that is kept and dropped at once', async () => {
    const store = await open()
    store.save(sessionOf('s'))
    await durable(store)
    const { groups } = store.health
    store.keepMessage('s', messageOf(1, { payload: Buffer.from('short-lived message') }))
    store.dropMessage('s', 1)
    store.keepUplink('s', uplinkOf(1, { data: Buffer.from('short-lived publish') }))
    store.dropUplink('s', 1)
    store.save(sessionOf('short-lived session'))
    store.forget('short-lived session')
    await durable(store)
    expect(store.health.groups).toBe(groups)
    store.keepMessage('s', messageOf(2, { payload: Buffer.from('long-lived message') }))
    await durable(store)
    const octets = readFileSync(join(folder, 'data.mdb'))
    expect(octets.includes('long-lived message')).toBe(true)
    expect(octets.includes('short-lived')).toBe(false)
  })

  it('deletes what was written before it was kept again', async () => {
    const store = await open()
    store.save(sessionOf('s'))
    const message = messageOf(1)
    store.keepMessage('s', message)
    await durable(store)
    message.sent = true
    store.keepMessage('s', message)
    store.dropMessage('s', 1)
    await close(store)
    const [session] = await loaded(await open())
    expect(session?.messages).toEqual([])
  })

  it('deletes what is dropped or forgotten while it is being written', async () => {
    const store = await open()
    store.save(sessionOf('s'))
    store.save(sessionOf('t'))
    store.keepMessage('s', messageOf(1))
    store.keepMessage('s', messageOf(2))
    await new Promise((resolve) => setImmediate(resolve)) // the group is on its way now
    expect(store.durable).toBe(0)
    store.dropMessage('s', 1)
    store.forget('t')
    await close(store)
    const sessions = await loaded(await open())
    expect(sessions.map(({ messages }) => messages.map(({ id }) => id))).toEqual([[2]])
  })
})

describe('a killed gateway', () => {
  it('finds all that was durable, and whole groups only', async () => {
    for (const wait of [1, 40, 90]) {
      const child = spawn(process.execPath, [...CHILD, 'write', folder], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      let last = 0
      for await (const line of createInterface({ input: child.stdout })) {
        last = Number(line)
        if (!Number.isSafeInteger(last)) throw new Error(line)
        if (last >= wait) child.kill('SIGKILL')
      }
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      expect(child.signalCode).toBe('SIGKILL')
      const store = await open()
      const [session] = await loaded(store)
      const ids = session?.messages.map(({ id }) => id) ?? []
      const newest = ids.at(-1) ?? 0
      expect(newest).toBeGreaterThanOrEqual(last)
      expect(session?.uplinks.map(({ token }) => token)).toEqual(
        Array.from({ length: newest }, (_, index) => index + 1),
      )
      expect(ids).toEqual(ids.map((_, index) => newest - ids.length + 1 + index))
      expect(ids.length).toBe(Math.min(newest, 50))
      for (const { id, payload } of session?.messages ?? []) {
        expect(payload).toEqual(new Uint8Array((id * 37) % 5000).fill(id))
      }
      await close(store)
      rmSync(folder, { recursive: true })
    }
  })
})

describe('one gateway per store', () => {
  it('refuses a store that another process has, and names it', async () => {
    const child = spawn(process.execPath, [...CHILD, 'write', folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    try {
      await once(child.stdout, 'data')
      expect(await refusal()).toBe(
        `store ${folder} is in use by another gateway (process ${child.pid}): ` +
          'stop that one, or give this one a store.path of its own',
      )
    } finally {
      child.stdout.destroy()
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    await open() // its lock is worth nothing now
  })

  it('refuses a store that this process has', async () => {
    const store = await open()
    expect(await refusal()).toContain('in use by another gateway')
    await close(store)
    await open()
  })

  it('takes over a lock of this very pid from before, as after the restart of a container', async () => {
    mkdirSync(folder)
    for (const left of [
      JSON.stringify({ pid: process.pid, start: 'of another time' }),
      JSON.stringify({ pid: 4_194_305, start: '' }),
      '{"pid"',
      '',
    ]) {
      writeFileSync(join(folder, 'pid'), left)
      await close(await open())
      expect(existsSync(join(folder, 'pid'))).toBe(false)
    }
  })
})

describe('a folder that does not work', () => {
  it('says that it cannot be created', async () => {
    await writeFile(join(base, 'file'), '')
    expect(await refusal(join(base, 'file', 'state'))).toBe(
      `store ${join(base, 'file', 'state')} cannot be written: there is a file in its place. ` +
        'Let the gateway write there, or set store.path to another folder',
    )
    expect(await refusal(join(base, 'file'))).toContain('there is a file in its place')
    expect(await refusal('/proc/1/state')).toContain('cannot be written')
  })

  it.skipIf(process.getuid?.() === 0)('says that permission is denied (not as root)', async () => {
    mkdirSync(folder, { mode: 0o500 })
    expect(await refusal()).toContain('permission denied')
  })

  it('says that a newer version wrote it', async () => {
    await filled(folder)
    const lmdb = openLmdb({ path: folder, noSubdir: false })
    await lmdb.put('about', { format: 4, program: 'mqtt-sn-gateway' })
    await lmdb.close()
    const before = readFileSync(join(folder, 'data.mdb'))
    expect(await refusal()).toBe(
      `${join(folder, 'data.mdb')} was written by a newer version of this gateway (format 4, this version ` +
        'reads 3): install that version again, or move the folder away to start without its sessions',
    )
    expect(readFileSync(join(folder, 'data.mdb')).equals(before)).toBe(true)
  })

  it('says that it belongs to another program', async () => {
    const lmdb = openLmdb({ path: folder, noSubdir: false })
    await lmdb.put('something', 1)
    await lmdb.close()
    expect(await refusal()).toContain('an unknown key')
    rmSync(folder, { recursive: true })
    const other = openLmdb({ path: folder, noSubdir: false })
    await other.put('about', { program: 'other' })
    await other.close()
    expect(await refusal()).toContain('belongs to another program')
  })

  it('says which record cannot be read', async () => {
    await filled(folder)
    const lmdb = openLmdb({ path: folder, noSubdir: false })
    const broken: [[number, string | number], unknown, string][] = [
      [[1, 'progress'], { state: 'dizzy' }, 'string instead of willtopic or willmsg'],
      [[1, 'lasting'], 17, 'number instead of a record'],
      [[2, 7], { topic: 7 }, 'number instead of text'],
      [[2, -7], null, 'null instead of a record'],
      [[9, 1], { topic: 'orphan' }, 'undefined instead of a record'],
    ]
    for (const [key, value, why] of broken) {
      const before: unknown = lmdb.get(key)
      await lmdb.put(key, value)
      const message = await refusal()
      expect(message).toContain(`${join(folder, 'data.mdb')} cannot be read (${why}`)
      expect(message).toContain('restore it from a copy, or move the folder away')
      if (before === undefined) await lmdb.remove(key)
      else await lmdb.put(key, before)
    }
    await lmdb.close()
    expect(await loaded(await open())).toHaveLength(3)
  })
})

describe('a damaged file', () => {
  it('stops the start if it is cut off anywhere, and never ends the process by a signal', async () => {
    const source = join(base, 'source')
    await filled(source)
    const [whole] = await loadElsewhere([source])
    const { length } = readFileSync(join(source, 'data.mdb'))
    const pages = length / 4096
    const cuts = [1, 100, 4095, 4096, 5000, 8191, 8192, 8193, 12_288, length / 2, length - 4096, length - 1]
    for (let page = 3; page < pages; page += Math.ceil(pages / 20)) cuts.push(page * 4096)
    const folders = await Promise.all(
      cuts.map(async (cut, index) => {
        const path = join(base, `cut-${index}`)
        await cp(source, path, { recursive: true })
        truncateSync(join(path, 'data.mdb'), cut)
        return path
      }),
    )
    const found = await loadElsewhere(folders)
    expect(found).toHaveLength(cuts.length)
    for (const [index, result] of found.entries()) {
      // the last pages may be free ones: then nothing is missing
      if (result === whole) expect(cuts[index]).toBeGreaterThan(length / 2)
      else
        expect(result).toMatch(/data\.mdb is damaged: .* Remedy: restore it from a copy, or move the folder/)
    }
    expect(found.filter((result) => result !== whole).length).toBeGreaterThan(20)
  })

  it('is not taken for an empty store when it is empty or missing, and is left as it is', async () => {
    const file = join(folder, 'data.mdb')
    await filled(folder)
    truncateSync(file, 0)
    expect(await refusal()).toContain(`${file} is damaged: it is empty`)
    expect(readFileSync(file)).toHaveLength(0)
    rmSync(file)
    expect(await refusal()).toContain(`${file} is damaged: it is missing`)
    expect(existsSync(file)).toBe(false)
    await writeFile(file, 'These are no sessions. '.repeat(1000))
    expect(await refusal()).toContain(`${file} is damaged: it is no LMDB file`)
    expect(readFileSync(file, 'utf8')).toMatch(/^These are no sessions/)
  })

  it('stops the start or does no harm if parts of it are overwritten', async () => {
    const source = join(base, 'source')
    await filled(source)
    const octets = readFileSync(join(source, 'data.mdb'))
    const pages = octets.length / 4096
    const folders = await Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        const path = join(base, `hole-${index}`)
        await cp(source, path, { recursive: true })
        const copy = Buffer.from(octets)
        const page = Math.floor((index * pages) / 40)
        // heads of pages, where the numbers are that LMDB trusts
        copy.fill(index % 2 === 0 ? 0xa5 : 0, page * 4096 + 16 + (index % 3) * 4, page * 4096 + 40 + index)
        writeFileSync(join(path, 'data.mdb'), copy)
        return path
      }),
    )
    const found = await loadElsewhere(folders)
    expect(found).toHaveLength(40)
    expect(found.filter((result) => result.includes('is damaged')).length).toBeGreaterThan(10)
  })

  it('is seen when pages are used twice, or are free and in use', async () => {
    await filled(folder)
    const file = join(folder, 'data.mdb')
    expect(damageOf(file)).toBeUndefined()
    const octets = readFileSync(file)
    const [one, two] = [0, 4096].map((page) => octets.readBigUInt64LE(page + 24 + 128))
    const meta = Number(one) > Number(two) ? 0 : 4096
    const broken = Buffer.from(octets)
    broken.writeBigUInt64LE(octets.readBigUInt64LE(meta + 24 + 72 + 40), meta + 24 + 24 + 40)
    broken.writeUInt16LE(octets.readUInt16LE(meta + 24 + 72 + 6), meta + 24 + 24 + 6)
    writeFileSync(file, broken)
    expect(damageOf(file)).toMatch(/list of free pages is broken|is used twice/)
  })
})

const TINY = 2 * 1024 * 1024
const mounted = (path: string): boolean => {
  mkdirSync(path, { recursive: true })
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${TINY}`, 'tmpfs', path])
  return status === 0
}

describe('a disk that fills up', () => {
  it('says so, loses nothing, and goes on by itself when there is space again', async (context) => {
    const disk = join(base, 'disk')
    if (!mounted(disk)) context.skip('needs the right to mount a small file system')
    try {
      const said: string[] = []
      const log = { error: (text: string) => said.push(text), info: (text: string) => said.push(text) }
      const path = join(disk, 'state')
      const store = await open(path, { retryAfter: 20, log })
      store.save(sessionOf('s'))
      await writeFile(join(disk, 'ballast'), Buffer.alloc(TINY / 2))
      let failure: Error | undefined
      let id = 0
      while (failure === undefined && id < 2000) {
        for (let count = 0; count < 20; count++)
          store.keepMessage('s', messageOf(++id, { payload: Buffer.alloc(1000, id) }))
        failure = await durable(store)
      }
      expect(failure?.message).toBe(`the disk of ${path} is full: free some space`)
      expect(store.health.error).toBe(failure?.message)
      expect(store.durable).toBeLessThan(store.written)
      store.dropMessage('s', 1)
      store.save(sessionOf('t'))
      expect(await durable(store)).toBeInstanceOf(Error)
      expect(said).toEqual([failure?.message])
      await rm(join(disk, 'ballast'))
      while ((await durable(store)) !== undefined);
      expect(store.health.error).toBeUndefined()
      expect(store.durable).toBe(store.written)
      expect(said).toEqual([failure?.message, 'what could not be stored is stored now'])
      await close(store)
      expect(damageOf(join(path, 'data.mdb'))).toBeUndefined()
      const again = await open(path)
      const sessions = await loaded(again)
      expect(sessions.map(({ record }) => record.lasting.clientId)).toEqual(['s', 't'])
      expect(sessions[0]?.messages.map((message) => message.id)).toEqual(
        Array.from({ length: id - 1 }, (_, index) => index + 2),
      )
      await close(again)
    } finally {
      for (const store of stores) await close(store)
      spawnSync('umount', [disk])
    }
  })

  it('can be closed while it is full, with what was durable', async (context) => {
    const disk = join(base, 'disk')
    if (!mounted(disk)) context.skip('needs the right to mount a small file system')
    try {
      const said: string[] = []
      const log = { error: (text: string) => said.push(text), info: (text: string) => said.push(text) }
      const path = join(disk, 'state')
      const store = await open(path, { log })
      store.save(sessionOf('s'))
      await durable(store)
      store.keepMessage('s', messageOf(1, { payload: new Uint8Array(2 * TINY) }))
      expect(await durable(store)).toBeInstanceOf(Error)
      await close(store)
      expect(said.at(-1)).toBe(`closed with changes that are not stored: ${said[0]}`)
      const again = await open(path)
      expect((await loaded(again)).map(({ messages }) => messages)).toEqual([[]])
      await close(again)
    } finally {
      for (const store of stores) await close(store)
      spawnSync('umount', [disk])
    }
  })
})
