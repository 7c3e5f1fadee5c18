// A process that works on a store, to be killed, or to show that it survives what it finds:
//   child.ts write FOLDER          writes messages, and prints the number of each when it is durable
//   child.ts load FOLDER...        opens each; prints, as JSON, its messages by session, or why it cannot

import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openLmdbStore } from '../../src/store/lmdb/lmdb.ts'
import { acquireLock } from '../../src/store/lmdb/lock.ts'
import { StoreError } from '../../src/store/store.ts'
import { loaded, messageOf, sessionOf, uplinkOf } from './sessions.ts'

const [mode, ...folders] = process.argv.slice(2)

async function write(folder: string): Promise<void> {
  const store = await openLmdbStore({ path: folder })
  await loaded(store)
  store.save(sessionOf('s'))
  for (let id = 1; ; ) {
    const burst = id + 1 + (id % 7)
    for (; id < burst; id++) {
      store.keepMessage('s', messageOf(id, { payload: new Uint8Array((id * 37) % 5000).fill(id) }))
      store.keepUplink('s', uplinkOf(id))
      if (id > 50) store.dropMessage('s', id - 50)
    }
    const last = id - 1
    await new Promise<void>((resolve) =>
      store.onDurable((error) => {
        process.stdout.write(`${error === undefined ? last : error.message}\n`)
        resolve()
      }),
    )
  }
}

async function load(folder: string): Promise<unknown> {
  try {
    const store = await openLmdbStore({ path: folder })
    const sessions = await loaded(store)
    await store.close()
    return sessions.map(({ record, messages }) => [record.lasting.clientId, messages.map(({ id }) => id)])
  } catch (error) {
    if (error instanceof StoreError) return error.message
    throw error
  }
}

/**
 * Takes and gives back the lock of a folder again and again, and looks whether another process has it at the same time. Ends
 * by a SIGKILL of its own while it has the lock.
 */
async function contend(folder: string, rounds: number): Promise<void> {
  const inside = join(folder, 'inside')
  for (let held = 0; ; ) {
    const release = await acquireLock(folder)
    if (typeof release === 'function') {
      try {
        writeFileSync(inside, '', { flag: 'wx' })
      } catch {
        process.stdout.write('two at once\n')
      }
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 3))
      rmSync(inside)
      process.stdout.write('held\n')
      held += 1
      if (held === rounds) process.kill(process.pid, 'SIGKILL')
      release()
    }
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 3))
  }
}

/** Opens a store, says so, and keeps it. */
async function hold(folder: string): Promise<void> {
  const store = await openLmdbStore({ path: folder }).catch((error: unknown) => error)
  if (store instanceof StoreError) return void process.stdout.write(`${store.message}\n`)
  process.stdout.write('held\n')
  setInterval(() => {}, 1000)
}

if (mode === 'contend' && folders[0] !== undefined) await contend(folders[0], Number(folders[1]))
if (mode === 'hold' && folders[0] !== undefined) await hold(folders[0])
if (mode === 'write' && folders[0] !== undefined) await write(folders[0])
if (mode === 'load')
  for (const folder of folders) process.stdout.write(`${JSON.stringify(await load(folder))}\n`)
