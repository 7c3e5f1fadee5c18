// The contract of the stores, for each of them.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLmdbStore } from '../../src/store/lmdb/lmdb.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { SlotOf, Store } from '../../src/store/store.ts'
import { storeContract } from './contract.ts'

storeContract('memory', () => {
  let store: Store | undefined
  const open = async (slotOf?: SlotOf) => {
    store ??= createMemoryStore({ slotOf })
    return store
  }
  return { open, remove: async () => {} }
})

storeContract('LMDB', () => {
  const folder = mkdtemp(join(tmpdir(), 'mqttsn-store-'))
  return {
    open: async (slotOf) => openLmdbStore({ path: join(await folder, 'state'), slotOf }),
    remove: async () => rm(await folder, { recursive: true, force: true }),
  }
})
