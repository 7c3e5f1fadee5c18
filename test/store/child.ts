// A process that works on a store, to be killed, or to show that it survives what it finds:
//   child.ts write FOLDER          writes messages, and prints the number of each when it is durable
//   child.ts load FOLDER...        opens each; prints, as JSON, its messages by session, or why it cannot

import { openLmdbStore } from '../../src/store/lmdb/lmdb.ts'
import { StoreError } from '../../src/store/store.ts'
import { messageOf, sessionOf, uplinkOf } from './sessions.ts'

const [mode, ...folders] = process.argv.slice(2)

async function write(folder: string): Promise<void> {
  const store = await openLmdbStore({ path: folder })
  await store.load()
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
    const sessions = await store.load()
    await store.close()
    return sessions.map(({ record, messages }) => [record.lasting.clientId, messages.map(({ id }) => id)])
  } catch (error) {
    if (error instanceof StoreError) return error.message
    throw error
  }
}

if (mode === 'write' && folders[0] !== undefined) await write(folders[0])
for (const folder of folders) process.stdout.write(`${JSON.stringify(await load(folder))}\n`)
