// The store that the configuration names, and how sessions come back from it and are safe in it at the end [SN-SESS-10].

import type { Config } from '../config/schema.ts'
import type { Log } from '../log.ts'
import type { Peer } from '../session/peers.ts'
import { peerKey } from '../session/peers.ts'
import type { PeerRecord } from '../session/record.ts'
import type { Bearings } from '../sessions/restore.ts'
import { openLmdbStore } from '../store/lmdb/lmdb.ts'
import { createMemoryStore } from '../store/memory.ts'
import type { Store } from '../store/store.ts'
import type { Link } from './datagrams/listener.ts'
import type { Share } from './worker-share.ts'

/** How long a stopping gateway waits for its store, milliseconds. */
const PATIENCE = 3000

/** Whether sessions outlive the process, so that sensors need not be told when it ends. */
export const isDurable = ({ store }: Config): boolean => store.type !== 'memory'

/** Opens the store; rejects with StoreError. */
export const openStore = async (
  { store: { type, path } }: Config,
  log: Log,
  share?: Share['stored'],
): Promise<Store> => (type === 'memory' ? createMemoryStore() : openLmdbStore({ path, log, part: share }))

/** How places and times in the store are found again: listeners by their names, times by the clock as it is set now. */
export function bearings(links: Iterable<Link>): Bearings {
  const byName = new Map([...links].map((link) => [link.listener.name, link]))
  const origin = Date.now() - performance.now()
  return {
    peerOf({ listener, address, port, nodeId }: PeerRecord): Peer | undefined {
      const link = byName.get(listener)
      if (link === undefined) return undefined
      return {
        key: peerKey(link.index, address, port, nodeId),
        listener: link.listener,
        address,
        port,
        nodeId,
      }
    },
    // a clock that was set back meanwhile must not move what has happened into the future
    toMonotonic: (wall) => Math.min(wall - origin, performance.now()),
  }
}

/** Resolves when all that was written so far is durable; after some seconds, or a failure, it is logged that it is not. */
export async function settled(store: Store, log: Log): Promise<void> {
  if (store.durable === store.written) return
  await within((done) => store.onDurable(done), log)
}

/** Lets go of the store, with what is pending written. */
export async function closed(store: Store, log: Log): Promise<void> {
  await within((done) => void store.close().then(() => done(), done), log)
}

async function within(start: (done: (error?: unknown) => void) => void, log: Log): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const err = await new Promise<unknown>((resolve) => {
    timer = setTimeout(() => resolve(new Error(`not within ${PATIENCE} ms`)), PATIENCE)
    start(resolve)
  })
  clearTimeout(timer)
  if (err !== undefined) log.error({ err }, 'the store cannot write: the last changes may be lost')
}
