// The contract of the stores, for each of them.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLmdbStore } from '../../src/store/lmdb/lmdb.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { storeContract } from './contract.ts'

storeContract('memory', () => {
  const store = createMemoryStore()
  return { open: async () => store, remove: async () => {} }
})

storeContract('LMDB', () => {
  const folder = mkdtemp(join(tmpdir(), 'mqttsn-store-'))
  return {
    open: async () => openLmdbStore({ path: join(await folder, 'state') }),
    remove: async () => rm(await folder, { recursive: true, force: true }),
  }
})
